"""Smooth noise and what bends and lights it.

Conventions
-----------
A field is float32 [side, side], rows downwards. Noise has mean 0 and standard deviation 1, about. A field of
384 x 384 costs about a millisecond.
"""

import math
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]

FINEST = 5.0
"""Pixels of the smallest cell: finer ones are no shapes any more."""


def smooth(rng: Generator, side: int, *, cells: float) -> Field:
    """Noise whose shapes are as large as a cell.

    Parameters
    ----------
    rng : Generator
    side : int
        Pixels.
    cells : float
        Along a side, > 0.
    """
    count = math.ceil(cells) + 4
    grid = rng.standard_normal((count, count)).astype(np.float32)
    # A cell's phase is drawn too: else all octaves would have their lattice in common.
    first, second = (_between(side, cells=cells, count=count, phase=phase) for phase in rng.uniform(1, 2, 2))
    return first @ grid @ second.T


def _between(side: int, *, cells: float, count: int, phase: float) -> Field:
    """What each of `count` knots has to say at each pixel, by cubic convolution (Keys, 1981): [side, count]."""
    places = np.arange(side) * (cells / side) + phase
    away = np.abs(places[:, None] - np.arange(count))
    near = (1.5 * away - 2.5) * away * away + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)


def fractal(rng: Generator, side: int, *, cells: float, octaves: int = 4, gain: float = 0.5) -> Field:
    """Sum of octaves of `smooth`, each twice as fine and `gain` times as strong as the one before."""
    total = np.zeros((side, side), np.float32)
    power, strength = 0.0, 1.0
    for _ in range(octaves):
        if power and side / cells < FINEST:
            break
        total += strength * smooth(rng, side, cells=cells)
        power += strength * strength
        strength *= gain
        cells *= 2
    # Cubic interpolation of white noise has two thirds of its deviation.
    return total * np.float32(1.5 / math.sqrt(power))


def bend(texture: Field, across: Field, down: Field) -> Field:
    """The texture seen through displacements.

    Parameters
    ----------
    texture : ndarray [side, side]
        Larger than what is seen, which is its middle.
    across, down : ndarray [size, size]
        Pixels.
    """
    import cv2

    size = across.shape[0]
    margin = (texture.shape[0] - size) / 2
    places = np.arange(size, dtype=np.float32) + np.float32(margin)
    xs, ys = places[None] + across, places[:, None] + down
    return np.asarray(cv2.remap(texture, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def blurred(field: Field, deviation: float) -> Field:
    """The field blurred by a Gaussian whose deviation is in pixels."""
    import cv2

    return np.asarray(cv2.GaussianBlur(field, (0, 0), deviation, borderType=cv2.BORDER_REFLECT_101))


def slopes(field: Field) -> tuple[Field, Field]:
    """Change a pixel, to the right and downwards."""
    import cv2

    return tuple(  # type: ignore[return-value]
        cv2.Sobel(field, cv2.CV_32F, dx, dy, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REFLECT_101)
        for dx, dy in ((1, 0), (0, 1))
    )


def lit(height: Field, *, turn: float, steepness: float) -> Field:
    """Light on a relief, -1 to 1: 0 where it is flat, 1 where it faces the light.

    Parameters
    ----------
    height : ndarray [side, side]
        Of any scale.
    turn : float
        Where the light comes from, in radians.
    steepness : float
        Of the typical slope; 1 gives strong shadows.
    """
    across, down = slopes(height)
    typical = float(np.sqrt(np.mean(across * across + down * down))) + 1e-9
    facing = (across * np.float32(math.cos(turn)) + down * np.float32(math.sin(turn))) * (steepness / typical)
    return facing / np.sqrt(1 + facing * facing)


def spread(field: Field, *, low: float = 0.0, high: float = 1.0) -> Field:
    """The field brought between `low` and `high`, all but its rarest values evenly."""
    sample = field[::4, ::4]
    bottom, top = np.percentile(sample, (1.5, 98.5))
    scaled = (field - bottom) * np.float32(1 / max(float(top - bottom), 1e-6))
    return np.asarray(np.clip(scaled, 0, 1) * np.float32(high - low) + np.float32(low))


def step(field: Field, *, edge: float, width: float) -> Field:
    """0 below `edge`, 1 above, and a smooth way of `width` between."""
    way = np.clip((field - (edge - width / 2)) / width, 0, 1)
    return np.asarray(way * way * (3 - 2 * way))
