"""When a note is heard to begin.

Conventions
-----------
A driven note is heard some time after it is driven: a bow takes 50 ms to make a string speak. It is heard
where its RMS over 4 ms, centred, first passes 5 % of the highest within 80 ms from the drive; never before
the drive.

What still sounds when it begins is the residue: the highest RMS in the 20 ms before. The note is then heard
where it has risen 5 % of the way from the residue to its own highest. Where it hardly rises above it, nothing
but the change of pitch marks its beginning: it begins where it is driven.
"""

import numpy as np
from numpy.typing import NDArray

from .level import Power

Floats = NDArray[np.float64]

WINDOW_S = 0.004
FIRST_S = 0.08
"""How long after the drive a note is looked for."""
AUDIBLE_SHARE = 0.05
RESIDUE_S = 0.02
LEAST_RISE = 1.25
"""Highest RMS over the residue (2 dB) below which a note has no attack."""
_STEP_S = 0.00025


def audible_onsets_s(
    power: Power, drive_onsets_s: Floats, *, ends_s: Floats, first_s: float = FIRST_S
) -> Floats:
    """Find where notes are heard to begin.

    Parameters
    ----------
    power : Power
        Of a sound in which the notes do not overlap.
    drive_onsets_s : ndarray [notes]
        When they were driven.
    ends_s : ndarray [notes]
        Until when they may be heard to begin: the ends of the notes.
    first_s : float
        How long after the drive they are looked for, where they do not end before.

    Returns
    -------
    ndarray [notes]
        To 0.25 ms; `drive_onsets_s` where there is no attack.
    """
    drive_onsets_s = np.asarray(drive_onsets_s, np.float64)
    after_s = _STEP_S * np.arange(round(first_s / _STEP_S) + 1, dtype=np.float64)
    levels = _levels(power, drive_onsets_s, after_s)
    levels[drive_onsets_s[:, None] + after_s > np.asarray(ends_s)[:, None]] = 0
    highest, residue = levels.max(axis=1), residues(power, drive_onsets_s)
    passes = levels > (residue + AUDIBLE_SHARE * (highest - residue))[:, None]
    has_attack = highest >= LEAST_RISE * residue
    onsets_s: Floats = drive_onsets_s + np.where(has_attack, after_s[passes.argmax(axis=1)], 0.0)
    return onsets_s


def residues(power: Power, onsets_s: Floats) -> Floats:
    """Highest RMS in the 20 ms before each time."""
    before_s = -WINDOW_S / 2 - np.linspace(0, RESIDUE_S, 21)
    highest: Floats = _levels(power, onsets_s, before_s).max(axis=1)
    return highest


def _levels(power: Power, onsets_s: Floats, offsets_s: Floats) -> Floats:
    centres_s = onsets_s[:, None] + offsets_s
    return power.rms(centres_s - WINDOW_S / 2, centres_s + WINDOW_S / 2)
