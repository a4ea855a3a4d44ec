"""The card that says what is heard: cover, title, artist.

Conventions
-----------
Lengths are shares of the picture's shorter side. The card stands in the lower left, and what is drawn on it
has a soft shadow, so that it can be read on any picture.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError

from .cover import read_cover

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_MARGIN, _GAP, _COVER = 0.07, 0.032, 0.155
_TITLE, _ARTIST, _LEADING = 0.058, 0.032, 0.022
_SHADOW, _SMALLEST = 0.012, 0.55


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
    from PIL import Image, ImageDraw, ImageFilter

    short = min(width, height)
    margin, gap, blur = round(_MARGIN * short), round(_GAP * short), max(_SHADOW * short, 0.5)
    room = width - 2 * margin
    if not (title or artist or art) or short < 48:
        return None
    pad = round(4 * blur)
    side = round(_COVER * short) if art else 0
    left = side + gap if art else 0
    lines = [
        _line(text, font, share * short, room - left)
        for text, share in ((title, _TITLE), (artist, _ARTIST))
        if text
    ]
    leading = round(_LEADING * short)
    heights = [sum(face.getmetrics()) for _, face in lines]
    block = sum(heights) + leading * max(len(lines) - 1, 0)
    tall = max(side, block)
    wide = min(room, left + max((int(face.getlength(text)) + 1 for text, face in lines), default=0))
    mask = Image.new("L", (wide + 2 * pad, tall + 2 * pad), 0)
    colour = Image.new("RGB", mask.size, (255, 255, 255))
    draw = ImageDraw.Draw(mask)
    y = pad + (tall - block) // 2
    for (text, face), high in zip(lines, heights, strict=True):
        draw.text((pad + left, y), text, font=face, fill=255 if face is lines[0][1] else 225)
        y += high + leading
    if art:
        colour.paste(read_cover(art, side=side), (pad, pad + (tall - side) // 2))
        mask.paste(255, (pad, pad + (tall - side) // 2, pad + side, pad + (tall - side) // 2 + side))
    shadow = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    return _over_shadow(
        np.asarray(colour, np.float32),
        np.asarray(mask, np.float32)[..., None] / np.float32(255),
        np.minimum(shadow * np.float32(1.6 / 255), np.float32(0.55))[..., None],
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


def _line(text: str, font: Path | None, size: float, room: float) -> tuple[str, "FreeTypeFont"]:
    """The text in a size that fits, or as much of it as fits in a smaller one."""
    text = " ".join(text.split())
    face = _face(font, size)
    length = face.getlength(text)
    if length <= room:
        return text, face
    face = _face(font, size * max(room / length, _SMALLEST))
    # Halving the places where it could be cut, since each look costs the whole layout.
    low, high = 0, len(text)
    if face.getlength(text) <= room:
        return text, face
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if face.getlength(text[:middle] + "…") <= room else (low, middle - 1)
    return text[:low].rstrip() + "…", face


@lru_cache(maxsize=16)
def _face(font: Path | None, size: float) -> Any:
    from PIL import ImageFont

    if font is None:
        return ImageFont.load_default(max(size, 4))
    try:
        return ImageFont.truetype(str(font), max(size, 4))
    except OSError as error:
        raise InputError(f"{font}: no font that can be read. Give a TrueType or OpenType file") from error
