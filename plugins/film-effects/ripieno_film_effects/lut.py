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

Bytes = NDArray[np.uint8]
Values = NDArray[np.float64]


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
    def _colours(self) -> Bytes:
        """What a 3D table makes of every colour, [256, 256, 256, 3] by red, green, blue.

        These 50 MB take a sixth of a second, once; to interpolate each pixel of a film took five times as
        long as to look it up.
        """
        cube, share, size = self._cube, self.config.strength, len(self._cube.table)
        axis = np.linspace(cube.low, cube.high, size)
        own = np.stack(np.meshgrid(axis[:, 2], axis[:, 1], axis[:, 0], indexing="ij")[::-1], axis=-1)
        levels = 255 * (own + share * (cube.table - own))
        place = (np.arange(256)[None, :] / 255 - cube.low[:, None]) / (cube.high - cube.low)[:, None]
        colours = np.empty((256, 256, 256, 3), np.uint8)
        _interpolate(levels.reshape(-1, 3), np.clip(place, 0, 1) * (size - 1), size, colours)
        return colours

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
        source, target = np.ascontiguousarray(frames).reshape(-1, 3), out.reshape(-1, 3)
        if self._cube.table.ndim == 2:
            _curve(source, self._curves, target)
        else:
            _look_up(source, self._colours, target)
        return out


@Compiled
def _curve(pixels: Bytes, curves: Bytes, out: Bytes) -> None:
    red, green, blue = curves[0], curves[1], curves[2]
    for i in range(pixels.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = red[pixels[i, 0]], green[pixels[i, 1]], blue[pixels[i, 2]]


@Compiled
def _look_up(pixels: Bytes, colours: Bytes, out: Bytes) -> None:
    for i in range(pixels.shape[0]):
        colour = colours[pixels[i, 0], pixels[i, 1], pixels[i, 2]]
        out[i, 0], out[i, 1], out[i, 2] = colour[0], colour[1], colour[2]


@Compiled
def _interpolate(levels: Values, places: Values, size: int, out: Bytes) -> None:
    """Each colour lies in one of six tetrahedra of its cube; its four corners have their shares in it."""
    step_g, step_b = size, size * size
    for red in range(256):
        whole_r = min(int(places[0, red]), size - 2)
        r = places[0, red] - whole_r
        for green in range(256):
            whole_g = min(int(places[1, green]), size - 2)
            g = places[1, green] - whole_g
            for blue in range(256):
                whole_b = min(int(places[2, blue]), size - 2)
                b = places[2, blue] - whole_b
                most, least = max(r, g, b), min(r, g, b)
                middle = r + g + b - most - least
                # Along the axis of the largest share first, along that of the smallest last.
                near = whole_r + step_g * whole_g + step_b * whole_b
                far = near + 1 + step_g + step_b
                second = near + (1 if r == most else step_g if g == most else step_b)
                third = far - (step_b if b == least else step_g if g == least else 1)
                for channel in range(3):
                    level = levels[near, channel] * (1 - most) + levels[second, channel] * (most - middle)
                    level += levels[third, channel] * (middle - least) + levels[far, channel] * least
                    # Entries may lie beyond what can be seen, and colours between them not.
                    out[red, green, blue, channel] = np.uint8(min(max(level, 0.0), 255.0) + 0.5)
