"""The checkpoints that Demucs's authors give out, as entries of the catalogue."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
