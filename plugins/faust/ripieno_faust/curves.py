"""Curves of a voice: written as envelopes of its notes, and read from them sample by sample."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import Envelope, Note

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

DECIMALS = 4


def with_curves(note: Note, **curves: Envelope) -> Note:
    """The note with these channels too."""
    return replace(note, envelopes={**note.envelopes, **curves})


def grid(note: Note, *, step_s: float, corners_s: Sequence[float] = ()) -> Floats:
    """Times of a note from its first to its last, one each step, and the corners that lie in it."""
    steps_s = note.onset_s + np.arange(0, note.duration_s, step_s)
    inside = [corner for corner in corners_s if note.onset_s < corner < note.offset_s]
    times_s = np.unique(np.concatenate([steps_s, inside, [note.offset_s]]))
    # Points nearer than a sample say nothing, and make slopes that are not numbers.
    return times_s[np.concatenate([[True], np.diff(times_s) > 1e-5])]


def envelope(times_s: Floats, values: Floats) -> Envelope:
    """Values as they are written, so that what is written is what is played."""
    return Envelope(times_s, np.round(values, DECIMALS))


def sampled(notes: Sequence[Note], channel: str, times_s: Floats, *, rest: float | None = None) -> Floats:
    """A channel of a voice at ascending times, linear between its points.

    Parameters
    ----------
    notes : sequence of Note
        Of one voice: in order, none before the last has ended.
    rest : float, optional
        Value between notes; where not given, that of the last note stays until the next.
    """
    points, values = [], []
    for note in notes:
        curve = note.envelopes[channel]
        first, last = curve.values[0], curve.values[-1]
        before, after = (values[-1][-1] if values else first, last) if rest is None else (rest, rest)
        points += [[note.onset_s, note.onset_s], curve.times_s, [note.offset_s, note.offset_s]]
        values += [[before, first], curve.values, [last, after]]
    return np.interp(times_s, np.concatenate(points), np.concatenate(values))


def wandering(rng: np.random.Generator, *, depth: float) -> Curve:
    """A slow, smooth, irregular movement about 0, as of a hand: `depth` is its standard deviation."""
    rates_hz = rng.uniform(0.3, 4.0, 4)
    phases = rng.uniform(0, 2 * np.pi, 4)

    def at(times_s: Floats) -> Floats:
        waves = np.sin(2 * np.pi * times_s[:, None] * rates_hz + phases)
        return np.asarray(depth * np.sqrt(0.5) * waves.sum(axis=1))

    return at
