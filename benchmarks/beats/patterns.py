"""What is played: chords, grooves, fills, melodies.

Conventions
-----------
A lane is written bar by bar, ``|`` between bars, and repeats; a bar is divided evenly by its letters. In
drums and chords a digit is a stroke of that strength, 1 to 9, ``.`` a rest, ``_`` holds the stroke before; in
chords ``a`` to ``e`` are single notes of the chord, the lowest first. In basses R is the root, O its octave,
T the third, F the fifth, A a half-tone below the next root.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from .score import Grid, Note

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
BASS_LOWEST, CHORD_LOWEST = 28, 55
KIT_PITCHES_MIDI = {"click": 84, "rim": 79, "cowbell": 73, "tom": 45, "conga": 55}


@dataclass(frozen=True)
class Groove:
    """A bar or more of accompaniment; lanes left empty rest."""

    beats_per_bar: int
    drums: dict[str, str] = field(default_factory=dict)
    bass: str = ""
    chords: str = ""
    swing: float = 0.5


@dataclass(frozen=True)
class Chord:
    """A bass note and the voices above it, in MIDI notes, low to high."""

    root: int
    voices: tuple[int, ...]


@dataclass(frozen=True)
class Harmony:
    """Chords in turn, each for so many beats, and the pitch classes of their scale."""

    chords: tuple[Chord, ...]
    beats_each: float
    pitch_classes: frozenset[int]

    def at(self, beat: float) -> Chord:
        """The chord that sounds at a beat."""
        return self.chords[int(beat // self.beats_each) % len(self.chords)]


@dataclass(frozen=True)
class Players:
    """Who plays the bass and the chords."""

    bass: str = "electric_bass"
    chords: str = "electric_piano"


def harmony(
    degrees: Sequence[int], *, tonic: int, beats_each: float, scale: Sequence[int] = MAJOR, voices: int = 4
) -> Harmony:
    """Chords of thirds on degrees of a scale, 1 = tonic, each voice near those of the chord before."""
    chords = tuple(_chord(degree, tonic, scale, voices) for degree in degrees)
    return Harmony(chords, beats_each, frozenset((tonic + step) % 12 for step in scale))


def _chord(degree: int, tonic: int, scale: Sequence[int], voices: int) -> Chord:
    steps = [degree - 1 + 2 * third for third in range(voices)]
    pitches = [tonic + scale[step % 7] + 12 * (step // 7) for step in steps]
    upper = sorted(CHORD_LOWEST + (pitch - CHORD_LOWEST) % 12 for pitch in pitches)
    return Chord(BASS_LOWEST + (pitches[0] - BASS_LOWEST) % 12, tuple(upper))


def accompaniment(
    groove: Groove, harmony: Harmony, grid: Grid, *, players: Players = Players()
) -> Iterator[Note]:
    """Drums, bass and chords of a groove from the first downbeat to the end."""
    yield from drums(groove, grid)
    yield from bass(groove.bass, harmony, grid, voice=players.bass)
    yield from chords(groove.chords, harmony, grid, voice=players.chords)


def drums(groove: Groove, grid: Grid) -> Iterator[Note]:
    for voice, lane in groove.drums.items():
        for beat, _, letter in _letters(lane, grid):
            yield Note(voice, beat, 0.25, KIT_PITCHES_MIDI.get(voice, 0), int(letter) / 9)


def bass(lane: str, harmony: Harmony, grid: Grid, *, voice: str) -> Iterator[Note]:
    for beat, length, letter in _letters(lane, grid):
        chord, coming = harmony.at(beat), harmony.at(beat + harmony.beats_each)
        third = min(
            (pitch - chord.root) % 12 for pitch in chord.voices if (pitch - chord.root) % 12 in (3, 4)
        )
        pitches = {"R": 0, "O": 12, "T": third, "F": 7, "A": coming.root - 1 - chord.root}
        yield Note(voice, beat, 0.95 * length, chord.root + pitches[letter], 0.85 if letter == "R" else 0.7)


def chords(lane: str, harmony: Harmony, grid: Grid, *, voice: str) -> Iterator[Note]:
    for beat, length, letter in _letters(lane, grid):
        voices = harmony.at(beat).voices
        if not letter.isdigit():
            picked = voices["abcde".index(letter) % len(voices)]
            yield Note(voice, beat, length, picked, 0.6)
            continue
        for strum, pitch in enumerate(voices):
            yield Note(voice, beat + 0.012 * strum, 0.95 * length, pitch, int(letter) / 9)


def _letters(lane: str, grid: Grid) -> Iterator[tuple[float, float, str]]:
    """Beat, length in beats and letter of what sounds in a lane, from the first downbeat to the grid's end."""
    if not lane:
        return
    written = lane.split("|")
    for bar in range(max(grid.bars) + 1):
        letters = written[bar % len(written)]
        step = grid.beats_per_bar / len(letters)
        for at, letter in enumerate(letters):
            beat = bar * grid.beats_per_bar + at * step
            if letter not in "._" and beat < grid.end:
                rest = letters[at + 1 :]
                yield beat, step * (1 + len(rest) - len(rest.lstrip("_"))), letter


def fill(bar: int, grid: Grid, rng: Generator) -> Iterator[Note]:
    """A roll through the second half of a bar, and a crash on the downbeat that follows."""
    end = (bar + 1) * grid.beats_per_bar
    start = end - max(1, grid.beats_per_bar // 2)
    for beat in np.arange(start, end, 0.25):
        if rng.random() < 0.8:
            toms = {"voice": "tom", "pitch_midi": rng.choice((41, 45, 50))}
            struck = toms if rng.random() < 0.5 else {"voice": "snare", "pitch_midi": 0}
            yield Note(**struck, beat=float(beat), length=0.25, velocity=rng.uniform(0.5, 0.9))
    if end < grid.end:
        yield Note("crash", end, 1, 0, 0.9)
        yield Note("kick", end, 0.25, 0, 0.95)


def melody(harmony: Harmony, grid: Grid, rng: Generator, *, voice: str, busy: float = 0.5) -> Iterator[Note]:
    """A line that walks by step, rests now and then, and is on the chord on downbeats.

    Parameters
    ----------
    busy : float
        In [0, 1]: how short its notes are.
    """
    lengths = np.array([0.5, 1, 1.5, 2])
    weights = np.exp(-2 * busy * lengths)
    ladder = [pitch for pitch in range(64, 84) if pitch % 12 in harmony.pitch_classes]
    rung, beat = len(ladder) // 2, float(-grid.pickup)
    while beat < grid.end:
        length = float(rng.choice(lengths, p=weights / weights.sum()))
        if rng.random() < 0.85:
            rung = int(np.clip(rung + rng.integers(-2, 3), 0, len(ladder) - 1))
            pitch = ladder[rung]
            if beat % grid.beats_per_bar == 0:
                near = [p + 12 * octave for p in harmony.at(beat).voices for octave in (0, 1, 2)]
                pitch = min(near, key=lambda p: abs(p - pitch))
            yield Note(voice, beat, 0.9 * min(length, grid.end - beat), pitch, rng.uniform(0.5, 0.85))
        beat += length


def count(grid: Grid) -> Iterator[Note]:
    """A click on every beat, the downbeat's higher and harder."""
    for beat, position in enumerate(grid.positions, -grid.pickup):
        first = position == 1
        yield Note("click", beat, 0.2, 91 if first else 84, 0.9 if first else 0.6)
