"""Colours in OKLab, in which equal steps look equal.

Conventions
-----------
Arrays have their three channels last. sRGB is 0..1 with its transfer curve, red first; `lab` is OKLab:
lightness 0..1, then the green-red and blue-yellow axes; `lch` is lightness, chroma, hue in radians.

References
----------
Ottosson: A perceptual color space for image processing. 2020. https://bottosson.github.io/posts/oklab/
IEC 61966-2-1:1999, the sRGB colour space.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ripieno.contracts import ConfigError

_LMS_FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_RGB_FROM_LMS = np.linalg.inv(_LMS_FROM_RGB)
_LMS_FROM_LAB = np.linalg.inv(_LAB_FROM_LMS)
_HEX = re.compile(r"#([0-9a-fA-F]{6})")


def linear_from_srgb(srgb: ArrayLike) -> NDArray[np.float64]:
    """Linear light 0..1 of sRGB 0..1."""
    value = np.asarray(srgb, np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0.04045) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear: ArrayLike) -> NDArray[np.float64]:
    """sRGB 0..1 of linear light 0..1."""
    value = np.asarray(linear, np.float64)
    return np.where(
        value <= 0.0031308, value * 12.92, 1.055 * np.maximum(value, 0.0031308) ** (1 / 2.4) - 0.055
    )


def lab_from_linear(linear: ArrayLike) -> NDArray[np.float64]:
    """OKLab of linear light, which may leave 0..1."""
    lms = np.cbrt(np.asarray(linear, np.float64) @ _LMS_FROM_RGB.T)
    lab: NDArray[np.float64] = lms @ _LAB_FROM_LMS.T
    return lab


def lab_from_srgb(srgb: ArrayLike) -> NDArray[np.float64]:
    """OKLab of sRGB 0..1."""
    return lab_from_linear(linear_from_srgb(srgb))


def linear_from_lab(lab: ArrayLike) -> NDArray[np.float64]:
    """Linear light of OKLab; outside 0..1 where sRGB has no such colour."""
    linear: NDArray[np.float64] = (np.asarray(lab, np.float64) @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T
    return linear


def lch_from_lab(lab: ArrayLike) -> NDArray[np.float64]:
    """Lightness, chroma, hue of OKLab."""
    lightness, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    return np.stack([lightness, np.hypot(a, b), np.arctan2(b, a)], axis=-1)


def lab_from_lch(lch: ArrayLike) -> NDArray[np.float64]:
    """OKLab of lightness, chroma, hue."""
    lightness, chroma, hue = np.moveaxis(np.asarray(lch, np.float64), -1, 0)
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)


def srgb_from_lch(lch: ArrayLike) -> NDArray[np.float64]:
    """sRGB 0..1; what sRGB cannot show keeps lightness and hue and loses as little chroma as it must."""
    wanted = np.asarray(lch, np.float64).copy()
    wanted[..., 0] = np.clip(wanted[..., 0], 0.0, 1.0)
    low, high = np.zeros(wanted.shape[:-1]), np.ones(wanted.shape[:-1])
    # The share of the chroma that still fits; 12 halvings are finer than 8 bits.
    if not _shown(wanted).all():
        for _ in range(12):
            middle = (low + high) / 2
            fits = _shown(_with_chroma(wanted, middle))
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        wanted = _with_chroma(wanted, np.where(_shown(wanted), 1.0, low))
    return srgb_from_linear(np.clip(linear_from_lab(lab_from_lch(wanted)), 0.0, 1.0))


def lab_from_hex(colours: Sequence[str]) -> NDArray[np.float64]:
    """OKLab [colours, 3] of ``#rrggbb``.

    Raises
    ------
    ConfigError
        If one of them is no such colour.
    """
    for colour in colours:
        if not _HEX.fullmatch(colour):
            raise ConfigError(f"palette: {colour!r} is no colour. Write it as #rrggbb, such as #ff8800")
    bytes_ = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours]
    return lab_from_srgb(np.array(bytes_, np.float64).reshape(-1, 3) / 255)


def _with_chroma(lch: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([lch[..., 0], lch[..., 1] * share, lch[..., 2]], axis=-1)


def _shown(lch: NDArray[np.float64]) -> NDArray[np.bool_]:
    linear = linear_from_lab(lab_from_lch(lch))
    return np.asarray(((linear >= -1e-6) & (linear <= 1 + 1e-6)).all(axis=-1))
