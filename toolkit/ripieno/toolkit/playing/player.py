"""A player: plans what is played in a clip, note for note and curve for curve, as a person plays.

Conventions
-----------
A planned note is in drive time, when the instrument is told to sound, not when it is heard. It is a `Note`
with the envelopes ``pitch_midi`` (bend, portamento and vibrato included), ``loudness`` (0 to 1: what the
player wants, which the instrument makes into pressure, force or velocity) and, where the `Ability` has
them, ``vibrato_depth_cents`` (amplitude), ``vibrato_rate_hz`` (only where there is some), ``bend_cents``
and ``sustain_pedal``. All are linear between their points. ``legato`` is a slur: the note goes on from the
one before, whose offset is its onset, without a new attack, and its pitch starts where that one's ended.
On a struck instrument every note has its attack; there ``legato`` is held until the next has begun.

A voice is a tuple of notes that do not overlap. Silence lasts 0.1 s at least before the first note, and
0.3 s after the last. In every clip of a bowed instrument that has them, a long note is reached by a glide
and has vibrato.
"""

import numpy as np

from ripieno.contracts import InputError
from ripieno.contracts.performance import Note

from .gestures import Sketch, drawn
from .phrases import draw_register, draw_scale, ladder
from .phrases_line import draw_line
from .phrases_rhythm import draw_beat_s, draw_rest_s
from .player_ability import Ability, Technique

__all__ = ["Ability", "Technique", "play"]

LEAST_S = 3.0
LEAD_S, TAIL_S = (0.1, 0.4), (0.3, 0.4)
# Less room than this is left silent.
PHRASE_S = 0.6

Voice = tuple[Note, ...]


def play(ability: Ability, *, rng: np.random.Generator, duration_s: float) -> tuple[Voice, ...]:
    """The voices of one clip.

    Parameters
    ----------
    ability : Ability
    rng : Generator
        All that is drawn comes from it.
    duration_s : float
        Of the clip, >= 3.

    Returns
    -------
    tuple of tuple of Note
        One to `Ability.voices`, none of them empty.

    Raises
    ------
    InputError
        If the clip is too short to play a phrase in.
    """
    if duration_s < LEAST_S:
        raise InputError(f"duration_s is {duration_s:g}: a clip to play in lasts {LEAST_S:g} s at least")
    line: list[Sketch] = []
    scale, beat_s = draw_scale(rng), draw_beat_s(rng)
    onset_s, until_s = rng.uniform(*LEAD_S), duration_s - rng.uniform(*TAIL_S)
    sing_from_s = rng.uniform(0, max(0, duration_s / 2 - 3))
    while until_s - onset_s > PHRASE_S:
        singing = sing_from_s <= onset_s
        technique = draw_technique(rng, ability, singing=singing)
        low, high = ability.range_of(technique)
        low, high = draw_register(rng, lowest_midi=low, highest_midi=high)
        rungs = ladder(scale, lowest_midi=low, highest_midi=high)
        sings = singing and ability.excitation == "bowed" and ability.portamento
        line += draw_line(
            rng,
            ability,
            technique,
            rungs,
            beat_s=beat_s,
            onset_s=onset_s,
            until_s=until_s,
            singing=sings and ability.slurs(technique.mode) > 0,
        )
        sing_from_s = np.inf if singing else sing_from_s
        onset_s = line[-1].offset_s + draw_rest_s(rng)
    return (drawn(line, frets=ability.fretted, vibrato=ability.vibrato, bends=ability.bends),)


def draw_technique(rng: np.random.Generator, ability: Ability, *, singing: bool) -> Technique:
    held = ability.held
    if singing:
        held = (
            tuple(one for one in held if one.articulation == "sustained" and ability.slurs(one.mode)) or held
        )
    weights = np.array([one.weight for one in held])
    return held[rng.choice(len(held), p=weights / weights.sum())]
