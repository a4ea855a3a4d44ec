"""The exact forward filter of the bar pointer model: what is known of tempo, phase and bar, frame by frame.

References
----------
Whiteley, Cemgil, Godsill: Bayesian modelling of temporal structure in musical audio. ISMIR 2006.
Krebs, Böck, Widmer: An efficient state-space model for joint tempo and meter tracking. ISMIR 2015.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bar_space import BarSpace, Floats, Indexes, Ring
from .config import BarPointerConfig
from .cue_evidence import CueEvidence
from .observation import BeatObservation, DownbeatEvidence

Floats32 = NDArray[np.float32]

SMALLEST_UNIT = 1e-60
"""States are brought back to a unit of 1 before they could under- or overflow."""
AROUND_S = 0.02
"""Activations this near to a beat tell whether it is a downbeat."""


@dataclass(frozen=True)
class FilterConstants:
    """Numbers of the model that no user needs to turn; ``tune.py`` searches for them.

    Parameters
    ----------
    floor, contrast, power, level : float
        As in `BeatObservation`.
    peak_s, pulse_s : float
        Its memory and pulse, in seconds.
    octave_jump : float
        Probability, at a beat's end, that the tempo doubles, and that it halves.
    coarse : int
        As in `BarSpace.tempo_transition`.
    tempo_pull : float
        How much the tempo prior counts in every second, beside the start.
    metre_change, slip : float
        As in `BarSpace.bar_transition`.
    restart_s : float
        Mean seconds between restarts, where anything may begin: a new song, a cut.
    memory_beats : float
        Beats over which downbeat activations and cues are standardised.
    downbeat_epsilon : float
        Added to activations before their log-odds, so that weak ones say little.
    trust_in_three : float
        How far downbeat activations are believed in a bar of three, from 0 to 1: networks learn from
        songs, most of which are in four, and place the downbeats of a waltz at random.
    """

    floor: float = 0.03
    contrast: float = 0.98
    power: float = 0.66
    level: float = 0.19
    peak_s: float = 3.0
    pulse_s: float = 0.51
    octave_jump: float = 1e-6
    coarse: int = 28
    tempo_pull: float = 0.3
    metre_change: float = 3e-3
    slip: float = 2e-3
    restart_s: float = 5e3
    memory_beats: float = 16.0
    downbeat_epsilon: float = 0.02
    trust_in_three: float = 0.25


class ForwardFilter:
    """The posterior of the states given all that was heard, exactly, frame by frame.

    ``slot_mass`` [slots] is the posterior's sum over bar rows, kept because only few slots change in a frame.

    Parameters
    ----------
    space : BarSpace
    config : BarPointerConfig
    constants : FilterConstants
    rate_hz : float
        Frames a second.
    cues : CueEvidence, optional
    """

    def __init__(
        self,
        space: BarSpace,
        config: BarPointerConfig,
        constants: FilterConstants,
        *,
        rate_hz: float,
        cues: CueEvidence | None = None,
    ) -> None:
        self.space, self.cues = space, cues
        self._observation = BeatObservation(
            floor=constants.floor,
            contrast=constants.contrast,
            power=constants.power,
            level=constants.level,
            memory=constants.peak_s * rate_hz,
            pulse=constants.pulse_s * rate_hz,
        )
        trust = np.where(space.row_metres == 3, constants.trust_in_three, 1.0)
        self._downbeat = DownbeatEvidence(
            config.downbeat_weight * trust * space.accents,
            delay=max(1, round(AROUND_S * rate_hz)),
            memory=constants.memory_beats,
            epsilon=constants.downbeat_epsilon,
        )
        self.tempo_prior = space.tempo_prior(60 * rate_hz / config.expected_bpm, config.tempo_spread)
        self.bar_prior = space.metre_prior(config.weights_of(space.metres))
        step = space.tempo_transition(
            config.stiffness, octave_jump=constants.octave_jump, coarse=constants.coarse
        )
        seconds = space.intervals / rate_hz
        pull = (self.tempo_prior / self.tempo_prior.max()) ** (constants.tempo_pull * seconds)
        self._tempo_step = (step * pull).T.copy()
        self.bar_step = space.bar_transition(
            constants.metre_change, slip=constants.slip, prior=self.bar_prior
        )
        self._birth = np.outer(self.tempo_prior, self.bar_prior) / (constants.restart_s * rate_hz)
        self._prior = np.outer((self.tempo_prior / space.intervals)[space.slot_intervals], self.bar_prior)
        delays = [self._downbeat.delay] + ([cues.delay] if cues else [])
        parts = [space.entry_places, space.zone_places, *map(space.places_after_beats, delays)]
        self._ring = Ring(space, *(np.concatenate(places) for places in zip(*parts, strict=True)))
        ends = np.cumsum([0, *(len(intervals) for intervals, _ in parts)]).tolist()
        self._entry, self._zone, self._soon, *late = map(slice, ends, ends[1:])
        self._late = late[0] if late else slice(0)
        self.reset()

    def reset(self) -> None:
        """To the prior, as new."""
        self._states: Floats = self._prior.copy()
        self._unit = 1.0
        self.slot_mass: Floats = self._states.sum(axis=1)
        self._observation.reset()
        self._downbeat.reset()
        self._ring.reset()
        if self.cues is not None:
            self.cues.reset()

    @property
    def posterior(self) -> Floats:
        """Probability of each state [slots, bar rows]."""
        return self._states * self._unit

    @property
    def entries(self) -> Indexes:
        """The slot of each interval in which a beat has just begun [intervals]."""
        return self._ring.places[self._entry]

    def hear(self, beat: float, downbeat: float, cue: Floats32 | None) -> None:
        """One frame on: move, weigh by activations and cues, normalise.

        The cost grows with the number of slots, not of states: all states share one unit, and it is scaled.
        """
        self._ring.advance()
        self._move()
        self._weigh(self._zone, self._observation.log_ratio(beat))
        self._weigh(self._soon, self._downbeat.hear(beat, downbeat))
        if self.cues is not None and cue is not None:
            self._weigh(self._late, self.cues.hear(cue))
        self._normalise()
        self._downbeat.learn(self._probability(self._soon))
        if self.cues is not None and cue is not None:
            self.cues.learn(self._probability(self._late))

    def _move(self) -> None:
        ended = self._states.take(self.entries, axis=0)
        self._put(self._entry, self._tempo_step @ ended @ self.bar_step + self._birth / self._unit)

    def _weigh(self, part: slice, log_ratios: Floats) -> None:
        """Multiply a part of the states by the likelihood ratios of their bar rows."""
        self._put(part, self._states.take(self._ring.places[part], axis=0) * np.exp(log_ratios))

    def _put(self, part: slice, states: Floats) -> None:
        places = self._ring.places[part]
        self._states[places] = states
        self.slot_mass[places] = np.einsum("ij->i", states) * self._unit

    def _normalise(self) -> None:
        scale = 1 / float(self.slot_mass.sum())
        self.slot_mass *= scale
        self._unit *= scale
        if not SMALLEST_UNIT < self._unit < 1 / SMALLEST_UNIT:
            self._states *= self._unit
            self._unit = 1.0

    def _probability(self, part: slice) -> float:
        return min(1.0, float(self.slot_mass.take(self._ring.places[part]).sum()))
