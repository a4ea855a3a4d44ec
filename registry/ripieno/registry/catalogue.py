"""Weights and data that plugins use, by name, with licence and checksum.

Conventions
-----------
Nothing is fetched but by `Catalogue.get`. What a package carries (``package:MODULE/FILE``) is where it is;
everything else is kept under the first digits of its SHA-256, which is checked before a file gets its name
and again when its path is asked for.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ripieno.contracts.errors import DamagedError, MissingError, RipienoError

from .memo import default_folder

if TYPE_CHECKING:
    from ripieno.contracts import Asset

    from .registry import Registry

_KEPT_DIGITS = 16
_LOGGER = logging.getLogger("ripieno")


@dataclass(frozen=True)
class CatalogueEntry:
    """An asset that is known.

    Parameters
    ----------
    name : str
        As in ``asset/NAME``.
    asset : Asset
        What is known of it.
    path : Path or None
        The file, where it is on this machine.
    """

    name: str
    asset: "Asset"
    path: Path | None


class Catalogue:
    """The assets of what is installed, and the folder they are kept in.

    Parameters
    ----------
    registry : Registry
        Knows the assets.
    folder : Path, optional
        Keeps the files; made when something is fetched first. ``assets`` in ``$RIPIENO_STORE`` or in the
        user's cache folder where not given.
    """

    def __init__(self, registry: "Registry", folder: Path | None = None) -> None:
        self._registry = registry
        self._folder = folder or default_folder() / "assets"

    def list(self, report: Callable[[str], None] = _LOGGER.warning) -> tuple[CatalogueEntry, ...]:
        """Every asset, sorted by name.

        Parameters
        ----------
        report : callable
            Takes one line for each asset that cannot be read.
        """
        found = []
        for name in self._registry.names("asset"):
            try:
                asset = self.asset(name)
                path = self._place(name, asset) if asset.sha256 else None
            except RipienoError as error:
                report(str(error))
                continue
            found.append(CatalogueEntry(name, asset, path if path and path.is_file() else None))
        return tuple(found)

    def asset(self, name: str) -> "Asset":
        """What is known of an asset.

        Raises
        ------
        MissingError, RefusedError, PluginError
            As `Registry.load`.
        """
        asset: Asset = self._registry.build(f"asset/{name}", {})
        return asset

    def path(self, name: str) -> Path:
        """The file of an asset.

        Raises
        ------
        MissingError
            If it is not on this machine; the message gives the command that fetches it, or says where it is.
        DamagedError
            If its bytes are not those of the catalogue.
        """
        asset = self._fetchable(name)
        path = self._place(name, asset)
        if not path.is_file():
            from .download import terms

            raise MissingError(f"asset {name}: not downloaded ({terms(asset)}). Run: core models get {name}")
        if self._registry.digests.digest(path) != asset.sha256:
            raise DamagedError(str(path))
        return path

    def get(self, name: str, progress: Callable[[int, int], None] | None = None) -> Path:
        """The file of an asset, fetched where it is not here or is damaged.

        Parameters
        ----------
        name : str
            Of the asset.
        progress : callable, optional
            Called with the bytes that are here and those of the whole.

        Raises
        ------
        MissingError
            If it cannot be fetched whole, what came is something else, or its checksum is not known; the
            message says what to do.
        """
        asset = self._fetchable(name)
        path = self._place(name, asset)
        if path.is_file() and self._registry.digests.digest(path) == asset.sha256:
            return path
        if asset.url.startswith("package:"):
            raise self._incomplete(name, path)
        # Here, since planning needs the catalogue but not the HTTP client.
        from .download import download

        download(asset, path, name=name, progress=progress)
        return path

    def _fetchable(self, name: str) -> "Asset":
        asset = self.asset(name)
        if not asset.sha256:
            from .download import terms

            raise MissingError(
                f"asset {name}: its checksum is not known, so nothing fetches it ({terms(asset)}). "
                f"Get it by hand from {asset.url} and give its path in the asset's place"
            )
        return asset

    def _place(self, name: str, asset: "Asset") -> Path:
        parts = urlsplit(asset.url)
        if parts.scheme != "package":
            return self._folder / f"{name}-{asset.sha256[:_KEPT_DIGITS]}" / Path(unquote(parts.path)).name
        module, _, file = parts.path.partition("/")
        with suppress(ModuleNotFoundError):
            spec = find_spec(module)
            if spec is not None and spec.submodule_search_locations:
                return Path(spec.submodule_search_locations[0]) / unquote(file)
        raise self._incomplete(name, module)

    def _incomplete(self, name: str, what: Path | str) -> MissingError:
        distribution = self._registry.find(f"asset/{name}").distribution
        return MissingError(
            f"asset {name}: {what} is not as {distribution} came. "
            f"Run: pip install --force-reinstall {distribution}"
        )
