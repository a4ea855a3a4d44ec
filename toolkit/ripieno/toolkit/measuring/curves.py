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
    ends_s = np.array([from_s, to_s])
    is_linear = envelope.interpolation == "linear"
    ends = np.interp(ends_s, envelope.times_s, envelope.values) if is_linear else envelope.at(ends_s)
    return times_s, np.concatenate([ends[:1], envelope.values[inside], ends[1:]])


def simplified(curves: Sequence[Curve]) -> list[Envelope]:
    """Envelopes of curves, all at once."""
    if not curves:
        return []
    sizes = np.array([curve.times_s.size for curve in curves])
    times_s = np.round(np.concatenate([curve.times_s for curve in curves]), TIME_DIGITS)
    scales = np.repeat([10.0**curve.digits for curve in curves], sizes)
    values = np.round(np.concatenate([curve.values for curve in curves]) * scales) / scales
    is_first = np.zeros(times_s.size, bool)
    is_first[np.cumsum(sizes) - sizes] = True
    new = is_first | (np.diff(times_s, prepend=0) > 0)
    which = np.repeat(np.arange(len(curves)), sizes)[new]
    times_s, values = times_s[new], values[new]

    firsts = np.searchsorted(which, np.arange(len(curves)))
    kept = _kept(
        times_s, values, firsts=firsts, tolerances=np.array([_tolerance(curve) for curve in curves])[which]
    )
    ends = np.searchsorted(which[kept], np.arange(1, len(curves)))
    return [
        Envelope(of_times_s, of_values, curve.interpolation)
        for curve, of_times_s, of_values in zip(
            curves, np.split(times_s[kept], ends), np.split(values[kept], ends), strict=True
        )
    ]


def _tolerance(curve: Curve) -> float:
    """Its own, and none at all for a curve that is to keep all points."""
    return curve.tolerance if curve.interpolation == "linear" else -np.inf


def _kept(
    times_s: Floats, values: Floats, *, firsts: NDArray[np.int64], tolerances: Floats
) -> NDArray[np.bool_]:
    """Points of many curves, one after the other, to keep: first, last, and those that lines would miss.

    All curves are split together, each stretch at the point that its line misses most, until no line misses
    one; stretches that are done are not looked at again.
    """
    kept = np.isneginf(tolerances)
    lasts = np.append(firsts[1:], times_s.size) - 1
    kept[firsts] = kept[lasts] = True
    points = np.flatnonzero(~kept)
    curve = np.searchsorted(firsts, points, side="right") - 1
    left, right = firsts[curve], lasts[curve]
    while points.size:
        slopes = (values[right] - values[left]) / (times_s[right] - times_s[left])
        misses = np.abs(values[points] - values[left] - slopes * (times_s[points] - times_s[left]))
        stretches = np.flatnonzero(np.diff(left, prepend=-1))
        lengths = np.diff(stretches, append=points.size)
        worst = np.repeat(np.maximum.reduceat(misses, stretches), lengths)
        is_worst = misses == worst
        split = points[np.maximum.reduceat(np.where(is_worst, np.arange(points.size), 0), stretches)]
        split = np.repeat(split, lengths)
        open_ = worst > tolerances[points]
        kept[split[open_]] = True
        left, right = np.where(points > split, split, left), np.where(points < split, split, right)
        rest = open_ & (points != split)
        points, left, right = points[rest], left[rest], right[rest]
    return kept
