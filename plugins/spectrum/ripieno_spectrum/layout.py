"""Where each part of the picture stands, for any size and shape."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; `right` and `bottom` lie just outside it."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def lines(self) -> slice:
        """Its rows, at any column."""
        return slice(self.top, self.bottom)

    @property
    def area(self) -> tuple[slice, slice]:
        """The index of this rectangle in an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def rows(self, top: int, height: int) -> Box:
        """Some rows of this box, counted from its top."""
        return Box(self.left, self.top + top, self.width, height)


@dataclass(frozen=True)
class Layout:
    """The parts of a picture.

    `score` scrolls, as wide as the picture; `band` (the sections), `spectrum`, `ruler` (the beats) and `wave`
    lie in it, counted from its top. `header` holds the title, `readings` the metre and the clock: in the same
    line, or below it in a tall picture. `margin` is kept free on every side, `scale` (0 for none) beside the
    spectrum.
    """

    text: int
    margin: int
    scale: int
    playhead: int
    header: Box
    readings: Box
    score: Box
    band: Box
    spectrum: Box
    ruler: Box
    wave: Box
    overview: Box


def arrange(width: int, height: int, *, sections: bool) -> Layout:
    """Lay out a picture of any size from 16 by 16 pixels."""
    mean, tall = math.sqrt(width * height), height > width
    text = max(9, round(mean / 60))
    margin = min(round(mean / 27), width // 12, height // 12)
    inner = Box(margin, margin, width - 2 * margin, height - 2 * margin)
    # Where there is no room for text, its rows shrink before the spectrum does.
    line = min(float(text), inner.height / 14)
    title, readings = round(line * 2.3), round(line * 2.1) if tall else 0
    strip = round(inner.height * (0.075 if tall else 0.09))
    top = title + readings
    score = Box(0, margin + top, width, inner.height - top - strip - round(line * 0.9))
    band = round(line * 1.5) if sections else 0
    ruler, wave = round(line * 1.8), round(score.height * (0.2 if tall else 0.24))
    spectrum = score.height - band - ruler - wave
    rows = Box(0, 0, width, score.height)
    return Layout(
        text=text,
        margin=margin,
        scale=round(text * 1.4) if spectrum > 13 * text else 0,
        playhead=round(width * 0.36),
        header=inner.rows(0, title),
        readings=inner.rows(title if tall else 0, title),
        score=score,
        band=rows.rows(0, band),
        spectrum=rows.rows(band, spectrum),
        ruler=rows.rows(band + spectrum, ruler),
        wave=rows.rows(band + spectrum + ruler, wave),
        overview=inner.rows(inner.height - strip, strip),
    )
