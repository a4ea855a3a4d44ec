"""Beats and sections.

Conventions
-----------
Times are seconds of the audio they belong to, float64. Beat times are strictly increasing. A position
is the beat's place in its bar, 1 = downbeat, 0 = unknown. Sections are half open, [start_s, end_s), in
order, and do not overlap.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require
from .errors import InputError
from .series import BeatClock

# No recording that anybody beats time to is longer; milliseconds and samples go past it at once.
LONGEST_S = 48 * 3600


def _times(values: Any, name: str) -> NDArray[np.float64]:
    times = np.asarray(values, np.float64)
    require(times.ndim == 1, f"{name} has shape {times.shape}, expected one axis")
    require(bool(np.isfinite(times).all()), f"{name} holds NaN or infinite times")
    if times.size:
        require(times.min() >= 0, f"{name} holds {times.min():g}: times are seconds from the start, >= 0")
        require(
            times.max() <= LONGEST_S,
            f"{name} runs to {times.max():g}: are these milliseconds or samples? Times are seconds",
        )
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

    Raises
    ------
    InputError
        If times do not increase, look like another unit, or lengths differ.
    """

    kind = "beats"
    times_s: NDArray[np.float64]
    positions: NDArray[np.int64] = None  # type: ignore[assignment]  # filled below, never None after
    confidence: NDArray[np.float32] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        times_s = _times(self.times_s, "times_s")
        count = len(times_s)
        given = np.zeros(count) if self.positions is None else np.asarray(self.positions)
        with np.errstate(invalid="ignore"):
            positions = given.astype(np.int64)
        require(bool((positions == given).all()), "a position is a whole number")
        confidence = np.ones(count, np.float32) if self.confidence is None else self.confidence
        object.__setattr__(self, "times_s", times_s)
        object.__setattr__(self, "positions", read_only(positions))
        object.__setattr__(self, "confidence", read_only(np.asarray(confidence, np.float32)))
        steps = np.diff(times_s)
        if steps.size and steps.min() <= 0:
            at = int(steps.argmin())
            raise InputError(
                f"beat {at + 1} at {times_s[at + 1]:g} s is not after beat {at} at {times_s[at]:g} s"
            )
        require(
            self.positions.shape == self.confidence.shape == (count,),
            f"{count} beats, {self.positions.size} positions, {self.confidence.size} confidences",
        )
        require(
            bool((self.positions >= 0).all()), "a position is 1 for the downbeat, 0 for unknown, never less"
        )
        require(
            bool(((self.confidence >= 0) & (self.confidence <= 1)).all()), "confidence must lie in [0, 1]"
        )

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
        object.__setattr__(self, "start_s", _times(self.start_s, "start_s"))
        object.__setattr__(self, "end_s", _times(self.end_s, "end_s"))
        object.__setattr__(self, "labels", tuple(self.labels))
        require(
            len(self.start_s) == len(self.end_s) == len(self.labels),
            f"{len(self.start_s)} starts, {len(self.end_s)} ends, {len(self.labels)} labels",
        )
        require(bool((self.end_s > self.start_s).all()), "a section must end after it starts")
        require(bool((self.start_s[1:] >= self.end_s[:-1]).all()), "sections overlap or are out of order")


class Tracked(NamedTuple):
    """What a beat tracker gives: the beats, and the clock between them."""

    beats: Beats
    clock: BeatClock
