"""What happens to a performance when its sound is changed.

Conventions
-----------
Each function gives a new performance. A channel's unit is in its name: ``_hz`` is a rate, ``_s`` and ``_ms``
are durations, and change with the tempo; all others do not.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope, Licence, Note, Performance
from ripieno.contracts.performance import DYNAMICS, PITCH

Times = NDArray[np.float64]

SHORTEST_S = 0.005
"""What the end of the sound leaves of a note, if it is less, is no note."""
TIME_DIGITS, VALUE_DIGITS = 6, 4
CLOSEST_S = 1e-6
TEMPO_POWERS = {"_hz": 1, "_s": -1, "_ms": -1}


def delayed(performance: Performance, delay_s: float) -> Performance:
    """All of it later by `delay_s`, >= 0, in a sound of the same length."""
    return retimed(performance, lambda times_s: times_s + delay_s, duration_s=performance.duration_s)


def retimed(performance: Performance, time: Callable[[Times], Times], *, duration_s: float) -> Performance:
    """Every time t at ``time(t)``; notes are cut where the sound ends, and left out beyond it.

    Parameters
    ----------
    performance : Performance
    time : callable
        Strictly increasing, and not negative.
    duration_s : float
        Of the sound that results.
    """

    def change(note: Note) -> Note | None:
        return cut(note.retimed(time), duration_s)

    return performance.with_notes(change, duration_s=duration_s)


def cut(note: Note, end_s: float) -> Note | None:
    """The note up to the end of the sound; None where hardly anything is left of it."""
    if note.offset_s <= end_s:
        return note
    if end_s - note.onset_s < SHORTEST_S:
        return None
    envelopes = {name: _until(envelope, end_s) for name, envelope in note.envelopes.items()}
    drive_onset_s = None if note.drive_onset_s is None else min(note.drive_onset_s, note.onset_s)
    return replace(note, offset_s=end_s, envelopes=envelopes, drive_onset_s=drive_onset_s)


def _until(envelope: Envelope, end_s: float) -> Envelope:
    if envelope.times_s[-1] <= end_s:
        return envelope
    times_s = apart(np.append(envelope.times_s[envelope.times_s < end_s], end_s))
    return replace(envelope, times_s=times_s, values=envelope.at(times_s))


def at_tempo(performance: Performance, tempo: float) -> Performance:
    """Channels with time in their unit as they are at `tempo` times the speed; no time is moved."""

    def change(note: Note) -> Note:
        for name in note.envelopes:
            power = next((power for suffix, power in TEMPO_POWERS.items() if name.endswith(suffix)), 0)
            note = _with_values(note, name, partial(np.multiply, tempo**power))
        return note

    return performance.with_notes(change)


def transposed(performance: Performance, semitones: float) -> Performance:
    """Every pitch higher by `semitones`."""
    return performance.with_notes(lambda note: _with_values(note, PITCH, lambda pitch: pitch + semitones))


def louder(performance: Performance, gain_db: float) -> Performance:
    """Every level higher by `gain_db`."""
    return performance.with_notes(lambda note: _with_values(note, DYNAMICS, lambda level: level + gain_db))


def followed(performance: Performance, gain: Envelope) -> Performance:
    """Levels with a gain over time added to them.

    Parameters
    ----------
    performance : Performance
    gain : Envelope
        dB over the time of the sound, linear between its points.
    """

    def change(note: Note) -> Note:
        level = note.envelopes.get(DYNAMICS)
        if level is None:
            return note
        first, last = np.searchsorted(gain.times_s, [note.onset_s, note.offset_s], side="right")
        inside = gain.times_s[first:last]
        times_s = apart(np.sort([*level.times_s, note.onset_s, *inside, note.offset_s]))
        values = level.at(times_s) + np.interp(times_s, gain.times_s, gain.values)
        return replace(
            note, envelopes={**note.envelopes, DYNAMICS: replace(level, times_s=times_s, values=values)}
        )

    return performance.with_notes(change)


def credited(performance: Performance, licences: Iterable[Licence]) -> Performance:
    """The terms of what else went into the sound, beside those it had."""
    return replace(performance, licences=tuple(dict.fromkeys((*performance.licences, *licences))))


def apart(times_s: Times) -> Times:
    """Ascending times without those that hardly differ from the one ahead."""
    return times_s[np.diff(times_s, prepend=-np.inf) > CLOSEST_S]


def rounded(performance: Performance) -> Performance:
    """Times to the microsecond and values to four places, for files that stay small."""

    def envelope(given: Envelope) -> Envelope:
        times_s, first = np.unique(np.round(given.times_s, TIME_DIGITS), return_index=True)
        return replace(given, times_s=times_s, values=np.round(given.values[first], VALUE_DIGITS))

    def change(note: Note) -> Note | None:
        onset_s, offset_s = round(note.onset_s, TIME_DIGITS), round(note.offset_s, TIME_DIGITS)
        if onset_s >= offset_s:
            return None
        return replace(
            note,
            onset_s=onset_s,
            offset_s=offset_s,
            drive_onset_s=None if note.drive_onset_s is None else round(note.drive_onset_s, TIME_DIGITS),
            envelopes={name: envelope(given) for name, given in note.envelopes.items()},
        )

    return performance.with_notes(change)


def _with_values(note: Note, name: str, change: Callable[[Times], Times]) -> Note:
    envelope = note.envelopes.get(name)
    if envelope is None:
        return note
    changed = replace(envelope, values=change(envelope.values))
    return replace(note, envelopes={**note.envelopes, name: changed})
