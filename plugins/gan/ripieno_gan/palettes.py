"""Colour for two fields: a ring of colours in OKLab, made darker and lighter by the shade.

Conventions
-----------
A palette is hex colours along the index, 0 to 1. Between two of them the way goes straight through OKLab. The shade
scales lightness about its middle: 0 is nearly black, 0.5 is the colour itself, 1 nearly white.

References
----------
Ottosson: A perceptual color space for image processing. 2020.
"""

import colorsys
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

INDICES, SHADES = 256, 64

PALETTES: dict[str, tuple[str, ...]] = {
    "ember": ("#0b0a1a", "#3b0f4f", "#a3195b", "#f0542d", "#ffb347", "#fff1c9"),
    "lagoon": ("#04101f", "#073b5c", "#0a8f9c", "#5fd6b4", "#f4e8b8", "#f2785c"),
    "orchid": ("#12061f", "#4a1578", "#b02a9a", "#ff6f91", "#ffc2a6", "#6ad1e3"),
    "moss": ("#06120c", "#12442f", "#4d8b31", "#d6c23c", "#f0833a", "#7a1f3d"),
    "neon": ("#05010f", "#2b0bd8", "#c31bff", "#ff2d78", "#ffd23f", "#19f0d8"),
}

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """OKLab of sRGB 0 to 1, [..., 3]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def srgb(lab: NDArray[np.floating]) -> NDArray[np.float64]:
    """SRGB 0 to 1 of OKLab [..., 3], cut to what a screen shows."""
    linear = ((lab @ np.linalg.inv(_TO_LAB).T) ** 3) @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    shown: NDArray[np.float64] = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return shown


@lru_cache(maxsize=64)
def table(palette: tuple[str, ...]) -> NDArray[np.uint8]:
    """Colours by shade and index, uint8 [64, 256, 3]."""
    stops = oklab(np.array([[int(name[at : at + 2], 16) / 255 for at in (1, 3, 5)] for name in palette]))
    places = np.linspace(0, len(stops) - 1, INDICES)
    colours = np.stack(
        [np.interp(places, np.arange(len(stops)), stops[:, axis]) for axis in range(3)], axis=-1
    )
    shade = np.linspace(0, 1, SHADES)[:, None]
    middle, chroma = colours[None, :, 0], colours[None, :, 1:]
    light = np.where(
        shade < 0.5, middle * (0.12 + 1.76 * shade), middle + (0.97 - middle) * (shade - 0.5) * 1.1
    )
    # Towards black and white colour must fade, or it is cut at the edge of the screen's.
    fade = np.clip(np.where(shade < 0.5, 0.25 + 1.5 * shade, 1.35 - 0.7 * shade), 0, 1)
    lab = np.concatenate([light[..., None], chroma * fade[..., None]], axis=-1)
    return (srgb(lab) * 255 + 0.5).astype(np.uint8)


def coloured(fields: NDArray[np.floating], palette: Sequence[str]) -> NDArray[np.uint8]:
    """RGB uint8 [..., h, w, 3] of fields [..., 2, h, w] through a palette."""
    index = np.clip(fields[..., 0, :, :] * (INDICES - 1) + 0.5, 0, INDICES - 1).astype(np.intp)
    shade = np.clip(fields[..., 1, :, :] * (SHADES - 1) + 0.5, 0, SHADES - 1).astype(np.intp)
    return np.asarray(table(tuple(palette))[shade, index])


def drawn(rng: Generator) -> tuple[str, ...]:
    """A palette of five vivid colours, from dark to light around a part of the colour circle."""
    hue, way = rng.uniform(0, 1), rng.choice((-1, 1)) * rng.uniform(0.15, 0.6)
    steps = np.linspace(0, 1, 5)
    names = []
    for at in steps:
        rgb = colorsys.hsv_to_rgb(
            (hue + way * at + rng.uniform(-0.04, 0.04)) % 1,
            float(np.clip(0.95 - 0.45 * at**3, 0, 1)),
            float(np.clip(0.15 + 1.0 * at, 0, 1)),
        )
        names.append("#" + "".join(f"{round(255 * part):02x}" for part in rgb))
    return tuple(names)
