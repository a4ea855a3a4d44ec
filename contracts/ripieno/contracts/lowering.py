"""Performances as arrays of frames: what networks learn from and figures are measured on.

Conventions
-----------
Frame k is at ``start_s + k / rate_hz``. A note sounds in the frames of [onset_s, offset_s). Notes that
sound at once stand in lanes of their own: each takes the first lane that is free when it begins, so one
voice fills one lane.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .artifact import require
from .interpolation import interpolate_all
from .performance import Stream

FRAMES_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Lowered:
    """One player's notes, frame by frame.

    Parameters
    ----------
    values : ndarray [lanes, frames, channels]
        float64 in the channels' units; NaN where no note sounds or a note has no such envelope.
    known : ndarray [lanes, frames, channels]
        False where `values` is NaN or the note masks the channel.
    notes : ndarray [lanes, frames]
        int32 index of the note in its stream; -1 where none sounds.
    channels : tuple of str
        Names of the last axis.
    rate_hz, start_s : float
        Of the frames.
    """

    values: NDArray[np.float64]
    known: NDArray[np.bool_]
    notes: NDArray[np.int32]
    channels: tuple[str, ...]
    rate_hz: float
    start_s: float

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Of the frames."""
        return _times_s(np.arange(self.notes.shape[1]), self.rate_hz, self.start_s)

    def channel(self, name: str) -> NDArray[np.float64]:
        """Values of one channel, [lanes, frames]."""
        require(name in self.channels, f"no channel {name!r} was lowered: {', '.join(self.channels)}")
        values: NDArray[np.float64] = self.values[:, :, self.channels.index(name)]
        return values


def lower(
    stream: Stream, *, rate_hz: float, channels: Sequence[str], frames: int, start_s: float = 0.0
) -> Lowered:
    """A stream's envelopes at a frame rate, exact at breakpoints.

    Parameters
    ----------
    stream : Stream
    rate_hz : float
        Frames a second, > 0: ``audio.rate_hz / hop``.
    channels : sequence of str
        What to lower, in this order.
    frames : int
        How many, >= 0.
    start_s : float
        Time of frame 0.

    Returns
    -------
    Lowered
        At least one lane. All notes of a channel are evaluated together: 10,000 notes take a fraction of
        a second.
    """
    require(rate_hz > 0, f"{rate_hz:g} frames a second: a rate is positive")
    require(frames >= 0, f"{frames} frames: there are none or more")
    notes, channels = stream.notes, tuple(channels)
    onsets_s = np.array([note.onset_s for note in notes])
    offsets_s = np.array([note.offset_s for note in notes])
    begins = _first_frames(onsets_s, rate_hz, start_s, frames)
    lengths = np.maximum(_first_frames(offsets_s, rate_hz, start_s, frames) - begins, 0)
    lanes = _lanes(onsets_s, offsets_s)

    count = int(lanes.max(initial=0)) + 1
    sounding = np.full(count * frames, -1, np.int32)
    values = np.full((len(channels), count * frames), np.nan)
    known = np.zeros((len(channels), count * frames), bool)
    for block in _blocks(lengths):
        some, sizes = notes[block], lengths[block]
        # Where the frames of each note begin: of all in the block, in its lane, and in time.
        counted, starts = np.arange(sizes.sum()), np.cumsum(sizes) - sizes
        row = counted + np.repeat(lanes[block] * frames + begins[block] - starts, sizes)
        times_s = _times_s(counted + np.repeat(begins[block] - starts, sizes), rate_hz, start_s)
        sounding[row] = np.repeat(np.arange(block.start, block.stop), sizes)
        for index, name in enumerate(channels):
            having = np.array([name in note.envelopes for note in some])
            is_known = np.array([name in note.envelopes and name not in note.masked for note in some])
            envelopes = [note.envelopes[name] for note in some if name in note.envelopes]
            which = np.repeat(np.arange(len(envelopes)), sizes[having])
            here = slice(None) if having.all() else np.repeat(having, sizes)
            values[index, row[here]] = interpolate_all(envelopes, which, times_s[here])
            known[index, row] = np.repeat(is_known, sizes)
    shape = (len(channels), count, frames)
    return Lowered(
        np.moveaxis(values.reshape(shape), 0, 2),
        np.moveaxis(known.reshape(shape), 0, 2),
        sounding.reshape(count, frames),
        channels,
        float(rate_hz),
        float(start_s),
    )


def _blocks(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Notes in a row whose frames fit into the processor's cache together, which halves the time."""
    passed = np.cumsum(lengths) // FRAMES_AT_ONCE
    edges = [0, *(np.diff(passed).nonzero()[0] + 1).tolist(), lengths.size]
    return (slice(*edge) for edge in pairwise(edges) if edge[0] < edge[1])


def _times_s(frame: NDArray[np.int64], rate_hz: float, start_s: float) -> NDArray[np.float64]:
    return start_s + frame / rate_hz


def _first_frames(
    times_s: NDArray[np.float64], rate_hz: float, start_s: float, frames: int
) -> NDArray[np.int64]:
    """The first frame at or after each time, by the frames' own times and not by rounding."""
    first = np.ceil((times_s - start_s) * rate_hz).astype(np.int64)
    first -= _times_s(first - 1, rate_hz, start_s) >= times_s
    first += _times_s(first, rate_hz, start_s) < times_s
    return np.clip(first, 0, frames)


def _lanes(onsets_s: NDArray[np.float64], offsets_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """A lane for each note: the first one that is free."""
    free_s: list[float] = []
    lanes = np.zeros(onsets_s.size, np.int64)
    for index, (onset_s, offset_s) in enumerate(zip(onsets_s.tolist(), offsets_s.tolist(), strict=True)):
        lane = next((lane for lane, until_s in enumerate(free_s) if until_s <= onset_s), len(free_s))
        lanes[index] = lane
        free_s[lane : lane + 1] = [offset_s]
    return lanes
