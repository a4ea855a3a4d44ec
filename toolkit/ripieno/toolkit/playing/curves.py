"""Envelopes with as few points and digits as a tolerance allows.

References
----------
Douglas, Peucker: Algorithms for the reduction of the number of points required to represent a digitized
line or its caricature. Cartographica 10(2), 1973.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import Envelope

Floats = NDArray[np.float64]

TIME_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Curve:
    """Values over time, denser than need be.

    Parameters
    ----------
    times_s, values : ndarray [points]
        Times increase.
    tolerance : float
        How far, in the unit of the values, an envelope may pass from a point that it leaves out.
    digits : int
        Decimals that are kept of the values; of times it is `TIME_DIGITS`.
    interpolation : str
        Only what is linear is simplified.
    """

    times_s: Floats
    values: Floats
    tolerance: float
    digits: int
    interpolation: str = "linear"


def cut(envelope: Envelope, *, from_s: float, to_s: float) -> tuple[Floats, Floats]:
    """Times and values of an envelope from one time to the other, with a point at both."""
    inside = (envelope.times_s > from_s) & (envelope.times_s < to_s)
    times_s = np.concatenate([[from_s], envelope.times_s[inside], [to_s]])
    first, last = envelope.at(np.array([from_s, to_s]))
    return times_s, np.concatenate([[first], envelope.values[inside], [last]])


def simplified(curves: Sequence[Curve]) -> list[Envelope]:
    """Envelopes of curves, all at once."""
    if not curves:
        return []
    rounded = [_rounded(curve) for curve in curves]
    sizes = np.array([times_s.size for times_s, _ in rounded])
    firsts = np.cumsum(sizes) - sizes
    tolerances = np.array([curve.tolerance if curve.interpolation == "linear" else -1 for curve in curves])
    kept = _kept(
        np.concatenate([times_s for times_s, _ in rounded]),
        np.concatenate([values for _, values in rounded]),
        firsts=firsts,
        tolerances=np.repeat(tolerances, sizes),
    )
    parts = np.split(kept, firsts[1:])
    return [
        Envelope(times_s[part], values[part], curve.interpolation)
        for curve, (times_s, values), part in zip(curves, rounded, parts, strict=True)
    ]


def _rounded(curve: Curve) -> tuple[Floats, Floats]:
    times_s = np.round(curve.times_s, TIME_DIGITS)
    new = np.diff(times_s, prepend=-np.inf) > 0
    return times_s[new], np.round(curve.values[new], curve.digits)


def _kept(
    times_s: Floats, values: Floats, *, firsts: NDArray[np.int64], tolerances: Floats
) -> NDArray[np.bool_]:
    """Points of many curves, one after the other, to keep: first, last, and those that lines would miss.

    All curves are split together, each stretch at the point that its line misses most: some ten passes.
    """
    kept = tolerances < 0
    kept[firsts] = True
    kept[np.append(firsts[1:], times_s.size) - 1] = True
    while True:
        ends = np.flatnonzero(kept)
        stretch = np.cumsum(kept) - 1
        left, right = ends[stretch], ends[np.minimum(stretch + 1, ends.size - 1)]
        share = (times_s - times_s[left]) / np.where(right > left, times_s[right] - times_s[left], 1)
        excess = np.abs(values - values[left] - share * (values[right] - values[left])) - tolerances
        excess[kept] = -1
        worst = np.maximum.reduceat(excess, ends)[stretch]
        split = (excess > 0) & (excess == worst)
        if not split.any():
            return kept
        kept |= split
