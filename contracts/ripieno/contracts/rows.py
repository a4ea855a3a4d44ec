"""Rows of float32 on disk, each megabyte checked against its hash the first time it is read.

Conventions
-----------
A row is one frame of all channels: arrays are [frames, channels], C order, little-endian float32.
Blocks are counted in bytes of the file, so that a row may lie across two of them.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from .artifact import read_only
from .errors import DamagedError, InputError

BLOCK_BYTES = 1 << 20
DTYPE = np.dtype("<f4")
# As many as FFmpeg's channel layouts have bits, and as seventh-order ambisonics have.
MOST_CHANNELS = 64


@dataclass(frozen=True, eq=False)
class MemoryRows:
    """Rows in memory.

    Parameters
    ----------
    array : ndarray [frames, channels]
        C order, read-only.
    """

    array: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, channels)."""
        frames, channels = self.array.shape
        return frames, channels

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows [start, stop), a view [stop - start, channels]."""
        return self.array[max(0, start) : max(0, stop)]

    def whole(self) -> NDArray[np.float32]:
        """All rows."""
        return self.array


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Rows in a file that are read when they are asked for.

    Parameters
    ----------
    path : Path
        Raw samples, no header.
    frames, channels : int
        Shape of the whole.
    hashes : tuple of str
        SHA-256 of each `BLOCK_BYTES` of the file.
    """

    path: Path
    frames: int
    channels: int
    hashes: tuple[str, ...]
    _checked: set[int] = field(default_factory=set, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, channels)."""
        return self.frames, self.channels

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows [start, stop), a copy [stop - start, channels].

        Raises
        ------
        DamagedError
            If the bytes of a block read for the first time differ from their hash.
        """
        start, stop = max(0, start), min(stop, self.frames)
        count = max(0, stop - start) * self.channels
        if not count:
            return np.zeros((0, self.channels), DTYPE)
        row_bytes = DTYPE.itemsize * self.channels
        with self._open() as file:
            self._check(file, start * row_bytes // BLOCK_BYTES, (stop * row_bytes - 1) // BLOCK_BYTES)
            file.seek(start * row_bytes)
            values = np.fromfile(file, DTYPE, count)
        return values.reshape(-1, self.channels)

    def whole(self) -> NDArray[np.float32]:
        """All rows as a read-only mapping of the file, every block checked."""
        if not self.frames:
            return read_only(np.zeros(self.shape, DTYPE))
        with self._open() as file:
            self._check(file, 0, len(self.hashes) - 1)
        return np.memmap(self.path, DTYPE, "r", shape=self.shape)

    def _open(self) -> BinaryIO:
        try:
            return open(self.path, "rb")
        except FileNotFoundError as error:
            raise DamagedError(str(self.path)) from error

    def _check(self, file: BinaryIO, first: int, last: int) -> None:
        for block in range(first, last + 1):
            if block in self._checked:
                continue
            file.seek(block * BLOCK_BYTES)
            if hashlib.sha256(file.read(BLOCK_BYTES)).hexdigest() != self.hashes[block]:
                raise DamagedError(str(self.path))
            self._checked.add(block)


class RowsWriter:
    """Appends rows to a new file and hashes them on the way.

    Parameters
    ----------
    path : Path
        Made anew; removed again when the writing fails.
    channels : int
        1 to 64.
    """

    def __init__(self, path: Path, *, channels: int) -> None:
        if not 1 <= channels <= MOST_CHANNELS:
            raise InputError(f"channels is {channels}: audio has 1 to {MOST_CHANNELS} channels")
        self.path = path
        self.channels = channels
        self._file = open(path, "wb")  # noqa: SIM115  # closed by `close` or by leaving the block
        self._frames = 0
        self._hashes: list[str] = []
        self._unhashed = bytearray()

    def write(self, rows: NDArray[np.floating[Any]]) -> None:
        """Append rows [frames, channels].

        Raises
        ------
        InputError
            If the shape does not fit or a sample is NaN or infinite.
        """
        if rows.ndim != 2 or rows.shape[1] != self.channels:
            raise InputError(f"samples have shape {rows.shape[::-1]}, expected [{self.channels}, frames]")
        data = to_float32(rows).tobytes()
        self._file.write(data)
        self._frames += len(rows)
        self._unhashed += data
        while len(self._unhashed) >= BLOCK_BYTES:
            self._end_block()

    def close(self) -> StoredRows:
        """Finish the file and give its rows."""
        if self._unhashed:
            self._end_block()
        self._file.close()
        return StoredRows(self.path, self._frames, self.channels, tuple(self._hashes))

    def _end_block(self) -> None:
        self._hashes.append(hashlib.sha256(self._unhashed[:BLOCK_BYTES]).hexdigest())
        del self._unhashed[:BLOCK_BYTES]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: object, *_: object) -> None:
        self._file.close()
        if error_type is not None:
            self.path.unlink(missing_ok=True)


def to_float32(rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Rows as they are stored: C order, little-endian float32; not copied where they are so already.

    Raises
    ------
    InputError
        If a sample is NaN, infinite or beyond float32; the message says where.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.ascontiguousarray(rows, DTYPE)
        # The sum of finite float32 is finite in float64: one pass without a mask.
        if np.isfinite(np.sum(stored, dtype=np.float64)):
            return stored
    frame, channel = np.argwhere(~np.isfinite(stored))[0]
    raise InputError(f"sample {frame} of channel {channel} is {rows[frame, channel]}: audio must be finite")
