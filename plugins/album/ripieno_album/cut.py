"""A part of a sound, named in seconds."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Effect, InputError, PluginConfig

BLOCK_FRAMES = 1 << 16


class CutConfig(PluginConfig):
    """Settings of `Cut`."""

    start_s: float = Field(
        0.0,
        ge=0,
        description="Where the part begins, for a track whose list does not say `trim`.",
        json_schema_extra={"unit": "s"},
    )
    end_s: float | None = Field(
        None,
        gt=0,
        description="Where it ends; null for the end of the sound.",
        json_schema_extra={"unit": "s"},
    )
    fade_ms: float = Field(
        5.0,
        ge=0,
        le=10_000,
        description="Raised cosine at an end that was cut, so that it does not click.",
        json_schema_extra={"unit": "ms"},
    )


class Cut(Effect[CutConfig]):
    """Keeps the part of a sound that the track list names as `trim: [start_s, end_s]`.

    All that is made of the sound afterwards, its film too, is of that part alone. Sound that nothing is said of
    passes as it is.
    """

    def process(self, audio: Audio) -> Audio:
        start, stop = self._part(audio)
        if (start, stop) == (0, audio.frames):
            return audio
        fade = min(round(self.config.fade_ms * audio.rate_hz / 1000), (stop - start) // 2)
        with self.context.audio_writer(audio.format) as writer:
            for first in range(start, stop, BLOCK_FRAMES):
                samples = audio.read(first, min(first + BLOCK_FRAMES, stop))
                places = first + np.arange(samples.shape[1])
                gain = _fade(places - start, fade if start else 0)
                gain *= _fade(stop - 1 - places, fade if stop < audio.frames else 0)
                writer.write(samples * gain)
            return writer.close()

    def _part(self, audio: Audio) -> tuple[int, int]:
        """First sample that is kept and the one after the last."""
        start_s, end_s = self.context.facts.get("trim", (self.config.start_s, self.config.end_s))
        if end_s is not None and end_s <= start_s:
            raise InputError(
                f"the part from {start_s:g} to {end_s:g} s has no length: end_s is before start_s"
            )
        start = round(start_s * audio.rate_hz)
        stop = audio.frames if end_s is None else round(end_s * audio.rate_hz)
        if audio.frames and start >= audio.frames:
            raise InputError(
                f"trim begins at {start_s:g} s, but the sound lasts {audio.duration_s:.3f} s: "
                "give seconds within it"
            )
        if stop > audio.frames + 1:
            self.context.logger.warning(
                "trim ends at %g s, the sound at %.3f s: nothing is cut there", end_s, audio.duration_s
            )
        return min(start, audio.frames), min(stop, audio.frames)


def _fade(distance: NDArray[np.int64], length: int) -> NDArray[np.float32]:
    """Gain of samples at a distance from an end."""
    if length == 0:
        return np.ones(len(distance), np.float32)
    gain = np.square(np.sin(np.pi / 2 * np.minimum(1, (distance + 0.5) / length)))
    return gain.astype(np.float32)
