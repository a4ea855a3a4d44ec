"""What the performances of a set add up to.

Conventions
-----------
Performances are taken one after the other and let go: what is kept is a few numbers for each note.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Licence, Note, Performance
from ripieno.contracts.performance import DYNAMICS, PITCH

from ..show.scene import middle_midi

# Half a semitone between the lowest and the highest point: a glide, a bend, a wide vibrato.
MOVING_SEMITONES = 0.5


def _floats() -> "array[float]":
    return array("d")


@dataclass
class Channel:
    """One channel over all notes that have it.

    Parameters
    ----------
    values : array of float
        Median breakpoint of each note in which it is not masked.
    masked : int
        Notes in which it is.
    """

    values: "array[float]" = field(default_factory=_floats)
    masked: int = 0

    @property
    def notes(self) -> int:
        """Notes that have it."""
        return len(self.values) + self.masked


@dataclass
class Tally:
    """Sums over performances; `add` takes one more."""

    clips: int = 0
    duration_s: float = 0.0
    notes: int = 0
    masked: int = 0
    moving: int = 0
    durations_s: "array[float]" = field(default_factory=_floats)
    cents: "array[float]" = field(default_factory=_floats)
    keys: Counter[tuple[int, str]] = field(default_factory=Counter)
    articulations: Counter[tuple[str, str]] = field(default_factory=Counter)
    instruments: Counter[str] = field(default_factory=Counter)
    channels: dict[str, Channel] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    provenance: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: dict[Licence, None] = field(default_factory=dict)

    def add(self, performance: Performance) -> None:
        """Count one performance."""
        self.clips += 1
        self.duration_s += performance.duration_s
        self.unknown.update(performance.masked_outputs)
        self.provenance.update(performance.field_provenance.items())
        self.licences.update(dict.fromkeys(performance.licences))
        for stream in performance.streams:
            self.instruments[stream.instrument] += 1
            for note in stream.notes:
                self._add_note(note)

    def _add_note(self, note: Note) -> None:
        self.notes += 1
        self.masked += bool(note.masked)
        self.durations_s.append(note.duration_s)
        self.articulations[note.articulation, note.mode] += 1
        for name, envelope in note.envelopes.items():
            if name == PITCH:
                continue
            channel = self.channels.setdefault(name, Channel())
            if name in note.masked:
                channel.masked += 1
            else:
                # A note is as loud as its loudest point.
                value = envelope.values.max() if name == DYNAMICS else np.median(envelope.values)
                channel.values.append(float(value))
        pitch = middle_midi(note)
        if pitch is None:
            return
        key = int(np.floor(pitch + 0.5))
        self.keys[key, note.articulation] += 1
        if PITCH not in note.masked:
            self.cents.append(100 * (pitch - key))
            self.moving += bool(np.ptp(note.envelopes[PITCH].values) >= MOVING_SEMITONES)


def numbers(values: "array[float]") -> NDArray[np.float64]:
    """The values as an array."""
    return np.frombuffer(values, np.float64) if values else np.zeros(0)
