"""The states of the bar pointer model: how long a beat is, how far it has gone, and which of its bar it is.

Conventions
-----------
A beat lasts a whole number of frames, its *interval*. A *slot* is one frame of one interval; a *bar row*
is one beat of one metre. A state is a slot and a bar row, a posterior an array [slots, bar rows]. The
pointer moves on by one frame a frame, and tempo and bar row change only where a beat ends.

References
----------
Whiteley, Cemgil, Godsill: Bayesian modelling of temporal structure in musical audio. ISMIR 2006.
Krebs, Böck, Widmer: An efficient state-space model for joint tempo and meter tracking. ISMIR 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import ConfigError

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

BEAT_ZONE_S = 0.04
"""How long, from the first frame of an interval, is heard as the beat: as long as its activation is high.

A part of the interval instead would hold what follows the beat against slow tempi."""


@dataclass(frozen=True)
class BarSpace:
    """Intervals and metres, and where each state stands.

    Parameters
    ----------
    shortest, longest : int
        Frames a beat, 1 <= shortest <= longest.
    metres : tuple of int
        Beats a bar, each >= 1, increasing.
    rate_hz : float
        Frames a second.
    """

    shortest: int
    longest: int
    metres: tuple[int, ...]
    rate_hz: float = 50.0

    @classmethod
    def of_tempi(cls, min_bpm: float, max_bpm: float, *, rate_hz: float, metres: Sequence[int]) -> "BarSpace":
        """The space of all tempi in a range, at this many frames a second.

        Raises
        ------
        ConfigError
            If the rate is too low to tell the beats of the fastest tempo apart.
        """
        shortest, longest = round(60 * rate_hz / max_bpm), round(60 * rate_hz / min_bpm)
        if shortest < 4:
            raise ConfigError(
                f"max_bpm {max_bpm:g} leaves {shortest} frames a beat at {rate_hz:g} Hz, "
                f"4 are needed: at most {15 * rate_hz:g} BPM"
            )
        return cls(shortest, max(shortest, longest), tuple(sorted(set(metres))), rate_hz)

    @cached_property
    def intervals(self) -> Indexes:
        """Frames a beat [intervals]."""
        return np.arange(self.shortest, self.longest + 1)

    @cached_property
    def first_slots(self) -> Indexes:
        """First slot of each interval [intervals]."""
        return np.concatenate([[0], np.cumsum(self.intervals)[:-1]])

    @cached_property
    def slot_intervals(self) -> Indexes:
        """Which interval each slot belongs to [slots]."""
        return np.repeat(np.arange(len(self.intervals)), self.intervals)

    @cached_property
    def slot_frames(self) -> Indexes:
        """The place of each slot in its interval, from 0 [slots]."""
        return np.arange(self.slots) - self.first_slots[self.slot_intervals]

    @property
    def slots(self) -> int:
        """Number of slots."""
        return int(self.intervals.sum())

    @cached_property
    def bar_rows(self) -> tuple[tuple[int, int], ...]:
        """Metre and position, from 1, of each bar row."""
        return tuple((metre, position) for metre in self.metres for position in range(1, metre + 1))

    @cached_property
    def row_metres(self) -> Indexes:
        """Metre of each bar row [bar rows]."""
        return np.array([metre for metre, _ in self.bar_rows])

    @cached_property
    def downbeat_rows(self) -> Indexes:
        """The bar rows of position 1, one a metre."""
        return np.array([row for row, (_, position) in enumerate(self.bar_rows) if position == 1])

    @cached_property
    def accents(self) -> Floats:
        """How much each bar row is expected to stand out: 1 on the downbeat, 0 on average [bar rows]."""
        return np.array([1.0 if position == 1 else -1 / (metre - 1) for metre, position in self.bar_rows]) * (
            self.row_metres > 1
        )

    @cached_property
    def zone_frames(self) -> Indexes:
        """Frames of each interval that are heard as its beat [intervals]."""
        frames: Indexes = np.minimum(max(1, round(BEAT_ZONE_S * self.rate_hz)), self.intervals // 4)
        return frames

    @cached_property
    def entry_places(self) -> tuple[Indexes, Indexes]:
        """Interval and frame of every first frame of a beat."""
        every = np.arange(len(self.intervals))
        return every, np.zeros_like(every)

    @cached_property
    def zone_places(self) -> tuple[Indexes, Indexes]:
        """Interval and frame of everything that is heard as a beat."""
        frames = [np.arange(count) for count in self.zone_frames]
        return np.repeat(np.arange(len(self.intervals)), self.zone_frames), np.concatenate(frames)

    @cached_property
    def beat_centres(self) -> Floats:
        """Where in each interval the beat falls, in frames: the middle of its zone [intervals]."""
        return (self.zone_frames - 1) / 2

    def places_after_beats(self, delay: int) -> tuple[Indexes, Indexes]:
        """Interval and frame of what lies `delay` frames after every beat, or at its end where that is sooner."""
        frames = np.rint(self.beat_centres).astype(np.intp) + delay
        return np.arange(len(self.intervals)), np.minimum(frames, self.intervals - 1)

    def metre_prior(self, weights: Sequence[float] | None = None) -> Floats:
        """Probability of each bar row: of its metre, the same for every beat of the bar [bar rows]."""
        shares = np.ones(len(self.metres)) if weights is None else np.asarray(weights, np.float64)
        shares = shares / shares.sum()
        return np.array([shares[self.metres.index(metre)] / metre for metre, _ in self.bar_rows])

    def tempo_prior(self, expected: float, spread_octaves: float) -> Floats:
        """Log-normal probability of each interval around an expected one, in frames [intervals]."""
        distance = np.log2(self.intervals / expected) / spread_octaves
        weights = np.exp(-0.5 * distance**2) / self.intervals
        prior: Floats = weights / weights.sum()
        return prior

    def tempo_transition(self, stiffness: float, *, octave_jump: float = 0.0, coarse: int = 0) -> Floats:
        """Probability of each next interval [intervals before, intervals after].

        It falls as ``exp(-stiffness * |after / before - 1|)`` (Krebs, Böck, Widmer 2015, equation 9). From
        intervals of fewer than `coarse` frames it falls as from one of so many: a beat that is no whole number
        of frames must change by one again and again. With probability `octave_jump` each, the interval doubles
        or halves instead, where that is in range.
        """
        changes = np.abs(self.intervals[None, :] - self.intervals[:, None])
        before = np.maximum(self.intervals, coarse)
        weights = np.exp(-stiffness * changes / before[:, None])
        transition: Floats = weights / weights.sum(axis=1, keepdims=True)
        for factor in (0.5, 2.0):
            octave = np.rint(self.intervals * factor).astype(np.intp) - self.shortest
            inside = np.flatnonzero((octave >= 0) & (octave < len(self.intervals)))
            transition[inside, octave[inside]] += octave_jump
        normalised: Floats = transition / transition.sum(axis=1, keepdims=True)
        return normalised

    def bar_transition(
        self, metre_change: float, *, slip: float = 0.0, prior: Floats | None = None
    ) -> Floats:
        """Probability of each next bar row [bar rows before, bar rows after].

        Parameters
        ----------
        metre_change : float
            That behind the last beat of a bar another metre begins, shared by all others.
        slip : float
            That the count is lost, and the next bar row is any, by `prior`. It bounds what evidence can
            add up to, so that a wrong count is left within a few bars.
        prior : ndarray [bar rows], optional
            `metre_prior` where not given.
        """
        step = np.zeros((len(self.bar_rows), len(self.bar_rows)))
        others = len(self.metres) - 1
        change = metre_change if others else 0.0
        for row, (metre, position) in enumerate(self.bar_rows):
            if position < metre:
                step[row, row + 1] = 1
                continue
            for begun, downbeat in zip(self.metres, self.downbeat_rows, strict=True):
                step[row, downbeat] = 1 - change if begun == metre else change / others
        transition: Floats = (1 - slip) * step + slip * (self.metre_prior() if prior is None else prior)
        return transition


class Ring:
    """Where given frames of each interval lie, in a posterior that never moves.

    Every interval's slots are a ring: to move all states on by one frame, the start of each ring moves
    back by one slot. The ring keeps the places of chosen frames only.

    Parameters
    ----------
    space : BarSpace
        Whose slots.
    intervals, frames : ndarray [places]
        Index of an interval, and a frame of it.
    """

    def __init__(self, space: BarSpace, intervals: Indexes, frames: Indexes) -> None:
        self._first = space.first_slots[intervals]
        self._length = space.intervals[intervals]
        self._start = self._first + frames % self._length
        self.reset()

    def reset(self) -> None:
        """To where slots and frames agree."""
        self.places = self._start.copy()

    def advance(self) -> None:
        """One frame on."""
        self.places -= 1
        np.add(self.places, self._length, out=self.places, where=self.places < self._first)
