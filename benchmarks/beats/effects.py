"""What recording does to sound: a narrow band, noise, crackle, distortion, a level."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator

from .instruments import RATE_HZ, Sound, band, fft_size
from .mixing import amplitude, levelled


@dataclass(frozen=True)
class Recording:
    """How a performance was recorded.

    Parameters
    ----------
    low_hz, high_hz : float
        The band that is left.
    noise_db, crackle_db : float
        Below the music, as root mean squares.
    drive_db : float
        Into a limiter; 0 leaves all but peaks alone.
    clip_db : float
        How much peaks are cut.
    level_db : float
        Of the whole, full scale a root mean square of 1.
    """

    low_hz: float = 25
    high_hz: float = 18_000
    noise_db: float = -80
    crackle_db: float = -90
    drive_db: float = 0
    clip_db: float = 0
    level_db: float = -18

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly clean, now and then old, noisy, loud or clipped."""
        old, noisy, loud, clipped = rng.random(4) < (0.15, 0.25, 0.35, 0.08)
        return cls(
            low_hz=rng.uniform(80, 250) if old else rng.uniform(20, 50),
            high_hz=rng.uniform(2500, 7000) if old else rng.uniform(9000, 18_000),
            noise_db=rng.uniform(-45, -18) if noisy else rng.uniform(-90, -60),
            crackle_db=rng.uniform(-40, -25) if old else -90,
            drive_db=rng.uniform(3, 12) if loud else 0,
            clip_db=rng.uniform(3, 9) if clipped else 0,
            level_db=rng.uniform(-30, -12),
        )


def recorded(sound: Sound, recording: Recording, rng: Generator) -> Sound:
    """Sound as a recording has it."""
    driven = np.tanh(0.8 * amplitude(recording.drive_db) * sound)
    narrow = band(driven, recording.low_hz, recording.high_hz)
    level = np.sqrt(np.mean(narrow**2))
    noisy = narrow + level * amplitude(recording.noise_db) * _pink(len(sound), rng)
    noisy += level * amplitude(recording.crackle_db) * _crackle(len(sound), rng)
    peak = np.abs(noisy).max() * amplitude(-recording.clip_db)
    return levelled(np.clip(noisy, -peak, peak), recording.level_db)


def _pink(frames: int, rng: Generator) -> Sound:
    """Noise of equal power in every octave, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(fft_size(frames)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    pink: Sound = np.fft.irfft(spectrum)[:frames]
    pink /= pink.std()
    return pink


def _crackle(frames: int, rng: Generator) -> Sound:
    """Clicks of a worn record, a dozen a second, of unit power."""
    clicks = np.zeros(frames)
    count = 12 * frames // RATE_HZ
    clicks[rng.integers(frames, size=count)] = rng.standard_normal(count) ** 3
    crackle = band(clicks, 800, 9000)
    crackle /= crackle.std()
    return crackle
