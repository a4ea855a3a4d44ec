"""The log-mel spectrogram that PANNs' taggers were trained on.

Conventions
-----------
Samples are mono at 32 kHz. Frames of 1024 samples every 320 under a periodic Hann window, centred on 0, 320,
640 …; what lies outside the sound is its mirror image. 64 bands of equal width on Slaney's mel scale from 50
Hz to 14 kHz, each of unit area, in dB of power, not below -100.

References
----------
Kong, Cao, Iqbal, Wang, Wang, Plumbley: PANNs: large-scale pretrained audio neural networks for audio pattern
recognition. IEEE/ACM TASLP 28, 2020.
Slaney: Auditory toolbox, version 2. Technical report 1998-010, Interval Research, 1998.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.toolkit.framing import hann

RATE_HZ = 32_000
WINDOW, HOP, BANDS = 1024, 320, 64
LOWEST_HZ, HIGHEST_HZ = 50.0, 14_000.0
LEAST_POWER = 1e-10

# Slaney's scale: linear to 1 kHz, 15 mels there, then 27 steps for a factor of 6.4.
_LINEAR_HZ, _CORNER_HZ, _CORNER_MEL = 200 / 3, 1000.0, 15.0
_STEP = np.log(6.4) / 27


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features [1 + frames // 320, 64] of samples [frames], more than 512 of them."""
    mirrored = np.pad(samples, WINDOW // 2, mode="reflect")
    cut = sliding_window_view(mirrored, WINDOW)[::HOP]
    spectra = np.fft.rfft(cut * hann(WINDOW))
    powers = (np.square(spectra.real) + np.square(spectra.imag)) @ mel_bands().T
    features: NDArray[np.float32] = (10 * np.log10(np.maximum(powers, LEAST_POWER))).astype(np.float32)
    return features


@cache
def mel_bands() -> NDArray[np.float64]:
    """Weights [64, 513] of the bins: triangles over three neighbouring edges."""
    bins_hz = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    edges_hz = _hz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2))
    low, middle, high = (edges_hz[start : start + BANDS, None] for start in range(3))
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    bands: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return bands


def _mel(hz: float) -> float:
    if hz < _CORNER_HZ:
        return hz / _LINEAR_HZ
    return float(_CORNER_MEL + np.log(hz / _CORNER_HZ) / _STEP)


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _CORNER_HZ * np.exp(_STEP * (mels - _CORNER_MEL))
    hz: NDArray[np.float64] = np.where(mels < _CORNER_MEL, _LINEAR_HZ * mels, above)
    return hz
