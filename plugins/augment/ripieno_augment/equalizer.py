"""Tone: low and high shelf, and peaks between."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example, PluginConfig

from .draws import Range, between, log_between
from .levels import reshaped

LOW_HZ, PEAK_HZ, HIGH_HZ = (60.0, 300.0), (150.0, 6000.0), (2500.0, 10000.0)
QS = (0.5, 2.0)
SHELF_Q = 0.7071
HIGHEST_SHARE = 0.45
"""Of the sample rate; a filter beyond is left out."""


class EqualizeConfig(PluginConfig):
    """Settings of `Equalize`."""

    gain_db: Range = Field(
        (-6.0, 6.0), description="Of each shelf and peak.", json_schema_extra={"unit": "dB"}
    )
    peaks: int = Field(2, ge=0, le=8, description="How many peaks stand between the shelves.")


@dataclass(frozen=True)
class Band:
    """One filter.

    Parameters
    ----------
    frequency_hz, gain_db, q : float
    """

    frequency_hz: float
    gain_db: float
    q: float


@dataclass(frozen=True)
class EqualizerDraw:
    """What was drawn for one use of `Equalize`."""

    low_shelf: Band
    peaks: tuple[Band, ...]
    high_shelf: Band


class Equalize(Augmenter[EqualizeConfig]):
    """Another tone, by shelves and peaks of second order.

    The filters are causal and of minimum phase; above 60 Hz they delay an onset by less than a millisecond,
    and labels follow the shape of the sound (`levels.reshaped`). Filters near or above
    the Nyquist frequency are left out.
    """

    def draw(self, rng: np.random.Generator) -> EqualizerDraw:
        def band(frequencies_hz: tuple[float, float], q: float) -> Band:
            return Band(log_between(rng, frequencies_hz), between(rng, self.config.gain_db), q)

        peaks = tuple(band(PEAK_HZ, log_between(rng, QS)) for _ in range(self.config.peaks))
        return EqualizerDraw(band(LOW_HZ, SHELF_Q), peaks, band(HIGH_HZ, SHELF_Q))

    def apply(self, example: Example, draw: EqualizerDraw) -> Example:
        from pedalboard import Chain, HighShelfFilter, LowShelfFilter, PeakFilter, Plugin

        bands = [(LowShelfFilter, draw.low_shelf), (HighShelfFilter, draw.high_shelf)]
        bands += [(PeakFilter, peak) for peak in draw.peaks]
        filters: list[Plugin] = [
            kind(cutoff_frequency_hz=band.frequency_hz, gain_db=band.gain_db, q=band.q)
            for kind, band in bands
            if band.frequency_hz < HIGHEST_SHARE * example.audio.rate_hz
        ]
        return filtered(example, Chain(filters))


def filtered(example: Example, effect: Any) -> Example:
    """An example through an effect of pedalboard without delay, channel by channel."""
    audio = example.audio
    if not audio.frames:
        return example
    changed: NDArray[np.float32] = np.stack([effect(channel, audio.rate_hz) for channel in audio.samples])
    performance = reshaped(example.performance, audio.samples, changed, rate_hz=audio.rate_hz)
    return Example(Audio(changed, audio.rate_hz), performance)
