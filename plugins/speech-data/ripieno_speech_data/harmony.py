"""The ground of a piece: mode, metre, tempo and a progression of chords.

Conventions
-----------
Time is in beats. Pitches are MIDI numbers, pitch classes 0 to 11.
"""

from dataclasses import dataclass

import numpy as np

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "double_harmonic": (0, 1, 4, 5, 7, 8, 11),
}
MODE_SHARES = (0.3, 0.24, 0.08, 0.1, 0.04, 0.07, 0.1, 0.04, 0.03)
PROGRESSIONS = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 4, 4), (1, 4, 0, 0), (0, 3, 0, 4), (0, 6, 5, 4), (0, 2, 3, 4),
    (0, 6, 3, 0), (0, 5, 1, 4), (0, 4, 5, 2, 3, 0, 3, 4), (0, 0, 3, 0, 4, 3, 0, 4), (0, 0, 0, 0), (0, 6), (0, 1),
)  # fmt: skip
"""Roots as degrees of the mode, from 0."""
METRES = (4, 4, 4, 4, 4, 4, 3, 3, 6, 5, 7)
SHAPES = (
    (0, 2, 4),
    (0, 2, 4),
    (0, 2, 4),
    (0, 2, 4, 6),
    (0, 2, 4, 6),
    (0, 2, 4, 6, 8),
    (0, 4),
    (0, 1, 4),
    (0, 3, 4),
)
"""Chords as steps of the mode above their root: triads, sevenths, ninths, fifths, suspensions."""


@dataclass(frozen=True)
class Chord:
    """Pitch classes that sound together for some beats, the root first."""

    start: float
    beats: float
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """What all parts of a piece share.

    Parameters
    ----------
    tempo_bpm : float
        Of the beat.
    beats_per_bar : int
    swing : float
        By how much of a half beat the second half of a beat is late, 0 to 0.35.
    mode : str
        A key of `MODES`.
    scale : tuple of int
        Pitch classes of the mode on its tonic.
    chords : tuple of Chord
        One after the other, from 0 to the end.
    """

    tempo_bpm: float
    beats_per_bar: int
    swing: float
    mode: str
    scale: tuple[int, ...]
    chords: tuple[Chord, ...]

    @property
    def beats(self) -> float:
        """How long it is."""
        return self.chords[-1].start + self.chords[-1].beats

    @property
    def bars(self) -> int:
        """How many there are, the last one perhaps not whole."""
        return int(np.ceil(self.beats / self.beats_per_bar))

    def seconds(self, beat: float) -> float:
        """When a beat is, with swing, from the beginning."""
        whole, part = divmod(beat, 1.0)
        bent = part * (1 + self.swing) if part <= 0.5 else 1 - (1 - part) * (1 - self.swing)
        return (whole + bent) * 60 / self.tempo_bpm


def draw_form(
    rng: np.random.Generator, *, duration_s: float, tempo_bpm: tuple[float, float], swung: bool
) -> Form:
    """A form of at least so many seconds."""
    tempo = float(np.exp(rng.uniform(*np.log(tempo_bpm))))
    metre = int(rng.choice(METRES))
    mode = str(rng.choice(list(MODES), p=MODE_SHARES))
    tonic = int(rng.integers(12))
    scale = tuple((tonic + step) % 12 for step in MODES[mode])
    roots: tuple[int, ...] = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    if rng.random() < 0.25:
        roots = tuple(int(root) for root in rng.integers(0, 7, rng.integers(2, 7)))
    shapes = [SHAPES[rng.integers(len(SHAPES))] for _ in roots]
    # A chord lasts about 1 to 5 seconds: a bar, half a bar or two.
    bar_s = metre * 60 / tempo
    lengths = [beats for beats in (metre / 2, metre, 2 * metre) if 0.8 <= beats / metre * bar_s <= 6]
    each = float(rng.choice(lengths or [metre]))
    chords = []
    for index in range(int(np.ceil(duration_s * tempo / 60 / each))):
        root, shape = roots[index % len(roots)], shapes[index % len(roots)]
        classes = tuple(scale[(root + step) % 7] for step in shape)
        chords.append(Chord(index * each, each, classes))
    swing = float(rng.uniform(0.15, 0.35)) if swung else 0.0
    return Form(tempo, metre, swing, mode, scale, tuple(chords))


def voiced(classes: tuple[int, ...], *, around: int) -> list[int]:
    """Pitches of these classes, each as near as can be to `around`, ascending."""
    return sorted({around + (pitch - around + 6) % 12 - 6 for pitch in classes})


def ladder(classes: tuple[int, ...], *, low: int, high: int) -> list[int]:
    """All pitches of these classes from `low` to `high`, ascending."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]
