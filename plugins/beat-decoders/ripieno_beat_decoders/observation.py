"""What an activation says of the states: likelihoods of the beat zone against the rest of the beat.

References
----------
Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and meter
tracking. ISMIR 2021.
Böck, Krebs, Widmer: Joint beat and downbeat tracking with recurrent neural networks. ISMIR 2016.
"""

from dataclasses import dataclass

import numpy as np

EPSILON = 1e-6


@dataclass(frozen=True)
class BeatObservation:
    """How strongly a beat activation speaks for the beat zone.

    Parameters
    ----------
    floor : float
        Activations below it count as it, so that a break says nothing; in (0, 1).
    neutral : float
        The activation that is as likely on a beat as off it, >= floor. Less speaks against a beat.
    power : float
        Weight: frames follow each other too closely to be independent.
    """

    floor: float = 0.03
    neutral: float = 0.03
    power: float = 0.7

    def log_ratio(self, beat: float) -> float:
        """Log-likelihood of the beat zone against the rest, of an activation in [0, 1]."""
        return self.power * float(np.log(max(beat, self.floor) / self.neutral))


def log_odds(probability: float, other: float) -> float:
    """Log of how much more likely one probability is than another, finite for 0 and 1."""
    return float(np.log((probability + EPSILON) / (max(other, 0.0) + EPSILON)))


class RunningStandard:
    """Values as deviations from their weighted running mean, in running standard deviations.

    Parameters
    ----------
    memory : float
        Weights are forgotten so that this much of them is remembered, > 0.
    least_deviation : float
        The deviation is taken to be no smaller, > 0.
    prior : tuple of float
        Mean and deviation before anything was seen; they count as much as one unit of weight.
    """

    def __init__(self, *, memory: float, least_deviation: float, prior: tuple[float, float]) -> None:
        self._memory, self._least = memory, least_deviation
        self._prior = prior
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        mean, deviation = self._prior
        self._weight = 1.0
        self._mean, self._variance = mean, deviation**2

    def score(self, value: float) -> float:
        """The value in deviations from the mean."""
        return (value - self._mean) / max(self._variance**0.5, self._least)

    def learn(self, value: float, weight: float) -> None:
        """Take a value into account, as much as its weight in [0, 1] says."""
        self._weight = self._weight * (1 - weight / self._memory) + weight
        share = weight / self._weight
        difference = value - self._mean
        self._mean += share * difference
        self._variance += share * ((1 - share) * difference**2 - self._variance)
