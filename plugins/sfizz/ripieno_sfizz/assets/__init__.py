"""Sample libraries that are not shipped: where they are found and on what terms."""

from ripieno.contracts import Asset, resources

__getattr__ = resources(__name__, Asset)
