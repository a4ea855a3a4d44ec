"""The score: the part of the picture that scrolls, drawn once in tiles.

Conventions
-----------
A pixel's place is counted from the song's first instant: pixel x of the score shows the time x / pixels_hz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .analysis import BANDS_PER_OCTAVE, Analysis
from .layout import Layout
from .lettering import write
from .marks import Marks
from .painting import Image, blank, blend, diamond, dimmed, wave
from .palette import INK, PAPER, QUIET, mix, ramp

# Notes lie ahead in moonlight and turn to gold as they are played.
_PLAYED = (
    (0.0, 0.15, 0.02, 268),
    (0.22, 0.26, 0.075, 272),
    (0.48, 0.49, 0.105, 260),
    (0.70, 0.73, 0.055, 240),
    (0.84, 0.87, 0.095, 82),
    (1.0, 0.985, 0.04, 92),
)
_TO_COME = (
    (0.0, 0.15, 0.02, 268),
    (0.25, 0.22, 0.05, 272),
    (0.55, 0.36, 0.08, 266),
    (1.0, 0.66, 0.075, 250),
)
_WINDOW_S = 8.0
_COLUMNS_HZ = 80
_TILE_COLUMNS = 128
_RANGE_LEVELS = 116


@dataclass(frozen=True)
class Scroll:
    """How the score moves: `step` pixels a frame, whole so that it never trembles, and `column` a column."""

    fps: float
    step: int
    column: int

    @classmethod
    def across(cls, pixels: int, *, fps: float) -> Scroll:
        """About eight seconds to a picture that is `pixels` wide."""
        step = max(1, round(pixels / _WINDOW_S / fps))
        return cls(fps, step, max(1, round(step * fps / _COLUMNS_HZ)))

    @property
    def pixels_hz(self) -> float:
        """Pixels per second."""
        return self.fps * self.step

    @property
    def columns_hz(self) -> float:
        """Columns of the analysis per second."""
        return self.pixels_hz / self.column


class Score:
    """The tiles of a song's score.

    Parameters
    ----------
    analysis : Analysis
        With `scroll.columns_hz` columns per second.
    marks : Marks
        Beats and sections.
    layout : Layout
        Its `score` gives the height of the tiles.
    scroll : Scroll
        Pixels per second.
    """

    def __init__(self, analysis: Analysis, *, marks: Marks, layout: Layout, scroll: Scroll) -> None:
        self.tile_width = _TILE_COLUMNS * scroll.column
        top_level = max(analysis.loudest_level, _RANGE_LEVELS)
        self._played, self._to_come = _colours(_PLAYED, top_level), _colours(_TO_COME, top_level)
        self._analysis, self._marks, self._layout, self._scroll = analysis, marks, layout, scroll
        self._beat_pixels = np.rint(marks.beats_s * scroll.pixels_hz).astype(np.int64)
        self._bars = np.cumsum(marks.downbeats)
        self._numbered = self._numbering()
        # What reaches over a tile's edge, a number or a glow, is drawn in both tiles.
        self._margin = -(-6 * layout.text // scroll.column) * scroll.column

    def tile(self, index: int) -> tuple[Image, Image]:
        """The score from pixel index * tile_width on: once as played and once as still to come."""
        first, count = index * self.tile_width - self._margin, self.tile_width + 2 * self._margin
        played = blank(count, self._layout.score.height)
        self._draw_sections(played[self._layout.band.lines], first)
        self._draw_wave(played[self._layout.wave.lines], first)
        to_come = dimmed(played, 0.5)
        levels = self._levels(first, count)
        for image, colours in ((played, self._played), (to_come, self._to_come)):
            image[self._layout.spectrum.lines] = colours[levels]
            self._draw_grid(image[self._layout.spectrum.lines], first)
            self._draw_ruler(image[self._layout.ruler.lines], first)
        inner = slice(self._margin, -self._margin)
        return np.ascontiguousarray(played[:, inner]), np.ascontiguousarray(to_come[:, inner])

    def glow(self, pixel: int) -> Image:
        """The colours [height of the spectrum, 1, 3] of what sounds at a pixel."""
        return self._played[self._levels(pixel - pixel % self._scroll.column, self._scroll.column)][:, :1]

    def octave_rows(self) -> list[int]:
        """The row of each C in the spectrum, C1 first."""
        height, bands = self._layout.spectrum.height, self._analysis.bands
        return [int(height * (1 - (band + 0.5) / bands)) for band in range(0, bands, BANDS_PER_OCTAVE)]

    def _levels(self, first: int, count: int) -> NDArray[np.uint8]:
        import cv2

        inside, missing = self._columns(first, count)
        levels = np.ascontiguousarray(np.pad(self._analysis.levels[inside], (missing, (0, 0))).T[::-1])
        # Partials stand out when each band is compared with its neighbours within five semitones.
        surround = cv2.blur(levels, (1, 21))
        sharp = cv2.addWeighted(levels, 1.6, surround, -0.6, 0)
        size = (count, self._layout.spectrum.height)
        return np.asarray(cv2.resize(sharp, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    def _columns(self, first: int, count: int) -> tuple[slice, tuple[int, int]]:
        """The columns under `count` pixels from `first` on, and how many the song lacks before and after."""
        start, stop = first // self._scroll.column, (first + count) // self._scroll.column
        begin, end = np.clip((start, stop), 0, self._analysis.columns).tolist()
        before = min(stop, 0) - start if start < 0 else 0
        return slice(begin, end), (before, stop - start - before - (end - begin))

    def _draw_grid(self, image: Image, first: int) -> None:
        for row in self.octave_rows():
            blend(image[row : row + 1], PAPER, 0.05)
        line = max(1, self._layout.text // 12)
        for beat, pixel in self._beats(first, image.shape[1]):
            blend(image[:, pixel : pixel + line], PAPER, 0.28 if self._marks.downbeats[beat] else 0.09)

    def _draw_ruler(self, image: Image, first: int) -> None:
        if len(self._marks.beats_s):
            self._draw_beats(image, first)
        else:
            self._draw_seconds(image, first)

    def _draw_beats(self, image: Image, first: int) -> None:
        text, y = self._layout.text, image.shape[0] / 2
        for beat, pixel in self._beats(first, image.shape[1]):
            if not self._marks.downbeats[beat]:
                diamond(image, x=pixel, y=y, reach=text * 0.2, colour=QUIET)
                continue
            diamond(image, x=pixel, y=y, reach=text * 0.34, colour=PAPER)
            if self._bars[beat] % self._numbered == 1 % self._numbered:
                self._draw_number(image, str(self._bars[beat]), pixel + round(text * 0.6))

    def _draw_seconds(self, image: Image, first: int) -> None:
        text, pixels_hz = self._layout.text, self._scroll.pixels_hz
        every = _first_wide_enough((1, 2, 5, 10), unit=pixels_hz, room=4 * text)
        last_s = min((first + image.shape[1]) / pixels_hz, self._analysis.duration_s)
        for second in range(max(0, int(first / pixels_hz)), int(last_s) + 1):
            x = round(second * pixels_hz) - first
            diamond(image, x=x, y=image.shape[0] / 2, reach=text * 0.2, colour=QUIET)
            if second % every == 0:
                self._draw_number(image, f"{second // 60}:{second % 60:02d}", x + round(text * 0.5))

    def _draw_number(self, image: Image, number: str, left: int) -> None:
        size = round(self._layout.text * 0.82)
        write(
            image, number, left=left, base=image.shape[0] // 2 + round(size * 0.36), size=size, colour=QUIET
        )

    def _beats(self, first: int, count: int) -> list[tuple[int, int]]:
        """Each beat under `count` pixels from `first` on, with its place among them."""
        start, stop = np.searchsorted(self._beat_pixels, (first, first + count)).tolist()
        return [(beat, int(self._beat_pixels[beat]) - first) for beat in range(start, stop)]

    def _numbering(self) -> int:
        """Every how many bars there is room for a number."""
        bars = np.diff(self._beat_pixels[self._marks.downbeats])
        bar = float(np.median(bars)) if len(bars) else np.inf
        return _first_wide_enough((1, 2, 4, 8, 16, 32), unit=bar, room=3 * self._layout.text)

    def _draw_wave(self, image: Image, first: int) -> None:
        inside, _ = self._columns(first, image.shape[1])
        low, high, rms = (
            0.94 * self._analysis.heights(values[inside])
            for values in (self._analysis.low, self._analysis.high, self._analysis.rms)
        )
        places = (np.arange(inside.start, inside.stop) + 0.5) * self._scroll.column - 0.5 - first
        times_s = np.arange(first + 0.5, first + image.shape[1], dtype=np.float64) / self._scroll.pixels_hz
        wave(image, low=low, high=high, rms=rms, places=places, colours=self._marks.colours_at(times_s))

    def _draw_sections(self, image: Image, first: int) -> None:
        edge = max(1, self._layout.text // 6)
        for section in self._marks.coloured_sections():
            start, end = (
                int(np.clip(round(time_s * self._scroll.pixels_hz) - first, 0, image.shape[1]))
                for time_s in (section.start_s, section.end_s - edge / self._scroll.pixels_hz)
            )
            image[:-edge, start:end] = mix(INK, section.colour, 0.24)
            image[:-edge, start : min(start + edge, end)] = section.colour


def _colours(stops: tuple[tuple[float, float, float, float], ...], top_level: float) -> Image:
    """The colour [256, 3] of each level."""
    place = np.clip((np.arange(256) - top_level) / _RANGE_LEVELS + 1, 0, 1)
    colours: Image = ramp(stops, steps=1024)[np.rint(place**1.4 * 1023).astype(int)]
    return colours


def _first_wide_enough(counts: tuple[int, ...], *, unit: float, room: float) -> int:
    return next((count for count in counts if count * unit > room), counts[-1])
