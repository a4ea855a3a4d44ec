"""Notes as a person plays them, drawn from a seed: `player` plans what a computed instrument is to play."""
