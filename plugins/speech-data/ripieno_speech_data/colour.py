"""The colour of a sound: a slope over frequency, and its level."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_OCTAVES = 2.5
_RUMBLE_HZ = 15.0


def tilted(samples: NDArray[Any], *, tilt_db: float, rate_hz: int) -> NDArray[np.float64]:
    """A slope of so many dB an octave about 1 kHz, 2.5 octaves to either side; offset and rumble are taken off.

    Parameters
    ----------
    samples : ndarray [frames]
        Mono; taken as a whole, without delay.
    tilt_db : float
        Above 0 brighter.
    rate_hz : int
        Of the samples.
    """
    if not samples.size:
        return np.zeros(0)
    hz = np.fft.rfftfreq(samples.size, 1 / rate_hz)
    octaves = np.clip(np.log2(np.maximum(hz, 1.0) / 1000), -_OCTAVES, _OCTAVES)
    gain = 10 ** (tilt_db * octaves / 20) * (hz / (hz + _RUMBLE_HZ)) ** 2
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * gain, samples.size))


def rms(samples: NDArray[Any]) -> float:
    """Root of the mean square; 0 without samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def levelled(
    samples: NDArray[Any], *, from_rms: float, to_dbfs: float, peak: float = 0.97
) -> NDArray[np.float32]:
    """Brought from one level to another, or as near to it as leaves the peak below `peak`."""
    loudest = float(np.abs(samples).max(initial=0))
    gain = min(10 ** (to_dbfs / 20) / max(1e-9, from_rms), peak / max(1e-9, loudest))
    return np.asarray(samples * gain, np.float32)
