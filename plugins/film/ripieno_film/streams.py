"""How long a film's picture and sound are: as a player shows and hears them, not as a header says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ripieno.contracts import InputError
from ripieno.toolkit.ffmpeg import Pipe, file_url

_BLOCK = 1 << 16
_HEARD_HZ = 48_000


@dataclass(frozen=True)
class Streams:
    """Of a film.

    Parameters
    ----------
    frames : int
        Of the picture.
    picture_s, sound_s : float
        When each ends.
    """

    frames: int
    picture_s: float
    sound_s: float


def read_streams(film: Path) -> Streams:
    """Read the times of all frames, and decode the sound to count its samples.

    Raises
    ------
    InputError
        If there is no picture or no sound in the file.
    """
    frames, end = 0, Fraction(0)
    tick = Fraction(1)
    # framecrc's lines: stream, decoding time, presentation time, duration, size, checksum.
    for line in _lines(film, "-map", "0:v:0", "-c", "copy", "-f", "framecrc"):
        if line.startswith(b"#tb "):
            tick = Fraction(line.split()[-1].decode())
        if line.startswith(b"#"):
            continue
        _, _, shown, duration, *_ = line.split(b",")
        end = max(end, (int(shown) + int(duration)) * tick)
        frames += 1
    return Streams(frames, float(end), _heard_s(film))


def _heard_s(film: Path) -> float:
    heard = ["-map", "0:a:0", "-ac", "1", "-ar", str(_HEARD_HZ), "-f", "s16le"]
    with Pipe(["ffmpeg", "-i", file_url(film), *heard, "pipe:"], mode="read") as pipe:
        return sum(len(block) for block in pipe.blocks(_BLOCK)) / 2 / _HEARD_HZ


def _lines(film: Path, *options: str) -> Iterator[bytes]:
    rest = b""
    with Pipe(["ffmpeg", "-i", file_url(film), *options, "pipe:"], mode="read") as pipe:
        for block in pipe.blocks(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
    if rest:
        raise InputError(f"{film}: FFmpeg ended in the middle of a line")


def read_tags(film: Path) -> dict[str, str]:
    """What a file says of itself: title, artist, ..., names in lower case."""
    with Pipe(["ffmpeg", "-i", file_url(film), "-f", "ffmetadata", "pipe:"], mode="read") as pipe:
        text = pipe.read().decode("utf-8", "replace")
    tags = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("["):
            break
        name, found, value = line.partition("=")
        if found and not line.startswith(";"):
            tags[name.lower()] = re.sub(r"\\(.)", r"\1", value)
    return tags
