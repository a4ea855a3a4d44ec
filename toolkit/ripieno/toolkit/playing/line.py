"""One phrase of one line: its notes with their slurs, gestures and dynamics."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ability import SLURRED, Ability, Passage, Technique
from .gesture_draws import draw_bend, draw_glide_s, draw_vibrato
from .gestures import Sketch, swell
from .phrases import Floats, Ints, draw_melody
from .rhythm import HOLDS, SHORTEST_S, Hold, draw_steps_s, humanised

# A person's tuning without frets: standard deviation and limit.
TUNING_CENTS, WORST_CENTS = 4.0, 12.0
# What of a plucked string still sounds enough to be slurred on.
PLUCKED_SLURS, PLUCKED_SLUR_SEMITONES, PLUCKED_SLUR_S = 2, 5, 0.6
# A singing note, and the one that it is reached from.
SUNG_S, REACHED_FROM_S = (0.8, 1.5), (0.25, 0.6)
FARTHEST_GLIDE_SEMITONES = 9.0

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Arc:
    """Loudness over a phrase: a level, and how it rises or falls around it."""

    onset_s: float
    offset_s: float
    level: float
    change: float
    shape: str

    def at(self, times_s: Floats) -> Floats:
        """Loudness at times of the phrase, 0 to 1."""
        x = np.clip((times_s - self.onset_s) / (self.offset_s - self.onset_s), 0, 1)
        ways = {
            "arch": np.sin(np.pi * x) - 0.5,
            "valley": 0.5 - np.sin(np.pi * x),
            "crescendo": x - 0.5,
            "diminuendo": 0.5 - x,
        }
        loudness: Floats = np.clip(self.level + self.change * ways[self.shape], 0.05, 0.98)
        return loudness

    def at_once(self, time_s: float) -> float:
        """Loudness of what is struck or plucked at a time."""
        return float(self.at(np.array([time_s]))[0])


@dataclass(frozen=True, eq=False)
class _Line:
    """Notes of a phrase before they have gestures, note for note."""

    onsets_s: Floats
    offsets_s: Floats
    pitches: Floats
    slurred: Bools


def draw_arc(rng: np.random.Generator, onset_s: float, offset_s: float) -> Arc:
    """An arc over a phrase."""
    shape = str(rng.choice(["arch", "crescendo", "diminuendo", "valley"], p=[0.4, 0.25, 0.25, 0.1]))
    return Arc(onset_s, offset_s, float(rng.uniform(0.3, 0.85)), float(rng.uniform(0.05, 0.45)), shape)


def draw_line(
    rng: np.random.Generator, ability: Ability, passage: Passage, rungs: Ints, *, singing: bool = False
) -> tuple[Sketch, ...]:
    """A phrase of up to ten notes, of one at least.

    Parameters
    ----------
    passage : Passage
        Where there is room for 0.2 s at least.
    rungs : ndarray
        The ladder it is played on.
    singing : bool
        Whether it has a long note that is reached by a glide and has vibrato; wants room for 2.1 s.
    """
    hold, slurs = HOLDS[passage.technique.articulation], ability.slurs(passage.technique)
    count = int(rng.integers(4, 11) if hold.least_s < 0.3 else rng.integers(2, 5))
    strict_s = draw_steps_s(rng, beat_s=passage.beat_s, count=count, least_s=hold.least_s)
    steps_s = humanised(rng, strict_s, least_s=hold.least_s)
    pitches = draw_melody(rng, rungs, count=count)
    wanted = rng.random(count) < slurs * rng.uniform(0, 2)
    if singing:
        # First of all, so that it is there however little fits.
        steps_s[0], steps_s[1] = rng.uniform(*REACHED_FROM_S), rng.uniform(*SUNG_S)
        pitches[1] = _reachable(rng, ability, rungs, pitches[0])
        wanted[1] = True
    steps_s = _fitting(steps_s, passage.room_s)
    pitches, wanted = pitches[: steps_s.size], wanted[: steps_s.size]
    slurred = _slurs(ability, wanted, pitches, steps_s)
    rests_s = _rests_s(rng, slurred, steps_s, room_s=passage.room_s)
    onsets_s = passage.onset_s + np.concatenate([[0], np.cumsum(steps_s + rests_s)[:-1]])
    offsets_s = _offsets_s(rng, onsets_s, steps_s, slurred, hold)
    line = _Line(onsets_s, offsets_s, tuned(rng, ability, passage.technique, pitches), slurred)
    return _with_gestures(rng, ability, passage, line, sung=1 if singing else None)


def struck(technique: Technique, onset_s: float, offset_s: float, pitch: int, *, level: float) -> Sketch:
    """A note whose loudness is settled when it begins."""
    return Sketch(
        onset_s=float(onset_s),
        offset_s=float(offset_s),
        pitch_midi=float(pitch),
        articulation=technique.articulation,
        mode=technique.mode,
        loudness=swell(float(onset_s), float(offset_s), levels=[level]),
    )


def tuned(rng: np.random.Generator, ability: Ability, technique: Technique, pitches: Floats) -> Floats:
    """Pitches as this instrument and a person's fingers give them, within the technique's range."""
    if ability.fretted:
        return pitches
    off_cents = np.clip(rng.normal(0, TUNING_CENTS, pitches.size), -WORST_CENTS, WORST_CENTS)
    return np.clip(pitches + off_cents / 100, *ability.range_of(technique))


def _with_gestures(
    rng: np.random.Generator, ability: Ability, passage: Passage, line: _Line, *, sung: int | None
) -> tuple[Sketch, ...]:
    technique = passage.technique
    arc = draw_arc(rng, line.onsets_s[0], line.offsets_s[-1])
    lasts = ability.bowed and technique.articulation not in ("plucked", "staccato")
    is_followed = np.append(line.slurred[1:], False)
    accent, sketches = 0.0, []
    for index, (onset_s, offset_s) in enumerate(zip(line.onsets_s, line.offsets_s, strict=True)):
        note = {"pitch_midi": float(line.pitches[index]), "duration_s": float(offset_s - onset_s)}
        slurred, is_sung = bool(line.slurred[index]), index == sung
        # One stroke of the bow has one accent, so that loudness does not jump within it.
        accent = accent if slurred else rng.normal(0, 0.04)
        glide_s = draw_glide_s(rng, ability, duration_s=note["duration_s"], sung=is_sung) if slurred else 0.0
        vibrato = draw_vibrato(rng, ability, technique, glide_s=glide_s, sung=is_sung, **note)
        is_free = vibrato is None and not slurred and not is_followed[index]
        levels = _levels(rng, arc, onset_s, offset_s, points=9 if lasts else 1)
        sketches.append(
            Sketch(
                onset_s=float(onset_s),
                offset_s=float(offset_s),
                pitch_midi=note["pitch_midi"],
                articulation=SLURRED if slurred else technique.articulation,
                mode=technique.mode,
                loudness=swell(onset_s, offset_s, levels=levels + accent),
                glide_s=glide_s,
                vibrato=vibrato,
                bend=draw_bend(rng, ability, technique, **note) if is_free else None,
            )
        )
    return tuple(sketches)


def _levels(rng: np.random.Generator, arc: Arc, onset_s: float, offset_s: float, *, points: int) -> Floats:
    """The arc's loudness within a note, with a swell of its own that begins and ends at none."""
    place = np.linspace(0, 1, points)
    return arc.at(onset_s + place * (offset_s - onset_s)) + rng.normal(0, 0.06) * np.sin(np.pi * place)


def _reachable(rng: np.random.Generator, ability: Ability, rungs: Ints, before: float) -> float:
    """A rung to glide to and waver on: a whole tone away at least, and not at the end of the range."""
    away = np.abs(rungs - before)
    near = (away >= 2) & (away <= min(FARTHEST_GLIDE_SEMITONES, ability.slur_semitones))
    inside = (ability.lowest_midi + 1 <= rungs) & (rungs <= ability.highest_midi - 1)
    return float(rng.choice(rungs[near & inside]))


def _fitting(steps_s: Floats, room_s: float) -> Floats:
    """As many steps as there is room for; the first is shortened rather than left out."""
    fitting = int(np.searchsorted(np.cumsum(steps_s), room_s, side="right"))
    return steps_s[:fitting] if fitting else np.array([room_s])


def _slurs(ability: Ability, wanted: Bools, pitches: Floats, steps_s: Floats) -> Bools:
    """Which notes are slurred to the one before, of those that the player wants to."""
    slurred = np.zeros(wanted.size, bool)
    first = 0
    for index in range(1, wanted.size):
        interval = abs(pitches[index] - pitches[index - 1])
        near = abs(pitches[index] - pitches[first]) <= ability.slur_semitones
        still_sounds = index - first <= PLUCKED_SLURS and steps_s[index - 1] <= PLUCKED_SLUR_S
        in_reach = still_sounds and interval <= PLUCKED_SLUR_SEMITONES
        can = near and interval > 0 and (ability.bowed or in_reach)
        slurred[index] = wanted[index] and can and ability.excitation != "struck"
        first = first if slurred[index] else index
    return slurred


def _rests_s(rng: np.random.Generator, slurred: Bools, steps_s: Floats, *, room_s: float) -> Floats:
    """Rests after notes that no slur goes on from, as far as there is room."""
    rests_s = np.where(rng.random(slurred.size) < 0.08, rng.uniform(0.15, 0.5, slurred.size), 0.0)
    rests_s[:-1] *= ~slurred[1:]
    rests_s[-1] = 0.0
    return np.where(np.cumsum(rests_s) + steps_s.sum() <= room_s, rests_s, 0.0)


def _offsets_s(
    rng: np.random.Generator, onsets_s: Floats, steps_s: Floats, slurred: Bools, hold: Hold
) -> Floats:
    """Where notes end: at the next one in a slur, else after the articulation's share of the step."""
    shares = np.clip(rng.uniform(*hold.share) + rng.normal(0, 0.03, steps_s.size), *hold.share)
    offsets_s = onsets_s + np.clip(shares * steps_s, SHORTEST_S, hold.longest_s)
    offsets_s[:-1] = np.where(slurred[1:], onsets_s[1:], offsets_s[:-1])
    return offsets_s
