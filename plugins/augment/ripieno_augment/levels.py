"""Level of a sound over time, and how a change of the sound changed it.

Conventions
-----------
Samples are [channels, frames]. A level is the mean square of 20 ms in all channels, each 10 ms, in dB.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope
from ripieno.toolkit.playing.curves import Curve, simplified

HOP_S = 0.01
FLOOR_DB = 50.0
"""Below the loudest of the sound by this much, there is not enough of it to compare."""
TOLERANCE_DB = 0.1
"""A gain is drawn with straight lines this near to it."""
_TINY = 1e-20

Samples = NDArray[np.float32]


def power(samples: Samples) -> float:
    """Mean square of all samples; 0 for empty sound."""
    return float(np.vdot(samples, samples)) / samples.size if samples.size else 0.0


def gain_between(before: Samples, after: Samples, *, rate_hz: int) -> Envelope:
    """Gain in dB over time that made of one sound another.

    Parameters
    ----------
    before, after : ndarray [channels, frames]
        Of one shape, at the same time.
    rate_hz : int

    Returns
    -------
    Envelope
        Linear; where `before` is silent, the gain goes straight from what is known before to what is known
        after. 0 dB for a sound that is silent.
    """
    hop = max(1, round(HOP_S * rate_hz))
    powers = _powers(before, hop)
    audible = powers > powers.max(initial=0) * 10 ** (-FLOOR_DB / 10)
    times_s = np.arange(powers.size) * hop / rate_hz
    if not audible.any():
        return Envelope(np.zeros(1), np.zeros(1))
    gain_db = 10 * np.log10((_powers(after, hop)[audible] + _TINY) / (powers[audible] + _TINY))
    curve = Curve(times_s[audible], gain_db, tolerance=TOLERANCE_DB, digits=2)
    return simplified([curve])[0]


def _powers(samples: Samples, hop: int) -> NDArray[np.float64]:
    """Mean square of two hops around each multiple of `hop`."""
    count = -(-samples.shape[1] // hop)
    squares = np.zeros((samples.shape[0], count * hop), np.float32)
    np.square(samples, out=squares[:, : samples.shape[1]])
    sums = np.zeros(count + 2)
    sums[1:-1] = squares.reshape(-1, count, hop).sum(axis=2, dtype=np.float64).sum(axis=0)
    return (sums[:-1] + sums[1:]) / (2 * hop * samples.shape[0])
