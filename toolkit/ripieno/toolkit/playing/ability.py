"""What a player can do on an instrument as it is rendered, and what is asked for in a phrase."""

from dataclasses import dataclass
from typing import Literal

from ripieno.contracts import InputError
from ripieno.contracts.performance import ARTICULATIONS

SLURRED = "legato"
# What flows, so that a slur can go on from it.
SLURRABLE = ("sustained", "plucked", "struck")


@dataclass(frozen=True)
class Technique:
    """One way to sound a note, held for a phrase.

    Parameters
    ----------
    articulation : str
        One of the contract's. ``legato`` is not held: it slurs, within phrases of the same mode that are
        sustained, plucked or struck, and its weight is the share of slurs among the notes that could be.
    mode : str
        In the words of the instrument's profile.
    weight : float
        How common it is, > 0.
    range_midi : tuple of float, optional
        Lowest and highest pitch it is good for; that of the instrument where not given.
    """

    articulation: str
    mode: str
    weight: float = 1.0
    range_midi: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.articulation not in ARTICULATIONS:
            raise InputError(f"{self.articulation!r} is none of {', '.join(ARTICULATIONS)}")
        if self.weight <= 0:
            raise InputError(f"{self.articulation}: weight is {self.weight:g}, and should be above 0")


@dataclass(frozen=True)
class Ability:
    """What can be asked of an instrument.

    Parameters
    ----------
    lowest_midi, highest_midi : float
        Range that is rendered well; an octave at least.
    excitation : {"bowed", "plucked", "struck"}
        Bowed and plucked voices are single lines; struck notes may ring into each other.
    techniques : tuple of Technique
        At least one that is not ``legato``.
    voices : int
        Notes at once, >= 1.
    mean_voices : float
        Voices of a clip in the mean, where `voices` allows and the instrument is not struck: what is
        rendered takes time for each.
    strings : tuple of float
        Open strings, low to high; with them what sounds at once lies under one hand.
    fretted : bool
        Keys are exact semitones, and slides go from fret to fret. Else a few cents are off, as a person's.
    portamento, vibrato, bends, pedal : bool
        Slurs may glide; long notes may have vibrato; a string may be bent; there is a sustain pedal.
    vibrato_depth_cents : tuple of float
        Least and greatest amplitude of a vibrato that has grown.
    slur_semitones : float
        Farthest a slur goes from its first note.
    """

    lowest_midi: float
    highest_midi: float
    excitation: Literal["bowed", "plucked", "struck"]
    techniques: tuple[Technique, ...]
    voices: int = 1
    mean_voices: float = 1.3
    strings: tuple[float, ...] = ()
    fretted: bool = False
    portamento: bool = False
    vibrato: bool = False
    bends: bool = False
    pedal: bool = False
    vibrato_depth_cents: tuple[float, float] = (8.0, 40.0)
    slur_semitones: float = 12.0

    def __post_init__(self) -> None:
        if not self.held:
            raise InputError("a player needs a technique beside legato")
        if self.slur_semitones < 3:
            raise InputError(f"slur_semitones is {self.slur_semitones:g}: a melody wants 3 at least")
        for lowest, highest in map(self.range_of, self.held):
            if highest - lowest < 12:
                raise InputError(f"{lowest:g} to {highest:g}: a player wants an octave at least")

    @property
    def bowed(self) -> bool:
        """Whether notes last as long as they are played, and swell."""
        return self.excitation == "bowed"

    @property
    def held(self) -> tuple[Technique, ...]:
        """The techniques that a phrase can be played with."""
        return tuple(one for one in self.techniques if one.articulation != SLURRED)

    def slurs(self, technique: Technique) -> float:
        """Share of slurs in a phrase of this technique; 0 where it has none."""
        if technique.articulation not in SLURRABLE:
            return 0.0
        slurs = (one for one in self.techniques if one.articulation == SLURRED)
        return min(1.0, sum(one.weight for one in slurs if one.mode == technique.mode))

    def range_of(self, technique: Technique) -> tuple[float, float]:
        """Lowest and highest pitch of a technique, MIDI numbers."""
        return technique.range_midi or (self.lowest_midi, self.highest_midi)


@dataclass(frozen=True)
class Passage:
    """What a phrase is made of, and its room.

    Parameters
    ----------
    technique : Technique
        How it is played.
    scale : tuple of int
        Pitches of the key from its tonic up, which is a pitch class.
    beat_s : float
        Length of a beat.
    onset_s, until_s : float
        Where it begins, and by when it has ended.
    """

    technique: Technique
    scale: tuple[int, ...]
    beat_s: float
    onset_s: float
    until_s: float

    @property
    def room_s(self) -> float:
        """How long it may last."""
        return self.until_s - self.onset_s
