"""Sounds to be measured: something like a voice, something like music, and what damages them."""

import numpy as np

from ripieno.contracts import Audio

RATE_HZ = 16_000


def voice(*, seconds: float = 3.0, rate_hz: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    """Syllables of a gliding harmonic tone, four a second, with pauses: float64 [frames]."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    # 140 Hz, gliding by 25 Hz to either side.
    phase = 2 * np.pi * 140 * time_s + 25 / 0.7 * np.sin(2 * np.pi * 0.7 * time_s + seed)
    partials = (np.sin(number * phase + seed * number) / number for number in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2 * time_s + seed), 0, None) ** 0.5
    return 0.15 * sum(partials) * syllables


def hiss(*, seconds: float = 3.0, rate_hz: int = RATE_HZ, seed: int = 1) -> np.ndarray:
    """Pink noise of RMS 0.05: float64 [frames]."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(round(seconds * rate_hz)))
    pink = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(len(spectrum))), round(seconds * rate_hz))
    return 0.05 * pink / np.sqrt(np.mean(np.square(pink)))


def sound(*channels: np.ndarray, rate_hz: int = RATE_HZ) -> Audio:
    return Audio(np.array(channels, np.float32), rate_hz)


def silence(seconds: float = 3.0, *, channels: int = 1, rate_hz: int = RATE_HZ) -> Audio:
    return Audio(np.zeros((channels, round(seconds * rate_hz)), np.float32), rate_hz)
