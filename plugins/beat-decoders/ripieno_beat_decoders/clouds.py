"""Clouds of particles that follow a beat and a bar; their numbers never change.

Conventions
-----------
A particle of the beat stands on a slot of `BarSpace`: an interval in frames, and a frame of it. A particle
of the bar stands on a bar row: a metre, and a position in it.

References
----------
Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and meter
tracking. ISMIR 2021.
"""

import numpy as np
from numpy.random import Generator

from .bar_space import BarSpace, Floats, Indexes

LEAST_ACTIVATION = 0.4
"""Weaker activations say nothing."""
SILENCE = 0.03
"""Weight of a particle where no beat, or no downbeat, is heard."""
STRONG_ACTIVATION = 0.8
"""From here on some particles begin anew, on the beat."""
NEW_SHARE = 0.01
"""How many of them."""


class BeatParticles:
    """The first stage: where in the beat the music may be, and how long a beat is.

    Parameters
    ----------
    space : BarSpace
    count : int
        Particles.
    stiffness : float
        As in `BarSpace.tempo_transition`.
    tempo_prior : ndarray [intervals]
        Of the tempi of new particles.
    rng : Generator
        Of all draws.
    """

    def __init__(
        self, space: BarSpace, *, count: int, stiffness: float, tempo_prior: Floats, rng: Generator
    ) -> None:
        self._space, self._rng, self._count = space, rng, count
        self._last_slots = space.first_slots + space.intervals - 1
        self._next = Draws(space.tempo_transition(stiffness))
        self._new = Draws(tempo_prior[None, :])
        intervals = self._new(np.zeros(count, np.intp), rng)
        frames = (rng.random(count) * space.intervals[intervals]).astype(np.intp)
        self.slots: Indexes = space.first_slots[intervals] + frames

    def hear(self, activation: float) -> None:
        """One frame on: move, and follow the activation, if it is one."""
        self._move()
        if activation < LEAST_ACTIVATION:
            return
        on_beat = self._space.slot_frames[self.slots] == 0
        weights = np.where(on_beat, activation, SILENCE)
        self.slots = self.slots[resampled(weights, self._rng)]
        if activation >= STRONG_ACTIVATION:
            self._renew(max(1, round(NEW_SHARE * self._count)))

    def _move(self) -> None:
        intervals = self._space.slot_intervals[self.slots]
        ended = np.flatnonzero(self.slots == self._last_slots[intervals])
        self.slots += 1
        if len(ended):
            self.slots[ended] = self._space.first_slots[self._next(intervals[ended], self._rng)]

    def _renew(self, count: int) -> None:
        chosen = self._rng.integers(self._count, size=count)
        self.slots[chosen] = self._space.first_slots[self._new(np.zeros(count, np.intp), self._rng)]


class BarParticles:
    """The second stage: which beat of which bar it is; it moves where a beat falls, and only there.

    Parameters
    ----------
    space : BarSpace
    count : int
        Particles.
    metre_change : float
        As in `BarSpace.bar_transition`.
    rng : Generator
        Of all draws.
    """

    def __init__(self, space: BarSpace, *, count: int, metre_change: float, rng: Generator) -> None:
        self._rng, self._count, self._rows_in_all = rng, count, len(space.bar_rows)
        step = space.bar_transition(metre_change=metre_change, slip=0.0, prior=space.metre_prior())
        self._next = Draws(step)
        self._is_downbeat = np.isin(np.arange(self._rows_in_all), space.downbeat_rows)
        self.rows: Indexes = rng.integers(self._rows_in_all, size=count)

    def hear(self, beat: float, downbeat: float) -> None:
        """One beat on: move, and follow the activations on it, if it is heard.

        Parameters
        ----------
        beat, downbeat : float
            That a beat which is no downbeat, and that a downbeat, falls here.
        """
        self.rows = self._next(self.rows, self._rng)
        if max(beat, downbeat) < LEAST_ACTIVATION:
            return
        heard = np.where(self._is_downbeat, max(downbeat, SILENCE), max(beat, SILENCE))
        self.rows = self.rows[resampled(heard[self.rows], self._rng)]

    @property
    def shares(self) -> Floats:
        """The part of all particles on each bar row [bar rows]."""
        return np.bincount(self.rows, minlength=self._rows_in_all) / self._count


class Draws:
    """Draws of a Markov chain.

    Parameters
    ----------
    transition : ndarray [before, after]
        Each row sums to 1.
    """

    def __init__(self, transition: Floats) -> None:
        self._columns = transition.shape[1]
        cumulative = np.cumsum(transition, axis=1)
        cumulative[:, -1] = 1
        # Row r covers (r, r + 1]: one search serves particles of all rows.
        self._edges = (cumulative + np.arange(len(transition))[:, None]).ravel()

    def __call__(self, before: Indexes, rng: Generator) -> Indexes:
        """What follows each of `before`."""
        found: Indexes = np.searchsorted(self._edges, before + rng.random(len(before)), side="right")
        return found - before * self._columns


def resampled(weights: Floats, rng: Generator) -> Indexes:
    """Indexes of as many particles, drawn by weight with one random number (systematic resampling).

    References
    ----------
    Kitagawa: Monte Carlo filter and smoother for non-Gaussian nonlinear state space models. Journal of
    Computational and Graphical Statistics 5(1), 1996.
    """
    cumulative = np.cumsum(weights)
    count = len(weights)
    places = (np.arange(count) + rng.random()) * (cumulative[-1] / count)
    chosen: Indexes = np.minimum(np.searchsorted(cumulative, places, side="right"), count - 1)
    return chosen
