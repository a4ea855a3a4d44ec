"""How FFmpeg is asked for picture and sound.

Conventions
-----------
A segment is an MP4 whatever its codec, since that has exact times; the film's own container comes with the
sound. Encoders have a fixed number of threads and write no versions and times: the same frames give the same
bytes.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ripieno.contracts import InputError, MissingError
from ripieno.toolkit.ffmpeg import Pipe, ffmpeg_path, file_url

GOP_S = 2
LEAST_TICKS = 90_000
BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "color_range": "tv"}
REPRODUCIBLE = {"fflags": "+bitexact", "flags:v": "+bitexact", "flags:a": "+bitexact"}
_FULL = re.compile(r"No space left|Disk quota exceeded|File too large|signal 25\b")


@dataclass(frozen=True)
class Codec:
    """A codec of the picture.

    Parameters
    ----------
    encoder : str
        FFmpeg's name of it.
    suffix : str
        Of the film's file.
    options : mapping
        Of the encoder.
    """

    encoder: str
    suffix: str
    options: Mapping[str, Any]


CODECS = {
    "x264": Codec("libx264", ".mp4", {"preset": "veryfast"}),
    "vp9": Codec("libvpx-vp9", ".webm", {"video_bitrate": 0, "deadline": "good", "cpu-used": 5, "row-mt": 0}),
    "av1": Codec("libsvtav1", ".webm", {"preset": 9}),
}
SOUND = {"aac": ("aac", "192k"), "opus": ("libopus", "160k")}
DEFAULT_SOUND = {".mp4": "aac", ".webm": "opus"}


def ticks_of(rate: tuple[int, int]) -> tuple[int, int]:
    """Ticks a second of a film's clock, and ticks a frame: whole numbers."""
    frames, seconds = rate
    factor = -(-LEAST_TICKS // frames)
    return frames * factor, seconds * factor


def segment_command(
    path: Path,
    *,
    codec: str,
    crf: int,
    threads: int,
    size: tuple[int, int],
    rate: tuple[int, int],
    key: int | None = None,
) -> list[str]:
    """The command that makes a segment of raw yuv420p frames on its standard input.

    Parameters
    ----------
    key : int, optional
        A frame that is coded by itself beside those that begin a group.
    """
    import ffmpeg

    chosen = CODECS[codec]
    group = max(1, round(GOP_S * rate[0] / rate[1]))
    options: dict[str, Any] = {
        **chosen.options,
        **REPRODUCIBLE,
        "vcodec": chosen.encoder,
        "crf": crf,
        "g": group,
        "threads": threads,
        "video_track_timescale": ticks_of(rate)[0],
        "chroma_sample_location": "center",
        **BT709,
    }
    if codec == "av1":
        options["svtav1-params"] = f"lp={threads}"
    if key is not None:
        options["force_key_frames"] = f"expr:eq(n,{key})"
    raw = ffmpeg.input(
        "pipe:",
        format="rawvideo",
        pix_fmt="yuv420p",
        s="{}x{}".format(*size),
        framerate="{}/{}".format(*rate),
        **BT709,
    )
    command: list[str] = ffmpeg.output(raw, file_url(path), **options).compile(overwrite_output=True)
    return command


@contextmanager
def encoder(command: list[str], *, folder: Path) -> Iterator[Pipe]:
    """A pipe to FFmpeg; where the disk is full, that is said.

    Raises
    ------
    InputError
        If FFmpeg fails.
    """
    try:
        with Pipe(command, mode="write") as pipe:
            yield pipe
    except InputError as error:
        said = f"{error} {error.__cause__ or ''}"
        if not _FULL.search(said):
            raise
        raise full_disk(folder) from error


def full_disk(folder: Path) -> InputError:
    """What to say of a disk that takes no more."""
    import shutil

    free_mb = shutil.disk_usage(folder).free // 1_000_000
    return InputError(
        f"{folder}: no space left for the film ({free_mb} MB free). Make room (core runs gc) or set RIPIENO_STORE "
        "to another disk, and run again: finished segments are kept"
    )


def check_encoders(*names: str) -> None:
    """Refuse what this FFmpeg cannot encode.

    Raises
    ------
    MissingError
        Naming the encoder and what to do.
    """
    lacking = [name for name in names if name not in _encoders(ffmpeg_path())]
    if lacking:
        raise MissingError(
            f"{ffmpeg_path()} has no encoder {' and no '.join(lacking)}. Take another codec, or an FFmpeg that has "
            "it: pip install imageio-ffmpeg brings one, which is taken where none is on PATH"
        )


@lru_cache(maxsize=4)
def _encoders(program: str) -> frozenset[str]:
    done = subprocess.run(
        [program, "-hide_banner", "-encoders"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    found = re.findall(r"^ [VAS][A-Z.]{5} (\S+)", done.stdout.decode("utf-8", "replace"), re.MULTILINE)
    return frozenset(found)
