"""What a stream carries, said before anything of it is seen.

Conventions
-----------
A port that streams has a format: `AudioFormat` for sound, `SeriesFormat` for rows at a steady rate,
`EventFormat` where events alone flow (beats, sections).
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class AudioFormat:
    """A stream of sound.

    Parameters
    ----------
    rate_hz : int
        Samples a second, > 0.
    channels : int
        >= 1.
    """

    rate_hz: int
    channels: int


@dataclass(frozen=True)
class SeriesFormat:
    """A stream of rows: features, activations, a beat clock, a trajectory.

    Parameters
    ----------
    rate_hz : float
        Rows a second, > 0.
    names : tuple of str
        One a column.
    start_s : float
        Time of the first row.
    """

    rate_hz: float
    names: tuple[str, ...]
    start_s: float = 0.0


@dataclass(frozen=True)
class EventFormat:
    """A stream of events without samples."""


StreamFormat: TypeAlias = AudioFormat | SeriesFormat | EventFormat
