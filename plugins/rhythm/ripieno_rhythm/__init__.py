"""Beats measured, heard and kept."""
