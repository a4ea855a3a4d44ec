"""How far labels are from the sound: for quality assurance, benchmarks, and after an augmentation.

Conventions
-----------
Samples are mono, [frames]; notes may overlap, and only what one note alone tells is compared. Errors are of
the sound less the label: positive where it sounds higher, or later.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.interpolation import interpolate_all
from ripieno.contracts.performance import PITCH, Note

from .level import Power
from .onset import FIRST_S, audible_onsets_s, residues
from .refine import refine_pitch, window_s

Floats = NDArray[np.float64]

SEARCH_CENTS = 100.0
RING_S = 0.5
"""How long a note may ring after its end."""
BEFORE_S = 0.05
"""How long before its label an onset is looked for."""
QUIET_SHARE = 0.02
"""Level before a note, as a share of its own, up to which silence goes before it."""
HOP_S = 0.005
_DIED_AWAY = 0.01


def pitch_errors_cents(
    samples: NDArray[np.floating], notes: Sequence[Note], *, rate_hz: int, ring_s: float = RING_S
) -> Floats:
    """Compare pitch labels with the sound, in the bodies of notes.

    Parameters
    ----------
    samples : ndarray [frames]
    notes : sequence of Note
        Those whose pitch is masked only keep others from being compared.
    rate_hz : int
    ring_s : float
        How long after its end a note still disturbs others, >= 0.

    Returns
    -------
    ndarray
        Cents, one for each 5 ms that can be measured: the whole window lies in one note, no other sounds,
        and the autocorrelation confirms a pitch within 100 cents.
    """
    labelled = [note for note in notes if PITCH in note.envelopes and PITCH not in note.masked]
    if not labelled:
        return np.zeros(0)
    rows = [np.arange(note.onset_s, note.offset_s, HOP_S) for note in labelled]
    which = np.repeat(np.arange(len(rows)), [row.size for row in rows])
    times_s = np.concatenate(rows)
    labels = interpolate_all([note.envelopes[PITCH] for note in labelled], which, times_s)
    margins_s = window_s(labels) / 2
    alone = _inside(labelled, which, times_s, margins_s) & (
        _sounding(notes, times_s, margins_s=margins_s, ring_s=ring_s) == 1
    )
    levels = Power(samples, rate_hz=rate_hz).rms(times_s - HOP_S, times_s + HOP_S)
    highest = np.maximum.reduceat(levels, np.searchsorted(which, np.arange(len(rows))))
    used = alone & (levels > _DIED_AWAY * highest[which])
    refined = refine_pitch(samples, times_s[used], labels[used], rate_hz=rate_hz, search_cents=SEARCH_CENTS)
    errors_cents = 100 * (refined.pitch_midi - labels[used])
    confirmed: Floats = errors_cents[refined.is_confirmed]
    return confirmed


def onset_errors_s(samples: NDArray[np.floating], notes: Sequence[Note], *, rate_hz: int) -> Floats:
    """Compare onset labels with the sound, for notes after silence.

    Returns
    -------
    ndarray
        Seconds, one for each note that silence goes before and no other begins with.
    """
    if not notes:
        return np.zeros(0)
    power = Power(samples, rate_hz=rate_hz)
    onsets_s = np.array([note.onset_s for note in notes])
    starts_s, ends_s = np.maximum(onsets_s - BEFORE_S, 0), onsets_s + FIRST_S
    begins_alone = np.array(
        [
            np.sum((onsets_s > start_s - BEFORE_S) & (onsets_s < end_s)) == 1
            for start_s, end_s in zip(starts_s, ends_s, strict=True)
        ]
    )
    after_silence = residues(power, starts_s) < QUIET_SHARE * power.rms(onsets_s, ends_s)
    found_s = audible_onsets_s(power, starts_s, ends_s=ends_s, first_s=BEFORE_S + FIRST_S)
    errors_s: Floats = (found_s - onsets_s)[begins_alone & after_silence]
    return errors_s


def _inside(
    notes: Sequence[Note], which: NDArray[np.int64], times_s: Floats, margins_s: Floats
) -> NDArray[np.bool_]:
    onsets_s = np.array([note.onset_s for note in notes])[which]
    offsets_s = np.array([note.offset_s for note in notes])[which]
    inside: NDArray[np.bool_] = (times_s - margins_s >= onsets_s) & (times_s + margins_s <= offsets_s)
    return inside


def _sounding(
    notes: Sequence[Note], times_s: Floats, *, margins_s: Floats, ring_s: float
) -> NDArray[np.int64]:
    """How many notes sound within the margins of each time."""
    begun = np.searchsorted(np.sort([note.onset_s for note in notes]), times_s + margins_s)
    ended = np.searchsorted(np.sort([note.offset_s + ring_s for note in notes]), times_s - margins_s)
    return begun - ended
