"""The effect `frame_effect/trails`: bright things leave a trail."""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

_BITS = np.int32(8)
_LEAST, _MOST = 1, 4
_LEFT = 0.08
# Bytes of a frame at a time, few enough that sixteen frames of them stay near the core.
_BAND = 1 << 13

Bytes = NDArray[np.uint8]


class TrailsConfig(PluginConfig):
    """Settings of `Trails`."""

    strength: float = Field(0.0, ge=0, le=1, description="Of the trail beside what leaves it.")
    length_s: float = Field(
        0.25,
        gt=0,
        le=2,
        description="In which a trail fades; at most 16 frames.",
        json_schema_extra={"unit": "s"},
    )
    fps: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="Of the film; its renderer says it.",
        json_schema_extra={"unit": "Hz"},
    )


class Trails(FrameEffect[TrailsConfig]):
    """Trails of light: each frame beside those before it, which fade; the brighter one is seen.

    It looks back `lead_frames` frames, so a film that is cut gives it so many before each cut.
    """

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.strength == 0

    @property
    def lead_frames(self) -> int:
        """How many frames before one have a share in it."""
        return 0 if self.neutral else 1 << self._doublings

    @property
    def _doublings(self) -> int:
        frames = self.config.length_s * self.config.fps
        return min(max(round(math.log2(frames)), _LEAST), _MOST)

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames with their trails; before the first one there was none."""
        if self.neutral or not frames.size:
            return frames
        # After so many frames an eighth of the light is left, and then none.
        fade = _LEFT ** (1 / (1 << self._doublings))
        factors = np.array([round(256 * fade ** (1 << step)) for step in range(self._doublings)], np.int32)
        count = len(frames)
        out = new_pages(frames.shape)
        _trail(
            np.ascontiguousarray(frames).reshape(count, -1),
            factors,
            np.int32(round(256 * fade * self.config.strength)),
            out.reshape(count, -1),
        )
        return out


@Compiled
def _trail(frames: Bytes, factors: NDArray[np.int32], share: np.int32, out: Bytes) -> None:
    """The brightest of 2 ** len(factors) fading frames in as many doublings of what each looks back."""
    count, size = frames.shape
    seen = np.empty((count, _BAND), np.uint8)
    for first in range(0, size, _BAND):
        band = slice(first, min(first + _BAND, size))
        length = band.stop - first
        for frame in range(count):
            _copy(frames[frame, band], seen[frame])
        for step in range(factors.shape[0]):
            back = 1 << step
            # The last one first, so that each meets what the one before it was.
            for frame in range(count - 1, back - 1, -1):
                _brighten(seen[frame, :length], seen[frame - back], factors[step])
        for frame in range(count):
            _copy(frames[frame, band], out[frame, band])
            if frame:
                _brighten(out[frame, band], seen[frame - 1], share)


@Compiled
def _copy(source: Bytes, out: Bytes) -> None:
    for i in range(source.shape[0]):
        out[i] = source[i]


@Compiled
def _brighten(now: Bytes, before: Bytes, factor: np.int32) -> None:
    for i in range(now.shape[0]):
        faded = np.uint8((np.int32(before[i]) * factor) >> _BITS)
        now[i] = max(now[i], faded)
