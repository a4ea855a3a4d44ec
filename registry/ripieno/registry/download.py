"""Fetching a file that is known by size and SHA-256, so that an interrupted fetch goes on.

Conventions
-----------
Bytes go into ``NAME.part`` beside the target; the file gets its name only when size and digest are right.
"""

import os
import shutil
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ripieno.contracts.errors import MissingError

from .digests import sha256
from .loading import one_line

if TYPE_CHECKING:
    from ripieno.contracts import Asset

_BLOCK_BYTES = 1 << 20
_TIMEOUT_S = 30
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def download(
    asset: "Asset", target: Path, *, name: str, progress: Callable[[int, int], None] | None = None
) -> None:
    """Fetch an asset's file; what an earlier attempt left is gone on with.

    Parameters
    ----------
    asset : Asset
        With a known checksum. Its URL is ``https:`` or ``file:``, or ``http:`` on this machine.
    target : Path
        Where it goes; its folder is made.
    name : str
        Of the asset, for messages.
    progress : callable, optional
        Called with the bytes that are here and those of the whole.

    Raises
    ------
    MissingError
        If it cannot be fetched whole or is something else; there is no file at `target` then.
    """
    part = target.with_name(f"{target.name}.part")
    where = f"asset {name}: {asset.url}"
    again = f"Run: core models get {name} ({terms(asset)})"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _check_room(asset.size, part)
        _fetch(asset, part, progress)
        here = part.stat().st_size
    except (OSError, HTTPException) as error:
        raise MissingError(f"{where} cannot be fetched: {_cause(error)}. {again}") from error
    if here < asset.size:
        raise MissingError(f"{where} stopped after {here} of {asset.size} bytes, which are kept. {again}")
    digest = sha256(part)
    if here > asset.size or digest != asset.sha256:
        part.unlink()
        raise MissingError(
            f"{where} gives another file: its SHA-256 begins {digest[:12]}, not {asset.sha256[:12]}. "
            f"Nothing was kept. {again}, or update the plugin that names it"
        )
    os.replace(part, target)


def terms(asset: "Asset") -> str:
    """Size and licence, ``12 MB, CC-BY-4.0``; the licence alone where the size is not known."""
    if not (asset.sha256 or asset.size):
        return asset.licence
    units = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
    scale, unit = next(((scale, unit) for scale, unit in units if asset.size >= scale), units[-1])
    return f"{asset.size / scale:.3g} {unit}, {asset.licence}"


def _fetch(asset: "Asset", part: Path, progress: Callable[[int, int], None] | None) -> None:
    """Append what is missing of `part`; a byte more than the asset has shows that it is another file."""
    here = part.stat().st_size if part.exists() else 0
    if here >= asset.size > 0:
        return
    _check_url(asset.url)
    headers = {"User-Agent": "ripieno", **({"Range": f"bytes={here}-"} if here else {})}
    opener = build_opener(_Redirects)
    with opener.open(Request(asset.url, headers=headers), timeout=_TIMEOUT_S) as response:
        goes_on = getattr(response, "status", None) == HTTPStatus.PARTIAL_CONTENT
        here = here if goes_on else 0
        with open(part, "ab" if goes_on else "wb") as file:
            while here <= asset.size and (block := response.read(_BLOCK_BYTES)):
                file.write(block)
                here += len(block)
                if progress is not None:
                    progress(here, asset.size)


class _Redirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("https", "file") or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise URLError(f"{parts.scheme}: is not fetched, only https: and file: are")


def _check_room(size: int, part: Path) -> None:
    missing = size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise OSError(f"{part.parent} has {free / 1e6:.0f} MB free, {missing / 1e6:.0f} MB are needed")


def _cause(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(error.reason) if isinstance(error, URLError) else one_line(error)
