"""Noise that is smooth, seeded and known at any time without what was before."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_RATES = (0.61, 1.0, 1.73)
_WEIGHTS = np.array([0.5, 0.32, 0.18])


class Waves:
    """Some independent curves in -1..1, each the sum of three sines that never come together again.

    Parameters
    ----------
    count : int
        Of curves.
    rng : Generator
        Draws rates and phases; one wave lasts about 1.
    """

    def __init__(self, count: int, *, rng: Generator) -> None:
        self.rates = np.array(_RATES) * rng.uniform(0.85, 1.18, (count, len(_RATES)))
        self.phases = rng.uniform(0, 1, (count, len(_RATES)))

    def at(self, clock: NDArray[np.float64]) -> NDArray[np.float64]:
        """The curves [times, count] at some times."""
        total = np.zeros((len(clock), len(self.rates)))
        for wave, weight in enumerate(_WEIGHTS):
            turns = clock[:, None] * self.rates[:, wave] + self.phases[:, wave]
            total += weight * np.sin(2 * np.pi * (turns % 1))
        return total
