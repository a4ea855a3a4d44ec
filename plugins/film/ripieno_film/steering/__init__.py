"""Steering: what is known of the music becomes the coefficients of a film."""
