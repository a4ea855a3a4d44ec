"""Envelopes as rows of samples, for formats that know no breakpoints.

Conventions
-----------
Between two samples a curve is a line. A step becomes two samples one tick apart.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope

Floats = NDArray[np.float64]
STEP_S = 0.004
HALVINGS = 6
# In the middle alone a curve that turns there would look like its chord.
PROBES = (0.25, 0.5, 0.75)


def sample_times(
    envelope: Envelope, *, start_s: float, end_s: float, tick_s: float, tolerance: float
) -> Floats:
    """Where to sample an envelope, so that lines between the samples are it.

    Parameters
    ----------
    envelope : Envelope
    start_s, end_s : float
        First and last sample.
    tick_s : float
        Least distance of times in the format, > 0.
    tolerance : float
        How far a line may leave the envelope between two samples, in its unit.

    Returns
    -------
    ndarray [samples]
        Increasing by half a tick or more, by `STEP_S` or little more at most; breakpoints are among them, or
        within half a tick of one.
    """
    grid_s = np.arange(start_s, end_s, STEP_S)
    points_s = envelope.times_s
    if envelope.interpolation == "step":
        points_s = np.concatenate([points_s - tick_s, points_s, points_s + tick_s])
    times_s = apart(np.clip(np.concatenate([grid_s, points_s, [end_s]]), start_s, end_s), tick_s / 2)
    for _ in range(HALVINGS if envelope.interpolation == "cubic" else 0):
        lengths_s, values = np.diff(times_s), envelope.at(times_s)
        sags = [
            abs(envelope.at(times_s[:-1] + share * lengths_s) - values[:-1] - share * np.diff(values))
            for share in PROBES
        ]
        middles_s = (times_s[:-1] + lengths_s / 2)[np.max(sags, axis=0) > tolerance]
        times_s = apart(np.concatenate([times_s, middles_s]), tick_s / 2)
    return times_s


def apart(times_s: Floats, least_s: float) -> Floats:
    """Times in order, without those that are nearer than `least_s` to the one before."""
    ordered: Floats = np.sort(times_s)
    return ordered[np.diff(ordered, prepend=-np.inf) >= least_s]


def turning(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which samples a curve needs: all but those within or at the end of a constant run."""
    same = values[1:] == values[:-1]
    needed: NDArray[np.bool_] = ~(np.append(False, same) & np.append(same, True))
    return needed
