"""How well speech is freed from music, measured on mixtures of which the truth is known."""
