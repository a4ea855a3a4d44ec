"""Melodies: keys, and the figures a hand finds in them.

Conventions
-----------
A ladder is the ascending pitches of a key within a range, MIDI numbers. A figure is a row of steps on it:
+1 is the next rung up. A melody that leaves the ladder turns back at its end.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SCALES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "whole-tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 7, 10), (0, 7))
SCALE_WEIGHTS = np.array([6, 4, 2, 2, 2, 2, 2, 0.5, 1.5])

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def draw_scale(rng: np.random.Generator) -> tuple[int, ...]:
    """Semitones above the tonic, of a key drawn; the tonic, 0 to 11, is added."""
    name = rng.choice(list(SCALES), p=SCALE_WEIGHTS / SCALE_WEIGHTS.sum())
    tonic = int(rng.integers(12))
    return tuple(tonic + degree for degree in SCALES[str(name)])


def draw_chord(rng: np.random.Generator, scale: Sequence[int]) -> tuple[int, ...]:
    """Pitch classes of a chord on a degree of the scale, its root first; of the key where there is one."""
    root = int(rng.choice(scale))
    tones = [tuple((root + tone) % 12 for tone in chord) for chord in CHORDS]
    in_key = [chord for chord in tones if set(chord) <= set(np.mod(scale, 12))]
    chords = in_key or tones
    return chords[int(rng.integers(len(chords)))]


def ladder(scale: tuple[int, ...], *, lowest_midi: float, highest_midi: float) -> Ints:
    """Pitches of the scale within a range, ascending; MIDI numbers."""
    pitches = np.arange(int(np.ceil(lowest_midi)), int(np.floor(highest_midi)) + 1)
    rungs: Ints = pitches[np.isin(pitches % 12, np.array(scale) % 12)]
    return rungs


def draw_register(
    rng: np.random.Generator, *, lowest_midi: float, highest_midi: float
) -> tuple[float, float]:
    """A part of the range, ten semitones to two octaves; its ends are as common as its middle."""
    span = min(rng.uniform(10, 24), highest_midi - lowest_midi)
    low = rng.uniform(lowest_midi - span / 2, highest_midi - span / 2)
    low = min(max(low, lowest_midi), highest_midi - span)
    return low, low + span


def draw_melody(rng: np.random.Generator, rungs: Ints, *, count: int) -> Floats:
    """`count` pitches on a ladder, by a figure that is drawn."""
    names = list(FIGURES)
    weights = np.array([FIGURES[name][0] for name in names])
    _, figure = FIGURES[str(rng.choice(names, p=weights / weights.sum()))]
    places = rng.integers(rungs.size) + np.concatenate([[0], np.cumsum(figure(rng, count - 1))])
    return rungs[_reflected(places[:count], rungs.size)].astype(np.float64)


def _reflected(places: Ints, size: int) -> Ints:
    """Places folded back into 0 to size - 1 at both ends."""
    around = np.mod(places, 2 * (size - 1))
    folded: Ints = np.minimum(around, 2 * (size - 1) - around)
    return folded


def _way(rng: np.random.Generator) -> int:
    return int(rng.choice([-1, 1]))


def _scale(rng: np.random.Generator, count: int) -> Ints:
    """Step by step, perhaps turning once."""
    turn = rng.integers(count // 2, count + 3)
    return _way(rng) * np.where(np.arange(count) < turn, 1, -1)


def _arpeggio(rng: np.random.Generator, count: int) -> Ints:
    """Every other rung, perhaps turning once; the fourth tone is the octave."""
    steps = np.resize([2, 2, 3], count) if rng.random() < 0.6 else np.full(count, 2)
    turn = rng.integers(count // 2, count + 3)
    return _way(rng) * np.where(np.arange(count) < turn, steps, -steps)


def _broken_thirds(rng: np.random.Generator, count: int) -> Ints:
    return _way(rng) * np.resize([2, -1], count)


def _leaps(rng: np.random.Generator, count: int) -> Ints:
    """Far up and far down in turn."""
    return _way(rng) * np.resize([1, -1], count) * rng.integers(3, 9, count)


def _repeated(rng: np.random.Generator, count: int) -> Ints:
    """Each tone two to five times."""
    return np.where(np.arange(1, count + 1) % rng.integers(2, 6) == 0, rng.integers(-3, 4, count), 0)


def _walk(rng: np.random.Generator, count: int) -> Ints:
    return rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], count, p=[0.03, 0.06, 0.14, 0.27, 0.27, 0.14, 0.06, 0.03])


def _turn(rng: np.random.Generator, count: int) -> Ints:
    """Around a tone: above, back, below, back."""
    return _way(rng) * np.resize([1, -1, -1, 1], count)


Figure = Callable[[np.random.Generator, int], Ints]

FIGURES: Mapping[str, tuple[float, Figure]] = {
    "scale": (3, _scale),
    "arpeggio": (3, _arpeggio),
    "broken thirds": (1, _broken_thirds),
    "leaps": (1.5, _leaps),
    "repeated": (1, _repeated),
    "walk": (5, _walk),
    "turn": (1, _turn),
}
