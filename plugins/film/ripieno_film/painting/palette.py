"""A palette as a table of colours: index around, shade from dark to light.

Conventions
-----------
The palette is a ring, so that turning it shows no seam. Two neighbours blend along hue, the shorter way, and
keep their chroma: a straight blend of blue and orange would pass through grey. Shade 0.5 is the palette's own
colour; to both sides lightness moves and the colour stays as saturated, as far as sRGB goes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ripieno.contracts import ConfigError

from .colour import lab_from_hex, lab_from_lch, lch_from_lab, linear_from_lab, srgb_from_lch
from .settings import Paint

COLUMNS, ROWS = 512, 128
PALETTE = ("#0b1e4f", "#1f6feb", "#18c7b5", "#ffd166", "#ff6a3d", "#b5179e")
_LEAST_CHROMA = 0.05
_HUE_LIGHT, _HUE_DARK = np.radians(100.0), np.radians(285.0)
_LEAN = 0.16
_BANDS = (11, 23, 37, 61)


def colour_table(palette: Sequence[str], paint: Paint, *, rng: Generator) -> NDArray[np.uint8]:
    """Colours uint8 [COLUMNS, ROWS, 3] by index and shade.

    Parameters
    ----------
    palette : sequence of str
        ``#rrggbb``, one or more.
    paint : Paint
        Saturation, shadow, highlight and strata are used here.
    rng : Generator
        Draws the strata.

    Raises
    ------
    ConfigError
        If the palette is empty or one of its colours is none.
    """
    # Quarter resolution is enough before interpolation: the gamut search is what costs.
    places = np.arange(COLUMNS) / COLUMNS
    ring = _ring(_stops(palette, paint.saturation), places)
    shades = np.linspace(0.0, 1.0, ROWS // 4)
    rows = np.clip(shades[None, :] + 0.11 * paint.strata * _strata(places, rng)[:, None], 0.0, 1.0)
    coarse = srgb_from_lch(_shaded(ring, rows, paint))
    fine = np.linspace(0.0, len(shades) - 1.0, ROWS)
    below = np.minimum(fine.astype(np.int64), len(shades) - 2)
    share = (fine - below)[None, :, None]
    table: NDArray[np.uint8] = np.rint(
        255 * (coarse[:, below] * (1 - share) + coarse[:, below + 1] * share)
    ).astype(np.uint8)
    return table


def _stops(palette: Sequence[str], saturation: float) -> NDArray[np.float64]:
    """Lightness, chroma, hue of the palette's colours; a grey takes the hue of the colour before it."""
    if not len(palette):
        raise ConfigError("palette: it has no colours. Name some, such as ['#0b1e4f', '#ff6a3d']")
    stops = lch_from_lab(lab_from_hex(palette))
    coloured = np.flatnonzero(stops[:, 1] > 0.02)
    for grey in np.flatnonzero(stops[:, 1] <= 0.02) if len(coloured) else ():
        earlier = coloured[coloured < grey]
        stops[grey, 2] = stops[earlier[-1] if len(earlier) else coloured[-1], 2]
    if len(coloured):
        stops[:, 1] = np.maximum(stops[:, 1] * saturation, _LEAST_CHROMA * saturation)
    return stops


def _ring(stops: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours at places 0..1 around the ring of stops."""
    position = places * len(stops)
    before = position.astype(np.int64) % len(stops)
    after = (before + 1) % len(stops)
    share = position - position.astype(np.int64)
    share = (share + share * share * (3 - 2 * share)) / 2
    straight = stops[before] * (1 - share[:, None]) + stops[after] * share[:, None]
    turn = (stops[after, 2] - stops[before, 2] + np.pi) % (2 * np.pi) - np.pi
    straight[:, 2] = stops[before, 2] + share * turn
    return straight


def _shaded(ring: NDArray[np.float64], rows: NDArray[np.float64], paint: Paint) -> NDArray[np.float64]:
    """Lightness, chroma, hue of each colour of the ring at each of its shades."""
    own, chroma, hue = (ring[:, None, axis] for axis in range(3))
    dark, light = np.clip(1 - 2 * rows, 0, 1), np.clip(2 * rows - 1, 0, 1)
    low, high = np.minimum(paint.shadow, own), np.maximum(paint.highlight, own)
    lightness = own + (low - own) * dark**1.1 + (high - own) * light**1.25
    # As painters do: shadows lean towards violet, lights towards yellow.
    hue = hue + _LEAN * (dark * np.sin(_HUE_DARK - hue) + light * np.sin(_HUE_LIGHT - hue))
    share = np.minimum(1.0, chroma / np.maximum(_most_chroma(own, ring[:, None, 2]), 1e-6))
    kept = share**0.8 * _most_chroma(lightness, hue)
    return np.stack([lightness, np.minimum(kept, 1.2 * chroma + 0 * rows), hue], axis=-1)


def _most_chroma(lightness: NDArray[np.float64], hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest chroma that sRGB shows at a lightness and hue."""
    lightness, hue = np.broadcast_arrays(lightness, hue)
    low, high = np.zeros(lightness.shape), np.full(lightness.shape, 0.4)
    for _ in range(10):
        middle = (low + high) / 2
        linear = linear_from_lab(lab_from_lch(np.stack([lightness, middle, hue], axis=-1)))
        fits = ((linear >= -1e-6) & (linear <= 1 + 1e-6)).all(axis=-1)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low


def _strata(places: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Bands along the ring, -1..1, without a seam."""
    phases = rng.uniform(0.0, 1.0, len(_BANDS))
    weights = 1.0 / np.sqrt(_BANDS)
    waves = [
        weight * np.sin(2 * np.pi * (bands * places + phase))
        for bands, phase, weight in zip(_BANDS, phases, weights, strict=True)
    ]
    bands: NDArray[np.float64] = np.sum(waves, axis=0) / weights.sum()
    return bands
