"""What no rendered sound may have, whatever is played.

Conventions
-----------
Samples are mono, [frames], full scale is 1. A click is a step or spike: the second difference of the samples
is then far above all that is near, for a millisecond, and no sound begins with it. The attack of a pluck or
a hammer lasts longer, or begins a sound; a bowed or sung waveform repeats its corners each period.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SILENT_DBFS = -60.0
"""Peak below which a clip is silent."""
CLIPPED = 0.999
"""Magnitude from which on a sample is clipped."""
FLAT_TOP = 4
"""Equal samples in a row, at the highest or lowest of the clip, that are a flat top …"""
FLAT_TOPS = 3
"""… and how often they occur where a sound was clipped before it was turned down."""
CLICK_RATIO = 8.0
"""How far a click stands out of all within `CLICK_NEAR_MS`, before and after."""
CLICK_NEAR_MS = 40
CLICK_SHARE = 0.02
"""Least second difference of a click, as a share of the clip's peak."""
ATTACK_RISE = 2.0
"""RMS of the 10 ms after over that of the 10 ms before from which on something begins."""


def clip_faults(samples: NDArray[np.floating], *, rate_hz: int, frames: int) -> tuple[str, ...]:
    """Find what is wrong with a clip.

    Parameters
    ----------
    samples : ndarray [frames]
    rate_hz : int
    frames : int
        How many there must be.

    Returns
    -------
    tuple of str
        A line for each fault: wrong length, samples that are no numbers, silence, clipping, clicks.
    """
    faults = []
    if len(samples) != frames:
        faults.append(f"wrong length: {len(samples)} frames, not {frames}")
    if not np.isfinite(samples).all():
        return (*faults, "NaN or infinite samples")
    peak = float(max(samples.max(initial=0), -samples.min(initial=0)))
    if peak < 10 ** (SILENT_DBFS / 20):
        return (*faults, "silence")
    if peak >= CLIPPED:
        faults.append(f"clipping: {peak:.3f} of full scale")
    elif _flat_tops(samples) >= FLAT_TOPS:
        faults.append(f"clipping: flat tops at {peak:.3f} of full scale")
    clicks_s = click_times_s(samples, rate_hz=rate_hz)
    if clicks_s.size:
        faults.append(f"{clicks_s.size} clicks, the first at {clicks_s[0]:.3f} s")
    return tuple(faults)


def click_times_s(samples: NDArray[np.floating], *, rate_hz: int) -> Floats:
    """When clicks occur, to a millisecond."""
    block = max(4, rate_hz // 1000)
    near = CLICK_NEAR_MS
    bends = np.abs(np.diff(samples, n=2, prepend=0, append=0))
    bends = np.pad(bends, (0, -bends.size % block)).reshape(-1, block).max(axis=1)
    around = sliding_window_view(np.pad(bends, near), near - 1).max(axis=1)
    # A click may lie across two blocks: those beside its own are not its surroundings.
    surroundings = np.maximum(around[: bends.size], around[near + 2 :])
    least = CLICK_SHARE * np.abs(samples).max(initial=0)
    beside = np.pad(bends, 1)
    is_highest = (bends > beside[:-2]) & (bends >= beside[2:])
    suspects = np.flatnonzero(is_highest & (bends > CLICK_RATIO * surroundings) & (bends > least))
    begins = _rms(samples, suspects + 2, block=block) > ATTACK_RISE * _rms(
        samples, suspects - 11, block=block
    )
    clicks_s: Floats = suspects[~begins] * block / rate_hz
    return clicks_s


def _rms(samples: NDArray[np.floating], blocks: NDArray[np.int64], *, block: int) -> Floats:
    """Of ten blocks from each on; silence lies outside the sound."""
    padded = np.pad(samples, (11 * block, 13 * block))
    parts = sliding_window_view(padded, 10 * block)[(blocks + 11) * block]
    rms: Floats = np.sqrt(np.mean(np.square(parts, dtype=np.float64), axis=1))
    return rms


def _flat_tops(samples: NDArray[np.floating]) -> int:
    """How often the highest or lowest value is held."""
    held = 0
    for extreme in (samples.max(), samples.min()):
        at = np.flatnonzero(samples == extreme)
        runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
        held += sum(len(run) >= FLAT_TOP for run in runs)
    return held
