"""The three covers of this album, drawn by formula.

Conventions
-----------
A picture is float64 [size, size, 3], linear light, 0 to 1; places run from -1 to 1, y downwards.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

FOLDER = Path(__file__).parent / "album"
SIZE, FINER = 1000, 2


def low_tide() -> Picture:
    """A moon over water that breaks its light into bars."""
    x, y = places()
    sky = mixed("#070b1d", "#16324f", "#3d6f7d", at=(y + 1) / 1.25)
    moon = edge(0.36 - np.hypot(x, y + 0.28))
    halo = np.exp(-((np.hypot(x, y + 0.28) / 0.75) ** 2)) * 0.5
    picture = lay(
        sky + halo[..., None] * colour("#3f6d86"),
        colour("#f4e7c8") * (1 + 0.06 * clouds(x, y, 3)[..., None]),
        moon,
    )
    depth = np.clip((y - 0.22) / 0.78, 0, 1)
    water = mixed("#2f6273", "#123049", "#050814", at=depth**0.6)
    picture = lay(picture, water, edge(y - 0.22))
    for index in range(26):
        place = 0.235 + 0.75 * (index / 25) ** 1.7
        wide = (0.34 + 0.25 * index / 25) * (0.55 + 0.45 * np.sin(index * 2.4) ** 2)
        thick = 0.004 + 0.013 * index / 25
        line = y - place - 0.012 * (0.3 + index / 25) * np.sin(5 * x + index * 1.9)
        glint = edge(thick - np.abs(line)) * edge(wide - np.abs(x + 0.05 * np.sin(index)), 0.06)
        picture = lay(picture, colour("#f0dcb4") * (1 - 0.5 * index / 25), glint * 0.85)
    return picture


def glass_garden() -> Picture:
    """Leaves of coloured glass, each taking its colour from the light."""
    x, y = places()
    picture = mixed("#fdf3dc", "#fbe0c4", "#f6c9b7", at=(x + y + 2) / 4)
    tints = ("#f2638a", "#f9a13a", "#3fb8a0", "#4a7fe0", "#f7d04a", "#b65fc4")
    for index in range(18):
        turn = index * 2.39996
        reach = 0.16 + 0.06 * index**0.75
        along = np.cos(turn) * (x - 0.04) + np.sin(turn) * (y - 0.02) - reach
        across = -np.sin(turn) * (x - 0.04) + np.cos(turn) * (y - 0.02)
        long, wide = 0.3 + 0.011 * index, 0.125 + 0.005 * index
        leaf = 1 - np.abs(along / long) ** 2.2 - np.abs(across / wide) ** 1.6
        body = edge(leaf * wide, 0.004)
        light = 0.55 + 0.45 * np.clip((across / wide + along / long + 1.4) / 2.6, 0, 1)
        glass = 1 - (1 - colour(tints[index % len(tints)])) * light[..., None]
        picture = picture * (1 - body[..., None]) + picture * glass * body[..., None]
        picture += (0.1 * edge(0.012 - np.abs(leaf * wide), 0.006) * body)[..., None]
    core = edge(0.075 - np.hypot(x - 0.04, y - 0.02))
    return lay(picture, colour("#fff8e6"), core)


def faultline() -> Picture:
    """Strata that were one once, torn and shifted along a crack."""
    x, y = places()
    crack = 0.36 * x + 0.13 * zigzag(x * 2.3 + 0.2) + 0.05 * zigzag(x * 7.1) - 0.02
    above = y < crack
    shift = np.where(above, 0.0, 0.23)
    level = (x + shift * 1.4) * 0.5 + y * 0.86 - shift + 0.05 * clouds(x + shift, y, 9)
    band = np.floor(level * 9)
    number = np.abs(np.sin(band * 12.9898) * 43758.5453) % 1
    within = level * 9 - band
    strata = mixed("#12070a", "#5a0f18", "#e0351f", "#ff9a4a", at=number**1.3)
    strata *= (0.45 + 0.55 * within)[..., None]
    strata *= (1 - 0.85 * edge(0.04 - within, 0.03))[..., None]
    distance = np.abs(y - crack)
    picture = strata * np.where(above, 1.0, 0.72)[..., None]
    picture = lay(picture, colour("#050306"), edge(0.028 + 0.02 * clouds(x, y, 4) - distance, 0.004))
    glow = np.exp(-(((distance - 0.03) / 0.035) ** 2)) * (distance > 0.02)
    return picture + glow[..., None] * colour("#ff5a1f") * 0.35


COVERS = {"low-tide": low_tide, "glass-garden": glass_garden, "faultline": faultline}


def main() -> None:
    """Write album/NAME.jpg."""
    for name, draw in COVERS.items():
        picture = np.clip(draw(), 0, 1)
        picture = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        grain = np.random.default_rng(5).standard_normal((SIZE, SIZE, 1)) * 0.012
        shown = np.clip(picture ** (1 / 2.2) + grain, 0, 1)
        bytes_ = cv2.imencode(
            ".jpg", (shown[..., ::-1] * 255 + 0.5).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 86]
        )
        (FOLDER / f"{name}.jpg").write_bytes(bytes_[1].tobytes())


def places() -> tuple[Picture, Picture]:
    axis = (np.arange(SIZE * FINER) + 0.5) / (SIZE * FINER) * 2 - 1
    return np.broadcast_to(axis, (len(axis),) * 2), np.broadcast_to(axis[:, None], (len(axis),) * 2)


def colour(name: str) -> Picture:
    return (np.array([int(name[at : at + 2], 16) for at in (1, 3, 5)]) / 255) ** 2.2


def mixed(*names: str, at: Picture) -> Picture:
    """Colours one after the other, blended as `at` runs from 0 to 1."""
    stops = np.linspace(0, 1, len(names))
    colours = np.array([colour(name) for name in names])
    return np.stack([np.interp(at, stops, colours[:, channel]) for channel in range(3)], axis=-1)


def edge(inside: Picture, soft: float = 0.003) -> Picture:
    """1 where `inside` is positive, 0 where it is negative, and a soft step between."""
    t = np.clip(inside / soft / 2 + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def lay(picture: Picture, over: Picture, where: Picture) -> Picture:
    return picture + (over - picture) * where[..., None]


def zigzag(x: Picture) -> Picture:
    return 2 * np.abs(2 * (x - np.floor(x + 0.5))) - 1


def clouds(x: Picture, y: Picture, scale: float) -> Picture:
    """Smooth noise of a few waves, about -1 to 1."""
    rng = np.random.default_rng(round(scale * 10))
    made = np.zeros_like(x)
    for octave in range(4):
        turn, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = scale * 1.9**octave * (np.cos(turn) * x + np.sin(turn) * y)
        made = made + np.sin(wave + phase + 1.5 * made) / 1.7**octave
    return made / 2


if __name__ == "__main__":
    main()
