"""The effect `frame_effect/vignette`: darker towards the corners."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

_HALF, _BITS = np.int32(128), np.int32(8)


class VignetteConfig(PluginConfig):
    """Settings of `Vignette`."""

    strength: float = Field(
        0.0, ge=0, le=1, description="How dark the corners become: 0 as they are, 1 black, 0.3 to 0.7 left."
    )
    reach: float = Field(
        0.35, ge=0, lt=1, description="Share of the way to the corner within which nothing is darker."
    )


class Vignette(FrameEffect[VignetteConfig]):
    """Darkens towards the corners, softly; below full strength no point of the picture becomes black."""

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.strength == 0

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames times the falling light."""
        if self.neutral or not frames.size:
            return frames
        height, width = frames.shape[1:3]
        loss = falling_light(width, height, self.config.strength, self.config.reach)
        out = new_pages(frames.shape)
        for frame, dark in zip(np.ascontiguousarray(frames), out, strict=True):
            _darken(frame.reshape(-1), loss, dark.reshape(-1))
        return out


@lru_cache(maxsize=4)
def falling_light(width: int, height: int, strength: float, reach: float) -> NDArray[np.uint8]:
    """What is lost at each byte of a frame, in 256ths; at most `strength`, 0 in the middle."""
    across = np.abs(np.linspace(-1, 1, width)) if width > 1 else np.zeros(1)
    down = np.abs(np.linspace(-1, 1, height)) if height > 1 else np.zeros(1)
    away = np.sqrt((across[None, :] ** 2 + down[:, None] ** 2) / 2)
    way = np.clip((away - reach) / (1 - reach), 0, 1)
    smooth = way * way * (3 - 2 * way)
    # Rounded down, and never the whole light of a bright pixel but at full strength.
    loss = np.minimum(np.floor(smooth * strength * 256), 255 if strength == 1 else 254).astype(np.uint8)
    return np.repeat(loss.reshape(-1), 3)


@Compiled
def _darken(frame: NDArray[np.uint8], loss: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    for i in range(frame.shape[0]):
        value = np.int32(frame[i])
        out[i] = np.uint8(value - ((value * np.int32(loss[i]) + _HALF) >> _BITS))
