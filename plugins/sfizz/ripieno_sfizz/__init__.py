"""Sampled instruments: sound from recorded notes, played by sfizz, with labels measured in that sound.

In the order of the work: `libraries` are the maps, `folder` finds a library's files, `sfz` reads its SFZ
file, `staging` makes the copy that is played, `strokes` says which key to press when, `midi` and `engine`
have sfizz render them, `clips` puts sound and labels together, `source` is the plugin. `survey` measures
what a map says of the samples.
"""
