"""What is wrong with a rendered sound as such."""

import numpy as np
from numpy.typing import NDArray

SILENT_DBFS = -60.0
CLIPPED = 0.999


def clip_faults(samples: NDArray[np.floating], *, rate_hz: int, frames: int) -> tuple[str, ...]:
    """Find what no clip may have.

    Parameters
    ----------
    samples : ndarray [frames]
        Mono, full scale is 1.
    rate_hz : int
    frames : int
        How long it must be.

    Returns
    -------
    tuple of str
        A line for each fault: wrong length, numbers that are none, silence, clipping, clicks.
    """
    faults = []
    if len(samples) != frames:
        faults.append(f"wrong length: {len(samples)} frames, not {frames}")
    if not np.isfinite(samples).all():
        return (*faults, "NaN or infinite samples")
    peak = float(np.abs(samples).max(initial=0))
    if peak < 10 ** (SILENT_DBFS / 20):
        faults.append("silence")
    if peak >= CLIPPED:
        faults.append(f"clipping: {peak:.3f} of full scale")
    return tuple(faults)
