"""A published network as an entry of the catalogue: where it is, and on which terms."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
