"""Figures of a voice: beside the true one, beside a text, and alone."""
