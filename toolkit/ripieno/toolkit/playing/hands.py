"""Phrases of two hands on keys: a melody and what accompanies it, legato that overlaps, the pedal.

Conventions
-----------
A phrase is a tuple of sketches in any order, which may overlap; `voices_of` parts them into voices. A key
is free before it is struck again.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ripieno.contracts.performance import Envelope, Note

from .ability import SLURRED, Ability, Passage
from .gestures import Floats, Sketch, swell
from .line import draw_arc, struck
from .phrases import draw_chord
from .rhythm import SHORTEST_S

PEDAL = "sustain_pedal"
# Keys are never struck quite together.
ASYNCHRONY_S = 0.008
RELEASE_S = 0.015
# How long two keys of a legato are down together, and the longest gap that it closes.
OVERLAP_S, BOUND_S = (0.01, 0.06), 0.2
# Where the left hand plays, below the lowest note of the right; and how long of its steps.
LEFT_SEMITONES, LEFT_SHARE = (19, 5), 0.9

# When a key is struck and let go, and which.
Struck = tuple[float, float, int]


def bound(
    rng: np.random.Generator, ability: Ability, passage: Passage, line: Sequence[Sketch]
) -> tuple[Sketch, ...]:
    """The line with keys held until after the next is struck, where the player plays legato so."""
    if rng.random() >= ability.slurs(passage.technique):
        return tuple(line)
    return (*(_held_over(rng, key, after) for key, after in pairwise(line)), line[-1])


def draw_left_hand(
    rng: np.random.Generator, ability: Ability, passage: Passage, line: Sequence[Sketch]
) -> tuple[Sketch, ...]:
    """Chords under a melody, block, broken or as octaves; none where the keyboard has no room for them."""
    melody_midi = min(sketch.pitch_midi for sketch in line)
    lowest, highest = ability.range_of(passage.technique)
    low, high = max(lowest, melody_midi - LEFT_SEMITONES[0]), min(highest, melody_midi - LEFT_SEMITONES[1])
    if high - low < 12:
        return ()
    onset_s, offset_s = line[0].onset_s, max(sketch.offset_s for sketch in line)
    step_s = float(np.clip(passage.beat_s * rng.choice([1, 2, 2, 4]), 0.6, 2.0))
    kind = str(rng.choice(["block", "broken", "octaves"], p=[0.4, 0.4, 0.2]))
    arc, softer = draw_arc(rng, onset_s, offset_s), rng.uniform(0, 0.15)
    sketches: list[Sketch] = []
    for begin_s in np.arange(onset_s, offset_s - SHORTEST_S, step_s):
        chord = draw_chord(rng, passage.scale)
        keys = _octave(chord, low=low, high=high) if kind == "octaves" else _close(chord, low=low, high=high)
        place = _broken if kind == "broken" else _block
        level = arc.at_once(begin_s) - softer
        for struck_s, released_s, key in place(keys, begin_s, min(begin_s + step_s, offset_s)):
            late_s = struck_s + abs(rng.normal(0, ASYNCHRONY_S))
            sketches.append(
                struck(passage.technique, late_s, max(released_s, late_s + SHORTEST_S), key, level=level)
            )
    return tuple(sketches)


def voices_of(sketches: Sequence[Sketch], *, voices: int, until_s: float) -> tuple[tuple[Sketch, ...], ...]:
    """Overlapping notes parted into voices, each in the first that is free.

    A note that ends after `until_s` ends there, and one for which no voice is free is left out.
    """
    lines: list[list[Sketch]] = []
    for sketch in _with_free_keys(sketches, until_s=until_s):
        line = next((line for line in lines if line[-1].offset_s <= sketch.onset_s), None)
        if line is not None:
            line.append(sketch)
        elif len(lines) < voices:
            lines.append([sketch])
    return tuple(tuple(line) for line in lines)


def draw_pedal(rng: np.random.Generator, *, beat_s: float, duration_s: float) -> Envelope:
    """A sustain pedal, 0 to 1: up all the time, or changed every bar or so."""
    if rng.random() < 0.35:
        return Envelope(np.zeros(1), np.zeros(1))
    points = [(0.0, 0.0)]
    time_s, bar_s = float(rng.uniform(0.1, 1.0)), float(np.clip(beat_s * rng.choice([2, 3, 4]), 1.0, 4.0))
    while time_s < duration_s:
        down_s, up_s = rng.uniform(0.05, 0.15, 2)
        depth = 1.0 if rng.random() < 0.8 else float(rng.uniform(0.3, 0.9))
        held_s = bar_s * float(rng.uniform(0.6, 0.95))
        points += [
            (time_s, 0.0),
            (time_s + down_s, depth),
            (time_s + held_s, depth),
            (time_s + held_s + up_s, 0.0),
        ]
        time_s += held_s + up_s + float(rng.uniform(0.02, 0.2))
    times_s, values = np.array(points).T
    return Envelope(times_s, values)


def with_pedal(note: Note, pedal: Envelope) -> Note:
    """The note with the part of the pedal's curve that it lasts."""
    inside = (pedal.times_s > note.onset_s) & (pedal.times_s < note.offset_s)
    times_s: Floats = np.concatenate([[note.onset_s], pedal.times_s[inside], [note.offset_s]])
    return replace(note, envelopes={**note.envelopes, PEDAL: Envelope(times_s, pedal.at(times_s))})


def _held_over(rng: np.random.Generator, key: Sketch, after: Sketch) -> Sketch:
    if after.pitch_midi == key.pitch_midi or after.onset_s - key.offset_s > BOUND_S:
        return key
    return _until(replace(key, articulation=SLURRED), after.onset_s + float(rng.uniform(*OVERLAP_S)))


def _until(sketch: Sketch, offset_s: float) -> Sketch:
    level = sketch.loudness.values[:1]
    return replace(sketch, offset_s=offset_s, loudness=swell(sketch.onset_s, offset_s, levels=level))


def _with_free_keys(sketches: Sequence[Sketch], *, until_s: float) -> list[Sketch]:
    """In the order of their onsets; a key is let go before it is struck again, or not struck at all."""
    kept: list[Sketch] = []
    last: dict[float, int] = {}
    for sketch in sorted(sketches, key=lambda sketch: (sketch.onset_s, sketch.pitch_midi)):
        sketch = _until(sketch, until_s) if sketch.offset_s > until_s else sketch
        if sketch.duration_s < SHORTEST_S:
            continue
        before = kept[last[sketch.pitch_midi]] if sketch.pitch_midi in last else None
        if before is not None and before.offset_s > sketch.onset_s - RELEASE_S:
            if sketch.onset_s - RELEASE_S - before.onset_s < SHORTEST_S:
                continue
            kept[last[sketch.pitch_midi]] = _until(before, sketch.onset_s - RELEASE_S)
        last[sketch.pitch_midi] = len(kept)
        kept.append(sketch)
    return kept


def _close(chord: Sequence[int], *, low: float, high: float) -> list[int]:
    """The chord's lowest root in the range and three tones above it, ascending."""
    keys = [key for key in range(int(np.ceil(low)), int(high) + 1) if key % 12 in chord]
    root = next(index for index, key in enumerate(keys) if key % 12 == chord[0])
    return keys[root : root + 4]


def _octave(chord: Sequence[int], *, low: float, high: float) -> list[int]:
    """The chord's lowest root in the range, and its octave if that is in it too."""
    root = next(key for key in range(int(np.ceil(low)), int(high) + 1) if key % 12 == chord[0])
    return [key for key in (root, root + 12) if key <= high]


def _block(keys: Sequence[int], begin_s: float, end_s: float) -> list[Struck]:
    """All keys together."""
    return [(begin_s, begin_s + LEFT_SHARE * (end_s - begin_s), key) for key in keys]


def _broken(keys: Sequence[int], begin_s: float, end_s: float) -> list[Struck]:
    """Low, high, middle, high; low and high alone where there is little time."""
    order = [keys[0], keys[-1], keys[len(keys) // 2], keys[-1]][: 4 if end_s - begin_s > 1 else 2]
    step_s = (end_s - begin_s) / len(order)
    starts_s = [begin_s + step_s * index for index in range(len(order))]
    return [
        (start_s, start_s + LEFT_SHARE * step_s, key) for start_s, key in zip(starts_s, order, strict=True)
    ]
