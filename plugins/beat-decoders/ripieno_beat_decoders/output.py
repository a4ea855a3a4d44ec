"""What decoders give beside their own idea: events of beats, rows of the clock, how well beats are heard.

The particle filter and the Viterbi decoder are written with these; any other decoder may be.
"""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts import Event, InputError, SeriesFormat

BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
HEADS = ("beat", "downbeat")


def head_columns(format: SeriesFormat) -> list[int]:
    """Columns of the heads ``beat`` and ``downbeat`` in rows of activations.

    Raises
    ------
    InputError
        If there is none.
    """
    for head in HEADS:
        if head not in format.names:
            raise InputError(
                f"no head {head!r} in the activations: there are {', '.join(format.names) or 'none'}"
            )
    return [format.names.index(head) for head in HEADS]


@dataclass(frozen=True)
class Beat:
    """A beat as it is told.

    Parameters
    ----------
    time_s, known_s : float
        When it falls, and when that was known.
    position, beats_per_bar : int
        Place in its bar, from 1.
    spb_s : float
        Seconds to the next one.
    confidence : float
        In [0, 1].
    """

    time_s: float
    known_s: float
    position: int
    beats_per_bar: int
    spb_s: float
    confidence: float

    @property
    def events(self) -> tuple[Event, Event]:
        """The beat, and the prediction of the next one."""
        value = {
            "position": self.position,
            "beats_per_bar": self.beats_per_bar,
            "tempo_bpm": 60 / self.spb_s,
            "confidence": self.confidence,
        }
        following = {"position": self.position % self.beats_per_bar + 1}
        return (
            Event(self.time_s, self.known_s, "beat", value),
            Event(self.time_s + self.spb_s, self.known_s, "next_beat", following),
        )


class BeatEvidence:
    """How much higher activations are on the beats than between them, of late.

    Parameters
    ----------
    rate_hz : float
        Frames a second.
    memory_s : float
        How fast the past is forgotten, > 0.
    """

    near_s = 0.04
    """Frames this near to a beat are on it."""

    def __init__(self, *, rate_hz: float, memory_s: float = 2.0) -> None:
        self._kept = float(np.exp(-1 / (memory_s * rate_hz)))
        # Mean and weight on the beat, and off it.
        self._on, self._off = np.zeros(2), np.zeros(2)

    def hear(self, activation: float, *, away_s: float) -> float:
        """Take a frame this far from the nearest beat; the evidence, in [0, 1]."""
        self._on *= self._kept
        self._off *= self._kept
        heard = self._on if away_s <= self.near_s else self._off
        heard += (activation, 1)
        on, off = (total / max(weight, 1e-9) for total, weight in (self._on, self._off))
        return float(max(0.0, on - off) / (on + off + 0.05))
