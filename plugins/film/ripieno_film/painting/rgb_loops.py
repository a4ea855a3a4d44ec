"""The loops over pixels for generators that make pictures, not fields.

Conventions
-----------
As in `loops`; of the two packed grids the first holds red and green, the second blue and luma.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.compiled import Compiled

from .loops import (
    Bytes,
    Plane,
    Words,
    _between,
    _corners,
    _light,
    _mix,
    _offsets,
    _place,
)

_0, _255 = np.float32(0), np.float32(255)
_FAR, _HALF, _NEAR = np.float32(0.25), np.float32(0.5), np.float32(0.75)
_FLOOR = np.float32(0.04)


@Compiled
def paint_rgb(
    first: Words,
    second: Words,
    grid: Plane,
    warp: NDArray[np.int16],
    shift: NDArray[np.int64],
    blend: Plane,
    slopes: Plane,
    lighting: Plane,
    sand: NDArray[np.int8],
    grit: np.float32,
    matrix: Plane,
    out: Bytes,
) -> None:
    """Paint one frame; as `loops.paint`, with a `matrix` [3, 3] of colours instead of a table.

    `grit` is the tone per unit of sand. Light and shade scale the colours of a pixel together.
    """
    half = sand.shape[2]
    x, y = np.empty(half + 4, np.float32), np.empty(half + 4, np.float32)
    places, corners = np.empty(half + 4, np.int32), np.empty((4, half + 4), np.int32)
    planes = np.empty((4, 4, half + 4), np.float32)
    lit = np.empty((4, half + 2), np.float32)
    rows = np.empty((5, half + 2), np.float32)
    wide = np.empty((3, 2 * half), np.float32)
    unit = np.float32(1 / 65535)
    flat_first, flat_second, width = first.ravel(), second.ravel(), np.int32(first.shape[1])
    for row in range(slopes.shape[0] + 2):
        near = (row + shift[1]) % (warp.shape[1] - 1)
        _offsets(warp[0, near, shift[0] :], warp[0, near + 1, shift[0] :], blend, grid[3], x)
        _offsets(warp[1, near, shift[0] :], warp[1, near + 1, shift[0] :], blend, grid[3], y)
        _place(grid, row, first.shape, x, y, places)
        ring = planes[row % 4]
        _corners(flat_first, places, width, corners)
        _mix(corners, x, y, ring[0], ring[1])
        _corners(flat_second, places, width, corners)
        _mix(corners, x, y, ring[2], ring[3])
        if row < 2:
            continue
        above, here = planes[(row - 2) % 4, 3], planes[(row - 1) % 4, 3]
        _light(above, here, ring[3], slopes[row - 2], lighting, lit[row % 4])
        for line in range(max(2 * row - 8, 0), min(2 * row - 6, out.shape[0])):
            middle, beside = row - 1, row - 2 + 2 * (line % 2)
            for plane in range(4):
                now, then = planes[(middle - 1) % 4, plane], planes[(beside - 1) % 4, plane]
                _between(now[1:], then[1:], unit, _0, rows[plane])
            _between(lit[middle % 4], lit[beside % 4], np.float32(1), _0, rows[4])
            grains = sand[line % sand.shape[0]]
            _gain(rows, grains[0], grains[1], grit)
            for channel in range(3):
                _turn(rows[0], rows[1], rows[2], matrix[channel], wide[channel])
            _write(rows[3], rows[4], wide[0], wide[1], wide[2], out[line])


@Compiled
def _gain(rows: Plane, even: NDArray[np.int8], odd: NDArray[np.int8], grit: np.float32) -> None:
    """How much lighter even and odd pixels are than what was drawn, in the places of luma and tone."""
    luma, tone = rows[3], rows[4]
    half = even.shape[0]
    # What comes next is read before it is written.
    before_luma, before_tone = luma[0], tone[0]
    for i in range(half):
        now_luma, now_tone = luma[i + 1], tone[i + 1]
        after_luma, after_tone = luma[min(i + 2, half + 1)], tone[min(i + 2, half + 1)]
        left = _NEAR * now_tone + _FAR * before_tone + grit * np.float32(even[i])
        right = _NEAR * now_tone + _FAR * after_tone + grit * np.float32(odd[i])
        luma[i] = (left + _FLOOR) / (_NEAR * now_luma + _FAR * before_luma + _FLOOR)
        tone[i] = (right + _FLOOR) / (_NEAR * now_luma + _FAR * after_luma + _FLOOR)
        before_luma, before_tone = now_luma, now_tone


@Compiled
def _turn(red: Plane, green: Plane, blue: Plane, weights: Plane, out: Plane) -> None:
    a, b, c = weights[0] * _255, weights[1] * _255, weights[2] * _255
    for i in range(out.shape[0] // 2):
        left = a * red[i] + b * green[i] + c * blue[i]
        here = a * red[i + 1] + b * green[i + 1] + c * blue[i + 1]
        right = a * red[i + 2] + b * green[i + 2] + c * blue[i + 2]
        out[2 * i] = _NEAR * here + _FAR * left
        out[2 * i + 1] = _NEAR * here + _FAR * right


@Compiled
def _write(even: Plane, odd: Plane, red: Plane, green: Plane, blue: Plane, out: Bytes) -> None:
    for x in range(out.shape[0] // 3):
        gain = odd[x // 2] if x % 2 else even[x // 2]
        out[3 * x] = np.uint8(np.int32(min(max(red[x] * gain + _HALF, _0), _255)))
        out[3 * x + 1] = np.uint8(np.int32(min(max(green[x] * gain + _HALF, _0), _255)))
        out[3 * x + 2] = np.uint8(np.int32(min(max(blue[x] * gain + _HALF, _0), _255)))
