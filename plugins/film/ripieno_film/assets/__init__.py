"""Generators that this package ships."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
