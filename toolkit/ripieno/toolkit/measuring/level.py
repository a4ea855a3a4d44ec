"""How loud a sound is, at any times.

Conventions
-----------
Samples are mono, [frames]; a full-scale square wave is 0 dBFS. Times are seconds from the first sample.

Dynamics are RMS levels over a whole number of periods, the least that last `WINDOW_S`, so that a steady tone
is level however low it is. The window is cut where the note ends, so that they tell of the note alone.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW_S = 0.02
QUIETEST_DBFS = -120.0


class Power:
    """Power of a sound over any spans of time: one pass over it, then two look-ups a span."""

    def __init__(self, samples: NDArray[np.floating], *, rate_hz: int) -> None:
        self._energy = np.zeros(len(samples) + 1)
        np.cumsum(np.square(samples, dtype=np.float64), out=self._energy[1:])
        self._rate_hz = rate_hz

    def rms(self, from_s: Floats, to_s: Floats) -> Floats:
        """Root mean square from one time to the other; 0 where no sample lies between, or outside the sound.

        What lies outside the sound counts as silence.
        """
        first = np.round(np.asarray(from_s) * self._rate_hz).astype(np.int64)
        after = np.round(np.asarray(to_s) * self._rate_hz).astype(np.int64)
        last = self._energy.size - 1
        energy = self._energy[np.clip(after, 0, last)] - self._energy[np.clip(first, 0, last)]
        rms: Floats = np.sqrt(np.maximum(energy, 0) / np.maximum(after - first, 1))
        return rms


def dynamics_dbfs(
    power: Power, times_s: Floats, *, pitch_midi: Floats, onsets_s: Floats, offsets_s: Floats
) -> Floats:
    """Level of notes around given times.

    Parameters
    ----------
    power : Power
        Of a sound in which the notes do not overlap.
    times_s, pitch_midi : ndarray [points]
        Where, and the pitch there.
    onsets_s, offsets_s : ndarray [points]
        Of the note that each point belongs to.

    Returns
    -------
    ndarray [points]
        dBFS, `QUIETEST_DBFS` at least.
    """
    periods_s = 2 ** ((69 - pitch_midi) / 12) / 440
    widths_s = np.ceil(WINDOW_S / periods_s) * periods_s
    from_s, to_s = np.maximum(times_s - widths_s / 2, onsets_s), np.minimum(times_s + widths_s / 2, offsets_s)
    return dbfs(power.rms(from_s, to_s))


def dbfs(amplitudes: Floats) -> Floats:
    """Amplitudes in dBFS, `QUIETEST_DBFS` at least."""
    levels: Floats = 20 * np.log10(np.maximum(amplitudes, 10 ** (QUIETEST_DBFS / 20)))
    return levels
