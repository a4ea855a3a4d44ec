"""Beats, bars and a clock by exact causal filtering of the bar pointer model."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    InputError,
    Latency,
    PluginConfig,
    SeriesFormat,
    Tracked,
)

from .bar_space import BarSpace, Floats, Ring
from .cue_evidence import CueEvidence, CueWeights
from .observation import BeatObservation, RunningStandard, log_odds
from .readout import Readout, ReadoutConstants


@dataclass(frozen=True)
class FilterConstants:
    """Numbers of the model that no user needs to turn; ``tune.py`` searches for them.

    Parameters
    ----------
    floor, neutral, power : float
        As in `BeatObservation`.
    metre_change : float
        Probability, at a bar's end, that another metre begins.
    restart_s : float
        Mean seconds between restarts, where anything may begin: a new song, a cut.
    memory_beats : float
        Beats over which downbeat activations and cues are standardised.
    downbeat_epsilon : float
        Added to activations before their log-odds, so that weak ones say little.
    """

    floor: float = 0.03
    neutral: float = 0.03
    power: float = 0.7
    metre_change: float = 1e-3
    restart_s: float = 1e4
    memory_beats: float = 16.0
    downbeat_epsilon: float = 0.02


class BarPointerConfig(PluginConfig):
    """Settings of `BarPointerForward`."""

    min_bpm: float = Field(
        55.0, gt=0, description="Slowest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    max_bpm: float = Field(
        215.0, gt=0, description="Fastest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    expected_bpm: float = Field(
        115.0,
        gt=0,
        description="The tempo preferred where the music can be counted in more than one octave.",
        json_schema_extra={"unit": "BPM"},
    )
    tempo_spread: float = Field(
        0.6,
        gt=0,
        description="How far tempi may lie from the expected one: standard deviation of a log-normal prior.",
        json_schema_extra={"unit": "octaves"},
    )
    metres: tuple[int, ...] = Field((2, 3, 4), min_length=1, description="Beats a bar that are considered.")
    metre_weights: tuple[float, ...] = Field(
        (), description="How common each of the metres is; 4 the most common where empty."
    )
    stiffness: float = Field(
        60.0, gt=0, description="How steady the tempo is: a change costs exp(-stiffness * |ratio - 1|) a beat."
    )
    downbeat_weight: float = Field(
        0.3, ge=0, description="How much downbeat activations count for the place in the bar."
    )
    harmony_weight: float = Field(
        0.5, ge=0, description="How much a change of harmony counts for a downbeat, where cues are given."
    )
    bass_weight: float = Field(
        0.5, ge=0, description="How much a strong bass counts for a downbeat, where cues are given."
    )

    @model_validator(mode="after")
    def _check(self) -> "BarPointerConfig":
        if self.max_bpm <= self.min_bpm:
            raise ValueError(f"max_bpm {self.max_bpm:g} must be above min_bpm {self.min_bpm:g}")
        if any(metre < 1 for metre in self.metres) or len(set(self.metres)) < len(self.metres):
            raise ValueError("metres are different numbers of beats, each at least 1")
        if self.metre_weights and (
            len(self.metre_weights) != len(self.metres) or min(self.metre_weights) <= 0
        ):
            raise ValueError("metre_weights are positive, one for each of the metres")
        return self

    def weights_of(self, metres: tuple[int, ...]) -> tuple[float, ...]:
        """The weight of each of the metres, in that order."""
        given = dict(zip(self.metres, self.metre_weights or map(_commonness, self.metres), strict=True))
        return tuple(given[metre] for metre in metres)


def _commonness(metre: int) -> float:
    return {2: 0.15, 3: 0.25, 4: 0.6}.get(metre, 0.2)


class BarPointerForward(BeatDecoder[BarPointerConfig]):
    """Beats, bars and a clock, as they come: the exact forward filter of the bar pointer model.

    References
    ----------
    Whiteley, Cemgil, Godsill: Bayesian modelling of temporal structure in musical audio. ISMIR 2006.
    Krebs, Böck, Widmer: An efficient state-space model for joint tempo and meter tracking. ISMIR 2015.
    """

    causal = True

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        """Beats and clock of activations: the session run over them.

        Parameters
        ----------
        activations : Activations
            Heads ``beat`` and ``downbeat``: the probability that a beat, and that a downbeat, falls in the
            frame.
        cues : Features, optional
            ``chroma_0`` to ``chroma_11`` and ``bass_db`` at the rate of the activations.

        Raises
        ------
        InputError
            If a head or a cue is missing, or the rates differ.
        """
        formats = {"activations": activations.format}
        chunks = {"activations": _chunk(activations)}
        if cues is not None:
            formats["cues"] = cues.format
            chunks["cues"] = _chunk(cues)
        session = self.stream(formats)
        return Tracked.from_chunks([session.push(**chunks), session.flush()], session.format)

    def stream(self, formats: Mapping[str, SeriesFormat]) -> "BarPointerSession":
        """A session that takes rows of activations, and of cues where a format of them is given."""
        return BarPointerSession(self.config, formats["activations"], formats.get("cues"))


def _chunk(series: Activations | Features) -> Chunk:
    rows = series.rows
    return Chunk(series.start_s + len(rows) / series.rate_hz, rows)


class BarPointerSession:
    """`BarPointerForward` at work on a stream."""

    def __init__(
        self,
        config: BarPointerConfig,
        activations: SeriesFormat,
        cues: SeriesFormat | None = None,
        *,
        constants: FilterConstants | None = None,
        readout: ReadoutConstants | None = None,
    ) -> None:
        for head in ("beat", "downbeat"):
            if head not in activations.names:
                raise InputError(f"no head {head!r} in the activations: there are {', '.join(activations.names)}")
        if cues is not None and (cues.rate_hz, cues.start_s) != (activations.rate_hz, activations.start_s):
            raise InputError(
                f"cues at {cues.rate_hz:g} Hz from {cues.start_s:g} s do not fit activations at "
                f"{activations.rate_hz:g} Hz from {activations.start_s:g} s: make them with the same hop"
            )
        constants = constants or FilterConstants()
        readout = readout or ReadoutConstants()
        self._rate_hz, self._start_s = activations.rate_hz, activations.start_s
        self._heads = [activations.names.index("beat"), activations.names.index("downbeat")]
        space = BarSpace.of_tempi(
            config.min_bpm, config.max_bpm, rate_hz=self._rate_hz, metres=config.metres
        )
        evidence = None
        if cues is not None:
            weights = CueWeights(config.harmony_weight, config.bass_weight)
            evidence = CueEvidence(
                rate_hz=self._rate_hz, names=cues.names, weights=weights, memory=constants.memory_beats
            )
        self._filter = ForwardFilter(space, config, constants, rate_hz=self._rate_hz, cues=evidence)
        self._readout = Readout(space, self._filter, readout, rate_hz=self._rate_hz)
        self.latency = Latency(lookahead_s=readout.lookahead_s, hop_s=1 / self._rate_hz)
        self.format = SeriesFormat(self._rate_hz, BeatClock.columns(space.metres), self._start_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._filter.reset()
        self._readout.reset()
        self._frames = 0
        self._until_s = 0.0
        self._input_s = 0.0
        self._waiting: list[NDArray[np.float32]] = []
        self._cues: list[NDArray[np.float32]] = []

    def push(self, *, activations: Chunk | None = None, cues: Chunk | None = None) -> Chunk:
        """Take rows of activations and of cues, give rows of the clock and beats."""
        if activations is not None:
            self._input_s = max(self._input_s, activations.until_s)
            self._waiting.extend(_rows(activations, "activations"))
        if cues is not None:
            self._cues.extend(_rows(cues, "cues"))
        ready = len(self._waiting)
        if self._filter.cues is not None:
            ready = min(ready, len(self._cues))
        return self._take(ready)

    def flush(self) -> Chunk:
        """The activations have ended: what waited for cues is decoded without."""
        return self._take(len(self._waiting))

    def _take(self, ready: int) -> Chunk:
        rows: list[list[float]] = []
        events: list[Event] = []
        for index in range(ready):
            beat, downbeat = map(float, self._waiting[index][self._heads].clip(0, 1))
            cue = self._cues[index] if index < len(self._cues) else None
            self._filter.hear(beat, downbeat, cue)
            row, heard = self._readout.read(self._start_s + self._frames / self._rate_hz, beat, downbeat)
            rows.append(row)
            events.extend(heard)
            self._frames += 1
        del self._waiting[:ready], self._cues[:ready]
        held_s = len(self._waiting) / self._rate_hz
        self._until_s = max(self._until_s, self._input_s - held_s - self.latency.lookahead_s)
        samples = np.array(rows, np.float32) if rows else None
        return Chunk(self._until_s, samples, tuple(events))


def _rows(chunk: Chunk, port: str) -> NDArray[np.float32]:
    if chunk.samples is None:
        return np.zeros((0, 0), np.float32)
    if not np.isfinite(chunk.samples).all():
        raise InputError(f"{port} hold NaN or infinite values: give finite rows")
    return chunk.samples


class ForwardFilter:
    """The posterior of the states given all that was heard, exactly, frame by frame.

    ``posterior`` [slots, bar rows] sums to 1; ``slot_mass`` [slots] is its sum over bar rows.

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
        self._observation = BeatObservation(constants.floor, constants.neutral, constants.power)
        self._downbeat_weight = config.downbeat_weight
        self._downbeat = RunningStandard(
            memory=constants.memory_beats, least_deviation=1.0, prior=(-1.0, 1.0)
        )
        self._epsilon = constants.downbeat_epsilon
        self.tempo_prior = space.tempo_prior(60 * rate_hz / config.expected_bpm, config.tempo_spread)
        bar_prior = space.metre_prior(config.weights_of(space.metres))
        self._tempo_step = space.tempo_transition(config.stiffness).T.copy()
        self.bar_step = space.bar_transition(constants.metre_change)
        self._birth = np.outer(self.tempo_prior, bar_prior) / (constants.restart_s * rate_hz)
        self._prior = np.outer((self.tempo_prior / space.intervals)[space.slot_intervals], bar_prior)
        intervals = np.arange(len(space.intervals))
        zone = np.repeat(intervals, space.zone_frames)
        zone_frames = np.concatenate([np.arange(frames) for frames in space.zone_frames])
        self._entry = Ring(space, intervals, np.zeros_like(intervals))
        self._zone = Ring(space, zone, zone_frames)
        heard_after = np.rint(space.beat_centres).astype(np.intp) + (cues.delay if cues else 0)
        delay = np.minimum(heard_after, space.intervals - 1)
        self._late = Ring(space, intervals, delay)
        self._ones = np.ones(len(space.bar_rows))
        self.reset()

    def reset(self) -> None:
        """To the prior, as new."""
        self.posterior: Floats = self._prior.copy()
        self.slot_mass: Floats = self.posterior @ self._ones
        self._downbeat.reset()
        for ring in (self._entry, self._zone, self._late):
            ring.reset()
        if self.cues is not None:
            self.cues.reset()

    @property
    def entries(self) -> NDArray[np.intp]:
        """The slot of each interval in which a beat has just begun [intervals]."""
        return self._entry.places

    def hear(self, beat: float, downbeat: float, cue: NDArray[np.float32] | None) -> None:
        """One frame on: move, then weigh by activations and cues."""
        self._move()
        self._weigh_zone(beat, downbeat)
        self._late.advance()
        if self.cues is not None and cue is not None:
            self._weigh_cues(self.cues, cue)
        mass = self.posterior @ self._ones
        scale = 1 / float(mass.sum())
        self.posterior *= scale
        mass *= scale
        self.slot_mass = mass

    def _move(self) -> None:
        self._entry.advance()
        ended = self.posterior[self._entry.places]
        begun = self._tempo_step @ ended @ self.bar_step
        begun += self._birth
        self.posterior[self._entry.places] = begun

    def _weigh_zone(self, beat: float, downbeat: float) -> None:
        self._zone.advance()
        odds = log_odds(downbeat + self._epsilon, beat - downbeat + self._epsilon)
        score = min(max(self._downbeat.score(odds), -3.0), 3.0)
        ratio = np.full(len(self._ones), np.exp(self._observation.log_ratio(beat)))
        ratio[self.space.downbeat_rows] *= np.exp(self._downbeat_weight * score)
        before = self.posterior[self._zone.places]
        zone = before * ratio
        self.posterior[self._zone.places] = zone
        mass = float(zone.sum())
        self._downbeat.learn(odds, mass / max(1 - float(before.sum()) + mass, mass))

    def _weigh_cues(self, cues: CueEvidence, row: NDArray[np.float32]) -> None:
        ratio = self._ones.copy()
        ratio[self.space.downbeat_rows] = np.exp(cues.hear(row))
        late = self.posterior[self._late.places]
        self.posterior[self._late.places] = late * ratio
        cues.learn(min(1.0, float(late.sum())))
