"""The streaming part of a pipeline, at work on sound as it arrives.

As it happens: `sources` (where sound comes from) → `pace` (when) → `engine` (the steps of a `path`) →
`messages` (what is said of it) → those who listen; `live` is the loop.
"""
