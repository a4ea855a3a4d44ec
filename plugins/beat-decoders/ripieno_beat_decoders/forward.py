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

from .bar_space import BarSpace, Floats, Indexes, Ring
from .cue_evidence import CueEvidence, CueWeights
from .observation import BeatObservation, DownbeatEvidence
from .readout import Readout, ReadoutConstants

Floats32 = NDArray[np.float32]

AROUND_S = 0.02
"""Activations this near to a beat tell whether it is a downbeat."""


@dataclass(frozen=True)
class FilterConstants:
    """Numbers of the model that no user needs to turn; ``tune.py`` searches for them.

    Parameters
    ----------
    floor, contrast, power, level : float
        As in `BeatObservation`.
    peak_s : float
        Its memory, in seconds.
    octave_jump : float
        Probability, at a beat's end, that the tempo doubles, and that it halves.
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

    floor: float = 0.04
    contrast: float = 0.5
    power: float = 0.6
    level: float = 0.3
    peak_s: float = 3.0
    octave_jump: float = 1e-6
    tempo_pull: float = 1.5
    metre_change: float = 3e-3
    slip: float = 3e-3
    restart_s: float = 1e3
    memory_beats: float = 16.0
    downbeat_epsilon: float = 0.02
    trust_in_three: float = 0.25


class BarPointerConfig(PluginConfig):
    """Settings of `BarPointerForward`."""

    min_bpm: float = Field(
        55.0, gt=0, description="Slowest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    max_bpm: float = Field(
        215.0, gt=0, description="Fastest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    expected_bpm: float = Field(
        116.0,
        gt=0,
        description="The tempo preferred where the music can be counted in more than one octave.",
        json_schema_extra={"unit": "BPM"},
    )
    tempo_spread: float = Field(
        0.7,
        gt=0,
        description="How far tempi may lie from the expected one: standard deviation of a log-normal prior.",
        json_schema_extra={"unit": "octaves"},
    )
    metres: tuple[int, ...] = Field((2, 3, 4), min_length=1, description="Beats a bar that are considered.")
    metre_weights: tuple[float, ...] = Field(
        (), description="How common each of the metres is; 4 the most common where empty."
    )
    stiffness: float = Field(
        75.0,
        gt=0,
        description="How steady the tempo is: a change costs exp(-stiffness * |ratio - 1|) a beat.",
    )
    downbeat_weight: float = Field(
        0.3, ge=0, description="How much downbeat activations count for the place in the bar."
    )
    harmony_weight: float = Field(
        0.5, ge=0, description="How much a change of harmony counts for a downbeat, where cues are given."
    )
    bass_weight: float = Field(
        0.8, ge=0, description="How much a strong bass counts for a downbeat, where cues are given."
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
                raise InputError(
                    f"no head {head!r} in the activations: there are {', '.join(activations.names)}"
                )
        if cues is not None and (cues.rate_hz, cues.start_s) != (activations.rate_hz, activations.start_s):
            raise InputError(
                f"cues at {cues.rate_hz:g} Hz from {cues.start_s:g} s do not fit activations at "
                f"{activations.rate_hz:g} Hz from {activations.start_s:g} s: make them with the same hop"
            )
        constants = constants or FilterConstants()
        readout = readout or ReadoutConstants()
        self._rate_hz, self._start_s = activations.rate_hz, activations.start_s
        self._names, self._cue_names = activations.names, cues.names if cues else ()
        self._heads = [activations.names.index("beat"), activations.names.index("downbeat")]
        space = BarSpace.of_tempi(config.min_bpm, config.max_bpm, rate_hz=self._rate_hz, metres=config.metres)
        evidence = None
        if cues is not None:
            weights = CueWeights(config.harmony_weight, config.bass_weight)
            evidence = CueEvidence(
                rate_hz=self._rate_hz,
                names=cues.names,
                accents=space.accents,
                weights=weights,
                memory=constants.memory_beats,
            )
        self._filter = ForwardFilter(space, config, constants, rate_hz=self._rate_hz, cues=evidence)
        self._readout = Readout(self._filter, readout, rate_hz=self._rate_hz)
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
        self._waiting: list[list[float]] = []
        self._cues: list[Floats32] = []

    def push(self, *, activations: Chunk | None = None, cues: Chunk | None = None) -> Chunk:
        """Take rows of activations and of cues, give rows of the clock and beats."""
        if activations is not None:
            self._input_s = max(self._input_s, activations.until_s)
            rows = _rows(activations, "activations", len(self._names))
            self._waiting.extend(rows[:, self._heads].clip(0, 1).tolist())
        if cues is not None:
            self._cues.extend(_rows(cues, "cues", len(self._cue_names)))
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
            beat, downbeat = self._waiting[index]
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


def _rows(chunk: Chunk, port: str, columns: int) -> Floats32:
    if chunk.samples is None:
        return np.zeros((0, columns), np.float32)
    if chunk.samples.ndim != 2 or chunk.samples.shape[1] != columns:
        raise InputError(f"{port} come as rows of {columns} columns, these have shape {chunk.samples.shape}")
    if not np.isfinite(chunk.samples).all():
        raise InputError(f"{port} hold NaN or infinite values: give finite rows")
    return chunk.samples


class ForwardFilter:
    """The posterior of the states given all that was heard, exactly, frame by frame.

    ``posterior`` [slots, bar rows] sums to 1; ``slot_mass`` [slots] is its sum over bar rows, kept beside
    it because only few slots change in a frame.

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
        step = space.tempo_transition(config.stiffness, octave_jump=constants.octave_jump)
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
        self.posterior: Floats = self._prior.copy()
        self.slot_mass: Floats = self.posterior.sum(axis=1)
        self._observation.reset()
        self._downbeat.reset()
        self._ring.reset()
        if self.cues is not None:
            self.cues.reset()

    @property
    def entries(self) -> Indexes:
        """The slot of each interval in which a beat has just begun [intervals]."""
        return self._ring.places[self._entry]

    def hear(self, beat: float, downbeat: float, cue: Floats32 | None) -> None:
        """One frame on: move, weigh by activations and cues, normalise.

        The cost grows with the number of states, as they all are scaled.
        """
        self._ring.advance()
        self._move()
        self._weigh(self._zone, np.full(len(self.bar_prior), self._observation.log_ratio(beat)))
        self._weigh(self._soon, self._downbeat.hear(beat, downbeat))
        if self.cues is not None and cue is not None:
            self._weigh(self._late, self.cues.hear(cue))
        self._normalise()
        self._downbeat.learn(self._probability(self._soon))
        if self.cues is not None and cue is not None:
            self.cues.learn(self._probability(self._late))

    def _move(self) -> None:
        ended = self.posterior.take(self.entries, axis=0)
        self._put(self._entry, self._tempo_step @ ended @ self.bar_step + self._birth)

    def _weigh(self, part: slice, log_ratios: Floats) -> None:
        """Multiply a part of the states by the likelihood ratios of their bar rows."""
        self._put(part, self.posterior.take(self._ring.places[part], axis=0) * np.exp(log_ratios))

    def _put(self, part: slice, states: Floats) -> None:
        places = self._ring.places[part]
        self.posterior[places] = states
        self.slot_mass[places] = np.einsum("ij->i", states)

    def _normalise(self) -> None:
        scale = 1 / float(self.slot_mass.sum())
        self.posterior *= scale
        self.slot_mass *= scale

    def _probability(self, part: slice) -> float:
        return min(1.0, float(self.slot_mass.take(self._ring.places[part]).sum()))
