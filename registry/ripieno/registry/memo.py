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
        except (OSError, ValueError):
            return None

    def put(self, value: Any, *key: Any) -> None:
        """Remember a value, where the folder can be written."""
        path = self._path(key)
        # A cache that cannot be written is a slow cache, not a fault.
        with suppress(OSError):
            write_text(path, json.dumps(value, default=str))

    def _path(self, key: Any) -> Path:
        digest = hashlib.sha256(json.dumps(key, default=str).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:]}.json"


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: whoever reads it sees the old text or the new one.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
