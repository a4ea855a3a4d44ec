"""Gestures within a note: vibrato that grows, a glide into a slur, a bend, a swell; and the curves they draw.

Conventions
-----------
What a gesture is like is drawn first, as numbers; its curve follows from them alone. Times are seconds of
the clip, cents go up, and loudness is 0 to 1. A curve that moves has a point every 5 ms, and is linear
between them.

References
----------
Prame: Measurements of the vibrato rate of ten singers. J. Acoust. Soc. Am. 96(4), 1994: 6 Hz, and a rate
that wanders within a note. MacLeod: Influences of dynamic level and pitch register on the vibrato rates
and widths of violin and viola players. J. Research in Music Education 56(1), 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import PITCH, Envelope, Note

STEP_S = 0.005
LOUDNESS = "loudness"
VIBRATO_DEPTH, VIBRATO_RATE, BEND = "vibrato_depth_cents", "vibrato_rate_hz", "bend_cents"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Vibrato:
    """A vibrato that begins after a while, grows, and is never quite even.

    Parameters
    ----------
    delay_s, grow_s : float
        From the note's onset until it begins, and from there until it is as deep as it gets.
    depth_cents : float
        Amplitude when it has grown, half of its width.
    rate_hz : float
        In the mean.
    drift : float
        Share by which the rate wanders to either side; the depth wanders by twice of it.
    drift_hz, phase : float
        How fast it wanders, and where in its course it begins, radians.
    """

    delay_s: float
    grow_s: float
    depth_cents: float
    rate_hz: float
    drift: float = 0.0
    drift_hz: float = 1.0
    phase: float = 0.0

    def depths_cents(self, after_s: Floats) -> Floats:
        """Amplitude at times after the note's onset."""
        grown = _smooth((after_s - self.delay_s) / self.grow_s)
        wandering = 1 + 2 * self.drift * np.cos(2 * np.pi * self.drift_hz * after_s + self.phase)
        depths_cents: Floats = self.depth_cents * grown * wandering / (1 + 2 * self.drift)
        return depths_cents

    def rates_hz(self, after_s: Floats) -> Floats:
        """Rate at times after the note's onset."""
        rates_hz: Floats = self.rate_hz * (
            1 + self.drift * np.sin(2 * np.pi * self.drift_hz * after_s + self.phase)
        )
        return rates_hz

    def cents(self, after_s: Floats) -> Floats:
        """Deviation at times after the note's onset, upwards first."""
        wander = np.cos(self.phase) - np.cos(2 * np.pi * self.drift_hz * after_s + self.phase)
        cycles = self.rate_hz * (after_s + self.drift * wander / (2 * np.pi * self.drift_hz))
        begun = self.rate_hz * self.delay_s
        deviation: Floats = self.depths_cents(after_s) * np.sin(2 * np.pi * (cycles - begun))
        return deviation


@dataclass(frozen=True)
class Bend:
    """A string that is bent to a pitch, held there, and perhaps let back.

    Parameters
    ----------
    delay_s, rise_s : float
        From the note's onset until it begins, and from there until it has arrived.
    cents : float
        How far.
    release_s, fall_s : float
        From the onset until it is let back, infinite where it is not; and how long that takes.
    """

    delay_s: float
    rise_s: float
    cents: float
    release_s: float = np.inf
    fall_s: float = 0.1

    def bends_cents(self, after_s: Floats) -> Floats:
        """How far it is bent at times after the note's onset."""
        up, down = _smooth((after_s - self.delay_s) / self.rise_s), np.zeros(after_s.size)
        if np.isfinite(self.release_s):
            down = _smooth((after_s - self.release_s) / self.fall_s)
        bends_cents: Floats = self.cents * (up - down)
        return bends_cents


@dataclass(frozen=True, eq=False)
class Sketch:
    """A note before its curves are drawn.

    Parameters
    ----------
    onset_s, offset_s : float
    pitch_midi : float
        Where it settles.
    articulation, mode : str
    loudness : Envelope
        From onset to offset.
    glide_s : float
        How long a slurred note takes from the pitch before to its own; 0 = it is no slur.
    vibrato : Vibrato, optional
    bend : Bend, optional
    """

    onset_s: float
    offset_s: float
    pitch_midi: float
    articulation: str
    mode: str
    loudness: Envelope
    glide_s: float = 0.0
    vibrato: Vibrato | None = None
    bend: Bend | None = None

    @property
    def duration_s(self) -> float:
        """Seconds from onset to offset."""
        return self.offset_s - self.onset_s

    @property
    def slurred(self) -> bool:
        """Whether it goes on from the note before."""
        return self.glide_s > 0


def drawn(
    sketches: Sequence[Sketch], *, frets: bool = False, vibrato: bool = False, bends: bool = False
) -> tuple[Note, ...]:
    """The notes of one voice, with all their curves.

    Parameters
    ----------
    sketches : sequence of Sketch
        In time, none overlapping.
    frets : bool
        Slurs go from semitone to semitone.
    vibrato, bends : bool
        Whether these channels are written, also for notes without.
    """
    notes: list[Note] = []
    before_midi = 0.0
    for sketch in sketches:
        times_s = _grid(sketch.onset_s, sketch.offset_s)
        after_s = times_s - sketch.onset_s
        pitch_midi = np.full(times_s.size, sketch.pitch_midi)
        if sketch.slurred:
            way = _smooth(after_s / sketch.glide_s)
            pitch_midi = before_midi + (sketch.pitch_midi - before_midi) * way
            pitch_midi = np.where(way < 1, np.round(pitch_midi), pitch_midi) if frets else pitch_midi
        envelopes = {LOUDNESS: sketch.loudness}
        if bends:
            bend_cents = sketch.bend.bends_cents(after_s) if sketch.bend else np.zeros(times_s.size)
            pitch_midi = pitch_midi + bend_cents / 100
            envelopes[BEND] = _lean(times_s, bend_cents)
        if vibrato:
            depths_cents = np.zeros(times_s.size)
            if sketch.vibrato:
                depths_cents = sketch.vibrato.depths_cents(after_s)
                pitch_midi = pitch_midi + sketch.vibrato.cents(after_s) / 100
                envelopes[VIBRATO_RATE] = _lean(times_s, sketch.vibrato.rates_hz(after_s))
            envelopes[VIBRATO_DEPTH] = _lean(times_s, depths_cents)
        envelopes[PITCH] = _lean(times_s, pitch_midi)
        before_midi = float(pitch_midi[-1])
        notes.append(Note(sketch.onset_s, sketch.offset_s, sketch.articulation, sketch.mode, envelopes))
    return tuple(notes)


def swell(onset_s: float, offset_s: float, *, levels: Sequence[float] | Floats) -> Envelope:
    """Loudness through these levels, evenly from onset to offset, kept within 0.02 to 1."""
    values = np.clip(np.asarray(levels, np.float64), 0.02, 1.0)
    values = np.repeat(values, 2) if values.size == 1 else values
    return Envelope(np.linspace(onset_s, offset_s, values.size), values)


def _grid(onset_s: float, offset_s: float) -> Floats:
    """Every 5 ms from onset to offset, both included."""
    steps = max(1, int(np.ceil((offset_s - onset_s) / STEP_S - 0.5)))
    times_s = onset_s + STEP_S * np.arange(steps + 1, dtype=np.float64)
    times_s[-1] = offset_s
    return times_s


def _lean(times_s: Floats, values: Floats) -> Envelope:
    """The curve without the points between two of the same value."""
    same = np.diff(values) == 0
    kept = np.ones(values.size, bool)
    kept[1:-1] = ~(same[:-1] & same[1:])
    return Envelope(times_s[kept], values[kept])


def _smooth(x: Floats) -> Floats:
    """From 0 to 1 as x does, without corners."""
    x = np.clip(x, 0.0, 1.0)
    smooth: Floats = x * x * (3 - 2 * x)
    return smooth
