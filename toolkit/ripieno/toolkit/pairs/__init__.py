"""Sound and label as files: clips that are made, judged, kept or made again, and gathered as a data set."""
