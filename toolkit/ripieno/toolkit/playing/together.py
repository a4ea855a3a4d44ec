"""Phrases of several voices on strings: double stops, strummed chords, picked chords that ring.

Conventions
-----------
A phrase is a tuple of voices, each a tuple of sketches in time that do not overlap. With the open strings
given, what sounds at once is on strings of its own, under one hand.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .ability import Ability, Passage, Technique
from .gesture_draws import can_waver
from .gestures import Sketch
from .line import draw_arc, struck, tuned
from .phrases import Ints, draw_chord
from .rhythm import HOLDS, LONGEST_S, SHORTEST_S, draw_steps_s, humanised

# Semitones below a melody; of two, the one that is in the key.
INTERVALS = {"thirds": (4, 3), "sixths": (9, 8), "fifths": (7, 5), "octaves": (12, 12)}
# Between the stops of two fingers, and the frets that a hand covers.
STRETCH_SEMITONES, HAND_FRETS = 5, 4
# From one string to the next in a strum.
STRUM_S = (0.006, 0.028)
GAP_S = 0.01

Line = tuple[Sketch, ...]


def draw_second(rng: np.random.Generator, ability: Ability, passage: Passage, line: Line) -> Line:
    """A second voice under a line, where two strings can have both; it has the line's gestures."""
    intervals = INTERVALS[str(rng.choice(list(INTERVALS), p=[0.35, 0.35, 0.15, 0.15]))]
    second: list[Sketch] = []
    for sketch in line:
        lower = _below(round(sketch.pitch_midi), intervals, passage.scale)
        if not _on_two_strings(ability, passage.technique, lower, round(sketch.pitch_midi)):
            continue
        before = second[-1] if second and second[-1].offset_s == sketch.onset_s else None
        if sketch.slurred and (before is None or round(before.pitch_midi) == lower):
            # Nothing to slur from: the string is struck anew.
            sketch = replace(sketch, articulation=passage.technique.articulation, glide_s=0.0)
        pitch_midi = float(tuned(rng, ability, passage.technique, np.array([float(lower)]))[0])
        depth_cents = sketch.vibrato.depth_cents if sketch.vibrato else 0.0
        vibrato = sketch.vibrato if can_waver(ability, pitch_midi, depth_cents) else None
        second.append(replace(sketch, pitch_midi=pitch_midi, vibrato=vibrato, bend=None))
    return tuple(second)


def draw_strummed(
    rng: np.random.Generator, ability: Ability, passage: Passage, *, voices: int
) -> tuple[Line, ...]:
    """Chords struck across the strings, down and up, each until the next."""
    hold, count = HOLDS[passage.technique.articulation], int(rng.integers(3, 8))
    # Longer than a strum takes.
    least_s = voices * STRUM_S[1] + 2 * SHORTEST_S
    strict_s = draw_steps_s(rng, beat_s=passage.beat_s, count=count, least_s=least_s)
    steps_s = humanised(rng, strict_s, least_s=least_s)
    steps_s = steps_s[np.cumsum(steps_s) <= passage.room_s]
    onsets_s = passage.onset_s + np.concatenate([[0], np.cumsum(steps_s)])
    if not steps_s.size:
        return ()
    arc, share = draw_arc(rng, passage.onset_s, float(onsets_s[-1])), rng.uniform(*hold.share)
    lines: list[list[Sketch]] = [[] for _ in range(voices)]
    pitches: tuple[int, ...] = ()
    for index, (strum_s, step_s) in enumerate(zip(onsets_s[:-1], steps_s, strict=True)):
        if not pitches or rng.random() < 0.4:
            pitches = draw_voicing(rng, ability, passage, voices=voices)
        spread_s, is_down = rng.uniform(*STRUM_S), index % 2 == 0 or rng.random() < 0.5
        level = arc.at_once(strum_s) + rng.normal(0, 0.04)
        for place, pitch in enumerate(pitches):
            begin_s = strum_s + spread_s * (place if is_down else len(pitches) - 1 - place)
            end_s = max(begin_s + SHORTEST_S, min(strum_s + share * step_s, strum_s + step_s - GAP_S))
            lines[place].append(
                struck(passage.technique, begin_s, end_s, pitch, level=level + rng.normal(0, 0.02))
            )
    return tuple(tuple(line) for line in lines if line)


def draw_picked(
    rng: np.random.Generator, ability: Ability, passage: Passage, *, voices: int
) -> tuple[Line, ...]:
    """Chords picked string by string; each string rings until it is picked again or the chord changes."""
    step_s = float(np.clip(passage.beat_s / rng.choice([2, 3, 4]), 0.13, 0.4))
    per_chord, chords = int(rng.integers(voices, 2 * voices + 3)), int(rng.integers(1, 4))
    steps_s = humanised(rng, np.full(per_chord * chords, step_s), least_s=0.11)
    steps_s = steps_s[np.cumsum(steps_s) <= passage.room_s]
    times_s = passage.onset_s + np.concatenate([[0], np.cumsum(steps_s)])
    lines: list[list[Sketch]] = [[] for _ in range(voices)]
    for first in range(0, steps_s.size, per_chord):
        pitches = draw_voicing(rng, ability, passage, voices=voices)
        places = _pattern(rng, len(pitches), count=min(per_chord, steps_s.size - first))
        chord_end_s = times_s[first + places.size]
        arc = draw_arc(rng, times_s[first], chord_end_s)
        for index, place in enumerate(places):
            begin_s = times_s[first + index]
            again = np.flatnonzero(places[index + 1 :] == place)
            end_s = times_s[first + index + 1 + again[0]] if again.size else chord_end_s
            end_s = min(end_s - GAP_S, begin_s + LONGEST_S)
            level = arc.at_once(begin_s) + rng.normal(0, 0.04)
            lines[place].append(struck(passage.technique, begin_s, end_s, pitches[place], level=level))
    return tuple(tuple(line) for line in lines if line)


def draw_voicing(
    rng: np.random.Generator, ability: Ability, passage: Passage, *, voices: int
) -> tuple[int, ...]:
    """Pitches of a chord, at most one a string and at most `voices`, low string first; at least one."""
    chord = draw_chord(rng, passage.scale)
    lowest, highest = ability.range_of(passage.technique)
    first = int(rng.integers(0, 9))
    pitches = []
    for string in ability.strings:
        frets = range(first, first + HAND_FRETS)
        stopped = (round(string) + fret for fret in ((0, *frets) if 0 < first <= HAND_FRETS else frets))
        fits = [pitch for pitch in stopped if pitch % 12 in chord and lowest <= pitch <= highest]
        pitches += fits[:1]
    start = int(rng.integers(0, max(0, len(pitches) - voices) + 1))
    return tuple(pitches[start : start + voices]) or (int(np.ceil(lowest)),)


def _below(upper: int, intervals: Sequence[int], scale: Sequence[int]) -> int:
    """The first of the intervals that leads into the key, else the first of all."""
    in_key = [upper - interval for interval in intervals if (upper - interval) % 12 in np.mod(scale, 12)]
    return in_key[0] if in_key else upper - intervals[0]


def _pattern(rng: np.random.Generator, strings: int, *, count: int) -> Ints:
    """Which string is picked when: up, down, up and down, or as it comes."""
    up = np.arange(strings)
    patterns = (up, up[::-1], np.concatenate([up, up[-2:0:-1]]), rng.permutation(strings))
    return np.resize(patterns[rng.integers(len(patterns))], count)


def _on_two_strings(ability: Ability, technique: Technique, lower: float, upper: float) -> bool:
    lowest, highest = ability.range_of(technique)
    if not lowest <= lower <= upper <= highest:
        return False
    if not ability.strings:
        return True
    for low_string, high_string in zip(ability.strings[:-1], ability.strings[1:], strict=True):
        low_stop, high_stop = lower - low_string, upper - high_string
        if min(low_stop, high_stop) < 0:
            continue
        if abs(low_stop - high_stop) <= STRETCH_SEMITONES or min(low_stop, high_stop) == 0:
            return True
    return False
