"""From a generator's small fields to a frame of any size."""

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError
from ripieno.contracts.context import derive_seed
from ripieno.toolkit.pages import new_pages

from . import loops, rgb_loops
from .noise import texture
from .palette import COLUMNS, PALETTE, ROWS, colour_table
from .settings import Controls, Paint

_FULL = 65535.0
_MARGIN = 8
_TILE = 256
_MOST_DOUBLINGS = 5
_WARP_UNIT, _MOST_WARP = 8192, 3.5
_REACH = 0.012
_SAND_UNIT = 32
# ITU-R BT.709-6.
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Painter:
    """Paints frames of one size in one look; what does not change from frame to frame is made once.

    Parameters
    ----------
    look : mapping
        ``Trajectory.look``: `palette` (list of ``#rrggbb``) and `paint` (settings of `Paint`) are read.
    size : (int, int)
        Width and height of the frames in pixels.

    Raises
    ------
    ConfigError
        If the palette or a setting is not usable.
    """

    def __init__(self, look: Mapping[str, Any], *, size: tuple[int, int]) -> None:
        self.settings = paint = Paint.of(look)
        self.width, self.height = size
        # The half grid, without its frame; an odd side gets a pixel that is cut off again.
        self._half = width, height = -(-self.width // 2), -(-self.height // 2)
        # By size and look, never by the call: the canvas stands still.
        names = json.dumps([look.get("palette"), look.get("paint"), list(size)], sort_keys=True)
        rng = np.random.default_rng(derive_seed(0, "painting", names))
        table = colour_table(look.get("palette", PALETTE), paint, rng=rng)
        red, green, blue = np.moveaxis(table.astype(np.int32), -1, 0)
        self._table = red | green << 8 | blue << 16
        self._warp = _warp((width + 4, height + 4), rng)
        self._slopes = _slopes((width + 2, height + 2), 0.012 * paint.detail, rng)
        self._sand = _sand(width, rng)

    def paint(self, fields: NDArray[np.float32], controls: Controls) -> NDArray[np.uint8]:
        """One frame.

        Parameters
        ----------
        fields : NDArray[np.float32]
            [2, h, w], palette index and shade, or [3, h, w], red, green, blue; 0..1.
        controls : Controls
            Of this frame.

        Returns
        -------
        NDArray[np.uint8]
            [height, width, 3]; a new array.

        Raises
        ------
        InputError
            If the fields have another shape.
        """
        fields = np.ascontiguousarray(fields, np.float32)
        if fields.ndim != 3 or fields.shape[0] not in (2, 3) or min(fields.shape[1:]) < 2:
            raise InputError(
                f"fields have shape {fields.shape}, expected [2, h, w], index and shade, or [3, h, w], colours"
            )
        frame = new_pages((self.height, 3 * self.width))
        canvas = self._warp, *self._shift(controls.drift), self._slopes, self._lighting(controls), self._sand
        if len(fields) == 2:
            packed, grid = self._grown(fields[0], fields[1], controls.zoom)
            whole = self.width % 4 == 0 and sys.byteorder == "little"
            words = frame.view(np.int32) if whole else np.empty((0, 0), np.int32)
            loops.paint(packed, grid, *canvas, self._colouring(controls), self._table, frame, words)
        else:
            red, green, blue = fields
            first, grid = self._grown(red, green, controls.zoom)
            second, _ = self._grown(blue, np.tensordot(_LUMA, fields, 1), controls.zoom)
            grit = np.float32(0.018 * self.settings.detail / _SAND_UNIT)
            rgb_loops.paint_rgb(first, second, grid, *canvas, grit, self._turning(controls), frame)
        return frame.reshape(self.height, self.width, 3)

    def _grown(
        self, low: NDArray[np.float32], high: NDArray[np.float32], zoom: float
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What is seen of two planes, packed and about as fine as the half grid, and where the half grid lies in it."""
        import cv2

        size, shape = np.array(self._half), np.array(low.shape[::-1])
        # Where the warp reaches beyond the picture it would show its mirror image.
        spare = 2 * _MOST_WARP * _REACH * self.settings.warp * size.max()
        scale = (shape / (size + spare)).min() / max(zoom, 1.0)
        first = (shape - size * scale) / 2
        begin, end = np.floor(first).astype(int), np.ceil(first + size * scale).astype(int)
        words = np.empty(low.shape, np.int32)
        loops.pack(low, high, words)
        pairs = words.view(np.uint16).reshape(*low.shape, 2)
        framed = cv2.copyMakeBorder(pairs, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT)
        part = framed[begin[1] : end[1] + 2 * _MARGIN, begin[0] : end[0] + 2 * _MARGIN]
        fine = self._crisp(np.asarray(cv2.pyrUp(_keen(np.asarray(part, np.uint16))), np.uint16))
        doublings = min(max(math.ceil(math.log2(1 / scale) - 0.1), 1), _MOST_DOUBLINGS)
        for _ in range(doublings - 1):
            fine = np.asarray(cv2.pyrUp(fine), np.uint16)
        reach = _REACH * self.settings.warp * size.max() * scale
        # Sample 0 of the frame lies two half pixels before the picture.
        left, top = first - begin + _MARGIN + (0.5 - 2.0) * scale - 0.5
        veins = 0.08 * self.settings.marble * _FULL
        grid = [*(np.array([left, top, scale, reach / _WARP_UNIT]) * 2**doublings), veins / _WARP_UNIT]
        return fine.view(np.int32)[..., 0], np.array(grid, np.float32)

    def _crisp(self, pairs: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Edges steeper, without overshoot: towards the nearer of the extremes around."""
        import cv2

        if not self.settings.sharpness:
            return pairs
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        low, high = (np.asarray(near(pairs, around), np.uint16) for near in (cv2.erode, cv2.dilate))
        out, amount = np.empty_like(pairs), np.float32(1.5 * self.settings.sharpness)
        loops.crisp(pairs.reshape(-1), low.reshape(-1), high.reshape(-1), amount, out.reshape(-1))
        return out

    def _shift(self, drift: tuple[float, float]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        place = np.array([drift[0] % 1.0 * (self._half[0] + 4), drift[1] % 1.0 * (self._half[1] + 4)])
        whole = np.floor(place)
        return whole.astype(np.int64), (place - whole).astype(np.float32)

    def _lighting(self, controls: Controls) -> NDArray[np.float32]:
        paint, lively = self.settings, 0.7 + 0.6 * controls.energy
        depth = paint.relief * lively * (1 + 0.5 * controls.pulse) * max(self._half) / 96
        contrast = paint.contrast * (0.85 + 0.3 * controls.energy)
        return np.array(
            [depth, 0.5 * paint.gloss, contrast, 0.07 * controls.pulse, 0.35 * controls.flash], np.float32
        )

    def _colouring(self, controls: Controls) -> NDArray[np.float32]:
        # One turn more, so that what is cut to a whole number is never negative.
        turn = (controls.hue % 1.0 + 1.0) * COLUMNS
        # Sand also hides the steps of the table, so there is always a little.
        grit = max(0.018 * self.settings.detail * ROWS, 0.5)
        scale = self.settings.turns * COLUMNS / _FULL
        return np.array([scale, turn, 0.7 / _SAND_UNIT, grit / _SAND_UNIT], np.float32)

    def _turning(self, controls: Controls) -> NDArray[np.float32]:
        """Turns colours around grey, and moves them away from it."""
        angle = 2 * np.pi * (controls.hue % 1.0)
        spread = np.full((3, 3), 1 / 3)
        across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        turn = spread + np.cos(angle) * (np.eye(3) - spread) + np.sin(angle) * across
        grey = np.outer(np.ones(3), _LUMA)
        matrix = (grey + self.settings.saturation * (np.eye(3) - grey)) @ turn
        return np.asarray(matrix, np.float32)


def _keen(pairs: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Against the blur of the doublings that follow, which draw cubic B-splines."""
    import cv2

    return np.asarray(cv2.addWeighted(pairs, 1.6, cv2.GaussianBlur(pairs, (3, 3), 0), -0.6, 0), np.uint16)


def _warp(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int16]:
    """How far soft noise moves x and y, and finer noise the index; side by side, so that it can be shifted."""
    long = max(size)
    planes = [texture(size, slope=2.2, longest=long / 3, shortest=long / 60, rng=rng) for _ in range(2)]
    planes.append(texture(size, slope=2.4, longest=long / 5, shortest=long / 90, rng=rng))
    units = np.rint(np.clip(np.stack(planes), -_MOST_WARP, _MOST_WARP) * _WARP_UNIT).astype(np.int16)
    return np.concatenate([np.pad(units, ((0, 0), (0, 1), (0, 0)), mode="wrap")] * 2, axis=2)


def _slopes(size: tuple[int, int], depth: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """What the canvas adds to the fall towards the lower right."""
    fine = max(size) / 960
    bumps = texture(size, slope=0.9, longest=50 * fine, shortest=2.5 * fine, rng=rng)
    fall = np.roll(bumps, -1, 0) - np.roll(bumps, 1, 0) + np.roll(bumps, -1, 1) - np.roll(bumps, 1, 1)
    return fall * np.float32(depth)


def _sand(half: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Fine grain [tile, 2, half], even columns before odd ones."""
    grains = texture((2 * half, _TILE), slope=0.3, longest=12, shortest=1.2, rng=rng)
    units = np.clip(np.rint(grains * _SAND_UNIT), -127, 127).astype(np.int8)
    return np.ascontiguousarray(units.reshape(_TILE, half, 2).transpose(0, 2, 1))
