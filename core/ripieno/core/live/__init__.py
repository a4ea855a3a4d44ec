"""The streaming part of a pipeline, at work on sound as it arrives.

In the order in which it happens: a `path` is what can run live; `sources` opens what it hears (a `recording`,
`raw` samples, a `microphone`, or the `feeds` of clients), which comes in `hops` at a `pace`; an `engine` puts
it through the steps, whose sessions `checks` holds to their word; `messages` is what is said of it, to
whoever listens: `show` where it was started, `server` and `osc` elsewhere. `live` is the loop.
"""
