"""Weights by others that two of the metrics need, as entries of the catalogue: where they are, on which terms."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
