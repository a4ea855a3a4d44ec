"""WAV as it is written, and the length that WAV and AIFF promise.

Conventions
-----------
A file is written as 32-bit float, RIFF where its sizes fit into 32 bits, RF64 beyond. It holds no time and
no name of a program, so the same sound gives the same bytes.

References
----------
Microsoft, IBM: Multimedia programming interface and data specifications 1.0. 1991.
EBU Tech 3306: MBWF / RF64, an extended file format for audio. 2009.
Apple: Audio Interchange File Format 1.3. 1989.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ripieno.contracts import AudioFormat

_FLOAT = 3
_SAMPLE_BYTES = 4
_IN_DS64 = 0xFFFFFFFF
# A program that writes to a pipe cannot go back for the length: FFmpeg leaves all ones, SoX just below 2 GiB.
_SOX_UNKNOWN = range(0x7FFFF000, 0x80000000)


def wav_header(format: AudioFormat, *, frames: int) -> bytes:
    """What stands before the samples [frames, channels] of a float WAV file."""
    frame_bytes = _SAMPLE_BYTES * format.channels
    data_bytes = frames * frame_bytes
    layout = struct.pack(
        "<HHIIHHH", _FLOAT, format.channels, format.rate_hz, format.rate_hz * frame_bytes, frame_bytes, 32, 0
    )
    described = _chunk(b"fmt ", layout)
    riff_bytes = 4 + len(described) + 12 + 8 + data_bytes
    if riff_bytes < _IN_DS64:
        counted = _chunk(b"fact", struct.pack("<I", frames))
        return _head(b"RIFF", riff_bytes) + described + counted + _size(b"data", data_bytes)
    wide = _chunk(b"ds64", struct.pack("<QQQI", riff_bytes + 36 - 12, data_bytes, frames, 0))
    return _head(b"RF64", _IN_DS64) + wide + described + _size(b"data", _IN_DS64)


def missing_bytes(path: Path) -> tuple[int, int]:
    """How many bytes of sound a WAV or AIFF file lacks, and how many it promises; zeros where it does not."""
    with open(path, "rb") as file:
        promised, start = _promise(file)
        there = path.stat().st_size - start
    return max(0, promised - there), promised


def _promise(file: BinaryIO) -> tuple[int, int]:
    """Size of the sound by the header, and where it begins."""
    order = ">" if file.read(4) == b"FORM" else "<"
    file.seek(12)
    wide = 0
    for name, size in _chunks(file, order):
        if name == b"ds64":
            wide = struct.unpack("<8xQ", file.read(16))[0]
            file.seek(-16, 1)
        if name in (b"data", b"SSND"):
            if size == _IN_DS64 or size in _SOX_UNKNOWN:
                size = wide
            return size, file.tell()
        file.seek(size + size % 2, 1)
    return 0, 0


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    while len(head := file.read(8)) == 8:
        yield struct.unpack(f"{order}4sI", head)


def _head(kind: bytes, size: int) -> bytes:
    return _size(kind, size) + b"WAVE"


def _size(name: bytes, size: int) -> bytes:
    return struct.pack("<4sI", name, size)


def _chunk(name: bytes, content: bytes) -> bytes:
    return _size(name, len(content)) + content
