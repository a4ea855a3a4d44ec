"""What the shape of a sound over time says of its labels, when the sound was given another.

Conventions
-----------
Samples are [channels, frames], before and after, of one shape and at the same time. All channels count alike.

An onset is where 4 ms of sound first pass 5 % of their highest (`ripieno.toolkit.measuring.onset`). So what makes
an attack softer moves it, by some milliseconds, though nothing is delayed.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope, Note, Performance
from ripieno.toolkit.measuring.curves import Curve, simplified
from ripieno.toolkit.measuring.level import Power
from ripieno.toolkit.measuring.onset import FIRST_S, audible_onsets_s, residues

from .labels import SHORTEST_S, apart, followed

HOP_S = 0.01
FLOOR_DB = 50.0
"""Below the loudest of the sound by this much, there is not enough of it to compare."""
TOLERANCE_DB = 0.1
"""A gain is drawn with straight lines this near to it."""
BEFORE_S = 0.05
"""How long before its label an onset is looked for."""
QUIET_SHARE = 0.02
"""Level before a note, as a share of its own, up to which silence goes before it."""
_TINY = 1e-20

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]


def power(samples: Samples) -> float:
    """Mean square of all samples; 0 for empty sound."""
    return float(np.vdot(samples, samples)) / samples.size if samples.size else 0.0


def reshaped(performance: Performance, before: Samples, after: Samples, *, rate_hz: int) -> Performance:
    """The labels of a sound after it was given another shape.

    Levels have the gain over time added that made of one sound the other. Onsets after silence move by as much
    as they are found later, or earlier, in the sound after than in the sound before; others are not told
    apart from what rings on, and stay.
    """
    powers = _power_of(before, rate_hz), _power_of(after, rate_hz)
    times_s = np.arange(0, before.shape[1] / rate_hz, HOP_S)
    return followed(moved_onsets(performance, *powers), gain_between(*powers, times_s))


def gain_between(before: Power, after: Power, times_s: Floats) -> Envelope:
    """Gain in dB that made of one sound the other, by the level of 20 ms around each time.

    Where there was silence before, the gain goes straight from what is known ahead of it to what is known
    behind it. 0 dB for a sound that is silent throughout.
    """
    levels = np.square(before.rms(times_s - HOP_S, times_s + HOP_S))
    audible = levels > levels.max(initial=0) * 10 ** (-FLOOR_DB / 10)
    if not audible.any():
        return Envelope(np.zeros(1), np.zeros(1))
    heard_s = times_s[audible]
    changed = np.square(after.rms(heard_s - HOP_S, heard_s + HOP_S))
    gain_db = 10 * np.log10((changed + _TINY) / (levels[audible] + _TINY))
    return simplified([Curve(heard_s, gain_db, tolerance=TOLERANCE_DB, digits=2)])[0]


def moved_onsets(performance: Performance, before: Power, after: Power) -> Performance:
    """Onsets after silence where they are found after the change, all else as it is."""
    notes = performance.notes
    if not notes:
        return performance
    onsets_s = np.array([note.onset_s for note in notes])
    starts_s, ends_s = np.maximum(onsets_s - BEFORE_S, 0), onsets_s + FIRST_S
    found_s = [
        audible_onsets_s(sound, starts_s, ends_s=ends_s, first_s=BEFORE_S + FIRST_S)
        for sound in (before, after)
    ]
    told = _begin_alone(onsets_s) & np.all(
        [residues(sound, starts_s) < QUIET_SHARE * sound.rms(onsets_s, ends_s) for sound in (before, after)],
        axis=0,
    )
    ended_s = _ended_s(notes, onsets_s)
    moved_s = np.where(told, np.maximum(onsets_s + found_s[1] - found_s[0], ended_s), onsets_s)
    new = {id(note): float(onset_s) for note, onset_s in zip(notes, moved_s, strict=True)}
    return performance.with_notes(lambda note: begun(note, new[id(note)]))


def begun(note: Note, onset_s: float) -> Note:
    """The note with another onset; what its envelopes say before it is left out."""
    onset_s = min(onset_s, note.offset_s - SHORTEST_S)
    if onset_s == note.onset_s or note.duration_s < SHORTEST_S:
        return note
    envelopes = {name: _from(envelope, onset_s) for name, envelope in note.envelopes.items()}
    return replace(note, onset_s=onset_s, envelopes=envelopes)


def _from(envelope: Envelope, start_s: float) -> Envelope:
    if envelope.times_s[0] >= start_s:
        return envelope
    times_s = apart(np.append(start_s, envelope.times_s[envelope.times_s > start_s]))
    return replace(envelope, times_s=times_s, values=envelope.at(times_s))


def _begin_alone(onsets_s: Floats) -> NDArray[np.bool_]:
    """Whether no other note begins while an onset is looked for."""
    ordered = np.sort(onsets_s)
    first = np.searchsorted(ordered, onsets_s - 2 * BEFORE_S)
    after = np.searchsorted(ordered, onsets_s + FIRST_S, side="right")
    alone: NDArray[np.bool_] = after - first == 1
    return alone


def _ended_s(notes: tuple[Note, ...], onsets_s: Floats) -> Floats:
    """When the last of the notes that are over at each onset ended."""
    offsets_s = np.sort([note.offset_s for note in notes])
    over = np.searchsorted(offsets_s, onsets_s, side="right")
    ended_s: Floats = np.append(0.0, offsets_s)[over]
    return ended_s


def _power_of(samples: Samples, rate_hz: int) -> Power:
    mono = samples[0] if len(samples) == 1 else np.sqrt(np.mean(np.square(samples), axis=0))
    return Power(mono, rate_hz=rate_hz)
