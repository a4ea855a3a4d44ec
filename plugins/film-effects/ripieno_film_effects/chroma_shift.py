"""The effect `frame_effect/chroma_shift`: red and blue beside each other, as through a plain lens."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

_ONE = 256
_WHOLE, _ROUND, _BITS = np.int32(_ONE), np.int32(128), np.int32(8)

Bytes = NDArray[np.uint8]


class ChromaShiftConfig(PluginConfig):
    """Settings of `ChromaShift`."""

    shift: float = Field(
        0.0,
        ge=-64,
        le=64,
        description="How far red moves back and blue forth in a picture whose shorter side is 1080 pixels.",
        json_schema_extra={"unit": "px"},
    )
    axis: Literal["horizontal", "vertical"] = Field("horizontal", description="Along which they move.")


class ChromaShift(FrameEffect[ChromaShiftConfig]):
    """Moves red and blue apart along one axis, by fractions of a pixel too; edges are continued, not wrapped."""

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.shift == 0

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames with red and blue moved."""
        if self.neutral or not frames.size:
            return frames
        height, width = frames.shape[1:3]
        shift = self.config.shift * min(width, height) / 1080
        whole, part = divmod(abs(shift), 1)
        colours = _colours(width, backwards=shift < 0)
        out = new_pages(frames.shape)
        move = _across if self.config.axis == "horizontal" else _down
        for frame, moved in zip(np.ascontiguousarray(frames), out, strict=True):
            move(
                frame.reshape(height, -1),
                int(whole),
                np.int32(round(part * _ONE)),
                colours,
                moved.reshape(height, -1),
            )
        return out


def _colours(width: int, *, backwards: bool) -> Bytes:
    """Masks [3, 3 * width] of the bytes that move forth, stay, and move back."""
    masks = np.zeros((3, width, 3), np.uint8)
    for mask, channel in zip(masks, (0, 1, 2) if backwards else (2, 1, 0), strict=True):
        mask[:, channel] = 255
    return masks.reshape(3, -1)


@Compiled
def _across(frame: Bytes, whole: int, part: np.int32, colours: Bytes, out: Bytes) -> None:
    row_bytes, reach = frame.shape[1], 3 * (whole + 1)
    line = np.empty(row_bytes + 2 * reach, np.uint8)
    near, far = np.empty(row_bytes, np.uint8), np.empty(row_bytes, np.uint8)
    for row in range(frame.shape[0]):
        source = frame[row]
        _copy(source, line[reach:])
        for i in range(reach):
            line[i] = source[i % 3]
            line[reach + row_bytes + i] = source[row_bytes - 3 + i % 3]
        _choose(line[3:], source, line[2 * reach - 3 :], colours, near)
        _choose(line, source, line[2 * reach :], colours, far)
        _between(near, far, part, out[row])


@Compiled
def _copy(source: Bytes, out: Bytes) -> None:
    for i in range(source.shape[0]):
        out[i] = source[i]


@Compiled
def _down(frame: Bytes, whole: int, part: np.int32, colours: Bytes, out: Bytes) -> None:
    last, row_bytes = frame.shape[0] - 1, frame.shape[1]
    near, far = np.empty(row_bytes, np.uint8), np.empty(row_bytes, np.uint8)
    for row in range(frame.shape[0]):
        source = frame[row]
        _choose(frame[max(row - whole, 0)], source, frame[min(row + whole, last)], colours, near)
        _choose(frame[max(row - whole - 1, 0)], source, frame[min(row + whole + 1, last)], colours, far)
        _between(near, far, part, out[row])


@Compiled
def _choose(before: Bytes, here: Bytes, after: Bytes, colours: Bytes, out: Bytes) -> None:
    forth, still, back = colours[0], colours[1], colours[2]
    for i in range(out.shape[0]):
        out[i] = (before[i] & forth[i]) | (here[i] & still[i]) | (after[i] & back[i])


@Compiled
def _between(near: Bytes, far: Bytes, part: np.int32, out: Bytes) -> None:
    for i in range(out.shape[0]):
        out[i] = np.uint8((np.int32(near[i]) * (_WHOLE - part) + np.int32(far[i]) * part + _ROUND) >> _BITS)
