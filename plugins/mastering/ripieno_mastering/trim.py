"""Silence at both ends taken off, and the ends faded."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Effect, PluginConfig

BLOCK_WINDOWS = 1 << 12
WINDOW_S = 0.01


class TrimConfig(PluginConfig):
    """Settings of `Trim`."""

    threshold_db: float | None = Field(
        -45.0,
        le=0,
        description="What is softer is silence; null trims nothing.",
        json_schema_extra={"unit": "dB"},
    )
    relative_to: Literal["loudest", "full_scale"] = Field(
        "loudest", description="What the threshold is measured from: the loudest 10 ms, or 1.0."
    )
    padding_s: float = Field(
        0.1,
        ge=0,
        description="Kept before the first and after the last sound.",
        json_schema_extra={"unit": "s"},
    )
    shortest_s: float = Field(
        0.5,
        ge=0,
        description="Never trimmed to less than this; shorter sound stays whole.",
        json_schema_extra={"unit": "s"},
    )
    fade_in_ms: float = Field(
        5.0, ge=0, description="Raised cosine from nothing at the start.", json_schema_extra={"unit": "ms"}
    )
    fade_out_ms: float = Field(
        20.0, ge=0, description="Raised cosine to nothing at the end.", json_schema_extra={"unit": "ms"}
    )


class Trim(Effect[TrimConfig]):
    """Trims silence at both ends and fades what is left.

    A level is the root mean square of 10 ms about their own mean, so that an offset is silence, and that of
    the loudest channel. Sound that is silent throughout is not trimmed. Fades that together are longer than
    the sound are shortened to it.
    """

    def process(self, audio: Audio) -> Audio:
        start, stop = self._kept(audio)
        fade_in, fade_out = self._fades(audio.rate_hz, stop - start)
        with self.context.audio_writer(audio.format) as writer:
            for first in range(start, stop, BLOCK_WINDOWS * _window(audio)):
                samples = audio.read(first, min(first + BLOCK_WINDOWS * _window(audio), stop))
                places = first + np.arange(samples.shape[1])
                writer.write(samples * _fade(places - start, fade_in) * _fade(stop - 1 - places, fade_out))
            return writer.close()

    def _kept(self, audio: Audio) -> tuple[int, int]:
        """First sample that is kept and the one after the last."""
        if self.config.threshold_db is None or audio.frames == 0:
            return 0, audio.frames
        levels = _levels(audio)
        reference = levels.max() if self.config.relative_to == "loudest" else 1.0
        heard = np.flatnonzero((levels > 0) & (levels >= reference * 10 ** (self.config.threshold_db / 20)))
        if heard.size == 0:
            return 0, audio.frames
        window, padding = _window(audio), round(self.config.padding_s * audio.rate_hz)
        start = max(0, int(heard[0]) * window - padding)
        stop = min(audio.frames, (int(heard[-1]) + 1) * window + padding)
        shortest = min(audio.frames, round(self.config.shortest_s * audio.rate_hz))
        if stop - start >= shortest:
            return start, stop
        start = min(max(0, (start + stop - shortest) // 2), audio.frames - shortest)
        return start, start + shortest

    def _fades(self, rate_hz: int, length: int) -> tuple[int, int]:
        """Samples of the fade at the start and at the end."""
        fade_in, fade_out = self.config.fade_in_ms, self.config.fade_out_ms
        scale = rate_hz / 1000 * min(1.0, length * 1000 / rate_hz / max(fade_in + fade_out, 1e-9))
        return int(fade_in * scale), int(fade_out * scale)


def _window(audio: Audio) -> int:
    return max(1, round(WINDOW_S * audio.rate_hz))


def _levels(audio: Audio) -> NDArray[np.float64]:
    """Level of the loudest channel in each window, the last one shorter."""
    window = _window(audio)
    levels = [
        np.std(samples[:, first : first + window], axis=1, dtype=np.float64).max()
        for samples in audio.blocks(BLOCK_WINDOWS * window)
        for first in range(0, samples.shape[1], window)
    ]
    return np.array(levels)


def _fade(distance: NDArray[np.int64], length: int) -> NDArray[np.float32]:
    """Gain of samples at a distance from an end."""
    if length == 0:
        return np.ones(len(distance), np.float32)
    gain = np.square(np.sin(np.pi / 2 * np.minimum(1, (distance + 0.5) / length)))
    return gain.astype(np.float32)
