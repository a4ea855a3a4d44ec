"""The picture of a song at any of its frames.

Conventions
-----------
Images are uint8 [height, width, 3], sRGB, red first. Frame i shows the time from i / fps to (i + 1) / fps,
and a beat lights up in the frame that holds it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .analysis import Read, analyse
from .header import Header
from .layout import Layout, arrange
from .lettering import width, write
from .marks import Marks
from .metre import Metre
from .overview import Overview
from .painting import Image, blank, disc
from .palette import GOLD, INK, PAPER, QUIET, mix
from .score import Score, Scroll


class Picture:
    """Draws the frames of one song, in any order, the same each time.

    It holds about 20 kB per second of song, whatever the rate of the samples.

    Parameters
    ----------
    read : callable
        `read(start, stop)` gives mono samples, float32 [stop - start].
    frames : int
        Length of the sound in samples, >= 0.
    rate_hz : int
        Samples per second.
    marks : Marks
        Beats and sections, if any.
    title : str
        Written above the score.
    size : (int, int)
        Width and height in pixels, each at least 16.
    fps : float
        Frames of the picture per second.
    """

    def __init__(
        self,
        read: Read,
        *,
        frames: int,
        rate_hz: int,
        marks: Marks = Marks(),
        title: str = "",
        size: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
    ) -> None:
        self._fps, self._duration_s = fps, frames / rate_hz
        self._layout = layout = arrange(*size, sections=len(marks.sections) > 0)
        self._scroll = Scroll.across(size[0], fps=fps)
        analysis = analyse(read, frames=frames, rate_hz=rate_hz, columns_hz=self._scroll.columns_hz)
        self._score = Score(analysis, marks=marks, layout=layout, scroll=self._scroll)
        self._tile = lru_cache(maxsize=size[0] // self._score.tile_width + 3)(self._score.tile)
        self._header = Header(title, duration_s=self._duration_s, layout=layout)
        strip = layout.overview
        self._overview = Overview(
            analysis, marks=marks, columns=strip.width, rows=strip.height, text=layout.text
        )
        self._metre, self._sections = Metre(marks, fps=fps), list(marks.coloured_sections())
        self._fades = _fades(layout)
        self._halo = 0.7 * (1 - np.abs(np.linspace(-1, 1, 4 * layout.text + 1, dtype=np.float32))) ** 3
        self._still = blank(*size)
        self._header.draw_still(self._still)

    @property
    def frames(self) -> int:
        """Number of frames that cover the sound."""
        # A sound that fills its last frame to the sample must not open another.
        return math.ceil(self._duration_s * self._fps - 1e-6)

    def frame(self, index: int) -> Image:
        """Frame `index`, uint8 [height, width, 3]."""
        instant, time_s = self._metre.at(index), index / self._fps
        pixel = index * self._scroll.step
        image = self._still.copy()
        score = image[self._layout.score.area]
        self._draw_score(score, pixel)
        self._draw_scale(score)
        self._draw_section_names(score, pixel)
        self._draw_playhead(score, pixel, instant.glow)
        self._header.draw(image, time_s, instant)
        self._overview.draw(image[self._layout.overview.area], min(1.0, time_s / max(self._duration_s, 1e-9)))
        return image

    def _draw_score(self, score: Image, pixel: int) -> None:
        import cv2

        playhead, total, tile_width = self._layout.playhead, score.shape[1], self._score.tile_width
        first = pixel - playhead
        for number in range(first // tile_width, (first + total - 1) // tile_width + 1):
            offset = number * tile_width - first
            for tile, start, stop in zip(self._tile(number), (0, playhead), (playhead, total), strict=True):
                left, right = max(start, offset), min(stop, offset + tile_width)
                if left < right:
                    score[:, left:right] = tile[:, left - offset : right - offset]
        for columns, kept, lost in self._fades:
            edge = score[:, columns]
            cv2.blendLinear(edge, self._still[self._layout.score.area][:, columns], kept, lost, edge)

    def _draw_scale(self, score: Image) -> None:
        if not self._layout.scale:
            return
        top, left, size = self._layout.spectrum.top, self._layout.margin, round(self._layout.text * 0.72)
        for octave, row in enumerate(self._score.octave_rows(), start=1):
            base = top + row + round(size * 0.35)
            write(score, f"C{octave}", left=left, base=base, size=size, colour=QUIET)

    def _draw_section_names(self, score: Image, pixel: int) -> None:
        band, size, pad = self._layout.band, round(self._layout.text * 0.88), round(self._layout.text * 0.6)
        first_s, pixels_hz = (pixel - self._layout.playhead) / self._scroll.pixels_hz, self._scroll.pixels_hz
        for section in self._sections:
            start, end = ((time_s - first_s) * pixels_hz for time_s in (section.start_s, section.end_s))
            latest = round(end) - pad - width(section.label, size=size, weight=500)
            # A name stays in sight for as long as its section does.
            left = min(max(round(start) + pad, self._layout.margin), latest)
            if start < score.shape[1] and left >= round(start) + pad:
                base = band.top + round(band.height * 0.46 + size * 0.36)
                colour = mix(section.colour, PAPER, 0.35)
                write(score, section.label, left=left, base=base, size=size, colour=colour, weight=500)

    def _draw_playhead(self, score: Image, pixel: int, glow: float) -> None:
        import cv2

        spectrum, ruler, text = self._layout.spectrum, self._layout.ruler, self._layout.text
        light = np.full((score.shape[0], 1, 3), np.array(GOLD) * (0.16 + 0.4 * glow), np.float32)
        sounding = self._score.glow(pixel).astype(np.float32)
        light[spectrum.lines] += sounding * sounding / 255
        reach, x = len(self._halo) // 2, self._layout.playhead
        left, right = max(0, x - reach), min(score.shape[1], x + reach + 1)
        halo = self._halo[left - x + reach : right - x + reach, None]
        lit = score[spectrum.top :, left:right]
        cv2.add(lit, (light[spectrum.top :] * halo).astype(np.uint8), dst=lit)
        thickness = max(1, text // 8)
        lit[:, x - left : x - left + thickness] = mix(PAPER, GOLD, 0.5 * glow)
        centre, y = x + (thickness - 1) / 2, ruler.top + ruler.height / 2
        disc(score, x=centre, y=y, radius=text * (0.36 + 0.34 * glow), colour=INK)
        disc(score, x=centre, y=y, radius=text * (0.22 + 0.34 * glow), colour=mix(PAPER, GOLD, glow))


def _fades(layout: Layout) -> list[tuple[slice, NDArray[np.float32], NDArray[np.float32]]]:
    """Columns where the score fades into the background: how much of it is kept there, how much is lost."""
    width, height, margin = layout.score.width, layout.score.height, layout.margin
    rising = np.arange(1, margin + 1, dtype=np.float32) / (margin + 1)
    beside_scale = np.zeros(margin + layout.scale if layout.scale else 0, np.float32)
    left, right = np.concatenate([beside_scale, rising]), rising[::-1]
    return [
        (columns, np.tile(kept, (height, 1)), np.tile(1 - kept, (height, 1)))
        for columns, kept in ((slice(0, len(left)), left), (slice(width - len(right), width), right))
    ]
