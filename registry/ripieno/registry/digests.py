"""Digests of files; those of large ones are remembered between processes.

Conventions
-----------
A digest is the lower-case hexadecimal SHA-256 of the bytes. It is remembered by the file's path, with its
size, modification time and inode. A file changed within the last two seconds is read every time: a file
system of coarse time stamps would not show a second change.
"""

import hashlib
import os
import time
from pathlib import Path

from .memo import Memo

# Reading a smaller file is as quick as reading what is remembered of it.
_LARGE_BYTES = 1 << 16
_COARSEST_STAMP_NS = 2_000_000_000


class FileDigests:
    """Digests of files.

    Parameters
    ----------
    cache : Path
        Folder of the memory, shared by processes; made when something is remembered first.
    """

    def __init__(self, cache: Path) -> None:
        self._memo = Memo(cache / "digests")

    def digest(self, path: Path) -> str:
        """SHA-256 of a file.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        place = os.path.abspath(path)
        stamp = _stamp(place)
        if stamp["size"] < _LARGE_BYTES:
            return sha256(place)
        known = self._memo.get(place)
        if isinstance(known, dict) and known.get("stamp") == stamp:
            return str(known["sha256"])
        digest = sha256(place)
        if _stamp(place) == stamp and time.time_ns() - stamp["mtime_ns"] > _COARSEST_STAMP_NS:
            self._memo.put({"stamp": stamp, "sha256": digest}, place)
        return digest


def sha256(path: Path | str) -> str:
    """SHA-256 of a file, read now."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(path: str) -> dict[str, int]:
    status = os.stat(path)
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "inode": status.st_ino}
