"""Masks of a short-time spectrum: made of estimates, fused and smoothed.

Conventions
-----------
Spectra and masks are [frame, channel, bin]; a mask is float32 from 0 (nothing passes) to 1 (all does).
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["mean", "geometric_mean", "weighted", "max", "min", "product"]
Mask = NDArray[np.float32]


def ratio_mask(part: NDArray[Any], rest: NDArray[Any], *, exponent: float) -> Mask:
    """Share |part|**e / (|part|**e + |rest|**e); 0 where both are silent.

    Parameters
    ----------
    part, rest : complex or float array
        Spectra of what is wanted and of all else, or their magnitudes.
    exponent : float
        1 compares magnitudes: it gives back the mask by which `part` was made, if one was. 2 compares powers
        (Wiener filter of two known powers). Larger ones come near a binary mask.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mask = 1 / (1 + np.power(np.abs(rest) / np.abs(part), np.float32(exponent)))
    return np.asarray(np.nan_to_num(mask, nan=0.0, copy=False), np.float32)


def fuse(masks: Sequence[Mask], *, rule: Rule, weights: Sequence[float] = ()) -> Mask:
    """One mask of many.

    Parameters
    ----------
    masks : sequence of arrays of one shape
        One at least.
    rule : str
        ``weighted`` is the mean by `weights`, the others are what they are called.
    weights : sequence of float
        One for each mask, their sum positive.
    """
    stacked = np.stack(masks)
    match rule:
        case "mean":
            fused = stacked.mean(axis=0)
        case "geometric_mean":
            fused = np.power(stacked, np.float32(1 / len(masks))).prod(axis=0)
        case "weighted":
            fused = np.average(stacked, axis=0, weights=weights)
        case "max":
            fused = stacked.max(axis=0)
        case "min":
            fused = stacked.min(axis=0)
        case "product":
            fused = stacked.prod(axis=0)
    return np.asarray(fused, np.float32)


def smooth(values: NDArray[Any], *, reach: int, axis: int) -> NDArray[Any]:
    """Mean under a Hann window over `reach` neighbours on either side along an axis, fewer at its ends."""
    if reach == 0:
        return values
    taper = np.square(np.cos(np.pi / 2 * np.arange(reach + 1) / (reach + 1))).astype(np.float32)
    values = np.moveaxis(values, axis, 0)
    length = len(values)
    summed, weight = taper[0] * values, np.full(length, taper[0])
    for distance in range(1, min(reach, length - 1) + 1):
        summed[distance:] += taper[distance] * values[:-distance]
        summed[:-distance] += taper[distance] * values[distance:]
        weight[distance:] += taper[distance]
        weight[:-distance] += taper[distance]
    mean = summed / weight.reshape(-1, *[1] * (values.ndim - 1))
    return np.moveaxis(mean, 0, axis)
