"""The best path of beats through a bar space, exactly, for all of a recording at once.

Conventions
-----------
A path is a row of beats: the frame in which each starts, its interval and its bar row. As nothing is
decided within a beat, only starts are searched: the best score of a beat that starts in a frame follows
from those of the beats that end there. Scores are logarithms.

References
----------
Krebs, Böck, Widmer: An efficient state-space model for joint tempo and meter tracking. ISMIR 2015.
Murphy: Hidden semi-Markov models. Technical report, UC Berkeley, 2002.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bar_space import BarSpace, Floats, Indexes

Floats32 = NDArray[np.float32]

SEGMENT = 2048
"""Frames whose scores are held at a time."""


@dataclass(frozen=True)
class Path:
    """Beats, the first and the last of them perhaps cut off by the edges of the recording.

    Parameters
    ----------
    starts : ndarray [beats]
        Frames, increasing; the first is 0 or negative.
    intervals : ndarray [beats]
        Frames until the next start.
    rows : ndarray [beats]
        Bar rows.
    """

    starts: Indexes
    intervals: Indexes
    rows: Indexes


class BeatScores:
    """What each beat is worth by itself.

    Parameters
    ----------
    space : BarSpace
    zone : ndarray [frames, bar rows]
        Log-likelihoods; those of a beat's zone are added up.
    fall : ndarray [frames, bar rows]
        Log-likelihoods of a beat that falls in the frame: the middle of its zone.
    """

    def __init__(self, space: BarSpace, zone: Floats, fall: Floats) -> None:
        self.frames, self._space = len(zone), space
        self._middles = np.rint(space.beat_centres).astype(np.intp)
        # Beats may start before the first frame, and end after the last one.
        edges = ((space.longest, space.longest + 1), (0, 0))
        self._fall = np.pad(fall, edges)
        self._sums = np.cumsum(np.pad(zone, edges), axis=0)

    def of(self, starts: Indexes) -> Floats32:
        """Scores [starts, bar rows, intervals] of beats that start in these frames."""
        first = starts[:, None] + self._space.longest
        in_zone = self._sums[first - 1 + self._space.zone_frames] - self._sums[first - 1]
        scores = in_zone + self._fall[first + self._middles]
        return np.asarray(scores.transpose(0, 2, 1), np.float32)


def best_path(space: BarSpace, scores: BeatScores, *, prior: Floats, tempo: Floats, bar: Floats) -> Path:
    """The path with the best sum of scores and transitions.

    Scores are kept for some seconds at a time and computed again on the way back, so that an hour takes
    some ten megabytes.

    Parameters
    ----------
    space : BarSpace
    scores : BeatScores
        Of at least one frame.
    prior : ndarray [bar rows, intervals]
        Log-probability of the beat under way in frame 0, for each frame that it may have started in.
    tempo : ndarray [intervals before, intervals after]
        Log-probability of each next interval.
    bar : ndarray [bar rows before, bar rows after]
        Log-probability of each next bar row.
    """
    search = _Search(space, scores, tempo=tempo, bar=bar)
    before = search.begin(prior)
    begun = []
    for first in range(1, max(2, scores.frames), SEGMENT):
        begun.append((first, before))
        found = search.fill(first, before)
        before = found[-space.longest :]
        # Only differences count; small numbers keep them exact in float32.
        before = before - before.max()
    state = search.best_end(before)
    beats = [state]
    for first, before in reversed(begun):
        if first != begun[-1][0]:
            found = search.fill(first, before)
        while beats[-1][0] >= first:
            beats.append(search.previous(*beats[-1], found, first))
    starts, rows, intervals = np.array(beats[::-1]).T
    return Path(starts, space.intervals[intervals], rows)


State = tuple[int, int, int]
"""Start, bar row and interval of a beat, the latter two as indexes."""


class _Search:
    """Best scores of paths that end with a beat that starts in a frame: arrays [starts, bar rows, intervals]."""

    def __init__(self, space: BarSpace, own: BeatScores, *, tempo: Floats, bar: Floats) -> None:
        self._space, self._own = space, own
        self._tempo, self._bar = tempo.astype(np.float32), bar.astype(np.float32)
        self._every_row = np.arange(len(bar))[:, None]
        self._every_interval = np.arange(len(tempo))

    def begin(self, prior: Floats) -> Floats32:
        """Scores of beats under way in frame 0: of starts in the `longest` frames up to it."""
        return np.asarray(prior, np.float32) + self._own.of(np.arange(1 - self._space.longest, 1))

    def fill(self, first: int, before: Floats32) -> Floats32:
        """Scores of starts from `first` on, for a segment, behind those of the `longest` frames before."""
        longest, shortest = self._space.longest, self._space.shortest
        stop = min(first + SEGMENT, self._own.frames)
        found = np.empty((longest + max(0, stop - first), *before.shape[1:]), np.float32)
        found[:longest] = before
        # As many frames as the shortest beat has do not depend on each other.
        for start in range(first, stop, shortest):
            starts = np.arange(start, min(stop, start + shortest))
            places = starts - first + longest
            found[places] = self._entered(self._ended(found, places)) + self._own.of(starts)
        return found

    def best_end(self, last: Floats32) -> State:
        """The best beat under way in the last frame, from scores of the `longest` last starts."""
        starts = np.arange(self._own.frames - self._space.longest, self._own.frames)
        ends = starts[:, None] + self._space.intervals
        is_under_way = (ends >= self._own.frames) & (ends > 0)
        scores = np.where(is_under_way[:, None, :], last, -np.inf)
        start, row, interval = np.unravel_index(int(scores.argmax()), scores.shape)
        return int(starts[start]), int(row), int(interval)

    def previous(self, start: int, row: int, interval: int, found: Floats32, first: int) -> State:
        """The beat before, from scores that `fill` gave."""
        ended = self._ended(found, np.array([start - first + self._space.longest]))[0]
        ways = ended + self._tempo[:, interval] + self._bar[:, row, None]
        row, interval = (int(index) for index in np.unravel_index(int(ways.argmax()), ways.shape))
        return start - int(self._space.intervals[interval]), row, interval

    def _ended(self, found: Floats32, places: Indexes) -> Floats32:
        """Scores of the beats that end at these places of what was found."""
        starts = places[:, None] - self._space.intervals
        return found[starts[:, None, :], self._every_row, self._every_interval]

    def _entered(self, ended: Floats32) -> Floats32:
        """The best scores with which beats start where others end."""
        ways = ended.transpose(2, 0, 1)[..., None] + self._tempo[:, None, None, :]
        best = ways.max(axis=0)
        entered: Floats32 = (best[:, :, None, :] + self._bar[:, :, None]).max(axis=1)
        return entered
