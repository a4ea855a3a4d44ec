"""Playing instruments that are computed: what is played, how it sounds, and what is written of it.

`player` plans the notes as a person plays them, a plugin renders them voice by voice, `measure` says
what is heard, and `pairs` keeps sound and label as files.
"""
