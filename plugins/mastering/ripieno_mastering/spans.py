"""Gains in the short-time spectrum of sound of any length, span by span, without seams.

Conventions
-----------
Spectra and gains are [frame, channel, bin] on a `Grid`; frame i covers the samples (i + 1) * hop - window to
before (i + 1) * hop, silence outside the sound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, AudioWriter, InputError, PluginConfig
from ripieno.toolkit.framing import frames
from ripieno.toolkit.spectra import Synthesis, Tapers, matched_tapers

from .masks import smooth

OVERLAP = 4
SPAN_BINS, LEAST_FRAMES = 1 << 19, 32
GainsOf = Callable[[int, int], NDArray[Any]]


class SpectralConfig(PluginConfig):
    """Settings of what works on a short-time spectrum."""

    window_ms: float = Field(
        64.0,
        ge=4,
        le=1000,
        description="Length of a frame; a quarter of it is the hop.",
        json_schema_extra={"unit": "ms"},
    )
    smooth_ms: float = Field(
        0.0,
        ge=0,
        le=2000,
        description="How far on either side is averaged over time; 0: not at all.",
        json_schema_extra={"unit": "ms"},
    )
    smooth_hz: float = Field(
        0.0,
        ge=0,
        le=4000,
        description="How far on either side is averaged over frequency; 0: not at all.",
        json_schema_extra={"unit": "Hz"},
    )


@dataclass(frozen=True)
class Grid:
    """Frames and bins of a short-time spectrum.

    Parameters
    ----------
    rate_hz : int
    hop : int
        Samples between frames; a window is four of them.
    """

    rate_hz: int
    hop: int

    @classmethod
    def of(cls, rate_hz: int, *, window_ms: float) -> "Grid":
        """The grid whose window is nearest to a length, no shorter than eight samples."""
        return cls(rate_hz, max(2, round(window_ms / 1000 * rate_hz / OVERLAP)))

    @property
    def window(self) -> int:
        """Samples in a frame."""
        return OVERLAP * self.hop

    @cached_property
    def tapers(self) -> Tapers:
        """Of analysis and synthesis."""
        return matched_tapers(self.window, self.hop)

    def count(self, length: int) -> int:
        """Frames under which one of `length` samples lies."""
        return (length + self.window - 1) // self.hop if length else 0

    def frames_in(self, duration_ms: float) -> int:
        """Whole frames in a duration, rounded."""
        return round(duration_ms / 1000 * self.rate_hz / self.hop)

    def bins_in(self, band_hz: float) -> int:
        """Whole bins in a width, rounded."""
        return round(band_hz * self.window / self.rate_hz)

    def spectra(self, audio: Audio, first: int, last: int) -> NDArray[np.complex64]:
        """Spectra of frames `first` to before `last`."""
        start, stop = (first + 1) * self.hop - self.window, last * self.hop
        around = (max(0, -start), max(0, stop - max(start, audio.frames)))
        samples = np.pad(audio.read(max(0, start), stop), [(0, 0), around])
        cut = frames(samples, window=self.window, hop=self.hop, centred=False).transpose(1, 0, 2)
        return np.fft.rfft(cut * self.tapers[0].astype(np.float32)).astype(np.complex64, copy=False)


def apply_gains(audio: Audio, gains_of: GainsOf, *, grid: Grid, writer: AudioWriter) -> None:
    """Write the audio with its spectrum multiplied by gains.

    Parameters
    ----------
    gains_of : callable
        Called with the first frame of a span and the one after its last, gives their gains.
    """
    total = grid.count(audio.frames)
    span = max(LEAST_FRAMES, SPAN_BINS // (audio.channels * (grid.window // 2 + 1)))
    synthesis = Synthesis(grid.tapers[1], hop=grid.hop, channels=audio.channels)
    for first in range(0, total, span):
        last = min(first + span, total)
        spectra = grid.spectra(audio, first, last) * gains_of(first, last)
        ended = last == total
        writer.write(synthesis.flush(audio.frames, spectra=spectra) if ended else synthesis.push(spectra))


def smoothed(make: GainsOf, *, grid: Grid, total: int, config: SpectralConfig) -> GainsOf:
    """What `make` gives, [frame, ..., bin], averaged over time and frequency as the settings say.

    Parameters
    ----------
    total : int
        Frames of the sound; `make` is called for as many around a span as the average over time sees.
    """
    reach, reach_bins = grid.frames_in(config.smooth_ms), grid.bins_in(config.smooth_hz)

    def averaged(first: int, last: int) -> NDArray[Any]:
        seen = max(0, first - reach)
        values = smooth(make(seen, min(total, last + reach)), reach=reach, axis=0)
        return smooth(values[first - seen : last - seen], reach=reach_bins, axis=-1)

    return averaged


def check_same_shape(reference: Audio, other: Audio, *, name: str, reference_name: str) -> None:
    """Raise InputError unless the two have one rate, one length and the same channels."""
    for what, expected, found in (
        ("Hz", reference.rate_hz, other.rate_hz),
        ("channels", reference.channels, other.channels),
        ("samples", reference.frames, other.frames),
    ):
        if expected != found:
            raise InputError(
                f"{name} has {found} {what}, {reference_name} has {expected}: both must be of one rate, "
                "number of channels and length, as a separator gives them"
            )
