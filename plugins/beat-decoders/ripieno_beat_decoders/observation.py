"""What an activation says of the states: likelihoods of the beat zone against the rest of the beat.

References
----------
Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and meter
tracking. ISMIR 2021.
Böck, Krebs, Widmer: Joint beat and downbeat tracking with recurrent neural networks. ISMIR 2016.
"""

from collections import deque
from math import exp, log, sqrt

from .bar_space import Floats

FURTHEST = 3.0
"""Deviations beyond it count as it."""
PRIOR_WEIGHT = 1.0
QUIETEST = 0.1
"""Lower peaks are not scaled up further."""


class BeatObservation:
    """How strongly a beat activation speaks for the beat zone.

    The log-likelihood of an activation a in the zone against the rest of the beat is ``power *
    log((a + floor) / (contrast * p * (1 - a) + floor))``, where p is how high activations rose within the
    last beat or so: an empty beat speaks against a beat while the music plays, and says nothing in a break.

    Parameters
    ----------
    floor : float
        Activations far below it say nothing, > 0.
    contrast : float
        How much an empty beat says against it, >= 0.
    power : float
        Weight, in (0, 1]: frames that follow each other are not independent.
    level : float
        How far activations are scaled to the highest of late, from 0 not at all to 1 wholly.
    memory : float
        Frames after which a peak that activations are scaled to is remembered at 1 / e.
    pulse : float
        Frames after which p has fallen to 1 / e.
    """

    def __init__(
        self,
        *,
        floor: float,
        contrast: float,
        power: float,
        level: float,
        memory: float,
        pulse: float,
    ) -> None:
        self._floor, self._contrast, self._power, self._level = floor, contrast, power, level
        self._forget, self._fade = exp(-1 / memory), exp(-1 / pulse)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._peak = self._pulse = 0.0

    def log_ratio(self, beat: float) -> float:
        """Take the next activation, in [0, 1]; its log-likelihood in the zone against the rest."""
        self._peak = max(self._peak * self._forget, beat)
        self._pulse = max(self._pulse * self._fade, beat)
        scaled = min(beat / max(self._peak, QUIETEST) ** self._level, 1.0)
        empty = self._contrast * self._pulse * (1 - scaled)
        return self._power * log((scaled + self._floor) / (empty + self._floor))


def accent_log_likelihood(deviation: float, expected: Floats) -> Floats:
    """Log-likelihood of a standardised value on each bar row, against a mean of 0.

    Parameters
    ----------
    deviation : float
        From the mean over beats, in standard deviations.
    expected : ndarray [bar rows]
        Mean deviation on each bar row; values are normal around it with standard deviation 1.
    """
    bounded = min(max(deviation, -FURTHEST), FURTHEST)
    return expected * (bounded - expected / 2)


class DownbeatEvidence:
    """Log-likelihood of each bar row, frame by frame, from activations around a beat.

    What counts is the log-odds of a downbeat against another beat, in the frame of the last few that is
    most of a beat, standardised by what they were on the beats so far.

    Parameters
    ----------
    expected : ndarray [bar rows]
        How far the log-odds stand out on each bar row, in standard deviations over all beats.
    delay : int
        The evidence is that of a beat so many frames ago, >= 0; as many frames before it are heard too.
    memory : float
        Beats over which the log-odds are standardised, > 1.
    epsilon : float
        Added to both activations, so that weak ones say little, > 0.
    """

    def __init__(self, expected: Floats, *, delay: int, memory: float, epsilon: float) -> None:
        self.delay = delay
        self._expected, self._epsilon = expected, epsilon
        self._standard = RunningStandard(deviation=1.0, memory=memory)
        self._recent: deque[tuple[float, float]] = deque(maxlen=2 * delay + 1)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._standard.reset()
        self._recent.clear()
        self._odds = 0.0

    def hear(self, beat: float, downbeat: float) -> Floats:
        """Take the next activations; log-likelihood of each bar row for a beat `delay` frames ago."""
        self._recent.append((beat, downbeat))
        beat, downbeat = max(self._recent)
        self._odds = log((downbeat + self._epsilon) / (max(beat - downbeat, 0.0) + self._epsilon))
        return accent_log_likelihood(self._standard.score(self._odds), self._expected)

    def learn(self, beat: float) -> None:
        """Take the activations heard last as those of a beat, with its probability `delay` frames ago."""
        self._standard.learn(self._odds, beat)


class RunningStandard:
    """Values as deviations from their weighted running mean, in running standard deviations.

    Parameters
    ----------
    deviation : float
        Expected before anything was seen, > 0; it counts as much as `PRIOR_WEIGHT` values.
    memory : float
        Weights are forgotten so that this much of them is remembered, > 1.

    References
    ----------
    West: Updating mean and variance estimates: an improved method. Communications of the ACM 22(9), 1979.
    """

    def __init__(self, *, deviation: float, memory: float) -> None:
        self._variance, self._memory = deviation**2, memory
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._weight = self._mean = self._squares = 0.0

    def score(self, value: float) -> float:
        """The value in deviations from the mean; 0 before there is one."""
        if self._weight == 0:
            return 0.0
        variance = (self._squares + PRIOR_WEIGHT * self._variance) / (self._weight + PRIOR_WEIGHT)
        return (value - self._mean) / sqrt(variance)

    def learn(self, value: float, weight: float) -> None:
        """Take a value into account, as much as its weight in [0, 1] says."""
        if weight <= 0:
            return
        keep = 1 - weight / self._memory
        self._weight = self._weight * keep + weight
        difference = value - self._mean
        self._mean += difference * weight / self._weight
        self._squares = self._squares * keep + weight * difference * (value - self._mean)
