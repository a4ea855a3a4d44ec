"""The few strokes that the picture is made of.

Conventions
-----------
Images are uint8 [height, width, 3], sRGB, red first; places may be fractions of a pixel.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .palette import INK, Colour

Image: TypeAlias = NDArray[np.uint8]

_SUBPIXEL_BITS = 4


def blank(width: int, height: int) -> Image:
    """An image of background."""
    return np.full((height, width, 3), INK, np.uint8)


def blend(image: Image, colour: Colour, amount: float) -> None:
    """Move every pixel of `image` some way to a colour."""
    image[:] = image + (np.array(colour, np.float32) - image) * amount


def dimmed(image: Image, amount: float) -> Image:
    """A copy that is `amount` of the image over the background."""
    copy = image.copy()
    blend(copy, INK, 1 - amount)
    return copy


def polygon(image: Image, points: NDArray[np.float64], colour: Colour | int) -> None:
    """Fill the polygon of `points` [points, 2] (x, y), antialiased."""
    import cv2

    corners = np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(image, [corners], colour, cv2.LINE_AA, _SUBPIXEL_BITS)


def diamond(image: Image, *, x: float, y: float, reach: float, colour: Colour) -> None:
    """Fill a square that stands on its corner."""
    polygon(image, np.array([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]), colour)


def disc(image: Image, *, x: float, y: float, radius: float, colour: Colour) -> None:
    """Fill a circle, antialiased."""
    import cv2

    across, down, reach = (round(length * (1 << _SUBPIXEL_BITS)) for length in (x, y, radius))
    cv2.circle(image, (across, down), reach, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def wave(
    image: Image,
    *,
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    rms: NDArray[np.float32],
    places: NDArray[np.float64],
    colours: NDArray[np.float32],
) -> None:
    """Draw a wave with a bright body, faint peaks and a glow around it.

    Parameters
    ----------
    image : Image
        Filled from edge to edge.
    low, high, rms : NDArray[np.float32]
        [points], heights from -1 to 1.
    places : NDArray[np.float64]
        [points], the pixel column of each.
    colours : NDArray[np.float32]
        [width, 3].
    """
    import cv2

    if not len(places):
        return
    peaks, body = np.zeros((2, *image.shape[:2]), np.uint8)
    middle = (image.shape[0] - 1) / 2
    there_and_back = np.concatenate([places, places[::-1]])
    for mask, bottom, top in ((peaks, low, high), (body, -rms, rms)):
        outline = middle - middle * np.concatenate([top, bottom[::-1]])
        polygon(mask, np.stack([there_and_back, outline], axis=1), 255)
    glow = cv2.GaussianBlur(body, (0, 0), max(1.0, image.shape[0] / 16))
    light = np.minimum(1.0, (0.42 * peaks + 0.55 * body + 0.30 * glow) / 255)[:, :, None]
    image[:] = INK + (colours - np.array(INK, np.float32)) * light
