"""The card that says what is heard: cover, title, artist.

Conventions
-----------
Lengths are shares of the picture's shorter side. The card stands in the lower left, and what is drawn on it
has a soft shadow, so that it can be read on any picture.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.covers import read_cover

from .lettering import fitted

_MARGIN, _GAP, _COVER = 0.07, 0.032, 0.155
_TITLE, _ARTIST, _LEADING = 0.058, 0.032, 0.022
_SHADOW = 0.012
_LEAST = 48


@dataclass(frozen=True, eq=False)
class Card:
    """A drawn card.

    Attributes
    ----------
    left, top : int
        Where it lies in the frame.
    colour : NDArray[np.uint8]
        [height, width, 3].
    opacity : NDArray[np.uint8]
        [height, width], 255 hides the frame.
    """

    left: int
    top: int
    colour: NDArray[np.uint8]
    opacity: NDArray[np.uint8]


@lru_cache(maxsize=4)
def draw_card(
    title: str, artist: str, art: Path | None, font: Path | None, width: int, height: int
) -> Card | None:
    """The card for frames of a size; None where there is nothing to say or no room.

    Raises
    ------
    InputError
        If the cover is no picture, or the font no font.
    """
    from PIL import Image, ImageFilter, ImageOps

    short = min(width, height)
    margin, gap, blur = round(_MARGIN * short), round(_GAP * short), max(_SHADOW * short, 0.5)
    room = width - 2 * margin
    if not (title or artist or art) or short < _LEAST:
        return None
    pad = round(4 * blur)
    side = round(_COVER * short) if art else 0
    left = side + gap if art else 0
    shares = ((title, _TITLE, 500), (artist, _ARTIST, 350))
    lines = [
        fitted(text, room=room - left, size=share * short, weight=weight, font=font)
        for text, share, weight in shares
    ]
    lines = [line for line in lines if line.text]
    leading = round(_LEADING * short)
    block = sum(line.height for line in lines) + leading * max(len(lines) - 1, 0)
    tall, wide = max(side, block), min(room, left + max((line.width for line in lines), default=0))
    mask = np.zeros((tall + 2 * pad, wide + 2 * pad), np.uint8)
    colour = np.full((*mask.shape, 3), 255, np.uint8)
    y = pad + (tall - block) // 2
    for line in lines:
        line.write(mask, left=pad + left, top=y)
        y += line.height + leading
    if art:
        square = slice(pad + (tall - side) // 2, pad + (tall - side) // 2 + side), slice(pad, pad + side)
        middle = ImageOps.fit(read_cover(art, side=side), (side, side), Image.Resampling.LANCZOS)
        colour[square], mask[square] = np.asarray(middle), 255
    blurred = np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(blur)), np.float32)
    return _over_shadow(
        colour.astype(np.float32),
        mask.astype(np.float32)[..., None] / np.float32(255),
        np.minimum(blurred * np.float32(1.6 / 255), np.float32(0.55))[..., None],
        left=margin - pad,
        top=height - margin - tall - pad,
    )


def _over_shadow(
    colour: NDArray[np.float32],
    mask: NDArray[np.float32],
    shadow: NDArray[np.float32],
    *,
    left: int,
    top: int,
) -> Card:
    """What is drawn, over its black shadow; parts that leave the frame are cut."""
    opacity = mask + shadow * (1 - mask)
    seen = colour * mask / np.maximum(opacity, 1 / 255)
    cut = slice(max(-top, 0), None), slice(max(-left, 0), None)
    return Card(
        max(left, 0),
        max(top, 0),
        np.ascontiguousarray(np.rint(seen).astype(np.uint8)[cut]),
        np.ascontiguousarray(np.rint(255 * opacity[..., 0]).astype(np.uint8)[cut]),
    )
