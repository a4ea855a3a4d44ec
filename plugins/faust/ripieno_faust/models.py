"""The strings of Faust's library of physical models, and what it takes to play them in tune.

Conventions
-----------
A string is a loop of two delay lines. Its period is their delay, which a model sets from a length in metres,
and a constant more: one sample for each block of the loop and each filter at its ends, and what the two
one-pole filters of a stiff string add. The library takes a length off by hand to be in tune at one pitch and
one rate; here it is put on again, and the true delay taken off.

References
----------
Michon, Smith, Chafe, Wang, Wright: The Faust physical modeling library, a modular playground for the digital
luthier. International Faust Conference, 2018.
Smith: Physical Audio Signal Processing. W3K Publishing, 2010: digital waveguides, the bow table.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Licence
from ripieno.toolkit.measuring.refine import hertz
from ripieno.toolkit.playing.player import Ability, Technique

LICENCE = Licence("CC0-1.0", source="ripieno-faust")
"""Of the sounds: a program's licence does not reach what it computes."""
RATE_HZ = 48000
SPEED_OF_SOUND = 340.0
"""Of Faust's library, metres a second."""
SHORTEST_DELAY = 2.2
"""Samples of each delay line: its interpolator is of fourth order, and wrong below 2."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """One string that is played.

    Parameters
    ----------
    profile : str
        The instrument it is.
    faust : str
        Its program, four controls in and one sound out. Bowed: length in metres, pressure, velocity and
        position of the bow. Plucked: length, position of the pluck, gain of each delay line, force.
    delay : float
        Samples of the loop beside delay lines and stiffness.
    ability : Ability
        What can be asked of it.
    tuning_m : float
        Length that the program takes off.
    stiffness : float
        Pole of its two one-pole filters.
    """

    profile: str
    faust: str
    delay: float
    ability: Ability
    tuning_m: float = 0.0
    stiffness: float = 0.0

    @property
    def bowed(self) -> bool:
        """Whether a bow plays it, else a finger or a pick."""
        return self.ability.excitation == "bowed"

    def loop(self, frequency_hz: Floats) -> Floats:
        """Samples of both delay lines for a frequency.

        The phase delay of a one-pole filter, the sum of s^k sin(k w) / (k w), is taken to second order in w.
        """
        pole, w = self.stiffness, 2 * np.pi * frequency_hz / RATE_HZ
        stiff = pole / (1 - pole) - w * w * (pole * (1 + pole) / (6 * (1 - pole) ** 3))
        samples: Floats = RATE_HZ / frequency_hz - self.delay - 2 * stiff
        return samples

    def length_m(self, frequency_hz: Floats) -> Floats:
        """What to set for a frequency."""
        return self.loop(frequency_hz) * (SPEED_OF_SOUND / RATE_HZ) + self.tuning_m

    def edge(self, pitch_midi: float) -> float:
        """How near to an end, as a share of the string, it may be excited at this pitch."""
        return 2 * SHORTEST_DELAY / float(self.loop(hertz(np.array(pitch_midi))))


# What a force leaves at 0 Hz dies away last of all, and no pickup or microphone hears it.
HEARD = " : fi.dcblockerat(20)"


def _acoustic(string: str) -> str:
    """The library's acoustic guitar with a hand that damps it, as its electric guitar has."""
    damped = f"pm.{string}(length, position, force) : (*(gain), *(gain), _)"
    chain = f"pm.guitarNuts : {damped} : pm.guitarBridge : pm.guitarBody : pm.out"
    return f"process(length, position, gain, force) = pm.endChain(pm.chain({chain})){HEARD};"


def _techniques(mode: str, other: str) -> tuple[Technique, ...]:
    return (
        Technique("plucked", mode, 5),
        Technique("plucked", other, 3),
        Technique("staccato", mode, 1.5),
        Technique("muted", mode, 1.5),
        Technique("tremolo", mode, 0.6, range_midi=(52, 79)),
        Technique("legato", mode, 0.25),
        Technique("legato", other, 0.25),
    )


GUITAR_STRINGS = (40.0, 45.0, 50.0, 55.0, 59.0, 64.0)

MODELS = {
    "violin": Model(
        profile="violin",
        faust="process = pm.violinModel;",
        delay=12,
        tuning_m=0.08,
        ability=Ability(
            lowest_midi=55,
            highest_midi=91,
            excitation="bowed",
            techniques=(
                Technique("sustained", "arco", 6),
                Technique("legato", "arco", 0.4),
                Technique("staccato", "arco", 1.5),
                Technique("tremolo", "arco", 0.7),
            ),
            voices=2,
            strings=(55, 62, 69, 76),
            portamento=True,
            vibrato=True,
        ),
    ),
    "electric_guitar": Model(
        profile="electric_guitar",
        faust=f"process = pm.elecGuitarModel{HEARD};",
        delay=17,
        tuning_m=0.11,
        stiffness=0.05,
        ability=Ability(
            lowest_midi=40,
            highest_midi=86,
            excitation="plucked",
            techniques=_techniques("pick", "finger"),
            voices=6,
            strings=GUITAR_STRINGS,
            fretted=True,
            portamento=True,
            vibrato=True,
            bends=True,
            vibrato_depth_cents=(5.0, 30.0),
            slur_semitones=5,
        ),
    ),
    "acoustic_guitar": Model(
        profile="acoustic_guitar",
        faust=_acoustic("nylonString"),
        delay=16,
        stiffness=0.4,
        ability=Ability(
            lowest_midi=40,
            highest_midi=80,
            excitation="plucked",
            techniques=_techniques("finger", "pick"),
            voices=6,
            strings=GUITAR_STRINGS,
            fretted=True,
            portamento=True,
            vibrato=True,
            vibrato_depth_cents=(4.0, 18.0),
            slur_semitones=4,
        ),
    ),
    "steel_guitar": Model(
        profile="acoustic_guitar",
        faust=_acoustic("steelString"),
        delay=16,
        stiffness=0.05,
        ability=Ability(
            lowest_midi=40,
            highest_midi=84,
            excitation="plucked",
            techniques=_techniques("pick", "finger"),
            voices=6,
            strings=GUITAR_STRINGS,
            fretted=True,
            portamento=True,
            vibrato=True,
            bends=True,
            vibrato_depth_cents=(4.0, 20.0),
            slur_semitones=4,
        ),
    ),
}
"""By the names that the data source takes."""
