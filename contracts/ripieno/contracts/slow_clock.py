"""From a beat clock at any rate to states on the slow clock."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .artifact import require
from .events import Tracked
from .formats import SeriesFormat
from .series import BELOW_ONE, BeatClock
from .slow_state import RATE_HZ, BeatClockState, SlowState, SlowStates, StructureState
from .streaming import Chunk, Event

# A phase that moves further than this between two rows went through a beat, not back or forth within one.
HALF_A_BEAT = 0.5


class SlowClock:
    """Reads the chunks of a beat tracker's session, and gives a state for each slow frame they reach.

    A state is the last row of the clock before it, its phase advanced to the moment of the state. Beats
    are counted where the phase passes through one, once the first one is known; a correction that takes the
    phase back over a beat is not counted twice.

    Parameters
    ----------
    format : SeriesFormat
        Of the rows; the columns of `BeatClock.columns`.

    Raises
    ------
    InputError
        If it lacks one of them.
    """

    def __init__(self, format: SeriesFormat) -> None:
        missing = [name for name in BeatClock.columns(()) if name not in format.names]
        require(
            not missing, f"the rows of a beat clock have the columns of BeatClock, no {', '.join(missing)}"
        )
        self.format = format
        self._place: Mapping[str, int] = {name: place for place, name in enumerate(format.names)}
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._rows = 0
        self._states = 0
        self._begin_s = math.inf
        self._counting = False
        self._turns = 0
        self._beat_count = 0
        self._phase = 0.0
        self._row: NDArray[np.float32] | None = None

    def push(self, chunk: Chunk) -> list[SlowState]:
        """States of all slow frames before the end of these rows.

        Raises
        ------
        InputError
            If a row is no state of a beat: seconds per beat not > 0, a probability outside [0, 1].
        """
        known_s = [event.known_s for event in chunk.events if event.what == "beat"]
        self._begin_s = min([self._begin_s, *known_s])
        states: list[SlowState] = []
        for row in () if chunk.samples is None else chunk.samples:
            states += self._until(self._time_s(self._rows))
            self._row = row
            require(self._value("spb_s") > 0, f"spb_s is {self._value('spb_s')}: it is seconds per beat")
            self._rows += 1
            self._turn(self._value("phase"))
        states += self._until(self._time_s(self._rows))
        return states

    @property
    def _begun(self) -> bool:
        """Whether the current row lies after the first beat was known; the same for any split into chunks."""
        return self._time_s(self._rows - 1) >= self._begin_s

    def _time_s(self, row: int) -> float:
        return self.format.start_s + row / self.format.rate_hz

    def _value(self, name: str) -> float:
        return 0.0 if self._row is None else float(self._row[self._place[name]])

    def _turn(self, phase: float) -> None:
        if self._counting:
            moved = phase - self._phase
            self._turns += (moved < -HALF_A_BEAT) - (moved > HALF_A_BEAT)
        self._counting = self._begun
        self._phase = phase

    def _until(self, stop_s: float) -> list[SlowState]:
        """States from the last one to before `stop_s`, all from the row that is current."""
        states = []
        while self._row is not None and self._states / RATE_HZ < stop_s - 1e-9:
            states.append(self._state(self._states / RATE_HZ))
            self._states += 1
        return states

    def _state(self, t_s: float) -> SlowState:
        spb_s = self._value("spb_s")
        ahead_s = max(0.0, t_s - self._time_s(self._rows - 1))
        turns, phase = divmod(self._phase + ahead_s / spb_s, 1.0)
        self._beat_count = max(self._beat_count, self._turns + math.floor(turns) if self._counting else 0)
        beat = BeatClockState(
            t_s=t_s,
            spb_s=spb_s,
            phase=min(phase, float(BELOW_ONE)),
            beat_count=self._beat_count,
            confidence=self._value("confidence"),
            downbeat_probability=self._value("downbeat_probability"),
        )
        return SlowState(beat, StructureState.unknown())


def slow_states(tracked: Tracked) -> SlowStates:
    """Beats and clock of a whole recording on the slow clock, as a live run gives them.

    Parameters
    ----------
    tracked : Tracked
        Of a tracker whose clock begins at 0 s.

    Returns
    -------
    SlowStates
        Structure unknown.
    """
    beats, clock = tracked
    first = [Event(float(beats.times_s[0]), float(beats.known_s[0]), "beat")] if len(beats.times_s) else []
    chunk = Chunk(len(clock.rows) / clock.rate_hz, clock.rows, tuple(first))
    return SlowStates.from_states(SlowClock(clock.format).push(chunk))
