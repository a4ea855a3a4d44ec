"""Text in OpenCV's built-in variable typeface, antialiased, in many scripts and with figures of one width."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .palette import Colour


def write(
    image: NDArray[np.uint8], text: str, *, left: int, base: int, size: int, colour: Colour, weight: int = 400
) -> None:
    """Write one line into `image`, clipped to it; `left` and `base` are where its baseline begins."""
    import cv2

    if line := _printable(text):
        cv2.putText(image, line, (left, base), colour, _face(), size, weight)


@lru_cache(maxsize=4096)
def width(text: str, *, size: int, weight: int = 400) -> int:
    """Width of one line in pixels."""
    import cv2

    line = _printable(text)
    return int(cv2.getTextSize((0, 0), line, (0, 0), _face(), size, weight)[2]) if line else 0


def fitted(text: str, *, room: int, size: int, weight: int = 400) -> str:
    """As much of the text as fits in `room` pixels, with an ellipsis where it was cut."""
    if width(text, size=size, weight=weight) <= room:
        return text
    for length in range(len(text) - 1, 0, -1):
        shorter = text[:length].rstrip() + "…"
        if width(shorter, size=size, weight=weight) <= room:
            return shorter
    return ""


@cache
def _face() -> Any:
    import cv2

    return cv2.FontFace("sans")


def _printable(text: str) -> str:
    # OpenCV crashes on a lone surrogate and breaks lines at control characters.
    return "".join(character if character.isprintable() else " " for character in text).strip()
