"""The pitch of a sound whose pitch is nearly known, to a fraction of a cent.

Conventions
-----------
Samples are mono, [frames]. A label is the pitch that is expected, a MIDI number; a period T is that of the
label. Pitch is what the autocorrelation says: the shift, near T, at which the sound repeats itself best,
over its first 8 to 16 harmonics. The partials of a stiff string are not harmonic: theirs is a mean, weighted
by power and by frequency squared, which lies above the fundamental as what is heard does.

References
----------
Talkin: A robust algorithm for pitch tracking (RAPT). In Speech Coding and Synthesis, 1995: the normalised
cross-correlation, which is 1 at the period of any tone, growing or decaying.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

from .octaves import Octaves

Floats = NDArray[np.float64]

SEARCH_CENTS = 60.0
"""How far from its label a pitch is looked for."""
WINDOW_PERIODS = 4.0
WINDOW_S = 0.02
"""A window is this long, or `WINDOW_PERIODS` where that is longer; under its Hann taper."""
LEAST_PERIODICITY = 0.9
"""Correlation at T below which nothing repeats with this period."""
DIVISORS = (2, 3, 5)
SUBDIVISION_SHARE = 0.98
"""Correlation at T / 2, T / 3 or T / 5, as a share of that at T, from which on that is the period.

It is 1 less twice the power of the odd harmonics at T / 2: where they hold less than 1 % (-20 dB), an
octave higher is heard. At T / 3 it is 1 less 1.5 times the power of those that 3 does not divide.
"""

_SHORTEST_PERIOD = 32
"""Least samples in a period, at the rate at which it is measured; it has less than twice as many."""
_BAND = 0.7
"""Share of the Nyquist frequency in which the correlation has content, where it is interpolated."""
_REACH = 5
"""Samples beyond the search from which it is interpolated."""
_COARSE_REACH = 3
_FINE = 8
"""Interpolated points a sample; through the highest and its neighbours goes a parabola."""
_BATCH = 2**17
"""Samples of windows that are compared at once: they fit a processor's cache."""
_SILENCE = 1e-12
"""Power, -120 dBFS, of a window in which there is nothing to compare."""


@dataclass(frozen=True, eq=False)
class Refined:
    """What was found for each label.

    Parameters
    ----------
    pitch_midi : ndarray [labels]
        The pitch; NaN where the correlation has no maximum near the label.
    periodicity : ndarray [labels]
        Correlation at that pitch, -1 to 1; 0 in silence.
    subdivision : ndarray [labels]
        The greatest correlation at its period divided by one of `DIVISORS`.
    """

    pitch_midi: Floats
    periodicity: Floats
    subdivision: Floats

    def __getitem__(self, part: slice | NDArray[Any]) -> Self:
        """What was found for some of the labels."""
        return type(self)(self.pitch_midi[part], self.periodicity[part], self.subdivision[part])

    @property
    def is_periodic(self) -> NDArray[np.bool_]:
        """Where the sound repeats itself with a period near the label's."""
        return np.isfinite(self.pitch_midi) & (self.periodicity >= LEAST_PERIODICITY)

    @property
    def is_higher(self) -> NDArray[np.bool_]:
        """Where it repeats itself within that period: it sounds an octave, a twelfth … above the label."""
        return self.is_periodic & (self.subdivision >= SUBDIVISION_SHARE * self.periodicity)

    @property
    def is_confirmed(self) -> NDArray[np.bool_]:
        """Where the pitch can be relied on."""
        return self.is_periodic & ~self.is_higher


def refine_pitch(
    samples: NDArray[np.floating],
    times_s: Floats,
    pitch_midi: Floats,
    *,
    rate_hz: int,
    search_cents: float = SEARCH_CENTS,
) -> Refined:
    """Find the pitch nearest to each label.

    Parameters
    ----------
    samples : ndarray [frames]
        Mono; silence is taken to lie before and after.
    times_s : ndarray [labels]
        When, in any order; a window is centred on each.
    pitch_midi : ndarray [labels]
        The pitch expected there, 9 (14 Hz) to 124 (10.5 kHz).
    rate_hz : int
        8000 Hz or more.
    search_cents : float
        How far from the label to look, > 0 and <= 200.

    Returns
    -------
    Refined
        Exact to 0.1 cents on harmonic tones. A vibrato or glide is averaged over the window.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    times_s, labels = np.asarray(times_s, np.float64), np.asarray(pitch_midi, np.float64)
    _check(labels, rate_hz=rate_hz, search_cents=search_cents)
    if not labels.size:
        return Refined(*np.zeros((3, 0)))
    around_s = 1.2 * window_s(labels).max()
    from_s, to_s = times_s.min() - around_s, times_s.max() + around_s
    octaves = Octaves(_excerpt(samples, first=floor(from_s * rate_hz), after=ceil(to_s * rate_hz)))
    times_s = times_s - floor(from_s * rate_hz) / rate_hz
    found = _found(octaves, times_s, labels, rate_hz=rate_hz, search_cents=search_cents)
    weak = np.flatnonzero(~found.is_periodic)
    lower = _found(octaves, times_s[weak], labels[weak], rate_hz=rate_hz, search_cents=search_cents, lower=1)
    better = lower.is_periodic
    for name in ("pitch_midi", "periodicity", "subdivision"):
        getattr(found, name)[weak[better]] = getattr(lower, name)[better]
    return found


def hertz(pitch_midi: Floats) -> Floats:
    """Frequency of MIDI numbers."""
    frequency: Floats = 440 * 2 ** ((np.asarray(pitch_midi, np.float64) - 69) / 12)
    return frequency


def window_s(pitch_midi: Floats) -> Floats:
    """Seconds of sound that a pitch is measured from: the window and the period by which it is shifted."""
    periods_s = 1 / hertz(pitch_midi)
    return np.maximum(WINDOW_S, WINDOW_PERIODS * periods_s) + periods_s


def _check(labels: Floats, *, rate_hz: int, search_cents: float) -> None:
    if rate_hz < 8000:
        raise InputError(f"cannot measure pitch at {rate_hz} Hz: resample to 8000 Hz or more")
    if not 0 < search_cents <= 200:
        raise InputError(f"search_cents is {search_cents:g}: more than 0 and at most 200")
    if labels.size and not (labels.min() >= 9 and labels.max() <= 124):
        raise InputError(f"labels run from {labels.min():g} to {labels.max():g}: MIDI numbers 9 to 124")


def _found(
    octaves: Octaves, times_s: Floats, labels: Floats, *, rate_hz: int, search_cents: float, lower: int = 0
) -> Refined:
    """What is found at rates that are `lower` octaves below those that show 8 to 16 harmonics."""
    periods_s, found = 1 / hertz(labels), np.zeros((3, labels.size))
    for group, octave in _groups(periods_s, rate_hz=rate_hz):
        scaled_hz = rate_hz * 2.0 ** (octave - lower)
        longest_s = periods_s[group].max()
        scaled = _above(octaves.at(octave - lower), period=round(longest_s * scaled_hz))
        width = ceil(max(WINDOW_S, WINDOW_PERIODS * longest_s) * scaled_hz)
        reach = ceil((2 ** (search_cents / 1200) - 1) * longest_s * scaled_hz) + 1
        for batch in np.array_split(group, ceil(group.size * width / _BATCH)):
            pairs = _Pairs(scaled, times_s[batch] * scaled_hz, periods_s[batch] * scaled_hz, width=width)
            found[:, batch] = pairs.compare(reach=reach, search_octaves=search_cents / 1200)
    return Refined(labels + 12 * found[0], found[1], found[2])


def _above(samples: NDArray[np.float32], *, period: int) -> NDArray[np.float32]:
    """Samples less their mean over a period: without the knocks and rumble that lie below a tone.

    The mean has no harmonic of that period, and, as any filter, changes no other period.
    """
    padded = np.pad(samples, (period // 2 + 1, (period - 1) // 2))
    sums = np.cumsum(padded, dtype=np.float64)
    above: NDArray[np.float32] = samples - ((sums[period:] - sums[:-period]) / period).astype(np.float32)
    return above


def _excerpt(samples: NDArray[np.floating], *, first: int, after: int) -> NDArray[np.float32]:
    """Samples first … after - 1, silence where there are none."""
    excerpt = np.zeros(after - first, np.float32)
    inside = slice(min(max(first, 0), len(samples)), max(0, min(after, len(samples))))
    part = samples[inside]
    excerpt[max(0, -first) :][: part.size] = part
    return excerpt


def _groups(periods_s: Floats, *, rate_hz: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Labels whose periods lie within half an octave, and the octave of the rate at which to compare them."""
    halves = np.floor(2 * np.log2(periods_s * rate_hz / _SHORTEST_PERIOD)).astype(np.int64)
    for half in np.unique(halves):
        yield np.flatnonzero(halves == half), -int(half // 2)


class _Pairs:
    """Windows of a sound, to be compared with what follows them about a period later.

    Parameters
    ----------
    samples : ndarray [frames]
    centres, periods : ndarray [pairs]
        Of both together, in samples: half the period lies before the centre, half after.
    width : int
        Of a window, in samples.
    """

    def __init__(self, samples: NDArray[np.float32], centres: Floats, periods: Floats, *, width: int) -> None:
        self._periods, self._width, self._taper = periods, width, _hann(width)
        self._samples = samples
        self._starts = np.round(centres - (width + np.round(periods)) / 2).astype(np.int64)
        first = self._windows(self._starts, width)
        self._weighted = first * self._taper
        self._power = np.einsum("pw,pw->p", self._weighted, first)

    def compare(self, *, reach: int, search_octaves: float) -> Floats:
        """Rows [3, pairs]: octaves above the label, correlation there, and the highest within the period."""
        whole = np.round(self._periods).astype(np.int64)
        correlations = self._correlations(whole, reach=reach + _REACH) @ _interpolation(reach)
        fine = np.arange(-reach * _FINE, reach * _FINE + 1) / _FINE
        octaves = np.log2(self._periods[:, None] / (whole[:, None] + fine))
        places, periodicity = _highest(correlations, np.abs(octaves) <= search_octaves)
        found = whole - reach + places / _FINE
        known = np.where(np.isfinite(found), found, self._periods)
        within = np.max([self._correlation_at(known / divisor) for divisor in DIVISORS], axis=0)
        return np.stack([np.log2(self._periods / found), periodicity, within])

    def _correlations(self, lags: NDArray[np.int64], *, reach: int) -> Floats:
        """Normalised cross-correlation [pairs, 2 * reach + 1] at lags - reach … lags + reach."""
        second = self._windows(self._starts + lags - reach, self._width + 2 * reach)
        shifts = [slice(shift, shift + self._width) for shift in range(2 * reach + 1)]
        products = np.array([np.einsum("pw,pw->p", self._weighted, second[:, shift]) for shift in shifts]).T
        np.square(second, out=second)
        powers = np.array([second[:, shift] @ self._taper for shift in shifts]).T
        scale = np.sqrt(self._power[:, None] * powers.astype(np.float64))
        correlations: Floats = products / np.maximum(scale, _SILENCE * self._width)
        return correlations

    def _correlation_at(self, lags: Floats) -> Floats:
        """Normalised cross-correlation [pairs] at one lag each, between samples; to about 1 %."""
        whole = np.round(lags).astype(np.int64)
        near = self._correlations(whole, reach=_COARSE_REACH)
        at: Floats = np.einsum("pl,lp->p", near, _kernel(lags - whole, reach=_COARSE_REACH))
        return at

    def _windows(self, starts: NDArray[np.int64], width: int) -> NDArray[np.float32]:
        windows: NDArray[np.float32] = sliding_window_view(self._samples, width)[starts]
        return windows


def _highest(correlations: Floats, allowed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Place and value of the highest maximum of each row; NaN where it rises further beyond what is allowed."""
    rows = np.arange(len(correlations))
    at = np.where(allowed, correlations, -np.inf).argmax(axis=1)
    inner = np.clip(at, 1, correlations.shape[1] - 2)
    left, middle, right = (correlations[rows, inner + side] for side in (-1, 0, 1))
    curvature = left - 2 * middle + right
    is_peak = (at == inner) & (middle >= left) & (middle >= right) & (curvature < 0)
    shift = np.where(is_peak, (left - right) / 2 / np.where(is_peak, curvature, 1), np.nan)
    value = np.where(is_peak, middle - (left - right) * shift / 4, correlations[rows, at])
    return inner + shift, value


@lru_cache
def _interpolation(reach: int) -> Floats:
    """Matrix [2 * (reach + _REACH) + 1, 2 * reach * _FINE + 1] from whole lags to fractions of them."""
    fine = np.arange(-reach * _FINE, reach * _FINE + 1) / _FINE
    return _kernel(fine, reach=reach + _REACH)


def _kernel(places: Floats, *, reach: int) -> Floats:
    """Weights [2 * reach + 1, places] of samples -reach … reach, of least squares over the band."""
    samples = np.arange(-reach, reach + 1)
    kernel: Floats = _band_inverse(reach) @ np.sinc(_BAND * (samples[:, None] - places))
    return kernel


@lru_cache
def _band_inverse(reach: int) -> Floats:
    samples = np.arange(-reach, reach + 1)
    # Within the band some sums of samples hardly differ from 0: what regularises them is below single precision.
    gram = np.sinc(_BAND * (samples[:, None] - samples)) + 1e-9 * np.eye(samples.size)
    inverse: Floats = np.linalg.inv(gram)
    return inverse


@lru_cache
def _hann(width: int) -> NDArray[np.float32]:
    return (np.sin(np.pi * (np.arange(width) + 0.5) / width) ** 2).astype(np.float32)
