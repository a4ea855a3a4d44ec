"""The loops over pixels: bend the fields, light their slopes, look up the colours.

Conventions
-----------
A *half* grid stands at half the picture's size, with a frame of two pixels around it, so that no loop asks
whether it is at an edge. Lighting leaves out the outer pixel, colouring one more. The fields are smooth: the
last doubling is part of the look-up. Only a few rows exist at a time, so that they stay near the core.
Packed fields are int32: index in the low, shade in the high 16 bits.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.compiled import Compiled

# Numba computes in float64 where a constant is a plain Python number.
_0, _1, _2, _3 = (np.float32(value) for value in (0, 1, 2, 3))
_FAR, _HALF, _NEAR = (np.float32(value) for value in (0.25, 0.5, 0.75))
_UNIT = np.float32(1 / 65535)
_LOW, _HIGH, _NEXT = np.int32(0xFFFF), np.int32(16), np.uint32(1)

Plane = NDArray[np.float32]
Words = NDArray[np.int32]
Bytes = NDArray[np.uint8]


@Compiled
def paint(
    packed: Words,
    grid: Plane,
    warp: NDArray[np.int16],
    shift: NDArray[np.int64],
    blend: Plane,
    slopes: Plane,
    lighting: Plane,
    sand: NDArray[np.int8],
    colouring: Plane,
    table: Words,
    out: Bytes,
    words: Words,
) -> None:
    """Paint one frame, row by row.

    Parameters
    ----------
    packed : NDArray[np.int32]
        [rows, columns], the fields.
    grid : NDArray[np.float32]
        x, y of the half grid's first sample, their step, how far a warp of 1 moves, all in pixels of `packed`;
        and what a marbling of 1 adds to the index, of 65535.
    warp : NDArray[np.int16]
        [3, h + 5, 2 * (w + 4)], how far x and y move, and the marbling; it goes round.
    shift, blend : NDArray
        (x, y), pixels that the warp is moved by: whole ones, and weights of the next.
    slopes : NDArray[np.float32]
        [h + 2, w + 2], of the canvas.
    lighting : NDArray[np.float32]
        Depth, gloss, contrast, lift, flare.
    sand : NDArray[np.int8]
        [tile, 2, w], grains of even columns before those of odd ones, added to the row of the table.
    colouring : NDArray[np.float32]
        Columns of the table per unit of index, columns to turn, columns and rows per unit of sand.
    table : NDArray[np.int32]
        [columns, rows], both powers of two; red in the lowest byte, nothing in the highest.
    out : NDArray[np.uint8]
        [height, 3 * width], is written; h and w are their halves, rounded up.
    words : NDArray[np.int32]
        The same memory, where its rows are whole words; else empty.
    """
    half = sand.shape[2]
    x, y = np.empty(half + 4, np.float32), np.empty(half + 4, np.float32)
    places, corners = np.empty(half + 4, np.int32), np.empty((4, half + 4), np.int32)
    index, shade = np.empty((4, half + 4), np.float32), np.empty((4, half + 4), np.float32)
    lit = np.empty((4, half + 2), np.float32)
    hues, tones = np.empty(half + 2, np.float32), np.empty(half + 2, np.float32)
    even, odd = np.empty(half, np.int32), np.empty(half, np.int32)
    flat, colours = packed.ravel(), table.ravel()
    for row in range(slopes.shape[0] + 2):
        near = (row + shift[1]) % (warp.shape[1] - 1)
        _offsets(warp[0, near, shift[0] :], warp[0, near + 1, shift[0] :], blend, grid[3], x)
        _offsets(warp[1, near, shift[0] :], warp[1, near + 1, shift[0] :], blend, grid[3], y)
        _place(grid, row, packed.shape, x, y, places)
        _corners(flat, places, np.int32(packed.shape[1]), corners)
        _mix(corners, x, y, index[row % 4], shade[row % 4])
        _offsets(warp[2, near, shift[0] :], warp[2, near + 1, shift[0] :], blend, grid[4], x)
        _add(x, index[row % 4])
        if row < 2:
            continue
        _light(
            shade[(row - 2) % 4],
            shade[(row - 1) % 4],
            shade[row % 4],
            slopes[row - 2],
            lighting,
            lit[row % 4],
        )
        for line in range(max(2 * row - 8, 0), min(2 * row - 6, out.shape[0])):
            # An even line lies nearer to the row before its own, an odd one to the row after.
            middle, beside = row - 1, row - 2 + 2 * (line % 2)
            _between(
                index[(middle - 1) % 4, 1:], index[(beside - 1) % 4, 1:], colouring[0], colouring[1], hues
            )
            _between(lit[middle % 4], lit[beside % 4], np.float32(table.shape[1] - 1), _HALF, tones)
            grains = sand[line % sand.shape[0]]
            _entries(hues, tones, hues, tones, grains[0], colouring, table.shape, even)
            _entries(hues, tones, hues[2:], tones[2:], grains[1], colouring, table.shape, odd)
            if words.shape[0]:
                _look_up_words(colours, even, odd, words[line])
            else:
                _look_up(colours, even, odd, out[line])


@Compiled
def _offsets(
    above: NDArray[np.int16], below: NDArray[np.int16], blend: Plane, far: np.float32, out: Plane
) -> None:
    a, b = far * (_1 - blend[0]) * (_1 - blend[1]), far * blend[0] * (_1 - blend[1])
    c, d = far * (_1 - blend[0]) * blend[1], far * blend[0] * blend[1]
    for i in range(out.shape[0]):
        upper = a * np.float32(above[i]) + b * np.float32(above[i + 1])
        lower = c * np.float32(below[i]) + d * np.float32(below[i + 1])
        out[i] = upper + lower


@Compiled
def _place(grid: Plane, row: int, size: tuple[int, int], x: Plane, y: Plane, places: Words) -> None:
    """Of offsets x and y make the place of the pixel that holds each sample, and how far it lies in it."""
    right, bottom, width = np.float32(size[1]) - _2, np.float32(size[0]) - _2, np.int32(size[1])
    left, top, step = grid[0], grid[1] + grid[2] * np.float32(row), grid[2]
    for i in range(places.shape[0]):
        across = min(max(left + step * np.float32(i) + x[i], _0), right)
        down = min(max(top + y[i], _0), bottom)
        column, line = np.int32(across), np.int32(down)
        x[i], y[i] = across - np.float32(column), down - np.float32(line)
        places[i] = np.int32(line * width + column)


@Compiled
def _corners(flat: Words, places: Words, width: np.int32, out: Words) -> None:
    a, b, c, d = out[0], out[1], out[2], out[3]
    for i in range(places.shape[0]):
        top, bottom = np.uint32(places[i]), np.uint32(places[i] + width)
        a[i], b[i] = flat[top], flat[top + _NEXT]
        c[i], d[i] = flat[bottom], flat[bottom + _NEXT]


@Compiled
def _mix(corners: Words, x: Plane, y: Plane, index: Plane, shade: Plane) -> None:
    a, b, c, d = corners[0], corners[1], corners[2], corners[3]
    for i in range(index.shape[0]):
        left, right = np.float32(a[i] & _LOW), np.float32(b[i] & _LOW)
        above = left + (right - left) * x[i]
        left, right = np.float32(c[i] & _LOW), np.float32(d[i] & _LOW)
        below = left + (right - left) * x[i]
        index[i] = above + (below - above) * y[i]
    for i in range(index.shape[0]):
        left, right = np.float32((a[i] >> _HIGH) & _LOW), np.float32((b[i] >> _HIGH) & _LOW)
        above = left + (right - left) * x[i]
        left, right = np.float32((c[i] >> _HIGH) & _LOW), np.float32((d[i] >> _HIGH) & _LOW)
        below = left + (right - left) * x[i]
        shade[i] = above + (below - above) * y[i]


@Compiled
def _add(more: Plane, out: Plane) -> None:
    for i in range(out.shape[0]):
        out[i] += more[i]


@Compiled
def _light(above: Plane, here: Plane, below: Plane, canvas: Plane, settings: Plane, out: Plane) -> None:
    depth, gloss, contrast, lift, flare = settings[0], settings[1], settings[2], settings[3], settings[4]
    for i in range(out.shape[0]):
        fall = below[i + 1] - above[i + 1] + here[i + 2] - here[i]
        slope = depth * (fall * _UNIT + canvas[i])
        facing = slope / (_1 + abs(slope))
        glint = max(facing, _0)
        tone = _HALF + contrast * (here[i + 1] * _UNIT - _HALF)
        tone += _FAR * facing + gloss * glint * glint * glint + lift
        tone += flare * tone * tone
        out[i] = min(max(tone, _0), _1)


@Compiled
def _between(near: Plane, far: Plane, gain: np.float32, offset: np.float32, out: Plane) -> None:
    for i in range(out.shape[0]):
        out[i] = offset + gain * (_NEAR * near[i] + _FAR * far[i])


@Compiled
def _entries(
    hues: Plane,
    tones: Plane,
    hues_beside: Plane,
    tones_beside: Plane,
    grains: NDArray[np.int8],
    colouring: Plane,
    size: tuple[int, int],
    out: Words,
) -> None:
    """Places in the table of every other pixel of a row, between its pixels and those beside."""
    jitter, grit = colouring[2], colouring[3]
    mask, line, last = np.int32(size[0] - 1), np.int32(size[1]), np.float32(size[1] - 1)
    for i in range(out.shape[0]):
        row = _NEAR * tones[i + 1] + _FAR * tones_beside[i] + grit * np.float32(grains[i])
        column = np.int32(_NEAR * hues[i + 1] + _FAR * hues_beside[i] + jitter * np.float32(grains[i]))
        out[i] = np.int32(np.int32(np.int32(column & mask) * line) + np.int32(min(max(row, _0), last)))


@Compiled
def _look_up_words(flat: Words, even: Words, odd: Words, out: Words) -> None:
    """Four pixels at a time, as three words; on machines whose words begin with their lowest byte."""
    for i in range(out.shape[0] // 3):
        a, b = flat[np.uint32(even[2 * i])], flat[np.uint32(odd[2 * i])]
        c, d = flat[np.uint32(even[2 * i + 1])], flat[np.uint32(odd[2 * i + 1])]
        out[3 * i] = np.int32(a | np.int32(b << np.int32(24)))
        out[3 * i + 1] = np.int32((b >> np.int32(8)) | np.int32(c << np.int32(16)))
        out[3 * i + 2] = np.int32((c >> np.int32(16)) | np.int32(d << np.int32(8)))


@Compiled
def _look_up(flat: Words, even: Words, odd: Words, out: Bytes) -> None:
    for i in range(out.shape[0] // 6):
        rgb = flat[np.uint32(even[i])]
        out[6 * i], out[6 * i + 1], out[6 * i + 2] = _red(rgb), _green(rgb), _blue(rgb)
        rgb = flat[np.uint32(odd[i])]
        out[6 * i + 3], out[6 * i + 4], out[6 * i + 5] = _red(rgb), _green(rgb), _blue(rgb)
    if out.shape[0] % 6:
        rgb = flat[np.uint32(even[out.shape[0] // 6])]
        out[-3], out[-2], out[-1] = _red(rgb), _green(rgb), _blue(rgb)


@Compiled
def _red(rgb: np.int32) -> np.uint8:
    return np.uint8(rgb)


@Compiled
def _green(rgb: np.int32) -> np.uint8:
    return np.uint8(rgb >> np.int32(8))


@Compiled
def _blue(rgb: np.int32) -> np.uint8:
    return np.uint8(rgb >> np.int32(16))


@Compiled
def pack(index: Plane, shade: Plane, out: Words) -> None:
    """Pack fields 0..1, all [h, w]; what a generator overshoots is cut."""
    full = np.float32(65535)
    for row in range(out.shape[0]):
        low, high, line = index[row], shade[row], out[row]
        for i in range(out.shape[1]):
            near = np.int32(min(max(low[i], _0), _1) * full + _HALF)
            far = np.int32(min(max(high[i], _0), _1) * full + _HALF)
            line[i] = np.int32(near | np.int32(far << _HIGH))


@Compiled
def crisp(
    value: NDArray[np.uint16],
    low: NDArray[np.uint16],
    high: NDArray[np.uint16],
    amount: np.float32,
    out: NDArray[np.uint16],
) -> None:
    """Move each value towards the nearer of its extremes, by an S-curve between them, all [n]."""
    for i in range(value.shape[0]):
        bottom, top = np.float32(low[i]), np.float32(high[i])
        span = top - bottom + _1
        share = (np.float32(value[i]) - bottom) / span
        steep = share * share * (_3 - _2 * share)
        moved = np.float32(value[i]) + amount * span * (steep - share)
        # An amount above 1 leads beyond the extremes, and below 0 words begin again at the top: specks.
        out[i] = np.uint16(np.int32(min(max(moved, bottom), top)))
