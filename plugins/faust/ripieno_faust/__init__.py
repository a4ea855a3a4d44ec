"""Physical models of strings, driven at audio rate and heard before they are labelled.

A clip, from its seed: `toolkit.playing.player` says which notes; `bowing` and `plucking` say what the hands
do in each of them; `engine` renders a voice of the `models`; `clip` measures every voice and mixes them;
`source` writes the set.
"""
