"""Single frames of a film, and the hash of all of them, in one pass of the decoder.

Conventions
-----------
Frames are counted from 0 in the order in which they are shown. A picture is uint8 [height, width, 3], RGB.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Video
from ripieno.toolkit.ffmpeg import Pipe, file_url, run

Picture = NDArray[np.uint8]


def decoded(film: Video, numbers: Sequence[int], *, hash_file: Path) -> tuple[list[Picture], str]:
    """Some frames of a film, and the SHA-256 of all of them.

    Parameters
    ----------
    film : Video
    numbers : sequence of int
        Which frames, each once, in order; those after the film's end are left out.
    hash_file : Path
        A path that nothing uses, for FFmpeg to write to.

    Returns
    -------
    pictures : list of ndarray
    sha256 : str
        Of every frame as it is decoded, planes Y, U and V without padding, one frame after the other:
        what ``ffmpeg -i FILM -map 0:v:0 -f hash -hash sha256 -`` prints.
    """
    import ffmpeg

    source = ffmpeg.input(file_url(film.path), threads=1)["v:0"]
    # Commas end a filter's argument where they are not escaped; ffmpeg-python does that.
    chosen = "+".join(f"eq(n,{number})" for number in numbers) or "0"
    command = ffmpeg.merge_outputs(
        ffmpeg.output(source, file_url(hash_file), format="hash", hash="sha256", fps_mode="passthrough"),
        ffmpeg.output(
            source.filter("select", chosen),
            "pipe:",
            format="rawvideo",
            pix_fmt="rgb24",
            fps_mode="passthrough",
            sws_flags="accurate_rnd+bitexact",
        ),
    )
    shape = (film.height, film.width, 3)
    with Pipe(ffmpeg.compile(command), mode="read") as pipe:
        pictures = [np.frombuffer(data, np.uint8).reshape(shape) for data in pipe.blocks(int(np.prod(shape)))]
    _, _, sha256 = hash_file.read_text(encoding="ascii").strip().partition("=")
    if not sha256:
        raise InputError(f"{film.path.name}: FFmpeg hashed no frame of it: it has no picture")
    return pictures, sha256.lower()


def animation(film: Video, path: Path, *, start_s: float, length_s: float, longest: int, fps: float) -> None:
    """Write a part of a film as a GIF with a palette of its own.

    Parameters
    ----------
    film : Video
    path : Path
    start_s, length_s : float
        Which part.
    longest : int
        Pixels of the longer side, > 0.
    fps : float
        Frames a second, > 0; at most those of the film are made.
    """
    import ffmpeg

    scale = min(1.0, longest / max(film.width, film.height))
    size = [max(2, round(pixels * scale)) for pixels in (film.width, film.height)]
    moving = ffmpeg.input(file_url(film.path), ss=start_s, t=length_s, threads=1)["v:0"]
    small = moving.filter("fps", min(fps, film.fps)).filter(
        "scale", *size, flags="lanczos+accurate_rnd+bitexact"
    )
    halves = small.filter_multi_output("split")
    palette = halves[0].filter("palettegen", max_colors=192, stats_mode="full")
    drawn = ffmpeg.filter([halves[1], palette], "paletteuse", dither="bayer", bayer_scale=3)
    run(
        ffmpeg.compile(
            ffmpeg.output(drawn, file_url(path), loop=0, threads=1, fflags="+bitexact"), overwrite_output=True
        )
    )
