"""Values of envelopes between their breakpoints, for many envelopes at once.

An envelope is a polynomial from each point to the next: a constant (``step``), a line (``linear``) or a
cubic whose slopes keep it monotone between two points (``cubic``, PCHIP).

References
----------
Fritsch, Butland: A method for constructing local monotone piecewise cubic interpolants. SIAM J. Sci.
Stat. Comput. 5(2), 1984. The one-sided slopes at the ends: Moler, Numerical Computing with MATLAB, 2004,
section 3.6.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .performance import Envelope

Floats = NDArray[np.float64]


def interpolate(envelope: "Envelope", times_s: Floats) -> Floats:
    """Values of one envelope at any times, in any order."""
    order = np.argsort(times_s, axis=None, kind="stable")
    values = np.empty(times_s.size)
    values[order] = interpolate_all([envelope], np.zeros(times_s.size, np.int64), times_s.ravel()[order])
    return values.reshape(times_s.shape)


def interpolate_all(envelopes: Sequence["Envelope"], which: NDArray[np.int64], times_s: Floats) -> Floats:
    """Values of many envelopes.

    Parameters
    ----------
    envelopes : sequence of Envelope
        At least one where anything is asked.
    which : ndarray [queries]
        Index of the envelope asked; ascending.
    times_s : ndarray [queries]
        When; ascending for each envelope.

    Returns
    -------
    ndarray [queries]
        Exact at breakpoints. Costs a few passes over the queries, and a search for each point.
    """
    if not times_s.size:
        return np.zeros(0)
    points_s = np.concatenate([envelope.times_s for envelope in envelopes])
    sizes = np.array([envelope.times_s.size for envelope in envelopes])
    firsts = np.cumsum(sizes) - sizes

    # All envelopes end to end on one axis, so that one search serves them all.
    span_s = 2.0 ** np.ceil(np.log2(1 + max(points_s.max(), times_s.max())))
    places_s = np.repeat(span_s * np.arange(sizes.size), sizes) + points_s
    reached = np.searchsorted(span_s * which + times_s, places_s)
    # What is asked before the first point is the first point's too.
    reached[firsts] = np.searchsorted(which, np.arange(sizes.size))
    asked = np.diff(reached, append=times_s.size)
    after_s = np.maximum(times_s - np.repeat(points_s, asked), 0)
    return _polynomial(_coefficients(envelopes, points_s, sizes, firsts), asked, after_s)


def _polynomial(coefficients: Sequence[Floats], asked: NDArray[np.int64], after_s: Floats) -> Floats:
    """Values [queries] of polynomials, the lowest power first, of which each is asked so many times."""
    highest, *lower = reversed(coefficients)
    values = np.repeat(highest, asked)
    for coefficient in lower:
        values *= after_s
        values += np.repeat(coefficient, asked)
    return values


def _coefficients(
    envelopes: Sequence["Envelope"], points_s: Floats, sizes: NDArray[np.int64], firsts: NDArray[np.int64]
) -> tuple[Floats, ...]:
    """Of the polynomials from each point to the next, the lowest power first; constant from the last one on."""
    values = np.concatenate([envelope.values for envelope in envelopes])
    steps_s = np.diff(points_s, append=np.inf)
    steps_s[firsts + sizes - 1] = np.inf
    chords = np.diff(values, append=values[-1]) / steps_s
    is_step, is_cubic = (
        np.repeat([envelope.interpolation == kind for envelope in envelopes], sizes)
        for kind in ("step", "cubic")
    )
    linear = np.where(is_step, 0.0, chords)
    if not is_cubic.any():
        return values, linear
    slopes = _monotone_slopes(steps_s, chords, sizes, firsts)
    following = np.append(slopes[1:], 0.0)
    is_cubic &= np.isfinite(steps_s)
    step_s = np.where(is_cubic, steps_s, 1.0)
    return (
        values,
        np.where(is_cubic, slopes, linear),
        np.where(is_cubic, (3 * chords - 2 * slopes - following) / step_s, 0.0),
        np.where(is_cubic, (slopes + following - 2 * chords) / step_s**2, 0.0),
    )


def _monotone_slopes(
    steps_s: Floats, chords: Floats, sizes: NDArray[np.int64], firsts: NDArray[np.int64]
) -> Floats:
    """PCHIP's slope at every point; those of envelopes of one point are 0, of two points their chord."""
    before_s, before = np.roll(steps_s, 1), np.roll(chords, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = 2 * steps_s + before_s, steps_s + 2 * before_s
        inner = (near + far) / (near / before + far / chords)
    slopes = np.where(before * chords > 0, inner, 0.0)
    for ends, ahead in ((firsts, 1), (firsts + sizes - 1, -1)):
        # The chord of the segment that begins or ends here, and the one beyond it.
        first, second = (ends, ends + 1) if ahead == 1 else (ends - 1, ends - 2)
        slopes[ends[sizes == 1]] = 0.0
        slopes[ends[sizes == 2]] = chords[first[sizes == 2]]
        many = sizes > 2
        first, second = first[many], second[many]
        slopes[ends[many]] = _end_slopes(steps_s[first], steps_s[second], chords[first], chords[second])
    return slopes


def _end_slopes(step_s: Floats, next_s: Floats, chord: Floats, next_chord: Floats) -> Floats:
    slope = ((2 * step_s + next_s) * chord - step_s * next_chord) / (step_s + next_s)
    slope = np.where(np.sign(slope) != np.sign(chord), 0.0, slope)
    turns = (np.sign(chord) != np.sign(next_chord)) & (np.abs(slope) > 3 * np.abs(chord))
    return np.where(turns, 3 * chord, slope)
