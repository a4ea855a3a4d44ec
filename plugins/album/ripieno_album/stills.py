"""Single frames of a film, and the hash of all of them, in one pass of the decoder.

Conventions
-----------
Frames are counted from 0 in the order in which they are shown. A picture is uint8 [height, width, 3], RGB.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Video
from ripieno.toolkit.ffmpeg import Pipe, file_url, run

Picture = NDArray[np.uint8]


def decoded(film: Video, numbers: Collection[int]) -> tuple[dict[int, Picture], str]:
    """Some frames of a film, and the SHA-256 of all of them.

    FFmpeg's own hash takes 10 ms a frame of 1920 x 1080, that of OpenSSL 3.

    Parameters
    ----------
    film : Video
    numbers : collection of int
        Which frames; those after the film's end are not there.

    Returns
    -------
    pictures : dict of int to ndarray
    sha256 : str
        Of every frame as 8-bit planes Y, U and V without padding, one frame after the other: of what
        ``ffmpeg -i FILM -map 0:v:0 -fps_mode passthrough -pix_fmt yuv420p -f rawvideo -`` writes.

    Raises
    ------
    InputError
        If it has no frame.
    """
    import ffmpeg

    source = ffmpeg.input(file_url(film.path), threads=1)["v:0"]
    raw = source.output("pipe:", format="rawvideo", pix_fmt="yuv420p", fps_mode="passthrough")
    bytes_ = film.width * film.height + 2 * _half(film.width) * _half(film.height)
    wanted, found = set(numbers), hashlib.sha256()
    pictures: dict[int, Picture] = {}
    count = 0
    with Pipe(ffmpeg.compile(raw), mode="read") as pipe:
        for count, frame in enumerate(pipe.blocks(bytes_), 1):
            found.update(frame)
            if count - 1 in wanted:
                pictures[count - 1] = as_rgb(frame, width=film.width, height=film.height)
    if not count:
        raise InputError(f"{film.path.name}: has no frame")
    return pictures, found.hexdigest()


def as_rgb(frame: bytes, *, width: int, height: int) -> Picture:
    """A frame of planes Y, U and V, of the range and matrix of BT.709, as RGB.

    References
    ----------
    ITU-R BT.709-6, parameters 3 and 4.
    """
    import cv2

    values = np.frombuffer(frame, np.uint8)
    small = (_half(height), _half(width))
    luma, blue, red = np.split(values, np.cumsum([width * height, small[0] * small[1]]))
    y = (luma.reshape(height, width).astype(np.float32) - 16) * np.float32(255 / 219)
    u, v = (
        cv2.resize(plane.reshape(small).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        for plane in (blue, red)
    )
    u, v = (u - 128) * np.float32(255 / 224), (v - 128) * np.float32(255 / 224)
    rgb = np.dstack([y + 1.5748 * v, y - 0.1873 * u - 0.4681 * v, y + 1.8556 * u])
    return np.clip(rgb + 0.5, 0, 255).astype(np.uint8)


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
    # Of a part shorter than a frame of the GIF there is that frame.
    end = "round" if length_s * fps >= 1 else "pass"
    small = moving.filter("fps", min(fps, film.fps), eof_action=end).filter(
        "scale", *size, flags="lanczos+accurate_rnd+bitexact"
    )
    halves = small.filter_multi_output("split")
    palette = halves[0].filter("palettegen", max_colors=160, stats_mode="full")
    drawn = ffmpeg.filter([halves[1], palette], "paletteuse", dither="bayer", bayer_scale=4)
    run(
        ffmpeg.compile(
            ffmpeg.output(drawn, file_url(path), loop=0, threads=1, fflags="+bitexact"), overwrite_output=True
        )
    )


def _half(pixels: int) -> int:
    return (pixels + 1) // 2
