"""Pulses of a film: the frames on which a beat, or a part of one, falls.

Conventions
-----------
A pulse is the frame whose beginning is nearest to its time: half a frame late or early at most. Between two
neighbouring pulses the phase rises evenly from 0 to 1; so a tempo that changes is followed beat by beat.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Beats

Frames = NDArray[np.int64]
SHORTEST_S = 0.05


def pulse_frames(
    beats: Beats | None, *, subdivision_beats: float, bpm: float | None, fps: float, frames: int
) -> Frames:
    """Frames of all pulses of a film, strictly increasing, from before its begin to after its end.

    Parameters
    ----------
    beats : Beats or None
        Found ones; the first and the last interval go on to both ends.
    subdivision_beats : float
        From pulse to pulse, > 0. Below 1, a beat has the number of parts that fits best; from 1 on, the
        nearest whole number of beats, counted from downbeats where these are known.
    bpm : float or None
        Tempo where there are fewer than two beats; then the only beat, or else 0 s, is one.
    fps : float
        Frames a second.
    frames : int
        Of the film.

    Returns
    -------
    ndarray
        Empty where nothing is known of beats.
    """
    known_s = np.zeros(0) if beats is None else beats.times_s
    positions = np.zeros(0, np.int64) if beats is None else beats.positions
    if len(known_s) < 2:
        if bpm is None:
            return np.zeros(0, np.int64)
        first_s = float(known_s[0]) if len(known_s) else 0.0
        known_s, positions = np.array([first_s, first_s + 60 / bpm]), np.zeros(2, np.int64)
    every = max(1, round(subdivision_beats))
    times_s, places = _continued(known_s, positions, until_s=frames / fps, more=every)
    pulses_s = (
        times_s[places % every == 0] if subdivision_beats >= 1 else _between(times_s, subdivision_beats)
    )
    return np.unique(np.round(pulses_s * fps).astype(np.int64))


def phase_of(pulses: Frames, first: int, last: int) -> NDArray[np.float64]:
    """Of frames `first` to before `last`: 0 on a pulse, rising to 1 at the next one.

    `pulses` holds one at `first` or before, and one after the last frame.
    """
    frames = np.arange(first, last)
    index = np.searchsorted(pulses, frames, side="right") - 1
    return (frames - pulses[index]) / (pulses[index + 1] - pulses[index])


def _continued(
    known_s: NDArray[np.float64], positions: NDArray[np.int64], *, until_s: float, more: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Beats from before 0 s to after the end, `more` on both sides, and the number of each since a downbeat."""
    # Beats that stand closer than any music's would fill the time around them with millions.
    first_s = max(float(known_s[1] - known_s[0]), SHORTEST_S)
    last_s = max(float(known_s[-1] - known_s[-2]), SHORTEST_S)
    early = ceil(known_s[0] / first_s) + more
    late = ceil(max(until_s - known_s[-1], 0) / last_s) + more
    before_s = known_s[0] - first_s * np.arange(early, 0, -1)
    after_s = known_s[-1] + last_s * np.arange(1, late + 1)
    numbers = np.arange(-early, len(known_s) + late)
    return np.concatenate([before_s, known_s, after_s]), numbers - _downbeats(positions, early, late)


def _downbeats(positions: NDArray[np.int64], early: int, late: int) -> NDArray[np.int64]:
    """The number of the beat with which each bar begins; of the first one before it, 0 where none is known."""
    numbers = np.arange(len(positions))
    starts = np.flatnonzero(positions == 1)
    if not len(starts):
        return np.zeros(early + len(positions) + late, np.int64)
    under_way = starts[np.maximum(np.searchsorted(starts, numbers, side="right") - 1, 0)]
    return np.concatenate([np.full(early, under_way[0]), under_way, np.full(late, under_way[-1])])


def _between(times_s: NDArray[np.float64], subdivision_beats: float) -> NDArray[np.float64]:
    """Beats and the even parts of each interval; the parts of a beat are as many as fit best."""
    parts = max(1, round(1 / subdivision_beats))
    places = np.arange((len(times_s) - 1) * parts + 1) / parts
    return np.interp(places, np.arange(len(times_s)), times_s)
