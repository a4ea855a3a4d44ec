"""Envelopes as rows of samples, for formats that know no breakpoints.

Conventions
-----------
Between two samples a curve is a line. A step becomes two samples one tick apart.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Envelope

Floats = NDArray[np.float64]
# At this spacing a line differs from a vibrato of 100 cents at 8 Hz by a quarter of a cent at most.
STEP_S = 0.004


def sample_times(envelope: Envelope, *, start_s: float, end_s: float, tick_s: float) -> Floats:
    """Where to sample an envelope.

    Parameters
    ----------
    envelope : Envelope
    start_s, end_s : float
        First and last sample.
    tick_s : float
        Least distance of times in the format, > 0.

    Returns
    -------
    ndarray [samples]
        Strictly increasing, `STEP_S` apart or less; every breakpoint is among them.
    """
    grid_s = np.arange(start_s, end_s, STEP_S)
    points_s = envelope.times_s
    if envelope.interpolation == "step":
        points_s = np.concatenate([points_s - tick_s, points_s, points_s + tick_s])
    times_s: Floats = np.unique(np.clip(np.concatenate([grid_s, points_s, [end_s]]), start_s, end_s))
    return times_s


def turning(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which samples a curve needs: all but those within or at the end of a constant run."""
    same = values[1:] == values[:-1]
    return ~(np.append(False, same) & np.append(same, True))
