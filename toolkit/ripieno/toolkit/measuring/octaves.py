"""A sound at its rate times powers of two, so that low and high pitches are measured on alike periods.

Conventions
-----------
Samples are mono, [frames], float32; silence is taken to lie before and after. Sample i of octave k stands
where ``i / 2 ** k`` stood.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# NumPy correlates up to 11 taps several times faster than more.
_HALF_REACH = 5
"""Samples on either side of a middle that it is interpolated from."""
_SMOOTH_REACH = 5
_SMOOTH_CUTOFF = 0.31
"""Half amplitude, as a share of the rate: passes 0.2 of it, and is 40 dB down at 0.42, above which the
halvings leave what they fold."""


class Octaves:
    """The octaves of a sound, each computed when it is first asked for."""

    def __init__(self, samples: NDArray[np.floating]) -> None:
        self._rescaled: dict[int, Samples] = {0: np.asarray(samples, np.float32)}
        self._smooth: dict[int, Samples] = {}

    def at(self, octave: int) -> Samples:
        """The sound at ``2 ** octave`` times its rate, without what lies above 0.3 of the new rate."""
        if octave not in self._smooth:
            padded = np.pad(self._rescale(octave), _SMOOTH_REACH)
            self._smooth[octave] = np.correlate(padded, _low_pass(), "valid")
        return self._smooth[octave]

    def _rescale(self, octave: int) -> Samples:
        if octave not in self._rescaled:
            raises = octave > 0
            # Images of what lies close to the Nyquist frequency would pass as partials.
            self._rescaled[octave] = (
                _doubled(self.at(octave - 1)) if raises else _halved(self._rescale(octave + 1))
            )
        return self._rescaled[octave]


def _halved(samples: Samples) -> Samples:
    even = np.pad(samples, (0, samples.size % 2)).reshape(-1, 2)
    odd = np.pad(even[:, 1], (_HALF_REACH, _HALF_REACH - 1))
    halved: Samples = (even[:, 0] + np.correlate(odd, _middle(), "valid")) / np.float32(2)
    return halved


def _doubled(samples: Samples) -> Samples:
    padded = np.pad(samples, (_HALF_REACH - 1, _HALF_REACH))
    return np.stack([samples, np.correlate(padded, _middle(), "valid")], axis=1).reshape(-1)


@lru_cache
def _middle() -> Samples:
    """Taps that interpolate half way between two samples."""
    places = np.arange(-_HALF_REACH, _HALF_REACH) + 0.5
    return _normalised(np.sinc(places) * _kaiser(places / _HALF_REACH, beta=7.0))


@lru_cache
def _low_pass() -> Samples:
    places = np.arange(-_SMOOTH_REACH, _SMOOTH_REACH + 1)
    return _normalised(np.sinc(2 * _SMOOTH_CUTOFF * places) * _kaiser(places / (_SMOOTH_REACH + 1), beta=3.5))


def _normalised(taps: NDArray[np.float64]) -> Samples:
    normalised: Samples = (taps / taps.sum()).astype(np.float32)
    return normalised


def _kaiser(places: NDArray[np.float64], *, beta: float) -> NDArray[np.float64]:
    """Kaiser window over -1 to 1."""
    taper: NDArray[np.float64] = np.i0(beta * np.sqrt(1 - places**2)) / np.i0(beta)
    return taper
