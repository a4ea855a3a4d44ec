"""Published networks as entries of the catalogue: where they are, and on which terms."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
