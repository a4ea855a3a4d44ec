"""A player: plans what is played in a clip, note for note and curve for curve, as a person plays.

Conventions
-----------
A planned note is in drive time, when the instrument is told to sound, not when it is heard. It is a `Note`
with the envelopes ``pitch_midi`` (bend, portamento and vibrato included), ``loudness`` (0 to 1: what the
player wants, which the instrument makes into pressure, force or velocity) and, where the `Ability` has
them, ``vibrato_depth_cents`` (amplitude) and ``vibrato_rate_hz``, ``bend_cents``, ``sustain_pedal``. All
are linear between their points. ``legato`` is a slur: the note goes on from the one before, whose offset
is its onset, without a new attack, and its pitch starts where that one's ended. On a struck instrument
every note has its attack; there ``legato`` is held until after the next has begun.

A voice is a tuple of notes that do not overlap. Silence lasts 0.1 s at least before the first note, and
0.3 s after the last.
"""

import numpy as np

from ripieno.contracts import InputError
from ripieno.contracts.performance import Envelope, Note

from .player_ability import Ability, Technique

__all__ = ["Ability", "Technique", "play"]

LEAST_S = 3.0

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
    notes = []
    technique = ability.held[0]
    onset_s = 0.2
    while onset_s + 0.4 < duration_s - 0.3:
        pitch = float(rng.integers(int(ability.lowest_midi), int(ability.highest_midi)))
        offset_s = onset_s + 0.4
        times_s = np.array([onset_s, offset_s])
        envelopes = {
            "pitch_midi": Envelope(times_s, np.full(2, pitch)),
            "loudness": Envelope(times_s, rng.uniform(0.2, 1.0, 2)),
        }
        notes.append(Note(onset_s, offset_s, technique.articulation, technique.mode, envelopes))
        onset_s = offset_s + float(rng.choice([0.0, 0.3]))
    return (tuple(notes),)
