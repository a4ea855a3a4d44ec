"""What decoders share at their edges: columns of activations in, events of beats out.

`forward` has the same of its own; it may take these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Chunk, Event, InputError, SeriesFormat

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


def rows_of(chunk: Chunk, port: str, columns: int) -> NDArray[np.float32]:
    """Rows [frames, columns] that a chunk brings.

    Raises
    ------
    InputError
        If they have another number of columns, or are not finite.
    """
    if chunk.samples is None:
        return np.zeros((0, columns), np.float32)
    if chunk.samples.ndim != 2 or chunk.samples.shape[1] != columns:
        raise InputError(f"{port} come as rows of {columns} columns, these have shape {chunk.samples.shape}")
    if not np.isfinite(chunk.samples).all():
        raise InputError(f"{port} hold NaN or infinite values: give finite rows")
    return chunk.samples


def require_same_frames(cues: SeriesFormat, activations: SeriesFormat) -> None:
    """Refuse cues that are not of the frames of the activations.

    Raises
    ------
    InputError
        With both clocks.
    """
    if (cues.rate_hz, cues.start_s) != (activations.rate_hz, activations.start_s):
        raise InputError(
            f"cues at {cues.rate_hz:g} Hz from {cues.start_s:g} s do not fit activations at "
            f"{activations.rate_hz:g} Hz from {activations.start_s:g} s: make them with the same hop"
        )


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
