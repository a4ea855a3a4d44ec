"""The effect `frame_effect/grain`: the grain of film."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.contracts.context import derive_seed
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

from .timing import frame_times

_SPARE = 256
_STRONGEST = 40.0
_0, _HALF, _255 = np.float32(0), np.float32(0.5), np.float32(255)
# Of a value in the middle all of the grain is added.
_SHARE = np.float32(4 / 255**2)


class GrainConfig(PluginConfig):
    """Settings of `Grain`."""

    strength: float = Field(
        0.0, ge=0, le=1, description="0 is none, 0.15 soft, 1 coarse; strongest in the middle tones."
    )
    size: float = Field(
        1.3,
        ge=0.5,
        le=8,
        description="Of a grain in a picture whose shorter side is 1080 pixels.",
        json_schema_extra={"unit": "px"},
    )
    rate_hz: float = Field(
        0.0,
        ge=0,
        le=120,
        description="New grain so often, as on film, for twice the encoder's time and three times the file; 0 keeps it "
        "still, as on a canvas.",
        json_schema_extra={"unit": "Hz"},
    )
    seed: int = Field(0, ge=0, description="Another seed is another grain.")
    fps: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="Of the film; its renderer says it.",
        json_schema_extra={"unit": "Hz"},
    )


class Grain(FrameEffect[GrainConfig]):
    """Soft monochrome grain, the same for the same moment whichever way a film is cut."""

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.strength == 0

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames with the grain of their moments."""
        if self.neutral or not frames.size:
            return frames
        count, height, width = frames.shape[:3]
        size = self.config.size * min(width, height) / 1080
        sheet = _sheet(width, height, max(size, 0.3), self.config.strength, self.config.seed)
        out = new_pages(frames.shape)
        for frame, grainy, time_s in zip(
            np.ascontiguousarray(frames), out, frame_times(start_s, count, fps=self.config.fps), strict=True
        ):
            # The hair's breadth keeps a frame that lies on a change from falling before it.
            number = int(time_s * self.config.rate_hz + 1e-6)
            place = derive_seed(self.config.seed, "grain", str(number))
            left, top = place % _SPARE, place // _SPARE % _SPARE
            _add(frame.reshape(height, -1), sheet[top:, 3 * left :], grainy.reshape(height, -1))
        return out


@lru_cache(maxsize=2)
def _sheet(width: int, height: int, size: float, strength: float, seed: int) -> NDArray[np.int8]:
    """Grain for every byte of a frame, and to spare so that a frame can be laid anywhere on it."""
    import cv2

    rng = np.random.default_rng(derive_seed(seed, "grain"))
    grains = rng.standard_normal((height + _SPARE, width + _SPARE), np.float32)
    soft = cv2.GaussianBlur(grains, (0, 0), size / 2)
    scaled = np.rint(soft / soft.std() * strength * _STRONGEST)
    return np.repeat(np.clip(scaled, -127, 127).astype(np.int8), 3, axis=1)


@Compiled
def _add(frame: NDArray[np.uint8], sheet: NDArray[np.int8], out: NDArray[np.uint8]) -> None:
    for row in range(frame.shape[0]):
        _add_row(frame[row], sheet[row], out[row])


@Compiled
def _add_row(frame: NDArray[np.uint8], grains: NDArray[np.int8], out: NDArray[np.uint8]) -> None:
    for i in range(frame.shape[0]):
        value = np.float32(frame[i])
        # No grain in black or white, as on film.
        moved = value + value * (_255 - value) * np.float32(grains[i]) * _SHARE
        out[i] = np.uint8(np.int32(min(max(moved + _HALF, _0), _255)))
