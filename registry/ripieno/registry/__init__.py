"""Finds, describes and loads plugins; the catalogue of weights and assets.

Importing this package imports nothing else; a name is loaded when it is first used (PEP 562). Type
checkers read the same names from ``__init__.pyi``.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_MODULE = {
    "Catalogue": "catalogue",
    "CatalogueEntry": "catalogue",
    "Configured": "descriptors",
    "Descriptor": "descriptors",
    "Entry": "entries",
    "FileDigests": "digests",
    "Listeners": "listeners",
    "PortInfo": "descriptors",
    "Registry": "registry",
    "did_you_mean": "suggest",
}

__all__ = sorted(_MODULE)


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
