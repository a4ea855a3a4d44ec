"""Beats and sections.

Conventions
-----------
Times are seconds of the audio they belong to, float64. Beat times are strictly increasing. A position
is the beat's place in its bar, 1 = downbeat, 0 = unknown. Sections are half open, [start_s, end_s), in
order, and do not overlap.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require, settle
from .errors import InputError
from .formats import SeriesFormat
from .series import BeatClock

if TYPE_CHECKING:
    from .streaming import Chunk

# No recording that anybody beats time to is longer; milliseconds and samples go past it at once.
LONGEST_S = 48 * 3600


def _times(values: Any, name: str) -> NDArray[np.float64]:
    times = np.asarray(values, np.float64)
    require(times.ndim == 1, f"{name} has shape {times.shape}, expected one axis")
    require(np.isfinite(times).all(), f"{name} holds NaN or infinite times")
    first, last = times.min(initial=0), times.max(initial=0)
    require(first >= 0, f"{name} holds {first:g}: times are seconds from the start, >= 0")
    unit = "are these milliseconds or samples? Times are seconds"
    require(last <= LONGEST_S, f"{name} runs to {last:g}: {unit}")
    return read_only(times)


@dataclass(frozen=True, eq=False)
class Beats(Artifact):
    """Beat times and their places in the bar.

    Parameters
    ----------
    times_s : ndarray [beats]
        Strictly increasing, >= 0.
    positions : ndarray [beats], optional
        1 = downbeat, 0 = unknown; unknown where not given.
    confidence : ndarray [beats], optional
        In [0, 1]; 1 where not given.
    known_s : ndarray [beats], optional
        When each beat was known; its own time where not given.

    Raises
    ------
    InputError
        If times do not increase, look like another unit, or lengths differ.
    """

    kind = "beats"
    times_s: NDArray[np.float64]
    positions: NDArray[np.int64] = None  # type: ignore[assignment]  # filled below, never None after
    confidence: NDArray[np.float32] = None  # type: ignore[assignment]
    known_s: NDArray[np.float64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        times_s = _times(self.times_s, "times_s")
        count = len(times_s)
        given = np.zeros(count) if self.positions is None else np.asarray(self.positions)
        with np.errstate(invalid="ignore"):
            positions = given.astype(np.int64)
        require((positions == given).all(), "a position is a whole number")
        confidence = np.ones(count, np.float32) if self.confidence is None else self.confidence
        confidence = np.asarray(confidence, np.float32)
        known_s = _times(times_s if self.known_s is None else self.known_s, "known_s")
        settle(self, times_s=times_s, positions=read_only(positions), confidence=read_only(confidence))
        settle(self, known_s=known_s)
        if (np.diff(times_s) <= 0).any():
            at = int(np.diff(times_s).argmin())
            later, earlier = f"beat {at + 1} at {times_s[at + 1]:g} s", f"beat {at} at {times_s[at]:g} s"
            raise InputError(f"{later} is not after {earlier}")
        counts = f"{count} beats, {positions.size} positions, {confidence.size} confidences"
        require(positions.shape == confidence.shape == known_s.shape == (count,), counts)
        require((positions >= 0).all(), "a position is 1 for the downbeat, 0 for unknown, never less")
        require(((confidence >= 0) & (confidence <= 1)).all(), "confidence must lie in [0, 1]")

    @property
    def downbeats_s(self) -> NDArray[np.float64]:
        """Times of the beats at position 1."""
        downbeats_s: NDArray[np.float64] = self.times_s[self.positions == 1]
        return downbeats_s


@dataclass(frozen=True, eq=False)
class Sections(Artifact):
    """The form of a piece.

    Parameters
    ----------
    start_s, end_s : ndarray [sections]
        Seconds; each section ends after it starts and before the next one starts.
    labels : tuple of str
        One a section; equal labels mean the same part again.
    """

    kind = "sections"
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        start_s, end_s = _times(self.start_s, "start_s"), _times(self.end_s, "end_s")
        labels = tuple(map(str, self.labels))
        settle(self, start_s=start_s, end_s=end_s, labels=labels)
        counts = f"{len(start_s)} starts, {len(end_s)} ends, {len(labels)} labels"
        require(len(start_s) == len(end_s) == len(labels), counts)
        require((end_s > start_s).all(), "a section must end after it starts")
        require((start_s[1:] >= end_s[:-1]).all(), "sections overlap or are out of order")


class Tracked(NamedTuple):
    """What a beat tracker gives: the beats, and the clock between them."""

    beats: Beats
    clock: BeatClock

    @classmethod
    def from_chunks(cls, chunks: Iterable["Chunk"], format: SeriesFormat) -> "Tracked":
        """What a session gave: rows of the clock, and an event ``beat`` for each beat.

        Parameters
        ----------
        chunks : iterable of Chunk
            All that it gave. The value of a beat may have ``position`` and ``confidence``.
        format : SeriesFormat
            Of the rows.
        """
        chunks = list(chunks)
        rows = [chunk.samples for chunk in chunks if chunk.samples is not None]
        none = np.zeros((0, len(format.names)), np.float32)
        found = [event for chunk in chunks for event in chunk.events if event.what == "beat"]
        beats = Beats(
            np.array([event.time_s for event in found]),
            positions=np.array([event.value.get("position", 0) for event in found], np.int64),
            confidence=np.array([event.value.get("confidence", 1) for event in found], np.float32),
            known_s=np.array([event.known_s for event in found]),
        )
        return cls(beats, BeatClock.from_rows(np.concatenate([none, *rows]), format))
