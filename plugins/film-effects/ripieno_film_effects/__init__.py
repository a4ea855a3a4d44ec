"""Frame effects: what films go through after they are painted.

Conventions
-----------
Frames are uint8 [n, height, width, 3], sRGB; the first one is at `start_s`. What an effect makes of a frame
depends on that frame, its time, and for `trails` the `lead_frames` before it, never on how frames are dealt
out to calls. Lengths are shares of the picture, so that a film looks the same at every size.
"""
