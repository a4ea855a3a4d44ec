"""A clock and beats, read off the posterior of the bar pointer model.

Conventions
-----------
The clock follows one *mode*: the tempi near the winning one. Its phase is the circular mean of the mode, its
interval the mean of the tempi that share that phase, so that both move smoothly from frame to frame. In a
long silence, where the posterior spreads until it has no phase, the clock runs on as it was.
"""

import cmath
from dataclasses import dataclass
from math import exp, inf, tau
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Event

from .bar_space import BarSpace, Floats
from .output import Beat

if TYPE_CHECKING:
    from .bar_filter import ForwardFilter

Complexes = NDArray[np.complex128]
QUIET = 0.05
"""A contrast between lower activations is no evidence."""
BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))


@dataclass(frozen=True)
class ReadoutConstants:
    """Numbers of the readout that no user needs to turn.

    Parameters
    ----------
    lookahead_s : float
        A beat is told at most this long after its time.
    wait_s : float
        A beat is told at least this long after its time, so that what was heard on it counts.
    offset_s : float
        How far behind the middle of its zone a beat falls.
    mode_octaves : float
        Tempi this near to the winning one belong to its mode.
    coasting : float
        Where the posterior agrees less than this, in (0, 1), the clock runs on by itself.
    least_gap : float
        Two beats are at least this part of an interval apart.
    loyalty : float
        Another mode or place in the bar must be this much likelier than the present one, >= 1.
    evidence_s : float
        Memory of the evidence behind the confidence.
    start_confidence : float
        Beats begin when the confidence first reaches it.
    """

    lookahead_s: float = 0.06
    wait_s: float = 0.02
    offset_s: float = 0.008
    mode_octaves: float = 0.137
    coasting: float = 0.1
    least_gap: float = 0.5
    loyalty: float = 1.44
    evidence_s: float = 2.0
    start_confidence: float = 0.15


class Evidence:
    """How much higher activations are on the beats than between them.

    Parameters
    ----------
    memory : float
        Frames after which what was heard is remembered at 1 / e.
    """

    def __init__(self, *, memory: float) -> None:
        self._forget = exp(-1 / memory)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._on = self._off = (0.0, 0.0)

    def hear(self, activation: float, *, on_beat: bool) -> float:
        """Take the next activation; the contrast so far, 0 for none to nearly 1."""
        self._on = self._kept(self._on, activation, on_beat)
        self._off = self._kept(self._off, activation, not on_beat)
        if not (self._on[1] and self._off[1]):
            return 0.0
        on, off = self._on[0] / self._on[1], self._off[0] / self._off[1]
        return max(0.0, on - off) / (on + off + QUIET)

    def _kept(self, heard: tuple[float, float], activation: float, counts: bool) -> tuple[float, float]:
        total, frames = heard
        return total * self._forget + counts * activation, frames * self._forget + counts


class Readout:
    """Rows of a clock and events of beats, frame by frame.

    Parameters
    ----------
    heard : ForwardFilter
        Read after each frame that it heard.
    constants : ReadoutConstants
    rate_hz : float
        Frames a second.
    """

    def __init__(self, heard: "ForwardFilter", constants: ReadoutConstants, *, rate_hz: float) -> None:
        self._filter, self._space = heard, heard.space
        self._constants, self._rate_hz = constants, rate_hz
        space = self._space
        turn = tau / space.intervals
        phasors = np.exp(1j * turn[space.slot_intervals] * space.slot_frames)
        beats = space.beat_centres + constants.offset_s * rate_hz
        # What each slot adds to its interval's phasor, and what turns that to the present frame.
        self._phasors = phasors * np.exp(-1j * turn * beats)[space.slot_intervals]
        self._backward = phasors.conj()
        octaves = np.log2(space.intervals)
        near = np.abs(octaves[:, None] - octaves[None, :]) <= constants.mode_octaves
        self._near, self._near_complex = near.astype(np.float64), near.astype(np.complex128)
        self._octaves = _octaves_of(space)
        self._metre_sums = (space.row_metres[:, None] == np.array(space.metres)).astype(np.float64)
        self._evidence = Evidence(memory=constants.evidence_s * rate_hz)
        # Rounding to whole frames keeps the frame of the beat and its neighbours.
        self._on_beat = 0.03 * rate_hz + 0.5
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._mode = int(self._filter.tempo_prior.argmax())
        self._phase, self._interval = 0.0, float(self._space.intervals[self._mode])
        self._evidence.reset()
        self._started = False
        self._settled = True
        self._last_s = -inf
        self._row: int | None = None
        self._take_bars(self._filter.bar_prior)

    def read(self, now_s: float, beat: float, downbeat: float) -> tuple[list[float], tuple[Event, ...]]:
        """The row of the clock for the frame at `now_s`, and what is told with it."""
        heard = self._filter
        turned = np.add.reduceat(heard.slot_mass * self._phasors, self._space.first_slots)
        turned *= self._backward.take(heard.entries)
        modes = self._near_complex @ turned
        masses = np.abs(modes)
        self._follow(masses)
        resultant = complex(modes[self._mode])
        phase, interval = self._steer(resultant, self._interval_of(turned, resultant))
        on_beat = min(phase, 1 - phase) * interval <= self._on_beat
        confidence = min(1.0, abs(resultant)) * self._evidence.hear(beat, on_beat=on_beat)
        self._started = self._started or confidence >= self._constants.start_confidence
        spb_s = interval / self._rate_hz
        events = self._tell(now_s, phase, spb_s, confidence)
        self._settle(phase)
        other_interval, other = self._other(masses)
        times = (spb_s, phase, (1 - phase) * spb_s, other_interval / self._rate_hz)
        probabilities = (confidence, self._downbeat, other, beat, downbeat)
        return [*times, *probabilities, *self._metres], events

    def _steer(self, resultant: complex, interval: float) -> tuple[float, float]:
        """Phase and interval: those of the posterior, or those of before run on where it says little."""
        trust = min(1.0, abs(resultant) / self._constants.coasting)
        phase = self._phase + 1 / self._interval
        self._interval += trust * (interval - self._interval)
        error = (cmath.phase(resultant) / tau - phase + 0.5) % 1.0 - 0.5
        self._phase = min((phase + trust * error) % 1.0, BELOW_ONE)
        return self._phase, self._interval

    def _follow(self, masses: Floats) -> None:
        """Move along with the mode, and leave it for one that is clearly likelier."""
        best = int(masses.argmax())
        if masses[best] < self._constants.coasting:
            return
        if self._near[best, self._mode] or masses[best] > self._constants.loyalty * masses[self._mode]:
            self._mode = best

    def _interval_of(self, turned: Complexes, resultant: complex) -> float:
        """Mean interval of the tempi in the mode, each as far as it shares the phase of the mode."""
        shares = self._near[self._mode] * np.maximum((turned * resultant.conjugate()).real, 0)
        total = float(shares.sum())
        if total <= 0:
            return float(self._space.intervals[self._mode])
        return float((shares * self._space.intervals).sum()) / total

    def _other(self, masses: Floats) -> tuple[float, float]:
        """The likelier neighbouring octave: its interval, and its share beside the mode."""
        here = float(masses[self._mode])
        candidates = self._octaves[self._mode]
        if not candidates:
            return 2.0 * float(self._space.intervals[self._mode]), 0.0
        there, index = max((float(masses[index]), index) for index in candidates)
        return float(self._space.intervals[index]), there / max(here + there, 1e-300)

    def _tell(self, now_s: float, phase: float, spb_s: float, confidence: float) -> tuple[Event, ...]:
        """The beat that has just passed, where it was not told yet, and the next one."""
        constants = self._constants
        ago_s = phase * spb_s
        beat_s = now_s - ago_s
        if not self._started or phase > 0.4 or ago_s < constants.wait_s:
            return ()
        if beat_s - self._last_s < constants.least_gap * spb_s:
            return ()
        self._last_s = max(beat_s, now_s - constants.lookahead_s)
        self._settled = False
        bars = self._bars_of_mode()
        self._take_bars(bars)
        self._row = self._choose(bars)
        metre, position = self._space.bar_rows[self._row]
        return Beat(max(0.0, self._last_s), now_s, position, metre, spb_s, confidence).events

    def _settle(self, phase: float) -> None:
        """Once a beat, when its cues have been heard, look at metre and downbeat again."""
        if not self._settled and 0.5 <= phase < 0.9:
            self._settled = True
            self._take_bars(self._filter.posterior.sum(axis=0))

    def _take_bars(self, bars: Floats) -> None:
        metres = bars @ self._metre_sums
        self._metres = (metres / metres.sum()).tolist()
        self._downbeat = min(1.0, float(bars[self._space.downbeat_rows].sum() / bars.sum()))

    def _bars_of_mode(self) -> Floats:
        """Probability of each bar row for the beat that has just begun [bar rows].

        Of the states in the mode, those that are still in the beat before count as one beat on.
        """
        space, heard = self._space, self._filter
        lengths = space.intervals[space.slot_intervals]
        starts = (heard.entries - space.first_slots)[space.slot_intervals]
        begun = (space.slot_frames - starts) % lengths < lengths / 2
        inside = self._near[self._mode][space.slot_intervals] > 0
        before = heard.posterior[inside & ~begun].sum(axis=0)
        bars: Floats = heard.posterior[inside & begun].sum(axis=0) + before @ heard.bar_step
        return bars / bars.sum() if bars.sum() > 0 else heard.bar_prior

    def _choose(self, bars: Floats) -> int:
        """The likeliest place in the likeliest metre, where it is clearly likelier than the one due."""
        metres = bars @ self._metre_sums
        metre = self._space.metres[int(metres.argmax())]
        best = int(np.where(self._space.row_metres == metre, bars, -1.0).argmax())
        if self._row is None:
            return best
        due = int(self._filter.bar_step[self._row].argmax())
        return best if bars[best] > self._constants.loyalty * bars[due] else due


def _octaves_of(space: BarSpace) -> list[list[int]]:
    """The indexes of twice and of half each interval, where they are in range."""
    found: list[list[int]] = []
    for interval in space.intervals.tolist():
        wanted = [interval * 2, round(interval / 2)]
        found.append([other - space.shortest for other in wanted if space.shortest <= other <= space.longest])
    return found
