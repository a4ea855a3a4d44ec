"""What the whole of a recording says: of each frame, and of the beats that were found.

Where the forward filter weighs a frame by how likely it is a beat, this weighs it by its activation: beats
are not found yet.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bar_space import Floats, Indexes
from .cue_evidence import CueEvidence
from .observation import DownbeatEvidence

MEMORY_BEATS = 3.0
"""Beats around one that count for how well it is heard, at 1 / e."""


def evidence_of_beats(
    evidence: DownbeatEvidence | CueEvidence, heard: Iterable[tuple[Any, ...]], beat: Floats, *, rows: int
) -> Floats:
    """Log-likelihood of each bar row for a beat in each frame [frames, bar rows].

    Parameters
    ----------
    evidence : DownbeatEvidence or CueEvidence
        As new.
    heard : iterable of tuple
        What it hears in each frame; where that ends before the activations, it says nothing.
    beat : ndarray [frames]
        Activations.
    rows : int
        Bar rows.
    """
    scores = np.zeros((len(beat), rows))
    for frame, values in zip(range(-evidence.delay, len(beat)), heard, strict=False):
        said = evidence.hear(*values)
        if frame >= 0:
            scores[frame] = said
            evidence.learn(float(beat[frame]))
    return scores


class Hearing:
    """How beats are heard: on them, between them, and half-way.

    Parameters
    ----------
    activation : ndarray [frames]
        Of beats, in [0, 1].
    starts, intervals, zones : ndarray [beats]
        Frames: where each beat starts, until the next one, and how many of them are heard as the beat.
    """

    def __init__(self, activation: Floats, starts: Indexes, intervals: Indexes, zones: Indexes) -> None:
        def heard(first: Indexes, stop: Indexes) -> list[NDArray[np.float64]]:
            edges = np.clip(np.stack([first, stop], axis=1), 0, len(activation)).tolist()
            return [activation[begin:end] for begin, end in edges]

        ends, middles = starts + intervals, starts + intervals // 2
        self._on = np.array([span.max(initial=0) for span in heard(starts - 1, starts + zones + 1)])
        self._middle = np.array([span.max(initial=0) for span in heard(middles - 1, middles + zones + 1)])
        between = heard(starts + zones + 1, ends - 1)
        # Of a beat at the end nothing is heard after it, and no contrast.
        off = np.array([span.mean() if len(span) else on for span, on in zip(between, self._on, strict=True)])
        self.contrast = np.maximum(0, self._on - off) / (self._on + off + 0.05)
        """How much higher activations are on each beat than after it, 0 to nearly 1 [beats]."""

    @property
    def confidence(self) -> Floats:
        """The contrast of each beat and those around it [beats]."""
        return smoothed(self.contrast)

    @property
    def double_share(self) -> Floats:
        """How likely twice the tempo is beside this one: what is heard half-way between beats [beats]."""
        on, middle = smoothed(self._on), smoothed(self._middle)
        return middle / np.maximum(on + middle, 1e-9)

    @property
    def half_share(self) -> Floats:
        """How likely half the tempo is beside this one: how unequal beats are by turns [beats]."""
        turns = (-1.0) ** np.arange(len(self._on))
        mean, swing = smoothed(self._on), np.abs(smoothed(turns * self._on))
        return swing / np.maximum(mean + swing, 1e-9)


def smoothed(values: Floats) -> Floats:
    """Means [beats] over the beats around each, the nearer the more."""
    reach = round(4 * MEMORY_BEATS)
    kernel = np.exp(-np.abs(np.arange(-reach, reach + 1)) / MEMORY_BEATS)
    sums, weights = (np.convolve(each, kernel)[reach:-reach] for each in (values, np.ones(len(values))))
    return np.asarray(sums / weights)
