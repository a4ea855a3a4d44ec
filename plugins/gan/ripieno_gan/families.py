"""Five families of pictures, each of two fields: where in a palette, and how light.

Conventions
-----------
A picture is float32 [2, size, size], both fields 0 to 1: the index, which a palette turns into colour, and the
shade, which makes it dark or light. Neither has a colour of its own, so a palette can change without the picture.
Shapes have edges of two pixels and are some ten wide at 256: what is finer a small generator cannot learn.

References
----------
Perlin: An image synthesizer. SIGGRAPH 1985.
Turing: The chemical basis of morphogenesis. 1952.
Cabral, Leedom: Imaging vector fields using line integral convolution. SIGGRAPH 1993.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .noise import Field, bend, blurred, fractal, lit, slopes, smooth, spread, step

Picture = NDArray[np.floating[Any]]


def warped(rng: Generator, size: int) -> Picture:
    """Noise bent by noise that is bent by noise: smoke, marble, folded silk."""
    side = size * 3 // 2
    cells, reach = rng.uniform(1.8, 3.6), size * rng.uniform(0.08, 0.2)
    first, second = (fractal(rng, side, cells=cells, octaves=2) for _ in range(2))
    way = _middle(first, size), _middle(second, size)
    across, down = (bend(field, way[1] * reach, way[0] * reach) for field in (first, second))
    octaves = int(rng.integers(2, 5))
    field = bend(
        fractal(rng, side, cells=cells * rng.uniform(0.8, 1.6), octaves=octaves, gain=0.42),
        across * reach,
        down * reach,
    )
    kind = rng.choice(3, p=(0.2, 0.35, 0.45))
    if kind == 0:
        height = field
    elif kind == 1:
        height = -np.sqrt(np.abs(field))
    else:
        height = np.sin(field * np.float32(rng.uniform(2.4, 5)))
    colour = field * np.float32(rng.uniform(0.3, 1)) + across * np.float32(rng.uniform(-0.8, 0.8))
    return _picture(rng, colour, height, depth=rng.uniform(0.5, 0.9))


def reaction(rng: Generator, size: int) -> Picture:
    """Spots, holes and labyrinths, as two substances make them that spread and hinder each other."""
    import cv2

    # Half as fine, the blurs cost an eighth.
    side = size * 3 // 4
    inner = rng.uniform(1.3, 3.2)
    outer = inner * rng.uniform(1.7, 2.2)
    bias = smooth(rng, side, cells=rng.uniform(1.0, 2.2)) * np.float32(rng.uniform(0.0, 0.6))
    bias += np.float32(rng.uniform(-0.45, 0.45))
    field = rng.standard_normal((side, side)).astype(np.float32)
    for _ in range(9):
        field = np.tanh(6 * (blurred(field, inner) - blurred(field, outer)) + bias)
    texture: Field = np.asarray(
        cv2.resize(field, (size * 3 // 2,) * 2, interpolation=cv2.INTER_CUBIC), np.float32
    )
    cells, reach = rng.uniform(1.0, 2.5), size * rng.uniform(0.0, 0.16)
    across, down = (fractal(rng, size, cells=cells, octaves=2) for _ in range(2))
    pattern = bend(texture, across * reach, down * reach)
    height = blurred(np.tanh(1.6 * pattern), 0.8)
    depth = rng.uniform(0.25, 0.6) * rng.choice((-1, 1))
    colour = fractal(rng, size, cells=rng.uniform(0.8, 1.8), octaves=2) * 0.6 + height * np.float32(depth)
    ground = step(height, edge=0, width=1.2)
    picture = _picture(rng, colour, height, depth=rng.uniform(0.55, 0.95))
    dim = rng.uniform(0.35, 0.9)
    picture[1] *= (dim + (1 - dim) * ground).astype(np.float32)
    return picture


def flow(rng: Generator, size: int) -> Picture:
    """A few thick strands along the lines of a flow, each of one colour, with dark between them."""
    side = size * 5 // 4
    stream = fractal(rng, side, cells=rng.uniform(1.1, 2.4), octaves=2, gain=rng.uniform(0.2, 0.4))
    reach = size * rng.uniform(0.02, 0.08)
    wobble = [fractal(rng, size, cells=rng.uniform(1.5, 3), octaves=1) * np.float32(reach) for _ in range(2)]
    stream = bend(stream, *wobble)
    across, down = slopes(stream)
    speed = np.sqrt(across * across + down * down) + 1e-6
    strands = rng.uniform(13, 26)
    # So many levels that a strand where the flow is steep is some pixels wide.
    levels = stream * np.float32(1 / (strands * float(np.median(speed)))) + np.float32(rng.uniform(0, 1))
    band = np.floor(levels)
    within = levels - band
    number = (band - band.min()).astype(np.int64)
    hues = rng.uniform(0, 1, int(number.max()) + 1).astype(np.float32)
    lights = rng.uniform(0.25, 1.0, hues.size).astype(np.float32) * (rng.random(hues.size) < 0.85)
    round_ = np.sqrt(np.clip(np.sin(np.pi * within), 0, 1))
    round_ *= step(1 / (speed / np.median(speed)), edge=0.22, width=0.2)
    streaks = _along(fractal(rng, size, cells=size / 7, octaves=1), across / speed, down / speed)
    level = fractal(rng, size, cells=rng.uniform(0.8, 1.6), octaves=1)
    share = rng.uniform(0.25, 0.75)
    colour = hues[number] * np.float32(share) + spread(level) * np.float32(1 - share)
    light = lights[number].astype(np.float32) * round_ * (1 + np.float32(0.16) * streaks)
    glint = lit(stream * 0 + round_, turn=rng.uniform(0, 2 * math.pi), steepness=0.6)
    shade = 0.08 + 0.80 * light + 0.10 * glint * round_
    return _clipped(spread(blurred(colour, 0.7), low=rng.uniform(0, 0.15), high=rng.uniform(0.85, 1)), shade)


def colour_field(rng: Generator, size: int) -> Picture:
    """Large calm shapes: stacked rectangles with soft edges, discs over a horizon, folded veils."""
    kind = rng.integers(3)
    places = np.linspace(-1, 1, size, dtype=np.float32)
    waver = np.float32(rng.uniform(0.01, 0.06))
    xs, ys = (
        axis + waver * fractal(rng, size, cells=rng.uniform(2, 5), octaves=3)
        for axis in (places[None].repeat(size, 0), places[:, None].repeat(size, 1))
    )
    soft = rng.uniform(0.03, 0.2)
    base = rng.uniform(0, 1)
    tilt = rng.uniform(-0.12, 0.12, 2)
    colour = np.float32(base) + xs * np.float32(tilt[0]) + ys * np.float32(tilt[1])
    shade = np.full((size, size), rng.uniform(0.25, 0.6), np.float32)
    if kind == 0:
        edges = np.sort(rng.uniform(-0.85, 0.85, 2 * int(rng.integers(2, 4))))
        width = rng.uniform(0.6, 0.9)
        for top, bottom in zip(edges[::2], edges[1::2], strict=True):
            inside = _slab(ys, top, bottom, soft) * _slab(xs, -width, width, soft)
            _lay(rng, colour, shade, inside)
    elif kind == 1:
        _lay(rng, colour, shade, step(ys, edge=rng.uniform(-0.2, 0.7), width=soft))
        for _ in range(int(rng.integers(1, 4))):
            x, y, radius = rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.5), rng.uniform(0.15, 0.6)
            distance = np.sqrt((xs - np.float32(x)) ** 2 + (ys - np.float32(y)) ** 2)
            disc = 1 - step(distance, edge=radius, width=min(soft, 0.12))
            _lay(rng, colour, shade, disc)
            shade += (
                np.float32(rng.uniform(0, 0.35)) * np.exp(-np.square(distance / (radius * 1.5))) * (1 - disc)
            )
    else:
        for _ in range(int(rng.integers(3, 6))):
            line = fractal(rng, size, cells=rng.uniform(0.6, 1.3), octaves=2, gain=0.3)
            veil = step(line, edge=rng.uniform(-0.7, 0.7), width=rng.choice((0.06, 0.9)))
            _lay(rng, colour, shade, veil * np.float32(rng.uniform(0.6, 1)))
    grain = fractal(rng, size, cells=rng.uniform(6, 14), octaves=3) * np.float32(rng.uniform(0.01, 0.045))
    # As many calm ones as there are: none without anything to see.
    index = spread(colour, low=rng.uniform(0, 0.35), high=rng.uniform(0.6, 1))
    return _clipped(index, spread(shade, low=rng.uniform(0.1, 0.35), high=rng.uniform(0.65, 0.95)) + grain)


def glitch(rng: Generator, size: int) -> Picture:
    """A picture of another family torn into slices, blocks and smears."""
    source = (warped, flow, colour_field, reaction)[int(rng.choice(4, p=(0.3, 0.25, 0.3, 0.15)))]
    picture = source(rng, size)
    names = rng.permutation(len(_TEARS))[: int(rng.integers(2, 4))]
    for name in sorted(names):
        picture = _TEARS[name](rng, picture)
    if rng.random() < 0.3:
        picture = np.ascontiguousarray(picture.transpose(0, 2, 1))
    return picture


FAMILIES: dict[str, Callable[[Generator, int], Picture]] = {
    "warped": warped,
    "reaction": reaction,
    "flow": flow,
    "colour_field": colour_field,
    "glitch": glitch,
}


def _middle(field: Field, size: int) -> Field:
    margin = (field.shape[0] - size) // 2
    return field[margin : margin + size, margin : margin + size]


def _picture(rng: Generator, colour: Field, height: Field, *, depth: float) -> Picture:
    """Colour and a lit relief as a picture."""
    index = spread(colour, low=rng.uniform(0, 0.2), high=rng.uniform(0.8, 1))
    level = spread(height, low=rng.uniform(-0.05, 0.2), high=rng.uniform(0.7, 1))
    light = lit(blurred(height, 1.2), turn=rng.uniform(0, 2 * math.pi), steepness=0.7)
    shade = (
        level * np.float32(depth) + np.float32(0.5 * (1 - depth)) + np.float32(rng.uniform(0.1, 0.28)) * light
    )
    return _clipped(index, shade)


def _clipped(index: Field, shade: Field) -> Picture:
    return np.asarray(np.clip(np.stack([index, shade]), 0, 1), np.float32)


def _along(texture: Field, across: Field, down: Field) -> Field:
    """The texture averaged along the flow over 32 pixels to either side of nothing but its lines.

    The map of a way is put after itself, which doubles it: five times for a way of 32 pixels.
    """
    import cv2

    size = texture.shape[0]
    places = np.arange(size, dtype=np.float32)
    # The lines of a flow are across the slope of its stream function.
    ways = np.dstack([-down, across]).astype(np.float32)
    for _ in range(5):
        xs, ys = places[None] + ways[..., 0], places[:, None] + ways[..., 1]
        texture = (
            texture + cv2.remap(texture, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        ) / 2
        ways = ways + cv2.remap(ways, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return texture / (float(texture.std()) + 1e-6)


def _slab(field: Field, low: float, high: float, soft: float) -> Field:
    return step(field, edge=low, width=soft) * (1 - step(field, edge=high, width=soft))


def _lay(rng: Generator, colour: Field, shade: Field, inside: Field) -> None:
    """Lay a shape over what is there, in a colour and a shade of its own."""
    colour += inside * (np.float32(rng.uniform(0, 1)) - colour) * np.float32(rng.uniform(0.75, 1))
    shade += inside * (np.float32(rng.uniform(0.15, 0.95)) - shade) * np.float32(rng.uniform(0.75, 1))


def _sliced(rng: Generator, picture: Picture) -> Picture:
    """Slices pushed aside."""
    size = picture.shape[1]
    cuts = np.sort(rng.integers(0, size, int(rng.integers(3, 9))))
    pushes = np.zeros(size, np.int64)
    for top, bottom in zip(cuts[::2], cuts[1::2], strict=False):
        pushes[top:bottom] = int(rng.integers(-size // 3, size // 3))
    places = (np.arange(size)[None] + pushes[:, None]) % size
    torn: Picture = np.take_along_axis(picture, np.broadcast_to(places[None], picture.shape), axis=2)
    return torn


def _smeared(rng: Generator, picture: Picture) -> Picture:
    """Stretches of rows that hold the value at which they begin."""
    torn, size = picture.copy(), picture.shape[1]
    for _ in range(int(rng.integers(2, 6))):
        top, height = int(rng.integers(0, size - 8)), int(rng.integers(8, size // 4))
        left, width = int(rng.integers(0, size * 3 // 4)), int(rng.integers(size // 5, size))
        held = torn[:, top : top + height, left : left + 1]
        torn[:, top : top + height, left : left + width] = held
    return torn


def _blocked(rng: Generator, picture: Picture) -> Picture:
    """Blocks of one value each, where a slow noise says so."""
    import cv2

    size, block = picture.shape[1], int(rng.choice((8, 16, 32)))
    count = size // block
    where = smooth(rng, count, cells=2.5) > rng.uniform(0.0, 0.6)
    mask = cv2.resize(where.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST) > 0
    torn = picture.copy()
    for field in torn:
        coarse = cv2.resize(field, (count, count), interpolation=cv2.INTER_AREA)
        field[mask] = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_NEAREST)[mask]
    return torn


def _barred(rng: Generator, picture: Picture) -> Picture:
    """Bars whose colours are turned around and whose light jumps."""
    torn, size = picture.copy(), picture.shape[1]
    for _ in range(int(rng.integers(1, 5))):
        top, height = int(rng.integers(0, size - 6)), int(rng.integers(6, size // 6))
        left, width = int(rng.integers(0, size // 2)), int(rng.integers(size // 6, size))
        bar = torn[:, top : top + height, left : left + width]
        bar[0] = 1 - bar[0]
        bar[1] = np.clip(
            bar[1] * np.float32(rng.uniform(0.5, 1.5)) + np.float32(rng.uniform(-0.2, 0.2)), 0, 1
        )
    return torn


def _scanned(rng: Generator, picture: Picture) -> Picture:
    """Lines of a screen, stronger in one place than in another."""
    size = picture.shape[1]
    period = float(rng.uniform(7, 14))
    lines = 0.5 + 0.5 * np.sin(np.arange(size, dtype=np.float32) * np.float32(2 * np.pi / period))
    strength = np.clip(0.25 + 0.25 * smooth(rng, size, cells=1.5), 0, 0.6)
    return np.stack([picture[0], picture[1] * (1 - strength * lines[:, None])]).astype(np.float32)


def _doubled(rng: Generator, picture: Picture) -> Picture:
    """The colour beside the light that it belongs to."""
    push = int(rng.integers(6, 24)) * int(rng.choice((-1, 1)))
    return np.stack([np.roll(picture[0], push, axis=1), picture[1]])


_TEARS = (_sliced, _smeared, _blocked, _barred, _scanned, _doubled)
