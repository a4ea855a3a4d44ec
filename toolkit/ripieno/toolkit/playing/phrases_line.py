"""One phrase of one line: its notes with their slurs, gestures and dynamics.

Conventions
-----------
A stroke is what one movement of bow or hand sounds: a note and those slurred to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gestures import STEP_S, Bend, Sketch, Vibrato, swell
from .phrases import Floats, Ints, draw_melody
from .phrases_rhythm import HOLDS, LONGEST_S, SHORTEST_S, Hold, draw_steps_s, humanised
from .player_ability import SLURRED, Ability, Technique

# A person's tuning without frets: standard deviation and limit.
TUNING_CENTS, WORST_CENTS = 4.0, 12.0
# What a string that was plucked still sounds after.
PLUCKED_SLURS, PLUCKED_SLUR_SEMITONES, PLUCKED_SLUR_S = 2, 5, 0.6
VIBRATO_FROM_S, BEND_FROM_S = 0.35, 0.35
VIBRATO_SHARE = {"bowed": 0.75, "plucked": 0.3, "struck": 0.0}
# Nobody makes these waver.
STRAIGHT = ("tremolo", "staccato", "muted", "harmonic")

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
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
        return np.clip(self.level + self.change * ways[self.shape], 0.05, 0.98)


def draw_arc(rng: np.random.Generator, onset_s: float, offset_s: float) -> Arc:
    """An arc over a phrase."""
    shape = str(rng.choice(["arch", "crescendo", "diminuendo", "valley"], p=[0.4, 0.25, 0.25, 0.1]))
    return Arc(onset_s, offset_s, float(rng.uniform(0.3, 0.85)), float(rng.uniform(0.05, 0.45)), shape)


def draw_line(
    rng: np.random.Generator,
    ability: Ability,
    technique: Technique,
    rungs: Ints,
    *,
    beat_s: float,
    onset_s: float,
    until_s: float,
    singing: bool = False,
) -> tuple[Sketch, ...]:
    """A phrase of up to ten notes that begins at `onset_s` and ends by `until_s`.

    Parameters
    ----------
    rungs : ndarray
        The ladder it is played on.
    singing : bool
        Whether it is to have a long note, reached by a glide, with vibrato: wants 1.8 s.
    """
    hold, slurs = HOLDS[technique.articulation], ability.slurs(technique.mode)
    count = int(rng.integers(4, 11) if hold.least_s < 0.3 else rng.integers(2, 5))
    strict_s = draw_steps_s(rng, beat_s=beat_s, count=count, least_s=hold.least_s)
    steps_s = humanised(rng, strict_s, least_s=hold.least_s)
    pitches = draw_melody(rng, rungs, count=count)
    wanted = rng.random(count) < slurs * rng.uniform(0, 2)
    target = 0
    if singing:
        target = int(rng.integers(1, 3))
        before = pitches[target - 1]
        steps_s[target - 1] = np.clip(steps_s[target - 1], 0.25, 0.6)
        steps_s[target] = max(steps_s[target], rng.uniform(0.8, 1.2))
        pitches[target] = _reachable(rng, rungs, before, farthest=min(9.0, ability.slur_semitones))
        wanted[target - 1 : target + 1] = False, True
        if steps_s[: target + 1].sum() > until_s - onset_s:
            steps_s, pitches, wanted = steps_s[target - 1 :], pitches[target - 1 :], wanted[target - 1 :]
            target = 1
    steps_s = _fitting(steps_s, until_s - onset_s)
    if not steps_s.size:
        return ()
    pitches, wanted = pitches[: steps_s.size], wanted[: steps_s.size]
    joined = _slurs(ability, wanted, pitches, steps_s)
    rests_s = _rests_s(rng, joined, steps_s, room_s=until_s - onset_s)
    onsets_s = onset_s + np.concatenate([[0], np.cumsum(steps_s + rests_s)[:-1]])
    offsets_s = _offsets_s(rng, onsets_s, steps_s, joined, hold)
    return tuple(
        _gestures(rng, ability, technique, onsets_s, offsets_s, tuned(rng, ability, pitches), joined, target)
    )


def tuned(rng: np.random.Generator, ability: Ability, pitches: Floats) -> Floats:
    """Pitches as this instrument and a person's fingers give them, within the range."""
    if ability.fretted:
        return pitches
    off_cents = np.clip(rng.normal(0, TUNING_CENTS, pitches.size), -WORST_CENTS, WORST_CENTS)
    return np.clip(pitches + off_cents / 100, ability.lowest_midi, ability.highest_midi)


def _gestures(
    rng: np.random.Generator,
    ability: Ability,
    technique: Technique,
    onsets_s: Floats,
    offsets_s: Floats,
    pitches: Floats,
    joined: Bools,
    target: int,
) -> list[Sketch]:
    arc = draw_arc(rng, onsets_s[0], offsets_s[-1])
    lasting = ability.excitation == "bowed" and technique.articulation not in ("plucked", "staccato")
    followed = np.append(joined[1:], False)
    accent, sketches = 0.0, []
    for index, (onset_s, offset_s) in enumerate(zip(onsets_s, offsets_s, strict=True)):
        duration_s, sung = offset_s - onset_s, 0 < target == index
        accent = accent if joined[index] else rng.normal(0, 0.04)
        glide_s = _glide_s(rng, ability, duration_s, sung=sung) if joined[index] else 0.0
        vibrato = _vibrato(rng, ability, technique, pitches[index], duration_s, glide_s, sung=sung)
        can_bend = vibrato is None and not joined[index] and not followed[index]
        levels = arc.at(np.linspace(onset_s, offset_s, 9 if lasting and duration_s > 0.15 else 1)) + accent
        if lasting:
            levels = levels + rng.normal(0, 0.06) * np.sin(np.pi * np.linspace(0, 1, levels.size))
        sketches.append(
            Sketch(
                onset_s=float(onset_s),
                offset_s=float(offset_s),
                pitch_midi=float(pitches[index]),
                articulation=SLURRED if joined[index] else technique.articulation,
                mode=technique.mode,
                loudness=swell(onset_s, offset_s, levels=levels),
                glide_s=glide_s,
                vibrato=vibrato,
                bend=_bend(rng, ability, technique, pitches[index], duration_s) if can_bend else None,
            )
        )
    return sketches


def _reachable(rng: np.random.Generator, rungs: Ints, before: float, *, farthest: float) -> float:
    """A rung to glide to: a whole tone away at least, where the ladder has one near enough."""
    away = np.abs(rungs - before)
    near = rungs[(away >= 2) & (away <= farthest)]
    return float(rng.choice(near if near.size else rungs[away > 0][np.argsort(away[away > 0])[:1]]))


def _fitting(steps_s: Floats, room_s: float) -> Floats:
    """As many steps as there is room for; the first is shortened rather than left out."""
    if room_s < 2 * SHORTEST_S:
        return steps_s[:0]
    fitting = int(np.searchsorted(np.cumsum(steps_s), room_s, side="right"))
    return steps_s[:fitting] if fitting else np.array([room_s])


def _slurs(ability: Ability, wanted: Bools, pitches: Floats, steps_s: Floats) -> Bools:
    """Which notes are slurred to the one before, of those that the player wants to."""
    bowed = ability.excitation == "bowed"
    joined = np.zeros(wanted.size, bool)
    first = 0
    for index in range(1, wanted.size):
        interval = abs(pitches[index] - pitches[index - 1])
        near = abs(pitches[index] - pitches[first]) <= ability.slur_semitones
        still_sounds = index - first <= PLUCKED_SLURS and steps_s[index - 1] <= PLUCKED_SLUR_S
        can = near and interval > 0 and (bowed or (still_sounds and interval <= PLUCKED_SLUR_SEMITONES))
        joined[index] = wanted[index] and can and ability.excitation != "struck"
        first = first if joined[index] else index
    return joined


def _rests_s(rng: np.random.Generator, joined: Bools, steps_s: Floats, *, room_s: float) -> Floats:
    """Rests within the phrase, after notes that no slur goes on from, as far as there is room."""
    rests_s = np.where(rng.random(joined.size) < 0.08, rng.uniform(0.15, 0.5, joined.size), 0.0)
    rests_s[:-1] *= ~joined[1:]
    rests_s[-1] = 0.0
    return np.where(np.cumsum(rests_s) + steps_s.sum() <= room_s, rests_s, 0.0)


def _offsets_s(
    rng: np.random.Generator, onsets_s: Floats, steps_s: Floats, joined: Bools, hold: Hold
) -> Floats:
    """Where notes end: at the next one in a slur, else after the articulation's share of the step."""
    shares = np.clip(rng.uniform(*hold.share) + rng.normal(0, 0.03, steps_s.size), *hold.share)
    sounding_s = np.minimum(np.maximum(shares * steps_s, SHORTEST_S), LONGEST_S)
    offsets_s = onsets_s + sounding_s
    offsets_s[:-1] = np.where(joined[1:], onsets_s[1:], offsets_s[:-1])
    return offsets_s


def _glide_s(rng: np.random.Generator, ability: Ability, duration_s: float, *, sung: bool) -> float:
    slides = ability.portamento and duration_s > 0.15 and rng.random() < 0.35
    if sung or slides:
        return float(min(rng.uniform(0.07, 0.22), 0.45 * duration_s))
    return STEP_S if ability.fretted else float(rng.uniform(0.012, 0.025))


def _vibrato(
    rng: np.random.Generator,
    ability: Ability,
    technique: Technique,
    pitch_midi: float,
    duration_s: float,
    glide_s: float,
    *,
    sung: bool,
) -> Vibrato | None:
    stopped = ability.excitation == "bowed" and technique.articulation == "plucked"
    if not ability.vibrato or technique.articulation in STRAIGHT or stopped or duration_s < VIBRATO_FROM_S:
        return None
    depth_cents = float(rng.uniform(*ability.vibrato_depth_cents))
    inside = ability.lowest_midi <= pitch_midi - depth_cents / 100
    inside = inside and pitch_midi + depth_cents / 100 <= ability.highest_midi
    if not sung and not (inside and rng.random() < VIBRATO_SHARE[ability.excitation]):
        return None
    return Vibrato(
        delay_s=glide_s + float(rng.uniform(0.05, 0.25)) * min(duration_s, 1.0),
        grow_s=float(rng.uniform(0.15, 0.45)) * min(duration_s, 1.2),
        depth_cents=depth_cents,
        rate_hz=float(np.clip(rng.normal(5.7, 0.5), 4.75, 6.7)),
        drift=float(rng.uniform(0.01, 0.04)),
        drift_hz=float(rng.uniform(0.5, 1.5)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def _bend(
    rng: np.random.Generator, ability: Ability, technique: Technique, pitch_midi: float, duration_s: float
) -> Bend | None:
    if not ability.bends or technique.articulation in STRAIGHT or duration_s < BEND_FROM_S:
        return None
    cents = float(rng.choice([50, 100, 150, 200, 300], p=[0.1, 0.35, 0.05, 0.4, 0.1]))
    if pitch_midi + cents / 100 > ability.highest_midi or rng.random() > 0.25:
        return None
    let_back = rng.random() < 0.3 and duration_s > 0.6
    return Bend(
        delay_s=float(rng.uniform(0.03, 0.12)),
        rise_s=float(rng.uniform(0.06, 0.18)),
        cents=cents,
        release_s=float(rng.uniform(0.55, 0.7)) * duration_s if let_back else np.inf,
        fall_s=float(rng.uniform(0.06, 0.18)),
    )
