"""The networks that come with the package, as entries of the catalogue."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
