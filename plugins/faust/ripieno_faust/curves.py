"""Curves of a stroke: written as envelopes of its notes, and read from them sample by sample."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import Envelope, Note
from ripieno.toolkit.playing.ability import SLURRED

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

DECIMALS = 4


def strokes(voice: Sequence[Note]) -> Iterator[tuple[Note, ...]]:
    """The notes of a voice, each with those that are slurred to it."""
    starts = [index for index, note in enumerate(voice) if not index or note.articulation != SLURRED]
    for start, stop in zip(starts, (*starts[1:], len(voice)), strict=True):
        yield tuple(voice[start:stop])


def with_curves(note: Note, times_s: Floats, **values: Floats) -> Note:
    """The note with these channels too, rounded as they are written: what is written is what is played."""
    curves = {name: Envelope(times_s, np.round(curve, DECIMALS)) for name, curve in values.items()}
    return replace(note, envelopes={**note.envelopes, **curves})


def grid(note: Note, *, step_s: float, corners_s: Sequence[float] = ()) -> Floats:
    """Times of a note from its first to its last, one each step, and the corners that lie in it."""
    steps_s = note.onset_s + np.arange(0, note.duration_s, step_s)
    inside = [corner for corner in corners_s if note.onset_s < corner < note.offset_s]
    times_s = np.unique(np.concatenate([steps_s, inside, [note.offset_s]]))
    # Nearer points than half a sample are one.
    kept: Floats = times_s[np.concatenate([np.diff(times_s) > 1e-5, [True]])]
    return kept


def sampled(notes: Sequence[Note], channel: str, times_s: Floats) -> Floats:
    """A channel of a stroke at ascending times, linear between its points; at the end it stays."""
    curves = [note.envelopes[channel] for note in notes]
    points_s = [
        part for curve, note in zip(curves, notes, strict=True) for part in (curve.times_s, [note.offset_s])
    ]
    values = [part for curve in curves for part in (curve.values, curve.values[-1:])]
    return np.interp(times_s, np.concatenate(points_s), np.concatenate(values))


def wandering(rng: np.random.Generator, *, depth: float) -> Curve:
    """A slow, smooth, irregular movement about 0, as of a hand: `depth` is its standard deviation."""
    rates_hz = rng.uniform(0.3, 4.0, 4)
    phases = rng.uniform(0, 2 * np.pi, 4)

    def at(times_s: Floats) -> Floats:
        waves = np.sin(2 * np.pi * times_s[:, None] * rates_hz + phases)
        return np.asarray(depth * np.sqrt(0.5) * waves.sum(axis=1))

    return at
