"""The whole song in one strip, over which a line moves."""

from __future__ import annotations

import numpy as np

from .analysis import Analysis
from .lettering import width, write
from .marks import Marks
from .painting import Image, blank, dimmed, wave
from .palette import PAPER, mix


class Overview:
    """A strip of `columns` by `rows` pixels with text of size `text`."""

    def __init__(self, analysis: Analysis, *, marks: Marks, columns: int, rows: int, text: int) -> None:
        self._line = max(1, text // 9)
        self._played = blank(columns, rows)
        names = round(text * 1.2) if marks.sections and rows > 2.4 * text else 0
        _draw_wave(self._played[names:], analysis, marks)
        if names:
            _draw_names(self._played[:names], analysis.duration_s, marks, text)
        self._to_come = dimmed(self._played, 0.42)

    def draw(self, image: Image, share: float) -> None:
        """Draw the strip into `image` with `share` (0 to 1) of the song played."""
        reached = round(share * (image.shape[1] - self._line))
        image[:, :reached] = self._played[:, :reached]
        image[:, reached:] = self._to_come[:, reached:]
        image[:, reached : reached + self._line] = PAPER


def _draw_wave(image: Image, analysis: Analysis, marks: Marks) -> None:
    if not analysis.columns:
        return
    columns = image.shape[1]
    edges = np.arange(columns) * analysis.columns // columns
    wave(
        image,
        low=analysis.heights(np.minimum.reduceat(analysis.low, edges)),
        high=analysis.heights(np.maximum.reduceat(analysis.high, edges)),
        rms=analysis.heights(np.maximum.reduceat(analysis.rms, edges)),
        places=np.arange(columns, dtype=np.float64),
        colours=marks.colours_at((np.arange(columns) + 0.5) / columns * analysis.duration_s),
    )


def _draw_names(image: Image, duration_s: float, marks: Marks, text: int) -> None:
    size, free = round(text * 0.74), 0
    for section in marks.coloured_sections():
        left = round(section.start_s / duration_s * image.shape[1]) if duration_s else 0
        image[:-2, left : left + max(1, text // 8)] = section.colour
        if left < free:
            continue
        start = left + round(text * 0.35)
        write(image, section.label, left=start, base=size, size=size, colour=mix(section.colour, PAPER, 0.2))
        free = start + width(section.label, size=size) + text // 2
