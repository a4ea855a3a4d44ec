"""Stretches of time and bands of frequency hidden.

References
----------
Park et al.: SpecAugment: a simple data augmentation method for automatic speech recognition. Interspeech 2019.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example, Features, Note, Performance, PluginConfig

from .draws import Range, between

FADE_S = 0.002
EDGE_MELS = 30.0
HIDDEN_SHARE = 0.5
"""A note of which more than this is hidden is masked in the labels."""


class SpecAugmentConfig(PluginConfig):
    """Settings of `SpecAugment`."""

    time_masks: int = Field(2, ge=0, description="How many stretches of time are hidden.")
    time_mask_s: Range = Field((0.0, 0.1), description="Length of each.", json_schema_extra={"unit": "s"})
    frequency_masks: int = Field(2, ge=0, description="How many bands are hidden.")
    frequency_mask_share: Range = Field(
        (0.0, 0.1), description="Width of each, of the mel scale up to half the sample rate."
    )


@dataclass(frozen=True)
class MaskDraw:
    """What was drawn for one use of `SpecAugment`.

    Parameters
    ----------
    times : tuple of (float, float)
        Where in the example each hidden stretch begins, 0 to 1 of what is left beside it, and its seconds.
    bands : tuple of (float, float)
        Lower and upper edge of each hidden band, shares of the axis of frequency: of columns in features,
        of mels in sound.
    """

    times: tuple[tuple[float, float], ...]
    bands: tuple[tuple[float, float], ...]


class SpecAugment(Augmenter[SpecAugmentConfig]):
    """Stretches of time and bands of frequency hidden: in the sound of an `Example`, or in `Features`.

    Features have their hidden cells set to their mean, as in the paper; their columns are taken to lie on a
    scale like mel. Sound is silenced: by gates of 2 ms, and by filters of linear phase without delay. What is
    hidden was still played, so labels stay, levels too; but a note that is hidden for more than half of its
    time masks all of its channels: nothing is to be learned from it.
    """

    def draw(self, rng: np.random.Generator) -> MaskDraw:
        config = self.config
        times = [(float(rng.random()), between(rng, config.time_mask_s)) for _ in range(config.time_masks)]
        widths = [between(rng, config.frequency_mask_share) for _ in range(config.frequency_masks)]
        lows = [float(rng.uniform(0, max(0.0, 1 - width))) for width in widths]
        return MaskDraw(
            tuple(times), tuple((low, low + width) for low, width in zip(lows, widths, strict=True))
        )

    def apply(self, example: Any, draw: MaskDraw) -> Any:
        """An `Example` or `Features`, of which `draw` is hidden."""
        hide = masked_features if isinstance(example, Features) else masked_example
        return hide(example, draw)


def masked_features(features: Features, draw: MaskDraw) -> Features:
    """Features [frames, columns] with their mean in hidden cells."""
    if not features.values.size:
        return features
    frames, columns = features.values.shape
    hidden = np.zeros((frames, columns), bool)
    for start_s, end_s in stretches(draw, duration_s=frames / features.rate_hz):
        hidden[round(start_s * features.rate_hz) : round(end_s * features.rate_hz)] = True
    for low, high in draw.bands:
        hidden[:, round(low * columns) : round(high * columns)] = True
    values = np.where(hidden, features.values.mean(dtype=np.float64), features.values)
    return replace(features, values=values.astype(features.values.dtype))


def masked_example(example: Example, draw: MaskDraw) -> Example:
    """Sound with silence in what is hidden, and the notes that it hides masked."""
    audio = example.audio
    if not audio.frames:
        return example
    samples = without_bands(audio.samples, draw.bands, rate_hz=audio.rate_hz).copy()
    hidden = stretches(draw, duration_s=audio.duration_s)
    for start_s, end_s in hidden:
        _silence(samples, start_s, end_s, rate_hz=audio.rate_hz)
    return Example(Audio(samples, audio.rate_hz), without_hidden(example.performance, hidden))


def stretches(draw: MaskDraw, *, duration_s: float) -> list[tuple[float, float]]:
    """Start and end of each hidden stretch in seconds."""
    lengths_s = [min(length_s, duration_s) for _, length_s in draw.times]
    starts_s = [
        start * (duration_s - length_s) for (start, _), length_s in zip(draw.times, lengths_s, strict=True)
    ]
    return [(start_s, start_s + length_s) for start_s, length_s in zip(starts_s, lengths_s, strict=True)]


def without_bands(
    samples: NDArray[np.float32], bands: tuple[tuple[float, float], ...], *, rate_hz: int
) -> NDArray[np.float32]:
    """Samples [channels, frames] without bands, given as shares of the mel scale, by zero-phase filters."""
    from scipy import fft

    if not any(high > low for low, high in bands):
        return samples
    frames = samples.shape[1]
    # As much silence as the filters ring, which would otherwise come back at the other end.
    size = fft.next_fast_len(frames + rate_hz // 2, real=True)
    mels = _mels(np.fft.rfftfreq(size, 1 / rate_hz))
    gains = np.ones(mels.size)
    for low, high in bands:
        if high > low:
            outside = np.maximum(low * mels[-1] - mels, mels - high * mels[-1]) / EDGE_MELS
            gains = np.minimum(gains, np.clip(outside, 0, 1))
    left: NDArray[np.float32] = fft.irfft(fft.rfft(samples, size) * gains.astype(np.float32), size)
    return left[:, :frames]


def without_hidden(performance: Performance, hidden: list[tuple[float, float]]) -> Performance:
    """The labels, in which notes that are mostly hidden mask all their channels."""

    def change(note: Note) -> Note:
        covered_s = sum(
            max(0.0, min(end_s, note.offset_s) - max(start_s, note.onset_s)) for start_s, end_s in hidden
        )
        is_hidden = covered_s > HIDDEN_SHARE * note.duration_s
        return replace(note, masked=tuple(note.envelopes)) if is_hidden else note

    return performance.with_notes(change)


def _silence(samples: NDArray[np.float32], start_s: float, end_s: float, *, rate_hz: int) -> None:
    """Silence a stretch of samples [channels, frames] in place, with a fade before and after it."""
    first, last = max(0, int((start_s - FADE_S) * rate_hz)), int((end_s + FADE_S) * rate_hz) + 1
    piece = samples[:, first:last]
    times_s = (first + np.arange(piece.shape[1])) / rate_hz
    piece *= np.clip(np.maximum(start_s - times_s, times_s - end_s) / FADE_S, 0, 1).astype(np.float32)


def _mels(frequencies_hz: NDArray[np.floating]) -> NDArray[np.floating]:
    """O'Shaughnessy's mel scale."""
    mels: NDArray[np.floating] = 2595 * np.log10(1 + frequencies_hz / 700)
    return mels
