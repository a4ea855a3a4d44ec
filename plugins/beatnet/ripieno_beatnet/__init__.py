"""Beats and downbeats as they are played, by BeatNet's network."""
