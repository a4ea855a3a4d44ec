"""When beats fall, and notes on them.

Conventions
-----------
Beat 0 is the first downbeat; beats of a pickup are negative. A note's place and length are in beats, where
0.5 is the written off-beat: swing is the grid's. Velocities lie in (0, 1].
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Span = tuple[float, float]


@dataclass(frozen=True)
class Grid:
    """The beats of a clip.

    Parameters
    ----------
    times_s : ndarray [beats + 1]
        Of each beat, and the end of the last one.
    beats_per_bar : int
        At least 1.
    pickup : int
        Beats before the first downbeat.
    swing : float
        Where the written off-beat falls in its beat: 1/2 is straight, 2/3 a triplet.
    """

    times_s: NDArray[np.float64]
    beats_per_bar: int
    pickup: int = 0
    swing: float = 0.5

    @classmethod
    def paced(
        cls, tempo_bpm: ArrayLike, *, beats_per_bar: int = 4, swing: float = 0.5, start_s: float = 0.3
    ) -> Self:
        """A grid whose beat i lasts a beat of the i-th tempo."""
        times_s = start_s + np.concatenate(([0.0], np.cumsum(60 / np.asarray(tempo_bpm))))
        return cls(times_s, beats_per_bar, swing=swing)

    @property
    def count(self) -> int:
        """Number of beats, the pickup's among them."""
        return len(self.times_s) - 1

    @property
    def end(self) -> int:
        """The beat at which the grid ends."""
        return self.count - self.pickup

    @property
    def bars(self) -> range:
        """The bars in which there is a beat; -1 is the pickup's."""
        return range(-1 if self.pickup else 0, -(-self.end // self.beats_per_bar))

    @property
    def positions(self) -> NDArray[np.int64]:
        """Places of the beats in their bars, 1 = downbeat."""
        return (np.arange(self.count) - self.pickup) % self.beats_per_bar + 1

    def time_s(self, beat: float) -> float:
        """When a place between beats is played."""
        whole, part = divmod(beat + self.pickup, 1)
        swung = np.interp(part, (0, 0.5, 1), (0, self.swing, 1))
        return float(np.interp(whole + swung, np.arange(len(self.times_s)), self.times_s))


@dataclass(frozen=True)
class Note:
    """What is written: a voice, where, how long, how high and how hard."""

    voice: str
    beat: float
    length: float
    pitch_midi: float
    velocity: float


@dataclass(frozen=True)
class Stroke:
    """What is played: a note at its time."""

    voice: str
    onset_s: float
    length_s: float
    pitch_midi: float
    velocity: float


def performed(
    notes: Iterable[Note],
    grid: Grid,
    rng: Generator,
    *,
    jitter_s: float = 0.003,
    late_s: Mapping[str, float] = {},
) -> list[Stroke]:
    """Notes at their times, give or take a deviation of `jitter_s`, and never twice equally hard.

    Parameters
    ----------
    late_s : mapping
        By voice, how far it lies behind the beat; on it where not given.
    """
    return [_stroke(note, grid, rng, rng.normal(late_s.get(note.voice, 0), jitter_s)) for note in notes]


def _stroke(note: Note, grid: Grid, rng: Generator, late_s: float) -> Stroke:
    onset_s = grid.time_s(note.beat)
    length_s = grid.time_s(note.beat + note.length) - onset_s
    velocity = float(np.clip(note.velocity * rng.normal(1, 0.06), 0.05, 1))
    return Stroke(note.voice, max(0.0, onset_s + late_s), length_s, note.pitch_midi, velocity)


def without(
    notes: Iterable[Note], spans: Sequence[Span], *, voices: Container[str] | None = None
) -> Iterator[Note]:
    """The notes outside some spans of beats; those that ring into one end with its start.

    Parameters
    ----------
    voices : container of str, optional
        Those that fall silent; all where not given.
    """
    for note in notes:
        if voices is not None and note.voice not in voices:
            yield note
            continue
        if any(start <= note.beat < end for start, end in spans):
            continue
        cuts = (start for start, _ in spans if note.beat < start < note.beat + note.length)
        yield replace(note, length=min(cuts, default=note.beat + note.length) - note.beat)
