"""The slow clock of a step that gives a beat clock."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ripieno.contracts.errors import InputError, StepError
from ripieno.contracts.formats import SeriesFormat
from ripieno.contracts.slow_clock import SlowClock
from ripieno.contracts.streaming import Chunk

from .messages import State


class StepClock:
    """Turns what a beat tracker's session gives into states.

    Parameters
    ----------
    step : str
        Its name.
    format : SeriesFormat
        Of the rows of its clock.

    Raises
    ------
    StepError
        If they are no rows of a beat clock.
    """

    def __init__(self, step: str, format: SeriesFormat) -> None:
        self.step = step
        with self._named():
            self._clock = SlowClock(format)
        self._names = format.names
        self._metres = [
            int(name.removeprefix("metre_")) for name in format.names if name.startswith("metre_")
        ]

    def push(self, chunk: Chunk) -> Iterator[State]:
        """A state for each slow frame that the rows reach, with the row that it comes from.

        Raises
        ------
        StepError
            If a row is no state of a beat.
        """
        self._clock.push(Chunk(chunk.until_s, events=chunk.events))
        for row in () if chunk.samples is None else chunk.samples:
            values = dict(zip(self._names, row.tolist(), strict=True))
            with self._named():
                states = self._clock.push(Chunk(chunk.until_s, row[np.newaxis]))
            for state in states:
                yield State(
                    step=self.step,
                    state=state,
                    metre={metre: values[f"metre_{metre}"] for metre in self._metres},
                    beat_activation=values["beat_activation"],
                    downbeat_activation=values["downbeat_activation"],
                )

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            raise StepError(f'step "{self.step}" gives no beat clock: {error}') from error
