"""Small JSON values remembered between processes, each in a file named by the digest of its key."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Memo:
    """A folder of remembered values; losing it costs time only.

    Parameters
    ----------
    folder : Path
        Made when something is remembered first.
    """

    folder: Path

    def get(self, *key: Any) -> Any:
        """The value under a key; None where there is none that can be read."""
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None

    def put(self, value: Any, *key: Any) -> None:
        """Remember a value, where the folder can be written."""
        # A cache that cannot be written is a slow cache, not a fault.
        with suppress(OSError):
            write_text(self._path(key), json.dumps(value, default=str))

    def _path(self, key: Any) -> Path:
        digest = hashlib.sha256(json.dumps(key, default=str).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:]}.json"


def write_text(path: Path, text: str, *, room: Path | None = None, sync: bool = False) -> None:
    """Write a file atomically: whoever reads it sees the old text or the new one.

    Parameters
    ----------
    path : Path
        Its folder is made.
    text : str
        Written as UTF-8, its line ends as they are.
    room : Path, optional
        A folder of the same file system for the unfinished file; that of `path` where not given.
    sync : bool
        Whether the text must survive a loss of power.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = (room or path.parent) / f".{path.name}.{os.urandom(8).hex()}"
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def default_folder() -> Path:
    """Where what is remembered or stored goes: ``$RIPIENO_STORE``, else the user's cache folder."""
    given = os.environ.get("RIPIENO_STORE")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("ripieno", appauthor=False)
