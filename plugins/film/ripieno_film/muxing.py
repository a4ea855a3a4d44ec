"""Segments and sound put together to a film, and the film held to what it should be.

Conventions
-----------
Nothing is encoded again but the sound, once. A film has ceil(duration * fps) frames; the last one is shown
only until the sound ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import StepError
from ripieno.toolkit.ffmpeg import file_url

from .encoding import REPRODUCIBLE, SOUND, encoder, ticks_of
from .streams import Streams, read_streams

RATES_HZ = {"aac": (44100, 48000), "opus": (48000,)}
MOST_APART_S = 0.005
# Players hear the last packet of an MP4's Opus to its end, 20 ms where nothing is said.
SHORT_PACKETS = {(".mp4", "opus"): {"frame_duration": 2.5}}

Block = NDArray[np.float32]


@dataclass(frozen=True)
class SoundFormat:
    """How sound goes to FFmpeg and how it is encoded.

    Parameters
    ----------
    rate_hz, channels : int
        Of the blocks.
    codec : str
        ``aac`` or ``opus``.
    """

    rate_hz: int
    channels: int
    codec: str


def mux(
    segments: Sequence[Path],
    sound: Iterable[Block],
    film: Path,
    *,
    format: SoundFormat,
    rate: tuple[int, int],
    frames: int,
    duration: Fraction,
    tags: Mapping[str, str],
    scratch: Path,
) -> None:
    """Write a film.

    Parameters
    ----------
    segments : sequence of Path
        MP4 files of whole frames, in order.
    sound : iterable of float32 array [channels, n]
        As long as the film.
    frames : int
        Of all segments.
    duration : Fraction
        Of the sound in seconds: when the last frame ends.
    tags : mapping of str to str
        ``title``, ``artist``, ...
    scratch : Path
        An empty folder.

    Raises
    ------
    StepError
        If the film is not what it should be.
    """
    import ffmpeg

    listed = write_list(segments, scratch / "segments.txt")
    picture = ffmpeg.input(file_url(listed), format="concat", safe=0)["v:0"]
    second, frame = ticks_of(rate)
    last = (frames - 1) * frame
    rest = max(1, round(duration * second) - last)
    exact = f"round(PTS*TB*{second}/{frame})*{frame}"
    times = f"setts=time_base=1/{second}:pts={exact}:dts=round(DTS*TB*{second}/{frame})*{frame}"
    times += f":duration=if(gte({exact}\\,{last})\\,{rest}\\,{frame})"
    options = {"c:v": "copy", "bsf:v": times, "video_track_timescale": second}
    write_film(picture, sound, film, format=format, options=options, tags=tags)
    check_film(film, frames=frames, duration_s=float(duration))


def write_film(
    picture: Any,
    sound: Iterable[Block],
    film: Path,
    *,
    format: SoundFormat,
    options: Mapping[str, Any],
    tags: Mapping[str, str],
    chapters: Path | None = None,
) -> None:
    """Run FFmpeg with a picture of its graph, sound through a pipe, and chapters as a file of its metadata."""
    import ffmpeg

    heard = ffmpeg.input("pipe:", format="f32le", ar=format.rate_hz, ac=format.channels)["a:0"]
    name, bit_rate = SOUND[format.codec]
    kept = RATES_HZ[format.codec]
    own = {
        "acodec": name,
        "audio_bitrate": bit_rate,
        "ar": format.rate_hz if format.rate_hz in kept else max(kept),
        "map_metadata": -1,
        # A film whose index stands first begins to play before it is loaded.
        **({"movflags": "+faststart"} if film.suffix == ".mp4" else {}),
        **SHORT_PACKETS.get((film.suffix, format.codec), {}),
    }
    graph = ffmpeg.output(picture, heard, file_url(film), **{**own, **REPRODUCIBLE, **options})
    program, *command = graph.compile(overwrite_output=True)
    # Else the picture is late where the sound of the files begins before 0, as AAC does.
    command = [program, "-copyts", *command]
    if chapters is not None:
        # A further input without streams, which ffmpeg-python does not have.
        after = command.index("pipe:") + 1
        command[after:after] = ["-f", "ffmetadata", "-i", file_url(chapters)]
        command[-2:-2] = ["-map_chapters", "2"]
        command[command.index("-map_metadata") + 1] = "2"
    for tag, value in tags.items():
        command[-2:-2] = ["-metadata", f"{tag}={value}"]
    with encoder(command, folder=film.parent) as pipe:
        for block in sound:
            pipe.write(np.ascontiguousarray(np.clip(block, -1, 1).T, "<f4"))


def padded(blocks: Iterable[Block], *, channels: int, frames: int) -> Iterator[Block]:
    """Blocks [channels, n] cut or drawn out with silence to so many frames."""
    left = frames
    for block in blocks:
        yield block[:, :left]
        left -= min(left, block.shape[1])
        if not left:
            return
    while left:
        silence = np.zeros((channels, min(left, 1 << 16)), np.float32)
        yield silence
        left -= silence.shape[1]


def write_list(paths: Sequence[Path], path: Path, *, durations: Sequence[Fraction] = ()) -> Path:
    """FFmpeg's list of files to be read one after the other."""
    lines = ["ffconcat version 1.0"]
    for place, one in enumerate(paths):
        quoted = file_url(one).replace("'", "'\\''")
        lines.append(f"file '{quoted}'")
        if durations:
            lines.append(f"duration {float(durations[place]):.6f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def check_film(film: Path, *, frames: int, duration_s: float) -> Streams:
    """Hold a film to its length: all frames, and streams that end together.

    Raises
    ------
    StepError
        If frames are lost, or picture, sound and music differ by more than 5 ms.
    """
    found = read_streams(film)
    lengths = {"picture": found.picture_s, "sound": found.sound_s, "music": duration_s}
    apart_s = max(lengths.values()) - min(lengths.values())
    if found.frames != frames or apart_s > MOST_APART_S:
        listed = ", ".join(f"{name} {seconds:.4f} s" for name, seconds in lengths.items())
        raise StepError(
            f"the film has {found.frames} frames of {frames}; {listed}: this FFmpeg writes films whose streams "
            "do not end together. Take another: pip install imageio-ffmpeg"
        )
    return found
