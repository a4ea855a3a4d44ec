"""What writer and reader of MPE MIDI agree on.

Conventions
-----------
A tick is 1/48000 s, so a note begins on the very sample. Pitch bend spans 48 semitones either way in 14
bits: 0.59 cents a step, 0.29 cents at most off the curve. Other channels have 7 bits over a range that
the file names. A zone is the lower one, with 15 member channels, so 15 notes; each track has its own.

References
----------
MIDI Association: MIDI Polyphonic Expression, version 1.0, 2018 (M1-100-UM).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope
from ripieno.contracts.artifact import require
from ripieno.contracts.performance import DYNAMICS, PITCH

TICKS_PER_BEAT = 24000
TEMPO_US = 500_000
TICKS_PER_S = TICKS_PER_BEAT * 1_000_000 // TEMPO_US
BEND_SEMITONES, BEND_STEPS = 48, 8192
MEMBERS = 15
BEND_RANGE, MPE_ZONE = (0, 0), (0, 6)  # registered parameter numbers
SUSTAIN_PEDAL = 64

PRESSURE = "pressure"
KNOWN = {"sustain_pedal": SUSTAIN_PEDAL, "soft_pedal": 67, "vibrato_rate_hz": 76, "vibrato_depth_cents": 77}
# MPE's third dimension, then what MIDI leaves free.
FREE = (74, *range(16, 20), *range(20, 32), *range(102, 120))


@dataclass(frozen=True)
class Control:
    """A MIDI controller of 7 bits that carries a channel.

    Parameters
    ----------
    control : int or "pressure"
        Number of the controller; channel pressure.
    minimum, maximum : float
        Values of the channel at 0 and 127, in its unit.
    """

    control: int | str
    minimum: float
    maximum: float

    def steps(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Values as 0 to 127; beyond the range they stay at its end."""
        share = (values - self.minimum) / (self.maximum - self.minimum)
        return np.clip(np.rint(127 * share), 0, 127).astype(np.int64)

    def values(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `steps`."""
        return self.minimum + steps / 127 * (self.maximum - self.minimum)

    def to_json(self) -> dict[str, Any]:
        """As it stands in a file."""
        return asdict(self)


# Half a decibel a step; also the scale of velocities.
LOUDNESS = Control(PRESSURE, -63.5, 0.0)


def controls_of(notes: Iterable[Mapping[str, Envelope]]) -> dict[str, Control]:
    """Which controller carries which channel of a player, over what range.

    Dynamics are pressure. The range of a channel is 0 to 1, wider where its values are.

    Parameters
    ----------
    notes : iterable of mapping of str to Envelope
        The envelopes of each note.

    Returns
    -------
    mapping of str to Control

    Raises
    ------
    InputError
        If there are more channels than MIDI has controllers left.
    """
    ranges: dict[str, tuple[float, float]] = {}
    for envelopes in notes:
        for name, envelope in envelopes.items():
            least, greatest = ranges.get(name, (0.0, 1.0))
            ranges[name] = min(least, envelope.values.min()), max(greatest, envelope.values.max())
    others = sorted(ranges.keys() - {PITCH, DYNAMICS})
    unknown = [name for name in others if name not in KNOWN]
    require(len(unknown) <= len(FREE), f"{len(unknown)} channels: MIDI has {len(FREE)} controllers for them")
    numbers = KNOWN | dict(zip(unknown, FREE, strict=False))
    loudness = {DYNAMICS: LOUDNESS} if DYNAMICS in ranges else {}
    return loudness | {name: Control(numbers[name], *map(float, ranges[name])) for name in others}
