"""Speech taken out of music by the mask of a small network."""
