"""Colours, chosen in OKLab so that equal steps look equal.

Conventions
-----------
A colour is given as OKLCH (lightness 0..1, chroma 0..0.4, hue in degrees) and used as sRGB uint8, red first.

References
----------
Ottosson: A perceptual color space for image processing. 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = tuple[int, int, int]

_LMS_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_RGB_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
_GOLDEN_ANGLE_DEG = 137.508


def oklch(lightness: float, chroma: float, hue_deg: float) -> Colour:
    """One colour, clipped to sRGB."""
    red, green, blue = _srgb(_lab(np.array([[lightness, chroma, hue_deg]])))[0].tolist()
    return red, green, blue


def ramp(stops: Sequence[tuple[float, float, float, float]], *, steps: int = 256) -> NDArray[np.uint8]:
    """A ramp through OKLCH stops, interpolated in OKLab.

    Parameters
    ----------
    stops : sequence of (place, lightness, chroma, hue_deg)
        Places from 0 to 1, increasing.
    steps : int
        Rows of the result.

    Returns
    -------
    NDArray[np.uint8]
        [steps, 3].
    """
    table = np.array(stops)
    lab = _lab(table[:, 1:])
    places = np.linspace(0.0, 1.0, steps)
    return _srgb(np.stack([np.interp(places, table[:, 0], axis) for axis in lab.T], axis=1))


def distinct(count: int) -> list[Colour]:
    """Colours of one lightness and chroma whose hues keep apart, however many are asked for."""
    return [oklch(0.76, 0.115, 62.0 + index * _GOLDEN_ANGLE_DEG) for index in range(count)]


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """The colour `amount` of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _lab(lch: NDArray[np.float64]) -> NDArray[np.float64]:
    lightness, chroma, hue = lch[:, 0], lch[:, 1], np.radians(lch[:, 2])
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    linear = np.clip((lab @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return rgb


INK = oklch(0.15, 0.02, 268)
PAPER = oklch(0.95, 0.012, 90)
QUIET = oklch(0.62, 0.02, 268)
GOLD = oklch(0.80, 0.105, 78)
