"""Digests of files, remembered between processes.

Conventions
-----------
A digest is the lower-case hexadecimal SHA-256 of the bytes. It is remembered by the file's path, size,
modification time and inode. A file changed within the last two seconds is read every time: a file system
of coarse time stamps would not show a second change.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from .memo import write_text

_COARSEST_STAMP_NS = 2_000_000_000
_MOST_LINES = 50_000


class FileDigests:
    """Digests of files.

    The memory is one file to which each digest appends a line, so several processes share it without a
    lock; a line that cannot be read is as if it were not there.

    Parameters
    ----------
    cache : Path
        Folder of the memory; made when something is remembered first.
    """

    def __init__(self, cache: Path) -> None:
        self._path = cache / "digests.jsonl"
        self._known: dict[str, tuple[list[int], str]] | None = None

    def digest(self, path: Path) -> str:
        """SHA-256 of a file.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        place = os.path.abspath(path)
        stamp = _stamp(place)
        known = self._remembered()
        if place in known and known[place][0] == stamp:
            return known[place][1]
        with open(place, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _stamp(place) == stamp and time.time_ns() - stamp[1] > _COARSEST_STAMP_NS:
            known[place] = stamp, digest
            self._append(_line(place, stamp, digest))
        return digest

    def _append(self, line: str) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, "ab", buffering=0) as file:
                file.write(line.encode())

    def _remembered(self) -> dict[str, tuple[list[int], str]]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, tuple[list[int], str]]:
        known: dict[str, tuple[list[int], str]] = {}
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return known
        for line in lines[-_MOST_LINES:]:
            with suppress(ValueError, TypeError):
                place, stamp, digest = json.loads(line)
                known[str(place)] = list(map(int, stamp)), str(digest)
        if len(lines) > _MOST_LINES:
            with suppress(OSError):
                write_text(self._path, "".join(_line(place, *rest) for place, rest in known.items()))
        return known


def _stamp(path: str) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _line(place: str, stamp: list[int], digest: str) -> str:
    return json.dumps([place, stamp, digest]) + "\n"
