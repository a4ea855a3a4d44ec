"""Sound and labels changed together, so that the labels stay true.

Conventions
-----------
An example is the contracts' `Example`: audio of any rate and number of channels, and the performance in it.
What is random is drawn as a frozen dataclass of plain values (`draws`): recorded as JSON, it makes the
example again. Sound never changes length but by `warping.TimeStretch`.
"""
