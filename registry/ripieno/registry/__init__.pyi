"""What type checkers see of the lazily loaded names."""

from .catalogue import Catalogue as Catalogue, CatalogueEntry as CatalogueEntry
from .descriptors import Configured as Configured, Descriptor as Descriptor, PortInfo as PortInfo
from .digests import FileDigests as FileDigests
from .entries import Entry as Entry
from .listeners import Listeners as Listeners
from .registry import Registry as Registry
from .suggest import did_you_mean as did_you_mean

__version__: str
__all__: list[str]
