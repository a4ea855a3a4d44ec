"""What is heard of notes that were planned: onset, pitch and dynamics, measured in the sound.

Conventions
-----------
Samples are mono, [frames], of one voice: its notes do not overlap. A planned note is in drive time, its
`pitch_midi` is what was asked for. The note that is heard begins at its audible onset (`onset`), keeps its
offset, has the pitch that was measured (`refine`), and instead of loudness its level as dynamics (`level`).

Pitch is measured each 5 ms. Where it can't be, in attacks until they have settled, in transitions and where
the sound has died away, it is the planned pitch, shifted by what was measured around. A note that the sound
does not confirm has a fault, and is masked: its pitch, or, where nothing is heard at all, everything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.interpolation import interpolate_all
from ripieno.contracts.performance import DYNAMICS, PITCH, Note

from ..playing.ability import SLURRED
from ..playing.gestures import LOUDNESS
from .curves import TIME_DIGITS, Curve, cut, simplified
from .level import Power, dynamics_dbfs
from .onset import AUDIBLE_SHARE, FIRST_S, audible_onsets_s
from .refine import LEAST_PERIODICITY, SEARCH_CENTS, Refined, refine_pitch, window_s

Floats = NDArray[np.float64]

TOLERANCE_CENTS = 50.0
"""How far from the plan a note may sound in the median."""
CONFIRMED_SHARE = 0.5
"""How much of its body must be confirmed."""
SETTLED_PERIODICITY = 0.99
"""Correlation with which an attack is over; the median of the note's own where that is lower."""
SILENT_DBFS = -80.0
"""Highest level of a note below which nothing is heard."""
DIED_AWAY_DB = -40.0
"""Level, relative to its highest, below which a note is not asked for a pitch."""
HOP_S = 0.005

PITCH_TOLERANCE, PITCH_DIGITS = 0.001, 4
"""How far an envelope may pass from what was measured, 0.1 cents, and the decimals that are kept."""
LEVEL_TOLERANCE_DB, LEVEL_DIGITS = 0.1, 2
TECHNIQUE_TOLERANCE, TECHNIQUE_DIGITS = 0.001, 4
"""The tolerance is a share of the channel's greatest magnitude in the note."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A note as it is heard.

    Parameters
    ----------
    note : Note
        Masked where it has a fault.
    fault : str
        Why the sound does not confirm it, in one line; empty where it does.
    """

    note: Note
    fault: str = ""


def measure_voice(
    samples: NDArray[np.floating],
    notes: Sequence[Note],
    *,
    rate_hz: int,
    search_cents: float = SEARCH_CENTS,
    tolerance_cents: float = TOLERANCE_CENTS,
) -> tuple[Measured, ...]:
    """Measure the notes of one voice.

    Parameters
    ----------
    samples : ndarray [frames]
        Nothing but this voice, at the level that the labels are for.
    notes : sequence of Note
        As planned, in the order of their onsets, each with a `pitch_midi` envelope.
    rate_hz : int
        8000 Hz or more.
    search_cents : float
        How far from the plan a pitch is looked for, > 0 and <= 200.
    tolerance_cents : float
        How far from it the note may be in the median, > 0.

    Returns
    -------
    tuple of Measured
        One for each note, in their order.
    """
    if not notes:
        return ()
    power = Power(samples, rate_hz=rate_hz)
    onsets_s = _heard_onsets_s(power, notes)
    offsets_s = np.array([note.offset_s for note in notes])
    grid = _Grid.over(onsets_s, offsets_s)
    planned = interpolate_all([note.envelopes[PITCH] for note in notes], grid.which, grid.times_s)
    levels_dbfs = dynamics_dbfs(
        power,
        grid.times_s,
        pitch_midi=planned,
        onsets_s=onsets_s[grid.which],
        offsets_s=offsets_s[grid.which],
    )
    body = np.flatnonzero(_in_body(grid, planned, levels_dbfs))
    refined = refine_pitch(
        samples, grid.times_s[body], planned[body], rate_hz=rate_hz, search_cents=search_cents
    )
    of_body = _parts(grid.which[body], count=len(notes))
    is_told = refined.is_confirmed & np.concatenate([_has_settled(refined[part]) for part in of_body])
    shifts = np.full(planned.size, np.nan)
    shifts[body] = np.where(is_told, refined.pitch_midi - planned[body], np.nan)

    faults, curves = [], []
    starts_late = _starts_late(power, notes)
    for index, part in enumerate(_parts(grid.which, count=len(notes))):
        times_s, levels, shift = grid.times_s[part], levels_dbfs[part], shifts[part]
        faults.append(
            _level_fault(levels, starts_late=starts_late[index])
            or _pitch_fault(refined[of_body[index]], shift, tolerance_cents=tolerance_cents)
        )
        heard = planned[part] + _filled(times_s, shift)
        curves.append(dict(_curves(notes[index], times_s, pitch_midi=heard, levels_dbfs=levels)))
    return tuple(_measured(notes, faults, curves))


@dataclass(frozen=True, eq=False)
class _Grid:
    """Times in all notes, one note after the other: its ends, and each multiple of the hop between them."""

    times_s: Floats
    which: NDArray[np.int64]
    onsets_s: Floats
    offsets_s: Floats

    @classmethod
    def over(cls, onsets_s: Floats, offsets_s: Floats) -> "_Grid":
        rows = [
            np.concatenate([[onset_s], _multiples(onset_s, offset_s), [offset_s]])
            for onset_s, offset_s in zip(onsets_s, offsets_s, strict=True)
        ]
        which = np.repeat(np.arange(len(rows)), [row.size for row in rows])
        return cls(np.concatenate(rows), which, onsets_s, offsets_s)


def _parts(which: NDArray[np.int64], *, count: int) -> list[slice]:
    """Where the points of each note are."""
    ends = np.searchsorted(which, np.arange(count + 1))
    return [slice(first, after) for first, after in pairwise(ends)]


def _multiples(onset_s: float, offset_s: float) -> Floats:
    """Of the hop, between the times, half a hop away from them at least."""
    first, last = np.ceil(onset_s / HOP_S + 0.5), np.floor(offset_s / HOP_S - 0.5)
    multiples: Floats = np.arange(first, last + 1) * HOP_S
    return multiples


def _heard_onsets_s(power: Power, notes: Sequence[Note]) -> Floats:
    drives_s = np.array([note.onset_s for note in notes])
    offsets_s = np.array([note.offset_s for note in notes])
    onsets_s = audible_onsets_s(power, drives_s, ends_s=offsets_s - HOP_S)
    return np.where(_slurred(notes), drives_s, np.round(onsets_s, TIME_DIGITS))


def _slurred(notes: Sequence[Note]) -> NDArray[np.bool_]:
    """Whether a note goes on from the one before; a struck key has its attack also where it is legato."""
    goes_on = [after.onset_s <= before.offset_s for before, after in pairwise(notes)]
    legato = [note.articulation == SLURRED for note in notes]
    slurred: NDArray[np.bool_] = np.array(legato) & np.array([False, *goes_on])
    return slurred


def _starts_late(power: Power, notes: Sequence[Note]) -> NDArray[np.bool_]:
    """Whether a note is much louder than ever in the time in which it must be heard."""
    drives_s = np.array([note.onset_s for note in notes])
    offsets_s = np.array([note.offset_s for note in notes])
    heard_s = np.minimum(drives_s + FIRST_S, offsets_s)
    late: NDArray[np.bool_] = power.rms(drives_s, heard_s) < AUDIBLE_SHARE * power.rms(drives_s, offsets_s)
    return late


def _in_body(grid: _Grid, planned: Floats, levels_dbfs: Floats) -> NDArray[np.bool_]:
    """Where the pitch is that of the note alone: its window lies within the note, which still sounds.

    Short notes have less than a window: their middle half counts.
    """
    onsets_s, offsets_s = grid.onsets_s[grid.which], grid.offsets_s[grid.which]
    margins_s = np.minimum(window_s(planned) / 2, (offsets_s - onsets_s) / 4)
    inside = (grid.times_s - onsets_s >= margins_s) & (offsets_s - grid.times_s >= margins_s)
    firsts = np.searchsorted(grid.which, np.arange(len(grid.onsets_s)))
    highest_dbfs = np.maximum.reduceat(levels_dbfs, firsts)[grid.which]
    sounds: NDArray[np.bool_] = levels_dbfs >= highest_dbfs + DIED_AWAY_DB
    return inside & sounds


def _has_settled(body: Refined) -> NDArray[np.bool_]:
    """From where on the note has once repeated itself well: the knock of an attack pulls the pitch off."""
    confirmed = body.periodicity[body.is_confirmed]
    well = min(SETTLED_PERIODICITY, float(np.median(confirmed))) if confirmed.size else 0.0
    settled: NDArray[np.bool_] = np.maximum.accumulate(body.is_confirmed & (body.periodicity >= well))
    return settled


def _level_fault(levels_dbfs: Floats, *, starts_late: bool) -> str:
    if levels_dbfs.max() < SILENT_DBFS:
        return f"silent: {levels_dbfs.max():.0f} dBFS at most"
    return f"not heard within {1000 * FIRST_S:.0f} ms" if starts_late else ""


def _pitch_fault(body: Refined, shifts: Floats, *, tolerance_cents: float) -> str:
    if not body.pitch_midi.size:
        return "too short for a pitch"
    if body.is_confirmed.mean() < CONFIRMED_SHARE:
        if body.is_higher.mean() > body.is_confirmed.mean():
            return "sounds an octave or more above the plan"
        return f"not periodic as planned: {np.median(body.periodicity):.2f} of {LEAST_PERIODICITY:g}"
    deviation_cents = 100 * np.nanmedian(shifts)
    if abs(deviation_cents) > tolerance_cents:
        return f"sounds {deviation_cents:+.0f} cents from the plan"
    return ""


def _filled(times_s: Floats, shifts: Floats) -> Floats:
    """Shifts where they are known, between them on lines, beyond them as they are there; 0 without any."""
    known = np.isfinite(shifts)
    return np.interp(times_s, times_s[known], shifts[known]) if known.any() else np.zeros(times_s.size)


def _curves(
    note: Note, times_s: Floats, *, pitch_midi: Floats, levels_dbfs: Floats
) -> Iterator[tuple[str, Curve]]:
    """Pitch and dynamics as they were heard, and what was played beside, from the audible onset on."""
    yield PITCH, Curve(times_s, pitch_midi, PITCH_TOLERANCE, PITCH_DIGITS)
    yield DYNAMICS, Curve(times_s, levels_dbfs, LEVEL_TOLERANCE_DB, LEVEL_DIGITS)
    for name, envelope in note.envelopes.items():
        if name in (PITCH, DYNAMICS, LOUDNESS):
            continue
        inner_s, values = cut(envelope, from_s=times_s[0], to_s=times_s[-1])
        tolerance = TECHNIQUE_TOLERANCE * float(np.abs(values).max())
        yield name, Curve(inner_s, values, tolerance, TECHNIQUE_DIGITS, envelope.interpolation)


def _measured(
    notes: Sequence[Note], faults: Sequence[str], curves: Sequence[dict[str, Curve]]
) -> Iterator[Measured]:
    envelopes = iter(simplified([curve for of_note in curves for curve in of_note.values()]))
    for note, fault, of_note in zip(notes, faults, curves, strict=True):
        channels = {name: next(envelopes) for name in of_note}
        is_silent = fault.startswith("silent")
        masked = {*note.masked, *(channels if is_silent else (PITCH,) if fault else ())}
        onset_s, offset_s = channels[PITCH].times_s[[0, -1]]
        heard = replace(
            note,
            onset_s=onset_s,
            offset_s=offset_s,
            drive_onset_s=round(note.onset_s, TIME_DIGITS),
            envelopes=channels,
            masked=tuple(masked & channels.keys()),
        )
        yield Measured(heard, f"note at {onset_s:.3f} s: {fault}" if fault else "")
