"""Following what jumps without jumping: one frame after the other, by what was before.

Conventions
-----------
A time constant is the time after which 1 - 1/e of a step is made. The first frame is where it would settle.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Follower:
    """Rises fast and falls slowly, or the other way.

    Parameters
    ----------
    rise_s, fall_s : float
        Time constants; 0 = at once.
    fps : float
        Frames a second.
    """

    def __init__(self, *, rise_s: float, fall_s: float, fps: float) -> None:
        self.rise, self.fall = share_of(rise_s, fps=fps), share_of(fall_s, fps=fps)
        self.value: float | None = None

    def follow(self, wanted: Array) -> Array:
        """The next frames, for what is wanted in them [frames]."""
        values = np.empty(len(wanted))
        value = self.value
        for index, target in enumerate(wanted.tolist()):
            value = (
                target
                if value is None
                else value + (target - value) * (self.rise if target > value else self.fall)
            )
            values[index] = value
        self.value = value
        return values


class Glide:
    """Many values that follow with a time constant that changes from frame to frame."""

    def __init__(self) -> None:
        self.state: Array | None = None

    def follow(self, wanted: Array, shares: Array) -> Array:
        """The next frames [frames, values], for what is wanted in them and the share made of the way."""
        values = np.empty_like(wanted)
        state = self.state
        for index, share in enumerate(shares.tolist()):
            state = wanted[index].copy() if state is None else state + share * (wanted[index] - state)
            values[index] = state
        self.state = state
        return values


def share_of(time_s: float, *, fps: float) -> float:
    """The share of the way that a frame makes with this time constant."""
    return float(shares_of(np.array([time_s]), fps=fps)[0])


def shares_of(times_s: Array | Sequence[float], *, fps: float) -> Array:
    """The share of the way that each frame makes with its time constant."""
    given = np.asarray(times_s, np.float64)
    return np.where(given > 0, -np.expm1(-1 / (fps * np.maximum(given, 1e-9))), 1.0)
