"""The film's sound: in stereo at most, at a loudness where one is asked for, as long as the picture.

Conventions
-----------
Blocks are float32 [channels, frames], full scale 1.0; they are made anew each time they are asked for, so
that no length of music fills the memory.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio
from ripieno.toolkit.loudness import LoudnessMeter, TruePeakLimiter
from ripieno.toolkit.mixing import mix, mix_gains

BLOCK_FRAMES = 1 << 16
CEILING_DBTP = -1.0
TOLERANCE_LU = 0.1
MOST_GAIN_DB, MOST_DRIVE_DB = 30.0, 12.0
MOST_PASSES = 5
LEAST_RATE_HZ = 8000

Block = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """What is heard under a film.

    Parameters
    ----------
    audio : Audio
        Of any number of channels; more than two are heard in stereo (ITU-R BS.775).
    gain_db : float
        Of all of it.
    limited : bool
        Whether its peaks are then kept below `CEILING_DBTP`.
    """

    audio: Audio
    gain_db: float = 0.0
    limited: bool = False

    @property
    def channels(self) -> int:
        """One or two."""
        return min(self.audio.channels, 2)

    def blocks(self) -> Iterator[Block]:
        """All of it, block by block."""
        gains = mix_gains(self.audio.channels, self.channels) * 10 ** (self.gain_db / 20)
        mixed = (mix(block, gains=gains) for block in self.audio.blocks(BLOCK_FRAMES))
        if not self.limited:
            yield from mixed
            return
        limiter = TruePeakLimiter(self.audio.rate_hz, channels=self.channels, ceiling_dbtp=CEILING_DBTP)
        for block in mixed:
            yield limiter.push(block)
        yield limiter.flush()


def at_loudness(audio: Audio, target_lufs: float | None) -> Sound:
    """The sound with the gain that brings it to a loudness, true peaks kept below -1 dBTP.

    What has no loudness, silence or less than 0.4 s, stays as it is. Where the limiter works, the gain before
    it is raised by what it takes away, by 12 dB at most.

    Parameters
    ----------
    target_lufs : float or None
        Integrated loudness; None leaves the sound as it is.

    References
    ----------
    ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
    """
    if target_lufs is None or audio.rate_hz < LEAST_RATE_HZ:
        return Sound(audio)
    plain = _measured(Sound(audio))
    if math.isinf(plain.integrated_lufs):
        return Sound(audio)
    gain_db = min(target_lufs - plain.integrated_lufs, MOST_GAIN_DB)
    if plain.true_peak_dbtp + gain_db <= CEILING_DBTP:
        return Sound(audio, gain_db)
    most_db = gain_db + MOST_DRIVE_DB
    for _ in range(MOST_PASSES):
        missing_lu = target_lufs - _measured(Sound(audio, gain_db, limited=True)).integrated_lufs
        if abs(missing_lu) <= TOLERANCE_LU or gain_db >= most_db:
            break
        gain_db = min(gain_db + missing_lu, most_db)
    return Sound(audio, gain_db, limited=True)


def _measured(sound: Sound) -> LoudnessMeter:
    meter = LoudnessMeter(sound.audio.rate_hz, channels=sound.channels)
    for block in sound.blocks():
        meter.push(block)
    return meter
