"""A clock and beats, read off the posterior of the bar pointer model.

Conventions
-----------
The clock follows one *mode*: tempi near the winning one. Its phase is the circular mean over the mode, its
interval the mean of the tempi that share that phase, so that both move smoothly between frames.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ripieno.contracts import Event

from .bar_space import BarSpace, Floats

if TYPE_CHECKING:
    from .forward import ForwardFilter

BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
TAU = 2 * np.pi


@dataclass(frozen=True)
class ReadoutConstants:
    """Numbers of the readout.

    Parameters
    ----------
    lookahead_s : float
        A beat is told at most this long after its time.
    wait_s : float
        A beat is told at least this long after its time, so that what was heard on it counts.
    offset_s : float
        Added to the time of every beat: how late activations peak is the network's own.
    mode_octaves : float
        Tempi this near to the winning one belong to the mode.
    least_gap : float
        Two beats are at least this part of an interval apart.
    loyalty : float
        Another mode, metre or place in the bar must be this much likelier than the present one.
    evidence_s : float
        Memory of the evidence behind the confidence.
    start_confidence : float
        Beats begin when the confidence first passes it.
    """

    lookahead_s: float = 0.06
    wait_s: float = 0.0
    offset_s: float = 0.0
    mode_octaves: float = 0.12
    least_gap: float = 0.6
    loyalty: float = 1.5
    evidence_s: float = 2.0
    start_confidence: float = 0.15


class Readout:
    """Rows of a clock and events of beats, frame by frame."""

    def __init__(
        self, space: BarSpace, heard: "ForwardFilter", constants: ReadoutConstants, *, rate_hz: float
    ) -> None:
        self._space, self._filter, self._constants, self._rate_hz = space, heard, constants, rate_hz
        turn = TAU / space.intervals
        self._phasors = np.exp(1j * turn[space.slot_intervals] * space.slot_frames)
        self._centre = np.exp(-1j * turn * space.beat_centres)
        octaves = np.log2(space.intervals)
        self._near = (np.abs(octaves[:, None] - octaves[None, :]) <= constants.mode_octaves).astype(float)
        self._slower = _nearest(octaves + 1, octaves)
        self._faster = _nearest(octaves - 1, octaves)
        self._metre_sums = (space.row_metres[:, None] == np.array(space.metres)[None, :]).astype(float)
        self._forget = float(np.exp(-1 / (constants.evidence_s * rate_hz)))
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._mode = int(self._filter.tempo_prior.argmax())
        self._started = False
        self._last_s = -np.inf
        self._row: int | None = None
        self._downbeat = 0.0
        self._on = self._on_weight = self._off = self._off_weight = 0.0

    def read(self, now_s: float, beat: float, downbeat: float) -> tuple[list[float], list[Event]]:
        """The row of the clock for the frame at `now_s`, and what is told with it."""
        space, first = self._space, self._space.first_slots
        mass = self._filter.slot_mass
        tempi = np.add.reduceat(mass, first)
        turned = np.add.reduceat(mass * self._phasors, first)
        turned *= np.conj(self._phasors[self._filter.entries]) * self._centre
        modes = self._near @ turned
        agreement = np.abs(modes)
        best = int(agreement.argmax())
        if agreement[best] > self._constants.loyalty * agreement[self._mode] or self._near[best, self._mode]:
            self._mode = best
        resultant = complex(modes[self._mode])
        direction = resultant / max(abs(resultant), 1e-300)
        shares = self._near[self._mode] * np.maximum((turned * np.conj(direction)).real, 0)
        interval = float(shares @ space.intervals) / max(float(shares.sum()), 1e-300)
        if interval < space.shortest:
            interval = float(space.intervals[self._mode])
        spb_s = interval / self._rate_hz
        phase = float(np.angle(resultant)) / TAU % 1.0
        confidence = min(1.0, abs(resultant)) * self._evidence(beat, phase, interval)
        self._started = self._started or confidence >= self._constants.start_confidence
        bars = self._filter.posterior.sum(axis=0)
        metres = bars @ self._metre_sums
        events = self._tell(now_s, phase, spb_s, confidence)
        if 0.25 < phase < 0.75:
            self._downbeat = float(bars[space.downbeat_rows].sum())
        near_mass = self._near @ tempi
        other_interval, other = self._other(near_mass)
        until_s = (1 - phase) * spb_s + self._constants.offset_s
        times = (spb_s, min(phase, BELOW_ONE), until_s, other_interval / self._rate_hz)
        probabilities = (confidence, min(1.0, self._downbeat), other, beat, downbeat)
        return [*times, *probabilities, *(metres / metres.sum())], events

    def _evidence(self, beat: float, phase: float, interval: float) -> float:
        """How much higher activations were on the beats than between them, in [0, 1]."""
        distance = min(phase, 1 - phase) * interval
        on = float(distance <= 0.03 * self._rate_hz + 0.5)
        self._on = self._on * self._forget + on * beat
        self._on_weight = self._on_weight * self._forget + on
        self._off = self._off * self._forget + (1 - on) * beat
        self._off_weight = self._off_weight * self._forget + (1 - on)
        on_mean = self._on / max(self._on_weight, 1e-9)
        off_mean = self._off / max(self._off_weight, 1e-9)
        return max(0.0, on_mean - off_mean) / (on_mean + off_mean + 0.05)

    def _other(self, near_mass: Floats) -> tuple[float, float]:
        """The likelier neighbouring octave: its interval, and its share beside the mode."""
        here = float(near_mass[self._mode])
        candidates = [index for index in (self._slower[self._mode], self._faster[self._mode]) if index >= 0]
        if not candidates:
            return 2.0 * float(self._space.intervals[self._mode]), 0.0
        best = max(candidates, key=lambda index: float(near_mass[index]))
        there = float(near_mass[best])
        return float(self._space.intervals[best]), there / max(here + there, 1e-300)

    def _tell(self, now_s: float, phase: float, spb_s: float, confidence: float) -> list[Event]:
        """The beat that has just passed, where it was not told yet, and the next one."""
        constants = self._constants
        ago_s = phase * spb_s
        beat_s = now_s - ago_s
        if not self._started or phase > 0.4 or ago_s < constants.wait_s:
            return []
        if beat_s - self._last_s < constants.least_gap * spb_s:
            return []
        time_s = max(beat_s, now_s - constants.lookahead_s)
        self._last_s = time_s
        self._row, probability = self._place()
        metre, position = self._space.bar_rows[self._row]
        self._downbeat = probability
        tempo_bpm = 60 / spb_s
        value = {
            "position": position,
            "beats_per_bar": metre,
            "tempo_bpm": tempo_bpm,
            "confidence": confidence,
        }
        following = Event(beat_s + spb_s, now_s, "next_beat", {"position": position % metre + 1})
        return [Event(max(0.0, time_s), now_s, "beat", value), following]

    def _place(self) -> tuple[int, float]:
        """The bar row of the beat that has just begun, and the probability of a downbeat."""
        space = self._space
        lengths = space.intervals[space.slot_intervals]
        elapsed = (space.slot_frames - (self._filter.entries - space.first_slots)[space.slot_intervals]) % lengths
        inside = self._near[self._mode][space.slot_intervals]
        begun = inside * (elapsed < lengths / 2)
        ending = inside - begun
        bars = begun @ self._filter.posterior + (ending @ self._filter.posterior) @ self._filter.bar_step
        bars = bars / max(float(bars.sum()), 1e-300)
        return self._choose(bars), float(bars[space.downbeat_rows].sum())

    def _choose(self, bars: Floats) -> int:
        """The likeliest place in the likeliest metre, if it is clearly likelier than the one due."""
        metres = bars @ self._metre_sums
        metre = self._space.metres[int(metres.argmax())]
        best = int(np.where(self._space.row_metres == metre, bars, -1.0).argmax())
        if self._row is None:
            return best
        due = int(self._filter.bar_step[self._row].argmax())
        return best if bars[best] > self._constants.loyalty * bars[due] else due


def _nearest(wanted: Floats, octaves: Floats) -> list[int]:
    """Index of the nearest interval to each one wanted; -1 where it is out of range."""
    distance = np.abs(wanted[:, None] - octaves[None, :])
    within = distance.min(axis=1) < 0.1
    return [int(index) if ok else -1 for index, ok in zip(distance.argmin(axis=1), within, strict=True)]
