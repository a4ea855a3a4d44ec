"""The effect `frame_effect/lut`: a colour table of one's own.

References
----------
Kasson, Plouffe, Nin: A tetrahedral interpolation technique for color space conversion. SPIE 1909, 1993.
"""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

from .cube import Cube, read_cube

# An entry is packed into 32 bits: ten for each colour, in quarters of a level.
_PARTS, _FIELD = 4, 10
_WHOLE, _SHARE_BITS = 256, 9
_LEVELS, _SCALE, _HALF = np.int32(1023), np.float32(1 / (_PARTS * _WHOLE)), np.float32(0.5)
_SHARE, _MASK = np.int64(_SHARE_BITS), np.int64((1 << _SHARE_BITS) - 1)
_BITS, _TWICE, _LOW = np.int32(_SHARE_BITS), np.int32(2 * _SHARE_BITS), np.int32((1 << _SHARE_BITS) - 1)
_1, _256 = np.int32(1), np.float32(_WHOLE)

Bytes = NDArray[np.uint8]
Words = NDArray[np.int32]


class LutConfig(PluginConfig):
    """Settings of `Lut`."""

    path: Path | None = Field(None, description="A .cube file, of one or three dimensions; none by default.")
    strength: float = Field(1.0, ge=0, le=1, description="Share of the table; the rest stays as it is.")


class Lut(FrameEffect[LutConfig]):
    """Colours through a .cube table: 1D linearly, 3D by tetrahedra."""

    @classmethod
    def assets(cls, config: LutConfig) -> tuple[Path, ...]:
        return () if config.path is None else (config.path,)

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.path is None or self.config.strength == 0

    @cached_property
    def _cube(self) -> Cube:
        assert self.config.path is not None
        return read_cube(self.config.path)

    @cached_property
    def _curves(self) -> Bytes:
        """A 1D table as [3, 256]."""
        cube, share = self._cube, self.config.strength
        value = np.arange(256) / 255
        curves = []
        for channel in range(3):
            place = (value - cube.low[channel]) / (cube.high[channel] - cube.low[channel])
            looked_up = np.interp(
                place * (len(cube.table) - 1), np.arange(len(cube.table)), cube.table[:, channel]
            )
            curves.append(value + share * (looked_up - value))
        levels: Bytes = np.rint(255 * np.clip(curves, 0, 1)).astype(np.uint8)
        return levels

    @cached_property
    def _lattice(self) -> tuple[Words, NDArray[np.int64]]:
        """A 3D table as packed entries [size ** 3], and place and share of each value [3, 256]."""
        cube, share, size = self._cube, self.config.strength, len(self._cube.table)
        axis = np.linspace(cube.low, cube.high, size)
        own = np.stack(np.meshgrid(axis[:, 2], axis[:, 1], axis[:, 0], indexing="ij")[::-1], axis=-1)
        mixed = np.clip(own + share * (cube.table - own), 0, 1).reshape(-1, 3)
        levels = np.rint(mixed * 255 * _PARTS).astype(np.int32)
        entries = levels[:, 0] | levels[:, 1] << _FIELD | levels[:, 2] << 2 * _FIELD
        place = (np.arange(256)[None, :] / 255 - cube.low[:, None]) / (cube.high - cube.low)[:, None]
        place = np.clip(place, 0, 1) * (size - 1)
        whole = np.minimum(np.floor(place), size - 2)
        shares = np.rint((place - whole) * _WHOLE).astype(np.int64)
        places = whole.astype(np.int64) * np.array([[1], [size], [size * size]])
        return entries.astype(np.int32), places << _SHARE_BITS | shares

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames in the colours of the table.

        Raises
        ------
        InputError
            If the file is no colour table; the message names the line.
        """
        if self.neutral:
            return frames
        out = new_pages(frames.shape)
        lines = frames.shape[0] * frames.shape[1], frames.shape[2] * 3
        source, target = np.ascontiguousarray(frames).reshape(lines), out.reshape(lines)
        if self._cube.table.ndim == 2:
            _curve(source, self._curves, target)
        else:
            _interpolate(source, *self._lattice, np.int32(len(self._cube.table)), target)
        return out


@Compiled
def _curve(frames: Bytes, curves: Bytes, out: Bytes) -> None:
    red, green, blue = curves[0], curves[1], curves[2]
    for row in range(frames.shape[0]):
        source, target = frames[row], out[row]
        for i in range(source.shape[0] // 3):
            target[3 * i] = red[source[3 * i]]
            target[3 * i + 1] = green[source[3 * i + 1]]
            target[3 * i + 2] = blue[source[3 * i + 2]]


@Compiled
def _interpolate(
    frames: Bytes, entries: Words, places: NDArray[np.int64], size: np.int32, out: Bytes
) -> None:
    """Each colour lies in one of six tetrahedra of its cube; its four corners have their shares in it."""
    pixels = frames.shape[1] // 3
    red, green, blue = np.empty(pixels, np.int64), np.empty(pixels, np.int64), np.empty(pixels, np.int64)
    first, second, third = np.empty(pixels, np.int32), np.empty(pixels, np.int32), np.empty(pixels, np.int32)
    fourth, shares = np.empty(pixels, np.int32), np.empty(pixels, np.int32)
    for row in range(frames.shape[0]):
        line = frames[row]
        _place(line, places, red, green, blue)
        # Loops of few arrays, since the compiler gives up where many could overlap.
        _corners(red, green, blue, size, 0, first)
        _corners(red, green, blue, size, 1, second)
        _corners(red, green, blue, size, 2, third)
        _corners(red, green, blue, size, 3, fourth)
        _shares(red, green, blue, shares)
        for places_ in (first, second, third, fourth):
            for i in range(pixels):
                places_[i] = entries[np.uint32(places_[i])]
        _mix(first, second, third, fourth, shares, out[row])


@Compiled
def _place(
    line: Bytes,
    places: NDArray[np.int64],
    red: NDArray[np.int64],
    green: NDArray[np.int64],
    blue: NDArray[np.int64],
) -> None:
    for i in range(red.shape[0]):
        red[i], green[i], blue[i] = (
            places[0, line[3 * i]],
            places[1, line[3 * i + 1]],
            places[2, line[3 * i + 2]],
        )


@Compiled
def _corners(
    red: NDArray[np.int64],
    green: NDArray[np.int64],
    blue: NDArray[np.int64],
    size: np.int32,
    corner: int,
    out: Words,
) -> None:
    """Along the axis of the largest share first, along that of the smallest last; red before blue."""
    step_b = np.int32(size * size)
    for i in range(out.shape[0]):
        r, g, b = np.int32(red[i] & _MASK), np.int32(green[i] & _MASK), np.int32(blue[i] & _MASK)
        base = np.int32((red[i] >> _SHARE) + (green[i] >> _SHARE) + (blue[i] >> _SHARE))
        if corner == 1:
            base += _1 if (r >= g and r >= b) else (size if g >= b else step_b)
        elif corner == 2:
            base += size + step_b + _1 - (step_b if (b <= g and b <= r) else (size if g <= r else _1))
        elif corner == 3:
            base += size + step_b + _1
        out[i] = np.int32(base)


@Compiled
def _shares(red: NDArray[np.int64], green: NDArray[np.int64], blue: NDArray[np.int64], out: Words) -> None:
    """Largest, middle and smallest share, nine bits each."""
    for i in range(out.shape[0]):
        r, g, b = np.int32(red[i] & _MASK), np.int32(green[i] & _MASK), np.int32(blue[i] & _MASK)
        most, least = max(r, max(g, b)), min(r, min(g, b))
        out[i] = np.int32(most | (np.int32(r + g + b - most - least) << _BITS) | (least << _TWICE))


@Compiled
def _mix(a: Words, b: Words, c: Words, d: Words, shares: Words, out: Bytes) -> None:
    pixels = a.shape[0]
    colours = np.empty((3, pixels), np.float32)
    for channel in range(3):
        _mix_channel(a, b, c, d, shares, np.int32(channel * _FIELD), colours[channel])
    _interleave(colours[0], colours[1], colours[2], out)


@Compiled
def _mix_channel(
    a: Words, b: Words, c: Words, d: Words, shares: Words, shift: np.int32, out: NDArray[np.float32]
) -> None:
    for i in range(out.shape[0]):
        most = np.float32(np.int32(shares[i] & _LOW))
        middle = np.float32(np.int32((shares[i] >> _BITS) & _LOW))
        least = np.float32(np.int32((shares[i] >> _TWICE) & _LOW))
        total = np.float32(np.int32((a[i] >> shift) & _LEVELS)) * (_256 - most)
        total += np.float32(np.int32((b[i] >> shift) & _LEVELS)) * (most - middle)
        total += np.float32(np.int32((c[i] >> shift) & _LEVELS)) * (middle - least)
        total += np.float32(np.int32((d[i] >> shift) & _LEVELS)) * least
        out[i] = total * _SCALE + _HALF


@Compiled
def _interleave(
    red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32], out: Bytes
) -> None:
    for i in range(red.shape[0]):
        out[3 * i] = np.uint8(np.int32(red[i]))
        out[3 * i + 1] = np.uint8(np.int32(green[i]))
        out[3 * i + 2] = np.uint8(np.int32(blue[i]))
