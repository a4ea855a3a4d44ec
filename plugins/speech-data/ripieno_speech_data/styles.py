"""Kinds of music: who plays what in each, how fast, over which drums."""

from collections.abc import Mapping
from dataclasses import dataclass

from .electronics import LAYERS as ELECTRONIC
from .grooves import GROOVES, KITS
from .parts import ROLES

Programs = tuple[int, ...]

PIANO: Programs = (0, 0, 1, 2)
ELECTRIC_PIANO: Programs = (4, 5)
KEYS: Programs = (0, 1, 3, 4, 5, 6, 7)
BELLS: Programs = (8, 9, 10, 11, 12, 13, 14, 15, 108)
ORGAN: Programs = (16, 17, 18, 19, 20)
REED_ORGAN: Programs = (20, 21, 22, 23)
ACOUSTIC: Programs = (24, 25)
ELECTRIC: Programs = (26, 27, 28)
DRIVEN: Programs = (29, 30)
ACOUSTIC_BASS: Programs = (32, 43)
ELECTRIC_BASS: Programs = (33, 34, 35, 36, 37)
SYNTH_BASS: Programs = (38, 39, 87)
SOLO_STRINGS: Programs = (40, 41, 42, 110)
LOW_STRINGS: Programs = (42, 43, 48, 49)
STRINGS: Programs = (48, 49, 48, 49, 50, 51)
PLUCKED: Programs = (45, 46, 15, 104, 105, 106, 107, 108)
CHOIR: Programs = (52, 53, 54, 52, 53, 91)
BRASS: Programs = (56, 57, 58, 59, 60, 61, 62, 63)
HORNS: Programs = (60, 61, 57, 58)
REEDS: Programs = (64, 65, 66, 67, 68, 69, 70, 71)
PIPES: Programs = (72, 73, 74, 75, 76, 77, 78, 79)
LEADS: Programs = (80, 81, 82, 83, 84, 85, 86, 87)
PADS: Programs = (88, 89, 90, 91, 92, 93, 94, 95)
EFFECTS: Programs = (96, 97, 98, 99, 100, 101, 102, 103)
ANY: Programs = tuple(range(120))


@dataclass(frozen=True)
class Layer:
    """One player of a style.

    Parameters
    ----------
    roles : tuple of str
        Of `parts.ROLES`, one is drawn.
    programs : tuple of int
        Of General MIDI, from 0; one is drawn.
    around : tuple of int
        Least and greatest of the pitch that it keeps near.
    share : float
        How often it plays.
    volume : tuple of int
        Least and greatest.
    """

    roles: tuple[str, ...]
    programs: Programs
    around: tuple[int, int]
    share: float = 1.0
    volume: tuple[int, int] = (70, 110)


@dataclass(frozen=True)
class Style:
    """A kind of music.

    Parameters
    ----------
    weight : float
        How often it is drawn, against the others.
    tempo_bpm : tuple of float
        Least and greatest.
    layers : tuple of Layer
    grooves, kits : tuple of str
        Of `GROOVES` and `KITS`.
    drums : float
        How often there are any.
    electronic : tuple of str
        Of `electronics.LAYERS`.
    electronics : float
        How often each of them sounds.
    swung : float
        How often it is.
    worn : float
        How often it is made to sound like an old tape.
    """

    weight: float
    tempo_bpm: tuple[float, float]
    layers: tuple[Layer, ...] = ()
    grooves: tuple[str, ...] = ()
    kits: tuple[str, ...] = ("standard", "room")
    drums: float = 0.0
    electronic: tuple[str, ...] = ()
    electronics: float = 0.0
    swung: float = 0.05
    worn: float = 0.03


_ALL_DRUMS = tuple(GROOVES)
_BEATS = ("four_floor", "disco", "breakbeat", "trap", "hip_hop", "half_time", "claps")
_ROCK = ("rock", "hard_rock", "half_time", "train", "toms")
_SOFT = ("sparse", "shakers", "bossa", "jazz", "hands", "latin")

STYLES: Mapping[str, Style] = {
    "sparse_piano": Style(
        5,
        (50, 90),
        (
            Layer(("block", "arpeggio", "pad", "counter"), PIANO, (50, 62)),
            Layer(("melody", "counter"), PIANO, (66, 78), 0.7),
            Layer(("pad",), (*STRINGS, *PADS), (55, 66), 0.25, (40, 75)),
        ),
    ),
    "flowing_piano": Style(
        4,
        (70, 130),
        (
            Layer(("arpeggio", "ostinato"), PIANO, (48, 64)),
            Layer(("melody",), PIANO, (68, 80), 0.7),
            Layer(("bass",), PIANO, (38, 44), 0.5),
            Layer(("pad", "counter"), (*STRINGS, *CHOIR), (54, 68), 0.3, (40, 80)),
        ),
    ),
    "orchestral": Style(
        6,
        (60, 140),
        (
            Layer(("pad", "tremolo", "counter", "block"), STRINGS, (58, 70)),
            Layer(("bass", "drone"), LOW_STRINGS, (36, 44), 0.8),
            Layer(("counter", "pad", "stabs"), HORNS, (50, 60), 0.6),
            Layer(("melody", "run"), (*PIPES[:3], 68, 69, 70, 71, 40), (66, 80), 0.7),
            Layer(("arpeggio",), (46, 8, 45), (60, 74), 0.4),
            Layer(("drone", "bass"), (47,), (38, 45), 0.3),
        ),
        grooves=("cinematic", "march", "toms"),
        kits=("orchestra",),
        drums=0.35,
    ),
    "epic": Style(
        4,
        (80, 150),
        (
            Layer(("tremolo", "ostinato", "arpeggio"), STRINGS, (55, 66)),
            Layer(("stabs", "counter", "pad"), BRASS, (48, 60), 0.9),
            Layer(("pad",), CHOIR, (58, 68), 0.6),
            Layer(("bass", "drone"), (*LOW_STRINGS, *SYNTH_BASS), (34, 42), 0.9),
        ),
        grooves=("cinematic", "toms", "half_time", "march"),
        kits=("orchestra", "power"),
        drums=0.9,
        electronic=("sub", "sweep"),
        electronics=0.25,
    ),
    "string_quartet": Style(
        4,
        (55, 120),
        (
            Layer(("melody",), (40, 110), (70, 80)),
            Layer(("counter", "ostinato", "arpeggio"), (40, 41, 45), (60, 70), 0.9),
            Layer(("counter", "block"), (41, 42), (52, 62), 0.8),
            Layer(("bass", "counter"), (42, 43), (40, 50), 0.9),
        ),
    ),
    "solo": Style(
        6,
        (50, 140),
        (
            Layer(
                ("melody", "melody", "arpeggio", "run", "ostinato"),
                (*SOLO_STRINGS, *REEDS, *PIPES, *BRASS, *ACOUSTIC, *PLUCKED, *BELLS, 21, 22),
                (55, 74),
            ),
        ),
    ),
    "choir": Style(
        6,
        (50, 110),
        (
            Layer(("pad", "counter"), CHOIR, (52, 64), 1.0, (90, 120)),
            Layer(("pad", "melody", "counter"), CHOIR, (60, 72), 0.6),
            Layer(("pad", "arpeggio", "drone"), (*ORGAN, *STRINGS, *PADS), (48, 62), 0.4, (40, 80)),
            Layer(("bass", "drone"), (*LOW_STRINGS, 19), (36, 46), 0.3),
        ),
    ),
    "voice_like": Style(
        4,
        (55, 120),
        (
            Layer(("melody",), (52, 53, 54, 85, 91, 42, 70, 66, 57), (50, 66), 1.0, (95, 120)),
            Layer(("pad", "arpeggio", "block"), (*KEYS, *ACOUSTIC, *PADS), (52, 64), 0.8, (50, 90)),
            Layer(("bass",), ELECTRIC_BASS, (36, 44), 0.4),
        ),
        grooves=_SOFT,
        drums=0.3,
    ),
    "acoustic_guitars": Style(
        6,
        (70, 140),
        (
            Layer(("strum", "arpeggio"), ACOUSTIC, (50, 58)),
            Layer(("arpeggio", "melody", "strum"), ACOUSTIC, (55, 68), 0.6),
            Layer(("bass",), (*ACOUSTIC_BASS, *ELECTRIC_BASS), (36, 43), 0.5),
            Layer(("melody", "pad"), (*REED_ORGAN, *SOLO_STRINGS, *PIPES, 11), (64, 76), 0.3, (50, 90)),
        ),
        grooves=("shakers", "rock", "train", "hands", "claps", "sparse"),
        drums=0.4,
    ),
    "rock": Style(
        6,
        (90, 170),
        (
            Layer(("comp", "strum", "block", "ostinato"), (*DRIVEN, *DRIVEN, 27), (45, 55)),
            Layer(("bass",), ELECTRIC_BASS, (33, 41)),
            Layer(("melody", "arpeggio", "ostinato"), (*DRIVEN, 27, 16, 18), (60, 74), 0.5),
            Layer(("comp", "pad"), (*ORGAN[:3], *PIANO), (55, 66), 0.3),
        ),
        grooves=_ROCK,
        kits=("standard", "room", "power"),
        drums=0.95,
    ),
    "pop": Style(
        6,
        (80, 130),
        (
            Layer(("block", "comp", "arpeggio"), (*KEYS, *ACOUSTIC, *ELECTRIC), (54, 64)),
            Layer(("bass",), (*ELECTRIC_BASS, *SYNTH_BASS), (33, 42)),
            Layer(("pad",), (*STRINGS, *PADS, *CHOIR), (56, 68), 0.5, (40, 85)),
            Layer(("melody", "ostinato"), (*LEADS, *ELECTRIC, *BELLS), (66, 78), 0.5),
        ),
        grooves=(*_BEATS, "rock", "reggae"),
        kits=("standard", "room", "electronic", "808"),
        drums=0.9,
        electronic=("saws", "plucks", "bells"),
        electronics=0.15,
    ),
    "lo_fi": Style(
        5,
        (65, 95),
        (
            Layer(("comp", "block", "pad", "arpeggio"), (*ELECTRIC_PIANO, *PIANO, 26, 24), (54, 64)),
            Layer(("bass",), (*ELECTRIC_BASS, 32, 38), (33, 42), 0.9),
            Layer(("melody", "arpeggio"), (*BELLS, *ELECTRIC, 64, 65, 73), (64, 76), 0.5, (50, 90)),
        ),
        grooves=("hip_hop", "half_time", "breakbeat", "trap"),
        kits=("standard", "808", "electronic", "brush"),
        drums=0.9,
        swung=0.6,
        worn=0.8,
    ),
    "jazz": Style(
        4,
        (70, 170),
        (
            Layer(("comp", "block"), (*PIANO, 26, 11), (54, 64)),
            Layer(("bass",), ACOUSTIC_BASS, (36, 44)),
            Layer(("melody", "run"), (*REEDS[:4], 56, 59, 57, 11, 26, 71), (62, 74), 0.8),
        ),
        grooves=("jazz", "bossa", "latin"),
        kits=("jazz", "brush", "standard"),
        drums=0.8,
        swung=0.7,
    ),
    "world": Style(
        4,
        (60, 150),
        (
            Layer(("arpeggio", "ostinato", "melody"), (*PLUCKED, 109, 111, 114, 12), (55, 70)),
            Layer(("drone", "pad"), (*REED_ORGAN, 109, 104, *LOW_STRINGS), (45, 57), 0.5),
            Layer(("melody",), (*PIPES, 110, 111, 22), (64, 76), 0.6),
        ),
        grooves=("hands", "latin", "shakers", "toms"),
        drums=0.6,
    ),
    "music_box": Style(
        3,
        (60, 130),
        (
            Layer(("arpeggio", "melody", "ostinato"), BELLS, (67, 80)),
            Layer(("melody", "counter", "arpeggio"), BELLS, (60, 74), 0.6),
            Layer(("pad", "bass"), (*STRINGS, *PLUCKED, 42), (48, 60), 0.3),
        ),
    ),
    "organ": Style(
        3,
        (50, 130),
        (
            Layer(("pad", "block", "counter", "arpeggio"), (*ORGAN, *REED_ORGAN), (55, 66)),
            Layer(("melody", "run"), (*ORGAN, *REED_ORGAN), (66, 76), 0.6),
            Layer(("bass", "drone"), ORGAN, (36, 46), 0.5),
        ),
    ),
    "brass_band": Style(
        3,
        (80, 150),
        (
            Layer(("melody", "stabs"), (56, 57, 61, 65), (62, 72)),
            Layer(("stabs", "comp", "counter"), BRASS, (52, 62)),
            Layer(("bass",), (58, 57, 33), (34, 44)),
        ),
        grooves=("march", "disco", "rock", "latin", "breakbeat"),
        drums=0.7,
    ),
    "ambient": Style(
        6,
        (50, 90),
        (
            Layer(("pad", "drone", "counter"), (*PADS, *STRINGS, *CHOIR), (50, 64)),
            Layer(("pad", "drone"), (*PADS, *EFFECTS), (55, 72), 0.6, (50, 90)),
            Layer(
                ("arpeggio", "melody", "counter"),
                (*BELLS, *PIANO, *ELECTRIC_PIANO, 46),
                (62, 79),
                0.5,
                (50, 95),
            ),
        ),
        electronic=("saws", "sub", "sweep", "bells", "drone"),
        electronics=0.25,
    ),
    "synthwave": Style(
        4,
        (75, 130),
        (
            Layer(("bass", "ostinato"), SYNTH_BASS, (33, 43)),
            Layer(("pad",), PADS, (54, 66), 0.7),
            Layer(("arpeggio", "melody"), LEADS, (60, 74), 0.8),
        ),
        grooves=_BEATS,
        kits=("electronic", "808", "power"),
        drums=0.8,
        electronic=("saws", "plucks", "bells", "sweep", "beat"),
        electronics=0.35,
    ),
    "electronic": Style(
        8,
        (70, 150),
        electronic=("beat", "saws", "plucks", "bells", "sub", "sweep", "acid", "drone"),
        electronics=0.5,
    ),
    "drums_alone": Style(4, (60, 170), grooves=_ALL_DRUMS, kits=tuple(KITS), drums=1.0),
    "tension": Style(
        4,
        (60, 130),
        (
            Layer(("tremolo", "drone", "ostinato"), (44, 48, 49, 42), (50, 64)),
            Layer(("drone",), (*EFFECTS, *PADS, 43), (36, 50), 0.7),
            Layer(("stabs", "run"), (55, 14, 0, 47, 60, 45), (50, 70), 0.5),
        ),
        grooves=("cinematic", "sparse", "toms"),
        kits=("orchestra", "electronic"),
        drums=0.4,
        electronic=("drone", "sweep", "sub"),
        electronics=0.35,
    ),
    "anything": Style(
        8,
        (55, 170),
        tuple(Layer(tuple(ROLES), ANY, (40, 76), share) for share in (1.0, 0.8, 0.6, 0.4, 0.2)),
        grooves=_ALL_DRUMS,
        kits=tuple(KITS),
        drums=0.4,
        electronic=ELECTRONIC,
        electronics=0.06,
        swung=0.2,
        worn=0.08,
    ),
}
