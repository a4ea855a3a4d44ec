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

from .ability import Ability, Passage, Technique
from .gestures import Sketch, drawn
from .hands import bound, draw_left_hand, draw_pedal, voices_of, with_pedal
from .line import draw_line
from .phrases import draw_register, draw_scale, ladder
from .rhythm import draw_beat_s, draw_rest_s
from .together import draw_picked, draw_second, draw_strummed

__all__ = ["Ability", "Technique", "play"]

LEAST_S = 3.0
LEAD_S, TAIL_S = (0.1, 0.4), (0.3, 0.4)
# Less room than this is left silent.
PHRASE_S = 0.6
LONGEST_PHRASE_S = 4.5
# The last chance to sing: a phrase, a rest and a singing note have just room.
SING_BY_S = LONGEST_PHRASE_S + 0.9 + 2.2
# Share of the phrases of several voices, in a clip that has such; and of chords among them.
TOGETHER, CHORDS = 0.65, 0.7

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
    scale, beat_s, together = draw_scale(rng), draw_beat_s(rng), _draw_voices(rng, ability)
    onset_s, until_s = float(rng.uniform(*LEAD_S)), duration_s - float(rng.uniform(*TAIL_S))
    voices: list[list[Sketch]] = [[] for _ in range(ability.voices)]
    has_sung = False
    while until_s - onset_s > PHRASE_S:
        singing = not has_sung and (until_s - onset_s < SING_BY_S or rng.random() < 0.5)
        technique = _draw_technique(rng, ability, singing=singing)
        passage = Passage(technique, scale, beat_s, onset_s, min(until_s, onset_s + LONGEST_PHRASE_S))
        phrase = _draw_phrase(rng, ability, passage, singing=singing, voices=together)
        for voice, line in zip(voices, phrase, strict=False):
            voice += line
        has_sung |= singing
        onset_s = max(line[-1].offset_s for line in phrase) + draw_rest_s(rng)
    notes = (
        drawn(voice, frets=ability.fretted, vibrato=ability.vibrato, bends=ability.bends)
        for voice in voices
        if voice
    )
    if not ability.pedal:
        return tuple(notes)
    pedal = draw_pedal(rng, beat_s=beat_s, duration_s=duration_s)
    return tuple(tuple(with_pedal(note, pedal) for note in voice) for voice in notes)


def _draw_phrase(
    rng: np.random.Generator, ability: Ability, passage: Passage, *, singing: bool, voices: int
) -> tuple[tuple[Sketch, ...], ...]:
    """A phrase of one voice, or mostly of several in a clip that has them."""
    together = voices > 1 and rng.random() < TOGETHER
    if together and ability.excitation == "plucked" and ability.strings and rng.random() < CHORDS:
        draw = draw_strummed if rng.random() < 0.5 else draw_picked
        if phrase := draw(rng, ability, passage, voices=voices):
            return phrase
    low, high = ability.range_of(passage.technique)
    low, high = draw_register(rng, lowest_midi=low, highest_midi=high)
    rungs = ladder(passage.scale, lowest_midi=low, highest_midi=high)
    line = draw_line(rng, ability, passage, rungs, singing=singing and _sings(ability, passage.technique))
    if ability.excitation == "struck":
        left = draw_left_hand(rng, ability, passage, line) if together else ()
        keys = (*bound(rng, ability, passage, line), *left)
        return voices_of(keys, voices=ability.voices, until_s=passage.until_s)
    second = draw_second(rng, ability, passage, line) if together else ()
    return (line, second) if second else (line,)


def _sings(ability: Ability, technique: Technique) -> bool:
    return ability.excitation == "bowed" and ability.portamento and ability.slurs(technique) > 0


def _draw_technique(rng: np.random.Generator, ability: Ability, *, singing: bool) -> Technique:
    """A technique by weight; to sing, one that slurs, where there is one."""
    sung = [one for one in ability.held if one.articulation == "sustained" and ability.slurs(one)]
    held = sung if singing and sung else ability.held
    weights = np.array([one.weight for one in held])
    return held[int(rng.choice(len(held), p=weights / weights.sum()))]


def _draw_voices(rng: np.random.Generator, ability: Ability) -> int:
    """How many voices a clip may have, so that clips have `Ability.mean_voices` in the mean."""
    if ability.excitation == "struck":
        return ability.voices
    most = 2 if ability.excitation == "bowed" else ability.voices
    counts = np.arange(2, min(most, ability.voices) + 1)
    if not counts.size:
        return 1
    weights = 0.6 ** np.arange(counts.size)
    weights /= weights.sum()
    if rng.random() >= (ability.mean_voices - 1) / (weights @ (counts - 1)):
        return 1
    return int(rng.choice(counts, p=weights))
