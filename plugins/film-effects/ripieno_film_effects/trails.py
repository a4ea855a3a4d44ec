"""The effect `frame_effect/trails`: bright things leave a trail."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

_BITS = np.int32(8)
_LEAST, _MOST = 1, 4
_LEFT = 0.08
# Bytes of a frame at a time, few enough to stay in the core through all doublings.
_BAND = 1 << 12

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

    def apply(self, frames: Bytes, start_s: float) -> Bytes:
        """Frames with their trails; before the first one there was none."""
        if self.neutral or not frames.size:
            return frames
        return np.stack([*self.follow(frames, start_s)])

    def follow(self, frames: Iterable[Bytes], start_s: float) -> Iterator[Bytes]:
        """The same of frames [height, width, 3] one by one: it keeps what it looks back to, and no frame waits."""
        lead = 1 << self._doublings
        # After so many frames a twelfth of the light is left, and then none.
        fade = _LEFT ** (1 / lead)
        factors = np.array([round(256 * fade ** (1 << step)) for step in range(self._doublings)], np.int32)
        share = np.int32(round(256 * fade * self.config.strength))
        past: Bytes | None = None
        for number, frame in enumerate(frames):
            if past is None:
                past = np.zeros((lead, frame.size), np.uint8)
            out = new_pages(frame.shape)
            _trail(np.ascontiguousarray(frame).reshape(-1), number, factors, share, past, out.reshape(-1))
            yield out


@Compiled
def _trail(
    frame: Bytes, number: int, factors: NDArray[np.int32], share: np.int32, past: Bytes, out: Bytes
) -> None:
    """The brightest of 2 ** len(factors) fading frames in as many doublings of what each looks back.

    What `step` doublings gave of the last 2 ** step frames stands in as many rows of `past`, which take turns,
    behind those of the doublings before; in its last row stands what all of them gave of the frame before.
    """
    size, last = frame.shape[0], past.shape[0] - 1
    line = np.empty(_BAND, np.uint8)
    for first in range(0, size, _BAND):
        band = slice(first, min(first + _BAND, size))
        seen, finished = line[: band.stop - first], out[band]
        _copy(frame[band], seen)
        _copy(seen, finished)
        _brighten(finished, past[last, band], share)
        for step in range(factors.shape[0]):
            back = 1 << step
            _look_back(seen, past[back - 1 + number % back, band], factors[step])
        _copy(seen, past[last, band])


@Compiled
def _copy(source: Bytes, out: Bytes) -> None:
    for i in range(source.shape[0]):
        out[i] = source[i]


@Compiled
def _brighten(now: Bytes, before: Bytes, factor: np.int32) -> None:
    for i in range(now.shape[0]):
        faded = np.uint8((np.int32(before[i]) * factor) >> _BITS)
        now[i] = max(now[i], faded)


@Compiled
def _look_back(now: Bytes, before: Bytes, factor: np.int32) -> None:
    """Brighten by what was before, and stand in its place."""
    for i in range(now.shape[0]):
        faded = np.uint8((np.int32(before[i]) * factor) >> _BITS)
        before[i] = now[i]
        now[i] = max(now[i], faded)
