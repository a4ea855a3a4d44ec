"""When a note is heard to begin.

Conventions
-----------
A driven note is heard some time after it is driven: a bow takes 50 ms to make a string speak. It is heard
where its RMS over 4 ms first passes 5 % of the highest within 80 ms from the drive, never before the drive.

What still sounds when it begins is the residue: the highest RMS in the 20 ms before. The note is then heard
where it rises 5 % of the way from the residue to its own highest. Where it hardly rises above it, and where
it is slurred, nothing marks its beginning but the change of pitch: it begins where it is driven.
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
"""Highest RMS over the residue (2 dB) below which the note has no attack."""
_STEP_S = 0.00025


def audible_onsets_s(power: Power, drive_onsets_s: Floats, *, ends_s: Floats) -> Floats:
    """Find where notes are heard to begin.

    Parameters
    ----------
    power : Power
        Of a sound in which the notes do not overlap.
    drive_onsets_s : ndarray [notes]
        When they were driven.
    ends_s : ndarray [notes]
        Until when they are looked for, if that is less than `FIRST_S` later: the end of the note.

    Returns
    -------
    ndarray [notes]
        `drive_onsets_s` where there is no attack, to 0.25 ms.
    """
    drive_onsets_s = np.asarray(drive_onsets_s, np.float64)
    after_s = np.arange(round(FIRST_S / _STEP_S)) * _STEP_S
    levels = _levels(power, drive_onsets_s, after_s)
    levels[drive_onsets_s[:, None] + after_s > np.asarray(ends_s)[:, None]] = 0
    highest = levels.max(axis=1)
    before_s = np.arange(-RESIDUE_S - WINDOW_S / 2, -WINDOW_S / 2 + _STEP_S / 2, WINDOW_S / 4)
    residue = _levels(power, drive_onsets_s, before_s).max(axis=1)
    passes = levels > (residue + AUDIBLE_SHARE * (highest - residue))[:, None]
    has_attack = highest >= LEAST_RISE * residue
    onsets_s: Floats = drive_onsets_s + np.where(has_attack, after_s[passes.argmax(axis=1)], 0.0)
    return onsets_s


def _levels(power: Power, onsets_s: Floats, offsets_s: Floats) -> Floats:
    centres_s = onsets_s[:, None] + offsets_s
    return power.rms(centres_s - WINDOW_S / 2, centres_s + WINDOW_S / 2)
