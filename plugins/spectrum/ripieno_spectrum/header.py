"""Above the score: the title, the metre and the clock."""

from __future__ import annotations

import math

from .layout import Layout
from .lettering import fitted, width, write
from .metre import Instant
from .painting import Image, disc
from .palette import GOLD, INK, PAPER, QUIET, mix

_MOST_DOTS = 12


class Header:
    """The header of one song, in one line or, where the picture is tall, in two."""

    def __init__(self, title: str, *, duration_s: float, layout: Layout) -> None:
        self._text, self._readings = layout.text, layout.readings
        self._size = round(layout.text * 1.15)
        self._total = "/ " + clock(duration_s, decimals=0)
        self._total_left = self._readings.right - width(self._total, size=self._size, weight=300)
        longest = width(clock(duration_s, decimals=1), size=self._size, weight=500)
        self._clock_left = self._total_left - round(layout.text * 0.4) - longest
        self._alone = layout.readings.top > layout.header.top
        room = layout.header.right if self._alone else self._clock_left - 2 * layout.text
        self._title_size = round(layout.text * 1.55)
        self._title = fitted(title, room=room - layout.header.left, size=self._title_size, weight=600)
        self._title_left, self._title_base = layout.header.left, layout.header.top + round(layout.text * 1.2)
        self._base = self._readings.top + round(layout.text * 1.2)

    def draw_still(self, image: Image) -> None:
        """Draw what does not change."""
        left, base, size = self._title_left, self._title_base, self._title_size
        write(image, self._title, left=left, base=base, size=size, colour=PAPER, weight=600)
        write(
            image,
            self._total,
            left=self._total_left,
            base=self._base,
            size=self._size,
            colour=QUIET,
            weight=300,
        )

    def draw(self, image: Image, time_s: float, instant: Instant) -> None:
        """Draw the readings of one instant."""
        now = clock(time_s, decimals=1)
        left = self._total_left - round(self._text * 0.4) - width(now, size=self._size, weight=500)
        write(image, now, left=left, base=self._base, size=self._size, colour=PAPER, weight=500)
        if instant.bpm:
            self._draw_metre(image, instant)

    def _draw_metre(self, image: Image, instant: Instant) -> None:
        text, spacing = self._text, self._text * 0.95
        dots = min(max(1, instant.bar_beats), _MOST_DOTS)
        tempo = f"{instant.bpm} BPM"
        length = round(dots * spacing + text * 0.5) + width(tempo, size=text)
        left = self._readings.left if self._alone else self._clock_left - 2 * text - length
        title_end = self._title_left + width(self._title, size=self._title_size, weight=600)
        if not self._alone and left < title_end + 2 * text:
            return
        for dot in range(1, dots + 1):
            lit = dot == max(1, instant.position)
            colour = mix(PAPER, GOLD, instant.glow) if lit else mix(INK, QUIET, 0.45)
            radius = text * (0.24 + 0.12 * instant.glow * lit)
            disc(
                image, x=left + (dot - 0.5) * spacing, y=self._base - text * 0.4, radius=radius, colour=colour
            )
        write(
            image,
            tempo,
            left=round(left + dots * spacing + text * 0.5),
            base=self._base,
            size=text,
            colour=QUIET,
        )


def clock(time_s: float, *, decimals: int) -> str:
    """Minutes and seconds, cut, not rounded, as clocks do."""
    # The frame at 0.3 s must not read 0.2 for the binary fraction below it.
    units = math.floor(time_s * 10**decimals + 1e-6)
    minutes, rest = divmod(units, 60 * 10**decimals)
    seconds, fraction = divmod(rest, 10**decimals)
    return f"{minutes}:{seconds:02d}" + (f".{fraction:0{decimals}d}" if decimals else "")
