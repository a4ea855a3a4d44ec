"""The effect `frame_effect/tone`: how light maps to light.

Conventions
-----------
Curves are of coded values, 0..1 to 0..1, and rise all the way. They are laid into a table of 256 entries.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

Values = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_0, _255, _HALF = np.float32(0), np.float32(255), np.float32(0.5)
# ITU-R BT.709-6.
_RED, _GREEN, _BLUE = np.float32(0.2126), np.float32(0.7152), np.float32(0.0722)


def linear(value: Values) -> Values:
    """As it is."""
    return value


def filmlog(value: Values) -> Values:
    """A lifted toe and a long shoulder, as of a scanned negative: a logarithm of ten stops' slope."""
    shoulder = np.log1p(4.0 * value) / np.log1p(4.0)
    lifted: Values = 0.035 + 0.945 * (0.55 * shoulder + 0.45 * value)
    return lifted


def punch(value: Values) -> Values:
    """An S-curve: deeper shadows, brighter lights."""
    smooth: Values = value * value * (3 - 2 * value)
    return 0.35 * value + 0.65 * smooth


def pastel(value: Values) -> Values:
    """Soft contrast on a lifted ground."""
    lifted: Values = 0.13 + 0.83 * value**0.85
    return lifted


CURVES: dict[str, Callable[[Values], Values]] = {
    "linear": linear,
    "filmlog": filmlog,
    "punch": punch,
    "pastel": pastel,
}


class ToneConfig(PluginConfig):
    """Settings of `Tone`."""

    curve: Literal["linear", "filmlog", "punch", "pastel"] = Field(
        "linear", description="Linear changes nothing; filmlog is soft, punch hard, pastel pale."
    )
    strength: float = Field(1.0, ge=0, le=1, description="Share of the curve; the rest stays linear.")
    exposure_stops: float = Field(
        0.0, ge=-4, le=4, description="Light before the curve.", json_schema_extra={"unit": "stops"}
    )
    saturation: float = Field(1.0, ge=0, le=2, description="Factor on the distance from grey.")


class Tone(FrameEffect[ToneConfig]):
    """A tone curve: linear, filmlog, punch or pastel, with exposure and saturation."""

    def __init__(self, config: ToneConfig | None = None) -> None:
        super().__init__(config)
        curve, share = CURVES[self.config.curve], self.config.strength
        coded = np.arange(256) / 255
        # The coded value of twice the light is about 2 ** (1 / 2.2) times as large.
        exposed = np.minimum(coded * 2 ** (self.config.exposure_stops / 2.2), 1.0)
        curved = exposed + share * (curve(exposed) - exposed)
        self._table = np.rint(255 * np.clip(curved, 0, 1)).astype(np.uint8)

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.saturation == 1 and bool((self._table == np.arange(256)).all())

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames with the curve, channel by channel, and with the saturation after it."""
        if self.neutral:
            return frames
        out = new_pages(frames.shape)
        lines = frames.shape[0] * frames.shape[1], frames.shape[2] * 3
        source, target = np.ascontiguousarray(frames).reshape(lines), out.reshape(lines)
        if self.config.saturation == 1:
            _look_up(source, self._table, target)
        else:
            _look_up_and_saturate(source, self._table, np.float32(self.config.saturation), target)
        return out


@Compiled
def _look_up(frames: Bytes, table: Bytes, out: Bytes) -> None:
    for row in range(frames.shape[0]):
        _look_up_row(frames[row], table, out[row])


@Compiled
def _look_up_and_saturate(frames: Bytes, table: Bytes, factor: np.float32, out: Bytes) -> None:
    line = np.empty(frames.shape[1], np.uint8)
    for row in range(frames.shape[0]):
        _look_up_row(frames[row], table, line)
        _saturate_row(line, factor, out[row])


@Compiled
def _look_up_row(line: Bytes, table: Bytes, out: Bytes) -> None:
    for i in range(line.shape[0]):
        out[i] = table[line[i]]


@Compiled
def _saturate_row(line: Bytes, factor: np.float32, out: Bytes) -> None:
    """Move every pixel away from its luma, or towards it."""
    for i in range(line.shape[0] // 3):
        red, green, blue = np.float32(line[3 * i]), np.float32(line[3 * i + 1]), np.float32(line[3 * i + 2])
        luma = _RED * red + _GREEN * green + _BLUE * blue
        grey = luma + _HALF
        out[3 * i] = np.uint8(np.int32(min(max(grey + factor * (red - luma), _0), _255)))
        out[3 * i + 1] = np.uint8(np.int32(min(max(grey + factor * (green - luma), _0), _255)))
        out[3 * i + 2] = np.uint8(np.int32(min(max(grey + factor * (blue - luma), _0), _255)))
