"""What is known of a song beside its sound, and how it is coloured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .palette import GOLD, QUIET, Colour, distinct


@dataclass(frozen=True)
class Section:
    """A named stretch of the song with its colour."""

    start_s: float
    end_s: float
    label: str
    colour: Colour


@dataclass(frozen=True)
class Marks:
    """Beats and sections.

    Attributes
    ----------
    beats_s : NDArray[np.float64]
        [beats], seconds, increasing.
    positions : NDArray[np.int64]
        [beats], the place of each beat in its bar: 1 = downbeat, 0 = unknown.
    sections : sequence of (start_s, end_s, label)
        In order of time.
    """

    beats_s: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    positions: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    sections: Sequence[tuple[float, float, str]] = ()

    @property
    def downbeats(self) -> NDArray[np.bool_]:
        """Which beats open a bar."""
        downbeats: NDArray[np.bool_] = self.positions == 1
        return downbeats

    def coloured_sections(self) -> Iterator[Section]:
        """The sections, those of one label in one colour."""
        labels = list(dict.fromkeys(label for _, _, label in self.sections))
        colours = dict(zip(labels, distinct(len(labels)), strict=True))
        for start_s, end_s, label in self.sections:
            yield Section(start_s, end_s, label, colours[label])

    def colours_at(self, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """The colour [times, 3] of the section that each time lies in: grey outside, gold without any."""
        colours = np.tile(np.array(QUIET if self.sections else GOLD, np.float32), (len(times_s), 1))
        for section in self.coloured_sections():
            colours[(times_s >= section.start_s) & (times_s < section.end_s)] = section.colour
        return colours
