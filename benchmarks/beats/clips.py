"""The twelve clips that beat trackers are measured on.

Each is half a minute of one difficulty, the same bytes every time. In 6/8 the beat is the dotted quarter, two
to a bar. Swing and shuffle are 4/4 with off-beats on the last third of the beat. A break silences all players;
its beats go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ripieno.contracts import Audio, Beats

from .instruments import RATE_HZ
from .mixing import mixed
from .patterns import MINOR, Groove, Harmony, Players, accompaniment, count, fill, harmony, melody
from .score import Grid, Note, Span, performed, without

SEED = 20_240_817
DURATION_S = 30.0

SOUL = Groove(
    4,
    drums={
        "kick": "9.....6...8.....|9.....6..78.....",
        "snare": "....8..2.2..8...",
        "hat": "6.3.6.3.6.3.6.32",
    },
    bass="R_....R...R.F_O_|R_....R..OR_F_A_",
    chords="..5___________..|..5_____....4___",
)
ROCK = Groove(
    4,
    drums={"kick": "9...8...|9..68...", "snare": "..9...9.", "hat": "75757575"},
    bass="RRRRRRRR|RRRRRRRA",
    chords="7___6_5_",
)
DRUM_AND_BASS = Groove(
    4,
    drums={
        "kick": "9.........8.....|9.........8...6.",
        "snare": "....9..3.2..9...|....9..3.2..9..4",
        "hat": "6.5.6.5.6.5.6.5.",
    },
    bass="R_______....R_O_|R_____F_________",
    chords="5_______________",
)
DISCO = Groove(
    4,
    drums={"kick": "9.9.9.9.", "clap": "..8...8.", "open_hat": ".6.6.6.6"},
    bass="RORORORO",
    chords="..6..6..",
)
WALTZ = Groove(
    3,
    drums={"kick": "9..", "snare": "..5.4.", "ride": "747.4."},
    bass="R_F",
    chords=".65",
)
SIX_EIGHT = Groove(
    2,
    drums={"kick": "9.....|9....5", "snare": "...9..", "hat": "634634"},
    bass="R___F_|R__O_A",
    chords="abcdcb",
)
SWING = Groove(
    4,
    drums={"ride": "7.757.75", "hat": "..6...6.", "kick": "4.3.4.3.", "snare": ".....3..|...2...3"},
    bass="RTFA|RFOA",
    chords="6..5....|...6..5_",
    swing=2 / 3,
)
SHUFFLE = Groove(
    4,
    drums={"kick": "9...8..6", "snare": "..9...9.", "hat": "75757575"},
    bass="R.FRO.FR",
    chords=".5.5.5.5",
    swing=2 / 3,
)
CHORDS_ALONE = Groove(4, bass="R_______|R___F___", chords="7_5_6_5_|7_5_6_54")


@dataclass(frozen=True)
class Clip:
    """Sound and its beats.

    Parameters
    ----------
    name : str
        A name for files.
    audio : Audio
        Mono, at 44 100 Hz.
    beats : Beats
        As composed, positions included; players are a few milliseconds off them.
    breaks_s : tuple of (float, float)
        Spans in which no one plays.
    """

    name: str
    audio: Audio
    beats: Beats
    breaks_s: tuple[Span, ...] = ()

    @property
    def tempo_bpm(self) -> float:
        """The median tempo."""
        return 60 / float(np.median(np.diff(self.beats.times_s)))


def twelve() -> tuple[Clip, ...]:
    """The clips, in the order of the table of results."""
    pop = harmony((1, 6, 4, 5), tonic=36, beats_each=4)
    minor = harmony((1, 6, 3, 7), tonic=33, beats_each=4, scale=MINOR)
    waltz = harmony((1, 4, 2, 5), tonic=38, beats_each=3)
    ballad = harmony((1, 5, 6, 4), tonic=31, beats_each=2)
    jazz = harmony((2, 5, 1, 6), tonic=34, beats_each=4)
    blues = harmony((1, 1, 4, 1, 5, 4, 1, 5), tonic=40, beats_each=4)
    ramp = Grid.paced(np.linspace(90, 140, 55))
    step = Grid.paced(np.repeat((100, 132), (24, 32)))
    return (
        clip("clicks_90", list(count(steady(90))), steady(90)),
        band("drums_90", steady(90), SOUL, minor),
        band("drums_120", steady(120), DISCO, pop, Players("synth_bass", "guitar")),
        band("drums_174", steady(174), DRUM_AND_BASS, minor, Players("synth_bass", "pad")),
        band("ramp_90_140", ramp, ROCK, pop, Players("electric_bass", "guitar")),
        band("three_four_140", steady(140, beats_per_bar=3), WALTZ, waltz, Players("upright_bass", "piano")),
        band(
            "six_eight_66", steady(66, beats_per_bar=2), SIX_EIGHT, ballad, Players("electric_bass", "guitar")
        ),
        band("swing_150", steady(150, swing=SWING.swing), SWING, jazz, Players("upright_bass", "piano")),
        band("shuffle_112", steady(112, swing=SHUFFLE.swing), SHUFFLE, blues, Players(chords="organ")),
        band("breaks_108", steady(108), SOUL, pop, breaks=((16, 20), (31, 35), (44, 48))),
        band("chords_84", steady(84), CHORDS_ALONE, minor, Players("pad", "pad"), lead="vocal"),
        band("step_100_132", step, ROCK, minor, Players("synth_bass", "electric_piano")),
    )


def steady(tempo_bpm: float, *, beats_per_bar: int = 4, swing: float = 0.5) -> Grid:
    """Beats of one tempo for the length of a clip."""
    beats = int((DURATION_S - 0.5) * tempo_bpm / 60)
    return Grid.paced(np.full(beats, tempo_bpm), beats_per_bar=beats_per_bar, swing=swing)


def band(
    name: str,
    grid: Grid,
    groove: Groove,
    harmony: Harmony,
    players: Players = Players(),
    *,
    lead: str = "lead",
    breaks: tuple[Span, ...] = (),
) -> Clip:
    """A groove with a melody over it, and a fill every eight bars where there are drums."""
    rng = _generator(f"{name} written")
    notes = list(accompaniment(groove, harmony, grid, players=players))
    notes += melody(harmony, grid, rng, voice=lead)
    if groove.drums:
        for bar in range(7, max(grid.bars), 8):
            notes += fill(bar, grid, rng)
    return clip(name, notes, grid, breaks=breaks)


def clip(name: str, notes: Iterable[Note], grid: Grid, *, breaks: tuple[Span, ...] = ()) -> Clip:
    """Notes played by people in a room."""
    rng = _generator(name)
    strokes = performed(without(notes, breaks), grid, rng)
    sound = mixed(strokes, DURATION_S, rng)
    breaks_s = tuple((grid.time_s(start), grid.time_s(end)) for start, end in breaks)
    audio = Audio(sound.astype(np.float32), RATE_HZ)
    return Clip(name, audio, Beats(grid.times_s[:-1], grid.positions), breaks_s)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng([SEED, *name.encode()])
