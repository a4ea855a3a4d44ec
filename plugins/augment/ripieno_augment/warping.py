"""Tempo and pitch, each without the other.

Conventions
-----------
Stretching is Rubber Band's, by pedalboard. It works in whole hops, so that its tempo differs from the one
asked for by up to 0.2 %, which is 20 ms after ten seconds; the same for any sound. What it does to time is
measured once for each tempo, with two bursts of noise, and the labels follow what was measured.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example, PluginConfig

from .draws import Range, between, log_between
from .labels import at_tempo, retimed, transposed

Samples = NDArray[np.float32]
Times = NDArray[np.float64]

SHORTEST_S = 0.5
"""Shorter sound is stretched with silence behind it."""
PROBE_S, BURSTS_S, BURST_S = 4.0, (0.5, 3.5), 0.05
HEARD_SHARE = 0.1


class TimeStretchConfig(PluginConfig):
    """Settings of `TimeStretch`."""

    tempo: Range = Field((0.85, 1.15), description="Factor of the speed; above 1 is faster.")


@dataclass(frozen=True)
class StretchDraw:
    """What was drawn for one use of `TimeStretch`."""

    tempo: float


class TimeStretch(Augmenter[TimeStretchConfig]):
    """Faster or slower at the same pitch; the sound becomes shorter or longer.

    All times move, to where the sound went, and channels whose unit has time in it scale: a vibrato is
    faster where all is.
    """

    def draw(self, rng: np.random.Generator) -> StretchDraw:
        return StretchDraw(log_between(rng, self.config.tempo))

    def apply(self, example: Example, draw: StretchDraw) -> Example:
        audio = example.audio
        if not audio.frames:
            return example
        time = time_map(draw.tempo, rate_hz=audio.rate_hz)
        samples = stretched(audio.samples, tempo=draw.tempo, rate_hz=audio.rate_hz)
        played = retimed(example.performance, time, duration_s=samples.shape[1] / audio.rate_hz)
        return Example(Audio(samples, audio.rate_hz), at_tempo(played, 1 / time.slope))


class PitchShiftConfig(PluginConfig):
    """Settings of `PitchShift`."""

    semitones: Range = Field(
        (-1.0, 1.0),
        description="How much higher. A note may leave the instrument's range.",
        json_schema_extra={"unit": "semitones"},
    )


@dataclass(frozen=True)
class ShiftDraw:
    """What was drawn for one use of `PitchShift`."""

    semitones: float


class PitchShift(Augmenter[PitchShiftConfig]):
    """Higher or lower at the same tempo, resonances and all.

    The sound is stretched, then resampled to its length, so that its pitch moves by the ratio of the two
    rates, exactly; times move by what the stretching missed.
    """

    def draw(self, rng: np.random.Generator) -> ShiftDraw:
        return ShiftDraw(between(rng, self.config.semitones))

    def apply(self, example: Example, draw: ShiftDraw) -> Example:
        import soxr

        audio, ratio = example.audio, 2 ** (draw.semitones / 12)
        if not audio.frames:
            return example
        time = time_map(1 / ratio, rate_hz=audio.rate_hz)
        longer = stretched(audio.samples, tempo=1 / ratio, rate_hz=audio.rate_hz)
        shifted = soxr.resample(np.ascontiguousarray(longer.T), ratio, 1.0, quality="VHQ").T
        frames = audio.frames
        samples = np.pad(shifted[:, :frames], ((0, 0), (0, max(0, frames - shifted.shape[1]))))
        played = retimed(
            example.performance, lambda times_s: time(times_s) / ratio, duration_s=audio.duration_s
        )
        return Example(Audio(samples, audio.rate_hz), transposed(played, draw.semitones))


@dataclass(frozen=True)
class TimeMap:
    """Where stretching puts each time: two lines that meet at `early_s`.

    Parameters
    ----------
    early_s, found_s : float
        A time after the beginning, and where it went.
    slope : float
        Seconds that become of each second from there on.
    """

    early_s: float
    found_s: float
    slope: float

    def __call__(self, times_s: Times) -> Times:
        """Times after the stretching."""
        before = times_s * (self.found_s / self.early_s)
        return np.where(times_s < self.early_s, before, self.found_s + (times_s - self.early_s) * self.slope)


@lru_cache(maxsize=256)
def time_map(tempo: float, *, rate_hz: int) -> TimeMap:
    """What stretching does to time, measured."""
    if tempo == 1:
        return TimeMap(1.0, 1.0, 1.0)
    probe = np.zeros(round(PROBE_S * rate_hz), np.float32)
    rng = np.random.default_rng(0)
    burst = (rng.standard_normal(round(BURST_S * rate_hz)) / 8).astype(np.float32)
    for burst_s in BURSTS_S:
        start = round(burst_s * rate_hz)
        probe[start : start + burst.size] = burst
    heard = stretched(probe[None], tempo=tempo, rate_hz=rate_hz)[0]
    early_s, late_s = (
        burst_s / tempo
        + _rise_s(heard, around_s=burst_s / tempo, rate_hz=rate_hz)
        - _rise_s(probe, around_s=burst_s, rate_hz=rate_hz)
        for burst_s in BURSTS_S
    )
    return TimeMap(BURSTS_S[0], early_s, (late_s - early_s) / (BURSTS_S[1] - BURSTS_S[0]))


def _rise_s(samples: Samples, *, around_s: float, rate_hz: int) -> float:
    """How long after a time the sound rises."""
    window = max(1, round(0.004 * rate_hz))
    start = round((around_s - BURST_S) * rate_hz)
    piece = samples[start : start + 2 * round(BURST_S * rate_hz)]
    powers = np.convolve(piece.astype(np.float64) ** 2, np.ones(window), "valid")
    rise = int((powers >= HEARD_SHARE**2 * powers.max()).argmax())
    return (start + rise + window / 2) / rate_hz - around_s


def stretched(samples: Samples, *, tempo: float, rate_hz: int) -> Samples:
    """Samples [channels, frames] at another tempo [channels, round(frames / tempo)]."""
    import pedalboard

    if tempo == 1:
        return samples
    frames = samples.shape[1]
    wanted = max(1, round(frames / tempo))
    missing = max(0, round(SHORTEST_S * rate_hz) - frames)
    whole = np.pad(samples, ((0, 0), (0, missing)))
    made = pedalboard.time_stretch(whole, rate_hz, tempo, preserve_formants=False)[:, :wanted]
    return np.pad(made, ((0, 0), (0, wanted - made.shape[1])))
