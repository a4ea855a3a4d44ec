"""The loops over pixels: bend the fields, light their slopes, look up the colours.

Conventions
-----------
Everything is float32 until the table of colours. Fields stand at about half the picture's size: they are
smooth, and the last doubling is part of the look-up.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.compiled import Compiled

# Numba computes in float64 where a constant is a plain Python number.
_0, _1, _2, _HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)
_NEAR, _FAR = np.float32(0.75), np.float32(0.25)

Plane = NDArray[np.float32]


@Compiled
def bend(
    fields: Plane, warp: Plane, start: Plane, step: Plane, shift: NDArray[np.int64], amount: float, out: Plane
) -> None:
    """Sample `fields` [2, h, w] at a grid that `warp` [2, height, width] bends, into `out` [2, height, width].

    `start` and `step` (x, y) place the grid in the pixels of `fields`; `amount` is how far a warp of 1 moves,
    in the same; `shift` (x, y) moves the warp in its own pixels and around its edges.
    """
    rows, columns = out.shape[1], out.shape[2]
    right, bottom = np.float32(fields.shape[2] - 1.001), np.float32(fields.shape[1] - 1.001)
    far = np.float32(amount)
    for row in range(rows):
        warp_row = (row + shift[1]) % rows
        base_y = start[1] + step[1] * np.float32(row)
        for column in range(columns):
            warp_column = column + shift[0]
            if warp_column >= columns:
                warp_column -= columns
            x = start[0] + step[0] * np.float32(column) + far * warp[0, warp_row, warp_column]
            y = base_y + far * warp[1, warp_row, warp_column]
            x = min(max(x, _0), right)
            y = min(max(y, _0), bottom)
            left, top = np.uint32(x), np.uint32(y)
            across, down = x - np.float32(left), y - np.float32(top)
            for plane in range(2):
                above = fields[plane, top, left] * (_1 - across) + fields[plane, top, left + 1] * across
                below = (
                    fields[plane, top + 1, left] * (_1 - across) + fields[plane, top + 1, left + 1] * across
                )
                out[plane, row, column] = above * (_1 - down) + below * down


@Compiled
def light(
    fields: Plane,
    bumps: Plane,
    depth: float,
    gloss: float,
    contrast: float,
    lift: float,
    flare: float,
    out: Plane,
) -> None:
    """The shade of `fields` [2, h, w] with the light on its slopes, into `out` [h, w].

    The light comes from the upper left. `bumps` [h, w] are added to the heights.
    """
    rows, columns = out.shape
    deep, shine, steep = np.float32(depth), np.float32(gloss), np.float32(contrast)
    up, glow = np.float32(lift), np.float32(flare)
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        for column in range(columns):
            left, right = max(column - 1, 0), min(column + 1, columns - 1)
            slope_x = fields[1, row, right] - fields[1, row, left] + bumps[row, right] - bumps[row, left]
            slope_y = (
                fields[1, below, column]
                - fields[1, above, column]
                + bumps[below, column]
                - bumps[above, column]
            )
            slope = deep * (slope_x + slope_y)
            lit = slope / np.float32(np.sqrt(_1 + slope * slope))
            glint = max(lit, _0)
            glint = glint * glint * glint
            shade = _HALF + steep * (fields[1, row, column] - _HALF)
            shade += np.float32(0.25) * lit + shine * glint + up
            shade += glow * shade * shade
            out[row, column] = min(max(shade, _0), _1)


@Compiled
def colour(
    index: Plane,
    shade: Plane,
    sand: Plane,
    turns: float,
    hue: float,
    grit: float,
    table: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """The colours of `index` and `shade` [h, w] at twice their size, into `out` [height, width].

    Pixels lie at a quarter and three quarters of the fields' pixels (Chaikin's corner cutting); `sand`
    [tile, tile] is added to the shade; `table` is [COLUMNS, ROWS], red in the lowest byte.
    """
    height, width = out.shape
    columns, rows = np.float32(table.shape[0]), np.float32(table.shape[1] - 1)
    last = np.float32(table.shape[1] - 1)
    mask = np.uint32(table.shape[0] - 1)
    flat, line = table.ravel(), np.uint32(table.shape[1])
    tile = sand.shape[0]
    round_, grain = np.float32(turns), np.float32(grit)
    offset = np.float32(hue) + np.float32(8)
    half = shade.shape[1]
    index_row, shade_row = np.empty(half, np.float32), np.empty(half, np.float32)
    index_wide, shade_wide = np.empty(2 * half, np.float32), np.empty(2 * half, np.float32)
    for y in range(height):
        near = y // 2
        far = min(max(near + (1 if y % 2 else -1), 0), shade.shape[0] - 1)
        for column in range(half):
            index_row[column] = _NEAR * index[near, column] + _FAR * index[far, column]
            shade_row[column] = _NEAR * shade[near, column] + _FAR * shade[far, column]
        for column in range(half):
            before, after = max(column - 1, 0), min(column + 1, half - 1)
            index_wide[2 * column] = _NEAR * index_row[column] + _FAR * index_row[before]
            index_wide[2 * column + 1] = _NEAR * index_row[column] + _FAR * index_row[after]
            shade_wide[2 * column] = _NEAR * shade_row[column] + _FAR * shade_row[before]
            shade_wide[2 * column + 1] = _NEAR * shade_row[column] + _FAR * shade_row[after]
        for first in range(0, width, tile):
            for x in range(first, min(first + tile, width)):
                place = np.uint32((index_wide[x] * round_ + offset) * columns) & mask
                tone = (shade_wide[x] + grain * sand[y % tile, x - first]) * rows + _HALF
                out[y, x] = flat[place * line + np.uint32(min(max(tone, _0), last))]
