"""Noise over the sound."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example

from .bank import BankConfig, bank_files, bank_of, required_bank
from .draws import Range, between
from .labels import credited
from .levels import power
from .noises import NoiseShape, draw_noise, make_noise


class AddNoiseConfig(BankConfig):
    """Settings of `AddNoise`."""

    snr_db: Range = Field(
        (10.0, 50.0),
        description="Mean power of the sound over that of the noise.",
        json_schema_extra={"unit": "dB"},
    )


@dataclass(frozen=True)
class NoiseDraw:
    """What was drawn for one use of `AddNoise`.

    Parameters
    ----------
    snr_db : float
    start : float
        Where in the noise the sound begins, a share of its length.
    asset : str
        Name of the noise in the bank; empty where it is made.
    shape : NoiseShape or None
        Of the noise that is made.
    """

    snr_db: float
    start: float
    asset: str = ""
    shape: NoiseShape | None = None


class AddNoise(Augmenter[AddNoiseConfig]):
    """Noise at a given ratio to the sound: from a bank, or coloured, band-limited and swelling.

    The ratio is that of the mean powers over the whole sound, all channels together; each gets the same
    noise. Labels stay as they are: a level is that of the note alone. A ratio to silence has no meaning, and
    silence stays as it is.
    """

    @classmethod
    def assets(cls, config: AddNoiseConfig) -> tuple[Path, ...]:
        return bank_files(config, "noise")

    def draw(self, rng: np.random.Generator) -> NoiseDraw:
        draw = NoiseDraw(between(rng, self.config.snr_db), float(rng.random()))
        bank = bank_of(self.config)
        if bank is None:
            return replace(draw, shape=draw_noise(rng))
        names = [entry.name for entry in bank.of_kind("noise")]
        return replace(draw, asset=names[rng.integers(len(names))])

    def apply(self, example: Example, draw: NoiseDraw) -> Example:
        audio = example.audio
        noise = self._noise(draw, audio)
        noise_power, sound_power = power(noise[None]), power(audio.samples)
        performance = example.performance
        if draw.asset:
            used = required_bank(self.config, draw.asset).named(draw.asset)
            performance = credited(performance, [used.terms])
        if not noise_power or not sound_power:
            return Example(audio, performance)
        gain = np.float32(np.sqrt(sound_power / noise_power) * 10 ** (-draw.snr_db / 20))
        return Example(Audio(audio.samples + gain * noise, audio.rate_hz), performance)

    def _noise(self, draw: NoiseDraw, audio: Audio) -> NDArray[np.float32]:
        if draw.shape is None:
            bank = required_bank(self.config, draw.asset)
            return bank.noise(draw.asset, rate_hz=audio.rate_hz, start=draw.start, frames=audio.frames)
        period = make_noise(draw.shape, rate_hz=audio.rate_hz)
        return np.resize(np.roll(period, -int(draw.start * period.size)), audio.frames)
