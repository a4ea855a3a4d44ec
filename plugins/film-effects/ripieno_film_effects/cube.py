"""Colour tables in .cube files.

Conventions
-----------
A table is float64: [size, 3] for each channel alone, or [size, size, size, 3] by blue, green, red. Values of
the file may leave 0..1; what is given is mapped from the file's domain.

References
----------
Adobe: Cube LUT Specification, version 1.0. 2013.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError

_LARGEST = {"LUT_1D_SIZE": 65536, "LUT_3D_SIZE": 256}
_RANGES = {"LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE"}
_LONGEST_FILE = 1 << 29


@dataclass(frozen=True, eq=False)
class Cube:
    """A table and the domain of what is looked up in it.

    Attributes
    ----------
    table : NDArray[np.float64]
        [size, 3] or [size, size, size, 3].
    low, high : NDArray[np.float64]
        [3], the values of red, green and blue at the first and last entries.
    """

    table: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def read_cube(path: Path) -> Cube:
    """Read a .cube file.

    Raises
    ------
    InputError
        If there is no such file, or one of its lines is not what it should be; the message names the line.
    """
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise InputError(f"{path}: too large for a colour table")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return _Reader(path).read(text)


class _Reader:
    """What is known of a file so far."""

    def __init__(self, path: Path) -> None:
        self._path, self._line = path, 0
        self._low, self._high = [0.0] * 3, [1.0] * 3
        self._kind, self._size = "", 0
        self._rows: list[list[float]] = []

    def read(self, text: str) -> Cube:
        for number, line in enumerate(text.splitlines(), start=1):
            self._line = number
            words = line.partition("#")[0].split()
            if words:
                self._take(words)
        if not self._kind:
            raise self._fault("no LUT_1D_SIZE or LUT_3D_SIZE in the whole file")
        wanted = self._wanted
        if len(self._rows) < wanted:
            raise self._fault(f"the file ends after {len(self._rows)} of {wanted} rows of the table")
        if not all(low < high for low, high in zip(self._low, self._high, strict=True)):
            raise self._fault("DOMAIN_MAX is not above DOMAIN_MIN")
        table = np.array(self._rows)
        if self._kind == "LUT_3D_SIZE":
            table = table.reshape(self._size, self._size, self._size, 3)
        return Cube(table, np.array(self._low), np.array(self._high))

    @property
    def _wanted(self) -> int:
        return self._size ** (3 if self._kind == "LUT_3D_SIZE" else 1)

    def _take(self, words: list[str]) -> None:
        name = words[0]
        if name == "TITLE":
            return
        if name in _LARGEST:
            self._take_size(name, words)
        elif name == "DOMAIN_MIN":
            self._low = self._numbers(words[1:], 3, name)
        elif name == "DOMAIN_MAX":
            self._high = self._numbers(words[1:], 3, name)
        elif name in _RANGES:
            low, high = self._numbers(words[1:], 2, name)
            self._low, self._high = [low] * 3, [high] * 3
        elif name[0].isalpha() and name.lower() not in ("nan", "inf", "infinity"):
            raise self._fault(f"unknown keyword {name[:40]}")
        else:
            self._take_row(words)

    def _take_size(self, name: str, words: list[str]) -> None:
        if self._kind:
            raise self._fault(f"{name} after {self._kind}: a file has one table")
        try:
            (size,) = (int(word) for word in words[1:])
        except ValueError:
            raise self._fault(f"{name} takes one whole number") from None
        if not 2 <= size <= _LARGEST[name]:
            raise self._fault(f"{name} {size}: expected 2 to {_LARGEST[name]}")
        self._kind, self._size = name, size

    def _take_row(self, words: list[str]) -> None:
        if not self._kind:
            raise self._fault("a row of the table before LUT_1D_SIZE or LUT_3D_SIZE")
        if len(self._rows) == self._wanted:
            raise self._fault(f"more than {self._wanted} rows of the table")
        self._rows.append(self._numbers(words, 3, "a row"))

    def _numbers(self, words: list[str], count: int, what: str) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            raise self._fault(f"{what} takes {count} numbers, got {' '.join(words)[:60]!r}") from None
        if len(numbers) != count:
            raise self._fault(f"{what} takes {count} numbers, got {len(numbers)}")
        if not all(math.isfinite(number) for number in numbers):
            raise self._fault(f"{what} is not finite")
        return numbers

    def _fault(self, what: str) -> InputError:
        return InputError(f"{self._path}:{self._line}: {what}")
