"""Pictures of a film put together, chosen and written.

Conventions
-----------
A picture is uint8 [height, width, 3], RGB.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.covers import read_cover

Picture = NDArray[np.uint8]

PAPER = (16, 16, 20)
INK = (150, 150, 160)
_QUALITY = 88


def contact_sheet(
    pictures: Sequence[Picture], times_s: Sequence[float], *, columns: int, width: int
) -> Picture:
    """Pictures in rows, the time below each.

    Parameters
    ----------
    pictures : sequence of ndarray
        Of one size, at least one.
    times_s : sequence of float
        One for each.
    columns : int
        Pictures in a row, > 0.
    width : int
        Pixels of the sheet; the height follows.
    """
    import cv2

    columns = min(columns, len(pictures))
    gap = max(2, width // 160)
    cell = (width - gap * (columns + 1)) // columns
    height = max(1, round(cell * pictures[0].shape[0] / pictures[0].shape[1]))
    line = max(12, width // 70)
    rows = -(-len(pictures) // columns)
    sheet = np.full((gap + rows * (height + line + gap), width, 3), PAPER, np.uint8)
    face = cv2.FontFace("sans")
    for index, (picture, time_s) in enumerate(zip(pictures, times_s, strict=True)):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + line + gap), gap + column * (cell + gap)
        sheet[top : top + height, left : left + cell] = resized(picture, (cell, height))
        place = (left, top + height + round(line * 0.8))
        cv2.putText(sheet, clock(time_s), place, INK, face, round(line * 0.75), 400)
    return sheet


def liveliest(pictures: Sequence[Picture]) -> int:
    """Which picture has most light, dark and colour in it.

    The colourfulness of Hasler and Süsstrunk (Measuring colourfulness in natural images, 2003), and the spread
    of the light.
    """
    return int(np.argmax([_liveliness(picture) for picture in pictures]))


def resized(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture at another size (width, height), averaged where it becomes smaller."""
    import cv2

    smaller = size[0] < picture.shape[1]
    return np.asarray(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
    )


def bounded(picture: Picture, longest: int) -> Picture:
    """The picture, made smaller where its longer side has more pixels than `longest`."""
    height, width = picture.shape[:2]
    scale = longest / max(width, height)
    return (
        picture
        if scale >= 1
        else resized(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
    )


def write(picture: Picture, path: Path) -> None:
    """Write a picture as PNG or JPEG, by the suffix."""
    import cv2

    settings = (
        [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 6]
    )
    path.write_bytes(cv2.imencode(path.suffix, picture[..., ::-1], settings)[1].tobytes())


def cover(source: Path, path: Path, *, longest: int) -> None:
    """Write a track's cover as JPEG, no side longer than `longest` pixels.

    Raises
    ------
    InputError
        If it is no picture, or too large a one.
    """
    picture = read_cover(source, side=longest)
    picture.thumbnail((longest, longest))
    picture.save(path, quality=_QUALITY)


def clock(seconds: float) -> str:
    """``3:05`` or ``1:02:03``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _liveliness(picture: Picture) -> float:
    small = bounded(picture, 160).astype(np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    across, along = red - green, (red + green) / 2 - blue
    colour = np.hypot(across.std(), along.std()) + 0.3 * np.hypot(across.mean(), along.mean())
    return float(colour + small.mean(axis=2).std())
