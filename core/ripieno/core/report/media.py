"""What a page shows of files. A file that cannot be read, or is of another format, shows nothing."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

COLUMNS = 500
# Of every column no more is looked at than this: an hour takes no longer than a minute.
MOST_FRAMES = 1024
MOST_CHARACTERS = 20_000
# Format tag and bits of a sample, as in the WAVE format chunk.
SAMPLES = {(1, 16): "<i2", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}

Peaks = Sequence[tuple[float, float]]


def peaks(path: Path) -> Peaks:
    """Lowest and highest sample of each column of a WAV file, full scale 1; empty for other files."""
    try:
        with open(path, "rb") as file:
            sample, channels, offset, size = _wave(file)
    except (OSError, KeyError, struct.error):
        return []
    import numpy as np

    dtype = np.dtype(sample)
    frames = min(size, path.stat().st_size - offset) // (dtype.itemsize * channels)
    hop = frames // COLUMNS
    if not hop:
        return []
    data = np.memmap(path, dtype, "r", offset, (COLUMNS, hop * channels))[:, : MOST_FRAMES * channels]
    full = -float(np.iinfo(dtype).min) if dtype.kind == "i" else 1.0
    low, high = (np.clip(np.nan_to_num(edge / full), -1, 1) for edge in (data.min(axis=1), data.max(axis=1)))
    return list(zip(low.tolist(), high.tolist(), strict=True))


def outline(values: Peaks, top: float) -> str:
    """Peaks as an SVG path, one unit wide a column, from -100 to 100 high at `top`."""
    if not values or not top:
        return ""
    above = [f"{x},{-100 * high / top - 1:.0f}" for x, (_, high) in enumerate(values)]
    below = [f"{x},{-100 * low / top + 1:.0f}" for x, (low, _) in enumerate(values)]
    return f"M{' '.join([*above, *reversed(below)])}Z"


def beats(path: Path) -> list[tuple[float, int]]:
    """Times and positions of a ``.beats`` file."""
    rows = [line.split() for line in _lines(path, ".beats")]
    try:
        return [(float(row[0]), int(float(row[1])) if len(row) > 1 else 0) for row in rows if row]
    except ValueError:
        return []


def sections(path: Path) -> list[tuple[float, float, str]]:
    """Starts, ends and labels of a ``.lab`` file."""
    rows = [line.split("\t") for line in _lines(path, ".lab") if line.strip()]
    try:
        return [(float(start), float(end), label) for start, end, label in rows]
    except ValueError:
        return []


def scores(path: Path) -> Mapping[str, Any]:
    """``values`` and ``compared_with`` of scores as JSON."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {"values": dict(document["values"]), "compared_with": str(document.get("compared_with", ""))}
    except (OSError, ValueError, KeyError, TypeError):
        return {"values": {}, "compared_with": ""}


def text(path: Path) -> str:
    """The beginning of a text."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(MOST_CHARACTERS)
    except OSError:
        return ""


def _lines(path: Path, suffix: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines() if path.suffix == suffix else []
    except (OSError, UnicodeDecodeError):
        return []


def _wave(file: BinaryIO) -> tuple[str, int, int, int]:
    """Type of a sample, channels, offset and size of the samples (RIFF or RF64)."""
    if file.read(12)[8:] != b"WAVE":
        raise KeyError("WAVE")
    tag, channels, bits = 0, 0, 0
    while True:
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"data":
            return SAMPLES[tag, bits], channels, file.tell(), size
        body = file.read(size + size % 2)
        if name == b"fmt ":
            tag, channels, *_, bits = struct.unpack_from("<HHIIHH", body)
            # An extensible format has its tag in front of the GUID.
            tag = struct.unpack_from("<H", body, 24)[0] if tag == 0xFFFE else tag
