"""Noise that is made: coloured, band-limited, swelling.

Conventions
-----------
A noise is float32 [frames], of unit power, and goes on from its end at its beginning without a seam, so that
it can be repeated. It is CC0 by construction: nothing is in it but numbers drawn here.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .draws import between, log_between

PERIOD_S = 5.0
"""Length of noise that is made in passing; it is repeated."""


@dataclass(frozen=True)
class NoiseShape:
    """What a noise sounds like.

    Parameters
    ----------
    slope_db : float
        Of the power spectrum, dB an octave: 0 white, -3 pink, -6 brown, 3 blue.
    low_hz, high_hz : float
        Band outside of which it falls by 24 dB an octave.
    swell_db : float
        How far its level rises and falls, >= 0.
    swells : int
        How often it does so in a period, >= 1.
    seed : int
        Of its numbers.
    """

    slope_db: float
    low_hz: float
    high_hz: float
    swell_db: float
    swells: int
    seed: int


def draw_noise(rng: np.random.Generator) -> NoiseShape:
    """A noise that a room, a street or an amplifier might make."""
    low_hz = log_between(rng, (20.0, 400.0))
    return NoiseShape(
        slope_db=between(rng, (-6.0, 3.0)),
        low_hz=low_hz,
        high_hz=max(2 * low_hz, log_between(rng, (1000.0, 20000.0))),
        swell_db=between(rng, (0.0, 12.0)) if rng.random() < 0.5 else 0.0,
        swells=int(rng.integers(1, 20)),
        seed=int(rng.integers(2**31)),
    )


@lru_cache(maxsize=32)
def make_noise(shape: NoiseShape, *, rate_hz: int, duration_s: float = PERIOD_S) -> NDArray[np.float32]:
    """The noise of a shape, float32 [frames], read-only.

    Spectrum and phases are drawn at each multiple of the period's frequency, which makes it periodic.
    """
    frames = max(2, round(duration_s * rate_hz))
    frequencies_hz = np.fft.rfftfreq(frames, 1 / rate_hz)
    with np.errstate(divide="ignore"):
        octaves = np.log2(np.maximum(frequencies_hz, frequencies_hz[1]) / 1000)
        outside = np.maximum(np.log2(shape.low_hz / frequencies_hz), 0)
        outside += np.maximum(np.log2(frequencies_hz / shape.high_hz), 0)
    magnitudes = 10 ** ((shape.slope_db * octaves - 24 * outside) / 20)
    magnitudes[0] = 0
    rng = np.random.default_rng(shape.seed)
    numbers = rng.standard_normal((2, magnitudes.size))
    noise = np.fft.irfft(magnitudes * (numbers[0] + 1j * numbers[1]), frames)
    turns = shape.swells * np.arange(frames) / frames
    noise *= 10 ** (shape.swell_db / 2 * np.sin(2 * np.pi * turns) / 20)
    made: NDArray[np.float32] = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    made.flags.writeable = False
    return made
