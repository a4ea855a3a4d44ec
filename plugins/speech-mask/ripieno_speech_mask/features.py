"""What the network hears: levels of mel bands against the mean level of what went before.

Conventions
-----------
Frames come every 16 ms from spectra of 64 ms, bins 15.625 Hz apart, of sound at 16 kHz or scaled to what that
rate would give. Power is the mean over channels of the squared magnitude of each bin.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.spectra import Tapers, low_delay_tapers, matched_tapers

RATE_HZ = 16000
WINDOW = 1024
HOP = 256
BINS = WINDOW // 2 + 1
FEATURES = 128

_MEMORY_S = 3.0
_DECAY = math.exp(-HOP / RATE_HZ / _MEMORY_S)
# Powers of a transform of 1024 samples: silence is what lies 90 dB below a full-scale sine.
_SILENCE = (WINDOW / 4) ** 2 * 1e-9
_DEPTH = 1e-6


def tapers(looks_ahead: bool, *, hop: int = HOP) -> Tapers:
    """Tapers of analysis and of synthesis, four hops long.

    Without look-ahead the synthesis ends with two of the four, so that its delay is 32 ms and not 64.
    """
    return matched_tapers(4 * hop, hop) if looks_ahead else low_delay_tapers(4 * hop, 2 * hop, hop)


class SpeechFeatures:
    """Features of frames in order, the same bits however they are split.

    The mean level decays over three seconds, so that neither the gain of a recording nor a slow fade
    matters, and grows from the first frame on, so that no level is assumed.
    """

    def __init__(self) -> None:
        band, self._bins = np.nonzero(filterbank().T)
        self._weights = filterbank()[self._bins, band]
        self._first = np.searchsorted(band, np.arange(FEATURES))
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._summed = self._weight = 0.0

    def frames(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [n, 128] of the next frames [n, 513]: 0 at the mean level, 1 at 30 dB above it."""
        bands = np.add.reduceat(power[:, self._bins] * self._weights, self._first, axis=1)
        means = np.array([self._mean(float(level)) for level in bands.mean(axis=1)], np.float32)
        return levels(bands, means[:, None])

    def _mean(self, level: float) -> float:
        self._summed = _DECAY * self._summed + level
        self._weight = _DECAY * self._weight + 1
        return self._summed / self._weight


def features_of_clips(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """What `SpeechFeatures` gives for whole clips at once, to rounding.

    Parameters
    ----------
    power : float32 array [clips, frames, 513]

    Returns
    -------
    float32 array [clips, frames, 128]
    """
    bands = power @ filterbank()
    levels_before = bands.mean(axis=2)
    means = np.empty_like(levels_before)
    summed, weight = np.zeros(len(power)), 0.0
    for frame in range(power.shape[1]):
        summed = _DECAY * summed + levels_before[:, frame]
        weight = _DECAY * weight + 1
        means[:, frame] = summed / weight
    return levels(bands, means[:, :, None])


def levels(bands: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Levels of bands against the mean: 0 where equal, 1 at 30 dB more, never below -2."""
    against = means + np.float32(_SILENCE)
    return np.asarray(np.log10(bands / against + np.float32(_DEPTH)) / 3, np.float32)


@cache
def filterbank() -> NDArray[np.float32]:
    """Triangles evenly spaced in mel from 0 to 8 kHz, float32 [513, 128], each column summing to 1.

    In the bass, where a triangle would be narrower than a bin, it is as wide as one.

    References
    ----------
    Stevens, Volkmann, Newman: A scale for the measurement of the psychological magnitude pitch. JASA 8, 1937;
    the formula is O'Shaughnessy's: Speech Communication, 1987.
    """
    highest_mel = 2595 * math.log10(1 + RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, highest_mel, FEATURES + 2) / 2595) - 1)
    edges = edges_hz * WINDOW / RATE_HZ
    centres = edges[1:-1]
    below = np.maximum(centres - edges[:-2], 1)
    above = np.maximum(edges[2:] - centres, 1)
    away = np.arange(BINS)[:, None] - centres
    bank = np.maximum(0, 1 - np.where(away < 0, -away / below, away / above))
    return np.asarray(bank / bank.sum(axis=0), np.float32)
