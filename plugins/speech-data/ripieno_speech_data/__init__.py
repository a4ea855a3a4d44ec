"""Sound to learn separation from: synthetic speech and arranged music, in great variety.

In the order of the work: `voices` says who can speak, `text` what is said, `synthesizers` has it spoken and
`spoken` is the plugin. `harmony`, `parts` and `styles` compose a piece, `electronics` and `fluid` sound it,
and `arranged` is the plugin. `clips` keeps what either makes, `processes` runs the programs.
"""
