"""Vocals and instruments apart, by the MDX-Net networks of Ultimate Vocal Remover."""
