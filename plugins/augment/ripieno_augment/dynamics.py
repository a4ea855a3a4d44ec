"""Gain, fixed or following the level."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example, PluginConfig

from .draws import Range, between, log_between
from .equalizer import filtered
from .labels import louder

FAINTEST = 1e-9
"""Peak below which there is nothing to compress."""


class ChangeGainConfig(PluginConfig):
    """Settings of `ChangeGain`."""

    gain_db: Range = Field((-12.0, 6.0), description="How much louder.", json_schema_extra={"unit": "dB"})


@dataclass(frozen=True)
class GainDraw:
    """What was drawn for one use of `ChangeGain`."""

    gain_db: float


class ChangeGain(Augmenter[ChangeGainConfig]):
    """All of it louder or softer; every level changes by just as much."""

    def draw(self, rng: np.random.Generator) -> GainDraw:
        return GainDraw(between(rng, self.config.gain_db))

    def apply(self, example: Example, draw: GainDraw) -> Example:
        return with_gain(example, draw.gain_db)


class CompressConfig(PluginConfig):
    """Settings of `Compress`."""

    threshold_db: Range = Field(
        (-30.0, -6.0),
        description="Level from which on it works, beside the peak of the sound.",
        json_schema_extra={"unit": "dB"},
    )
    ratio: Range = Field((1.5, 6.0), description="By how much it divides what is above the threshold.")
    attack_ms: Range = Field((2.0, 30.0), description="Time to take hold.", json_schema_extra={"unit": "ms"})
    release_ms: Range = Field((40.0, 300.0), description="Time to let go.", json_schema_extra={"unit": "ms"})


@dataclass(frozen=True)
class CompressorDraw:
    """What was drawn for one use of `Compress`."""

    threshold_db: float
    ratio: float
    attack_ms: float
    release_ms: float


class Compress(Augmenter[CompressConfig]):
    """What is loud is made softer, with attack and release; nothing is delayed.

    Each channel is compressed by its own level. Labels follow the shape of the whole sound
    (`levels.reshaped`): of two notes that sound at once both become softer.
    """

    def draw(self, rng: np.random.Generator) -> CompressorDraw:
        config = self.config
        return CompressorDraw(
            between(rng, config.threshold_db),
            between(rng, config.ratio),
            log_between(rng, config.attack_ms),
            log_between(rng, config.release_ms),
        )

    def apply(self, example: Example, draw: CompressorDraw) -> Example:
        import pedalboard

        peak = float(np.abs(example.audio.samples).max(initial=0))
        if peak < FAINTEST:
            return example
        compressor = pedalboard.Compressor(
            threshold_db=draw.threshold_db + 20 * np.log10(peak),
            ratio=draw.ratio,
            attack_ms=draw.attack_ms,
            release_ms=draw.release_ms,
        )
        return filtered(example, compressor)


def with_gain(example: Example, gain_db: float) -> Example:
    """The example, louder by `gain_db`."""
    samples = example.audio.samples * np.float32(10 ** (gain_db / 20))
    return Example(Audio(samples, example.audio.rate_hz), louder(example.performance, gain_db))
