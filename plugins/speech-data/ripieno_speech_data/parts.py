"""What one player of a piece does: chords, figures, basses, melodies.

Conventions
-----------
A part is a list of `Note`, times in beats of the `Form`, velocities 1 to 127 before humanising. Each role
is a function ``(form, rng, around)``, `around` being the pitch that it keeps near.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .harmony import Chord, Form, ladder, voiced

Rng = np.random.Generator


@dataclass(frozen=True)
class Note:
    """A key pressed for some beats."""

    start: float
    beats: float
    pitch: int
    velocity: int


Role = Callable[[Form, Rng, int], list[Note]]

LENGTHS: tuple[tuple[float, ...], ...] = (
    (0.5, 0.5, 1, 1, 2),
    (0.25, 0.25, 0.5, 0.5, 1),
    (1, 2, 2, 4),
    (0.5, 1, 1.5, 3),
)
"""Beats of the notes of a melody."""


def pad(form: Form, rng: Rng, around: int) -> list[Note]:
    """Chords held from change to change."""
    wide = rng.random() < 0.5
    velocity = int(rng.integers(45, 95))
    overlap = float(rng.uniform(0.9, 1.1))
    notes = []
    for chord in form.chords:
        pitches = voiced(chord.classes, around=around)
        if wide:
            pitches = [pitch + 12 * (index % 2) for index, pitch in enumerate(pitches)]
        notes += [Note(chord.start, chord.beats * overlap, pitch, velocity) for pitch in pitches]
    return notes


def block(form: Form, rng: Rng, around: int) -> list[Note]:
    """Chords struck on beats."""
    every = float(rng.choice([0.5, 1, 1, 2, form.beats_per_bar]))
    length = every * float(rng.uniform(0.3, 1.0))
    return [
        Note(beat, length, pitch, _accented(form, beat, rng, 62))
        for chord, beat in _grid(form, every)
        for pitch in voiced(chord.classes, around=around)
    ]


def comp(form: Form, rng: Rng, around: int) -> list[Note]:
    """Chords in a syncopated rhythm that repeats each bar."""
    steps = 2 * form.beats_per_bar
    hits = sorted({0} | set(rng.choice(steps, size=rng.integers(2, steps // 2 + 2), replace=False).tolist()))
    length = float(rng.uniform(0.15, 0.6))
    notes = []
    for bar in range(form.bars):
        for hit in hits:
            beat = bar * form.beats_per_bar + hit / 2
            if beat < form.beats:
                chord = _at(form, beat)
                velocity = _accented(form, beat, rng, 66)
                notes += [
                    Note(beat, length, pitch, velocity) for pitch in voiced(chord.classes, around=around)
                ]
    return notes


def strum(form: Form, rng: Rng, around: int) -> list[Note]:
    """Guitar chords, the strings one after the other, down and up."""
    pattern = [bool(rng.random() < share) for share in (1, 0.4, 0.9, 0.6, 0.7, 0.6, 0.9, 0.6)]
    pattern[0] = True
    spread = float(rng.uniform(0.01, 0.05))
    notes = []
    for index, (chord, beat) in enumerate(_grid(form, 0.5)):
        if not pattern[index % 8]:
            continue
        strings = ladder(chord.classes, low=around - 10, high=around + 14)[:6]
        ordered = strings if index % 2 == 0 else strings[::-1][:4]
        velocity = _accented(form, beat, rng, 66)
        length = float(rng.uniform(0.4, 1.2))
        notes += [Note(beat + order * spread, length, pitch, velocity) for order, pitch in enumerate(ordered)]
    return notes


def arpeggio(form: Form, rng: Rng, around: int) -> list[Note]:
    """Chord tones one after the other, in an order that repeats."""
    every = float(rng.choice([0.25, 0.5, 0.5, 1 / 3, 1]))
    length = every * float(rng.uniform(0.5, 4))
    order = rng.integers(0, 8, rng.integers(3, 9)) if rng.random() < 0.4 else _waves(rng)
    rest = float(rng.choice([0, 0, 0.15, 0.3]))
    notes = []
    for index, (chord, beat) in enumerate(_grid(form, every)):
        tones = ladder(chord.classes, low=around - 9, high=around + 15)
        if rng.random() >= rest:
            pitch = tones[int(order[index % len(order)]) % len(tones)]
            notes.append(Note(beat, length, pitch, _accented(form, beat, rng, 62)))
    return notes


def ostinato(form: Form, rng: Rng, around: int) -> list[Note]:
    """A short figure of the scale that does not heed the chords."""
    every = float(rng.choice([0.25, 0.5, 0.5, 0.75]))
    tones = ladder(form.scale, low=around - 7, high=around + 9)
    figure = rng.integers(0, len(tones), rng.integers(2, 8))
    sounding = rng.random(len(figure)) < 0.85
    sounding[0] = True
    length = every * float(rng.uniform(0.3, 1))
    notes = []
    for index, (_, beat) in enumerate(_grid(form, every)):
        step = index % len(figure)
        if sounding[step]:
            notes.append(Note(beat, length, tones[figure[step]], _accented(form, beat, rng, 64)))
    return notes


def tremolo(form: Form, rng: Rng, around: int) -> list[Note]:
    """Chord tones repeated fast, swelling."""
    every = float(rng.choice([0.25, 0.25, 1 / 6]))
    period = float(rng.choice([4, 8, 16]))
    return [
        Note(beat, every * 0.8, pitch, int(45 + 55 * (beat % period) / period + rng.integers(-6, 7)))
        for chord, beat in _grid(form, every)
        for pitch in voiced(chord.classes, around=around)[:3]
    ]


def stabs(form: Form, rng: Rng, around: int) -> list[Note]:
    """Short loud chords, few of them."""
    notes = []
    for bar in range(form.bars):
        for hit in rng.choice(2 * form.beats_per_bar, size=rng.integers(0, 4), replace=False):
            beat = bar * form.beats_per_bar + hit / 2
            if beat < form.beats:
                tones = voiced(_at(form, beat).classes, around=around)
                length, velocity = float(rng.uniform(0.2, 1.5)), int(rng.integers(80, 120))
                notes += [Note(beat, length, pitch, velocity) for pitch in tones]
    return notes


def drone(form: Form, rng: Rng, around: int) -> list[Note]:
    """The tonic, with its fifth or its octave, all the time."""
    tonic = ladder(form.scale[:1], low=around - 11, high=around)[0]
    above = int(rng.choice([7, 12, 0]))
    velocity = int(rng.integers(50, 100))
    return [Note(0, form.beats, pitch, velocity) for pitch in {tonic, tonic + above}]


def melody(form: Form, rng: Rng, around: int) -> list[Note]:
    """A line of phrases with rests, mostly stepwise, on chord tones where it is heavy."""
    lengths = LENGTHS[int(rng.integers(len(LENGTHS)))]
    legato = float(rng.uniform(0.5, 1.05))
    rest = float(rng.uniform(0.05, 0.35))
    tones = ladder(form.scale, low=around - 10, high=around + 12)
    place = len(tones) // 2
    notes, beat = [], float(rng.choice([0, 0, 0.5, 1, 2]))
    while beat < form.beats:
        length = float(rng.choice(lengths))
        if rng.random() < rest:
            beat += length
            continue
        step = int(rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3, 4]))
        place = int(np.clip(place + step, 0, len(tones) - 1))
        if beat % 1 == 0:
            place = _nearest(tones, place, _at(form, beat).classes)
        notes.append(Note(beat, length * legato, tones[place], _accented(form, beat, rng, 74)))
        beat += length
    return notes


def counter(form: Form, rng: Rng, around: int) -> list[Note]:
    """A slow second voice: one or two chord tones to a chord."""
    notes = []
    for chord in form.chords:
        tones = ladder(chord.classes, low=around - 7, high=around + 8)
        parts = int(rng.integers(1, 3))
        for part in range(parts):
            length = chord.beats / parts
            velocity = int(rng.integers(50, 90))
            notes.append(Note(chord.start + part * length, length, int(rng.choice(tones)), velocity))
    return notes


def run(form: Form, rng: Rng, around: int) -> list[Note]:
    """Fast scales up and down, with long rests."""
    tones = ladder(form.scale, low=around - 12, high=around + 15)
    notes, beat = [], float(rng.uniform(0, 4))
    while beat < form.beats:
        at, way = int(rng.integers(len(tones))), int(rng.choice([-1, 1]))
        for _ in range(int(rng.integers(5, 16))):
            notes.append(Note(beat, 0.3, tones[at % len(tones)], int(rng.integers(50, 100))))
            at, beat = at + way, beat + 0.25
        beat += float(rng.uniform(1, 6))
    return notes


def bass(form: Form, rng: Rng, around: int) -> list[Note]:
    """Roots in one of six manners: held, on beats, in eighths, in octaves, walking, syncopated."""
    manner = int(rng.integers(6))
    every = (form.beats_per_bar, 1, 0.5, 0.5, 1, 0.5)[manner]
    length = every * float(rng.uniform(0.5, 1))
    pattern = rng.random(2 * form.beats_per_bar) < 0.5
    pattern[0] = True
    notes = []
    for index, (chord, beat) in enumerate(_grid(form, every)):
        root = ladder(chord.classes[:1], low=around - 6, high=around + 5)[0]
        if manner == 5 and not pattern[index % len(pattern)]:
            continue
        pitch = root
        if manner == 3:
            pitch = root + 12 * (index % 2)
        if manner == 4 and beat != chord.start:
            pitch = int(rng.choice(ladder(form.scale, low=root, high=root + 12)))
        notes.append(Note(beat, length, pitch, _accented(form, beat, rng, 80)))
    return notes


ROLES: Mapping[str, Role] = {
    role.__name__: role
    for role in (
        pad, block, comp, strum, arpeggio, ostinato, tremolo, stabs, drone, melody, counter, run, bass,
    )
}  # fmt: skip


def _grid(form: Form, every: float) -> "list[tuple[Chord, float]]":
    """Each chord with the beats, so far apart, that fall into it."""
    count = int(np.ceil(form.beats / every - 1e-9))
    return [(_at(form, index * every), index * every) for index in range(count)]


def _at(form: Form, beat: float) -> Chord:
    return form.chords[min(len(form.chords) - 1, int(beat / form.chords[0].beats + 1e-9))]


def _accented(form: Form, beat: float, rng: Rng, velocity: int) -> int:
    in_bar = beat % form.beats_per_bar
    accent = 14 if in_bar < 0.01 else 5 if in_bar % 1 < 0.01 else -4
    return int(np.clip(velocity + accent + rng.normal(0, 6), 1, 127))


def _waves(rng: Rng) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    up = np.arange(rng.integers(3, 8))
    return (up, up[::-1], np.concatenate([up, up[-2:0:-1]]), np.repeat(up, 2))[rng.integers(4)]


def _nearest(tones: list[int], place: int, classes: tuple[int, ...]) -> int:
    fitting = [index for index, tone in enumerate(tones) if tone % 12 in classes]
    return min(fitting, key=lambda index: abs(index - place)) if fitting else place
