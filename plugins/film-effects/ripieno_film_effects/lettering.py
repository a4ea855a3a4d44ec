"""Lines of text, in a face that OpenCV carries: Latin, Greek, Cyrillic, Hebrew, Chinese and more."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError

_SMALLEST = 0.55


@dataclass(frozen=True)
class Line:
    """One line of text.

    Attributes
    ----------
    text : str
        What can be printed of it.
    size, weight : int
        Of the letters in pixels; 400 is regular.
    font : Path, optional
        A file of the face; None for the one that is there.
    """

    text: str
    size: int
    weight: int
    font: Path | None

    @property
    def width(self) -> int:
        """In pixels."""
        import cv2

        if not self.text:
            return 0
        return int(cv2.getTextSize((0, 0), self.text, (0, 0), _face(self.font), self.size, self.weight)[2])

    @property
    def height(self) -> int:
        """From the top of its capitals to below its baseline, in pixels."""
        return round(1.1 * self.size)

    def write(self, mask: NDArray[np.uint8], *, left: int, top: int) -> None:
        """Write it into a mask [height, width], as 255."""
        import cv2

        base = top + round(0.86 * self.size)
        cv2.putText(mask, self.text, (left, base), (255, 255, 255), _face(self.font), self.size, self.weight)


def fitted(text: str, *, room: float, size: float, weight: int, font: Path | None) -> Line:
    """The text in a size that fits into `room` pixels, or as much of it as fits in a smaller one.

    Raises
    ------
    InputError
        If the font cannot be read.
    """
    printable = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:500]).split())
    line = Line(printable, max(round(size), 4), weight, font)
    if line.width <= room:
        return line
    small = max(round(size * max(room / line.width, _SMALLEST)), 4)
    for length in range(len(printable), 0, -1):
        cut = printable if length == len(printable) else printable[:length].rstrip() + "…"
        line = Line(cut, small, weight, font)
        if line.width <= room:
            return line
    return Line("", small, weight, font)


@lru_cache(maxsize=4)
def _face(font: Path | None) -> Any:
    import cv2

    if font is None:
        return cv2.FontFace("sans")
    face = cv2.FontFace()
    try:
        read = font.is_file() and face.set(str(font))
    except cv2.error:
        read = False
    if not read:
        raise InputError(f"{font}: no font that can be read. Give a TrueType file")
    return face
