"""Beats, bars and a clock by the published two-stage particle filter."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ripieno.contracts import (
    Activations,
    BeatClock,
    BeatDecoder,
    Chunk,
    Event,
    Features,
    Latency,
    PluginConfig,
    SeriesFormat,
    Tracked,
)

from .bar_space import BarSpace
from .clouds import BarParticles, BeatParticles
from .output import Beat, head_columns, rows_of
from .readout import BELOW_ONE, Evidence

LOOKAHEAD_S = 0.06
MODE_OCTAVES = 0.12
"""Tempi this near to each other are one."""
LOYALTY = 1.5
"""Another tempo, or place in the bar, must have this many times the particles of the present one."""
LEAST_GAP = 0.6
"""Two beats are at least this part of an interval apart."""
ON_BEAT_S = 0.04
"""Frames this near to a beat are on it."""
EVIDENCE_S = 2.0
"""Memory of the evidence behind the confidence."""
START_CONFIDENCE = 0.15
"""Beats begin when the confidence first passes it: silence has none."""


class ParticleConfig(PluginConfig):
    """Settings of `ParticleFilter`."""

    min_bpm: float = Field(
        55.0, gt=0, description="Slowest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    max_bpm: float = Field(
        215.0, gt=0, description="Fastest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    expected_bpm: float = Field(
        115.0, gt=0, description="The likeliest tempo of new particles.", json_schema_extra={"unit": "BPM"}
    )
    tempo_spread: float = Field(
        0.6,
        gt=0,
        description="How far their tempi lie from it: standard deviation of a log-normal distribution.",
        json_schema_extra={"unit": "octaves"},
    )
    metres: tuple[int, ...] = Field((2, 3, 4), min_length=1, description="Beats a bar that are considered.")
    particles: int = Field(1500, ge=10, description="Particles that follow the beat.")
    bar_particles: int = Field(250, ge=10, description="Particles that follow the bar.")
    stiffness: float = Field(
        60.0,
        gt=0,
        description="How steady the tempo is: a change costs exp(-stiffness * |ratio - 1|) a beat.",
    )
    metre_change: float = Field(
        0.1, ge=0, lt=1, description="Probability, at a bar's end, that another metre begins."
    )

    @model_validator(mode="after")
    def _check(self) -> "ParticleConfig":
        if self.max_bpm <= self.min_bpm:
            raise ValueError(f"max_bpm {self.max_bpm:g} must be above min_bpm {self.min_bpm:g}")
        if any(metre < 1 for metre in self.metres) or len(set(self.metres)) < len(self.metres):
            raise ValueError("metres are different numbers of beats, each at least 1")
        return self


class ParticleFilter(BeatDecoder[ParticleConfig]):
    """Beats, bars and a clock, as they come, by BeatNet's two clouds of particles.

    As published: particles on the first frame of their beat are weighed by the activation, all others
    equally little; the bar moves only where a beat falls. Unlike its published program, the number of
    particles never changes, and the same seed gives the same beats. Cues are not heard.

    References
    ----------
    Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and
    meter tracking. ISMIR 2021.
    """

    causal = True
    random = True

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        """Beats and clock of activations: the session run over them.

        Parameters
        ----------
        activations : Activations
            Heads ``beat`` and ``downbeat``.
        cues : Features, optional
            Not heard.

        Raises
        ------
        InputError
            If a head is missing.
        """
        session = self.stream({"activations": activations.format})
        rows = activations.rows
        whole = Chunk(activations.start_s + len(rows) / activations.rate_hz, rows)
        return Tracked.from_chunks([session.push(activations=whole), session.flush()], session.format)

    def stream(self, formats: Mapping[str, SeriesFormat]) -> "ParticleSession":
        """A session that takes rows of activations; it draws from the seed of the context it begins in."""
        return ParticleSession(
            self.config, formats["activations"], seed=int(self.context.rng.integers(2**63))
        )


class ParticleSession:
    """`ParticleFilter` at work on a stream.

    Parameters
    ----------
    config : ParticleConfig
    format : SeriesFormat
        Of the activations.
    seed : int
        Of all draws; `reset` begins it again.
    """

    def __init__(self, config: ParticleConfig, format: SeriesFormat, *, seed: int) -> None:
        self._config, self._seed = config, seed
        self._rate_hz, self._start_s = format.rate_hz, format.start_s
        self._columns, self._width = head_columns(format), len(format.names)
        self._space = BarSpace.of_tempi(
            config.min_bpm, config.max_bpm, rate_hz=format.rate_hz, metres=config.metres
        )
        self.latency = Latency(lookahead_s=LOOKAHEAD_S, hop_s=1 / format.rate_hz)
        self.format = SeriesFormat(format.rate_hz, BeatClock.columns(self._space.metres), format.start_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._tracker = ParticleTracker(
            self._space, self._config, rate_hz=self._rate_hz, rng=np.random.default_rng(self._seed)
        )
        self._frames = 0
        self._until_s = 0.0

    def push(self, *, activations: Chunk | None = None, cues: Chunk | None = None) -> Chunk:
        """Take rows of activations, give rows of the clock and beats."""
        if activations is None:
            return Chunk(self._until_s)
        rows: list[list[float]] = []
        events: list[Event] = []
        heads = rows_of(activations, "activations", self._width)[:, self._columns]
        for beat, downbeat in heads.clip(0, 1).tolist():
            now_s = self._start_s + self._frames / self._rate_hz
            row, told = self._tracker.hear(now_s, beat, downbeat)
            rows.append(row)
            events.extend(told)
            self._frames += 1
        self._until_s = max(self._until_s, activations.until_s - LOOKAHEAD_S)
        return Chunk(self._until_s, np.array(rows, np.float32) if rows else None, tuple(events))

    def flush(self) -> Chunk:
        """The activations have ended; nothing is held back."""
        return Chunk(self._until_s)


class ParticleTracker:
    """Both clouds, and what is read off them, frame by frame."""

    def __init__(
        self, space: BarSpace, config: ParticleConfig, *, rate_hz: float, rng: np.random.Generator
    ) -> None:
        self._space, self._rate_hz = space, rate_hz
        expected = 60 * rate_hz / config.expected_bpm
        self._beats = BeatParticles(
            space,
            count=config.particles,
            stiffness=config.stiffness,
            tempo_prior=space.tempo_prior(expected, config.tempo_spread),
            rng=rng,
        )
        self._bars = BarParticles(
            space, count=config.bar_particles, metre_change=config.metre_change, rng=rng
        )
        self._evidence = Evidence(memory=EVIDENCE_S * rate_hz)
        self._phasors = np.exp(2j * np.pi * space.slot_frames / space.intervals[space.slot_intervals])
        octaves = np.log2(space.intervals)
        self._near = np.abs(octaves[:, None] - octaves) <= MODE_OCTAVES
        self._octave_apart = np.abs(np.abs(octaves[:, None] - octaves) - 1) <= MODE_OCTAVES
        self._metre_rows = space.row_metres[:, None] == np.array(space.metres)
        # A beat is told after it was heard: its activation is the strongest one of late.
        self._recent = np.zeros((max(1, round(LOOKAHEAD_S * rate_hz)), 2))
        self._mode = int(np.abs(space.intervals - expected).argmin())
        self._row = -1
        self._last_s = -np.inf
        self._has_begun = False
        self._downbeat = 0.0

    def hear(self, now_s: float, beat: float, downbeat: float) -> tuple[list[float], tuple[Event, ...]]:
        """The row of the clock for the frame at `now_s`, and the events told with it."""
        other_beat = max(0.0, beat - downbeat)
        self._recent[:-1] = self._recent[1:]
        self._recent[-1] = other_beat, downbeat
        self._beats.hear(max(other_beat, downbeat))
        intervals = self._space.slot_intervals[self._beats.slots]
        counts = np.bincount(intervals, minlength=len(self._space.intervals))
        self._choose_mode(counts)
        inside = self._near[self._mode][intervals]
        resultant = complex(self._phasors[self._beats.slots[inside]].sum())
        phase = float(np.angle(resultant)) / (2 * np.pi) % 1.0
        spb_s = float(self._space.intervals[intervals[inside]].mean()) / self._rate_hz
        evidence = self._evidence.hear(beat, on_beat=min(phase, 1 - phase) * spb_s <= ON_BEAT_S)
        confidence = min(1.0, evidence * abs(resultant) / len(intervals))
        events = self._tell(now_s, phase, spb_s, confidence)
        shares = self._bars.shares
        times = (spb_s, min(phase, BELOW_ONE), (1 - phase) * spb_s)
        other_spb_s, other = self._other(counts, spb_s)
        heard = (confidence, self._downbeat, other, beat, downbeat)
        return [*times, other_spb_s, *heard, *(shares @ self._metre_rows)], events

    def _choose_mode(self, counts: NDArray[np.intp]) -> None:
        """The tempo with the most particles near it, if it is near the present one or far outnumbers it."""
        near = self._near @ counts
        best = int(near.argmax())
        if self._near[best, self._mode] or near[best] > LOYALTY * near[self._mode]:
            self._mode = best

    def _other(self, counts: NDArray[np.intp], spb_s: float) -> tuple[float, float]:
        """Seconds a beat in the neighbouring octave with more particles, and its share beside the mode."""
        apart = self._octave_apart[self._mode] * counts
        slower, faster = int(apart[self._mode :].sum()), int(apart[: self._mode].sum())
        here = int(self._near[self._mode] @ counts)
        other_spb_s = spb_s / 2 if faster > slower else spb_s * 2
        return other_spb_s, max(slower, faster) / (here + max(slower, faster))

    def _tell(self, now_s: float, phase: float, spb_s: float, confidence: float) -> tuple[Event, ...]:
        """The beat that has just passed, where it was not told yet, and the next one."""
        self._has_begun = self._has_begun or confidence >= START_CONFIDENCE
        beat_s = now_s - phase * spb_s
        is_new = phase < 0.5 and beat_s - self._last_s >= LEAST_GAP * spb_s
        if not (self._has_begun and is_new):
            return ()
        self._bars.hear(*self._recent[self._recent.max(axis=1).argmax()])
        time_s = max(beat_s, now_s - LOOKAHEAD_S, 0.0)
        self._last_s = time_s
        metre, position = self._place()
        return Beat(time_s, now_s, position, metre, spb_s, confidence).events

    def _place(self) -> tuple[int, int]:
        """Metre and position of the beat told: the one due, unless another has far more particles."""
        shares, rows = self._bars.shares, self._space.bar_rows
        best = int(shares.argmax())
        due = self._due()
        self._row = due if due >= 0 and shares[best] <= LOYALTY * shares[due] else best
        self._downbeat = float(shares[self._space.downbeat_rows].sum())
        return rows[self._row]

    def _due(self) -> int:
        if self._row < 0:
            return -1
        metre, position = self._space.bar_rows[self._row]
        return self._row + 1 if position < metre else self._row + 1 - metre
