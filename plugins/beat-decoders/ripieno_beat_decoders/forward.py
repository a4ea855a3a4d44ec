"""Beats, bars and a clock by exact causal filtering of the bar pointer model."""

from collections import deque
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from ripieno.contracts import (
    Activations,
    BeatClock,
    BeatDecoder,
    Chunk,
    Event,
    Features,
    Latency,
    SeriesFormat,
    Tracked,
)

from .bar_filter import FilterConstants, Floats32, ForwardFilter
from .bar_space import BarSpace
from .config import BarPointerConfig
from .cue_evidence import CueEvidence, CueWeights
from .output import head_columns, require_same_frames, rows_of
from .readout import Readout, ReadoutConstants

__all__ = ["BarPointerConfig", "BarPointerForward", "BarPointerSession"]


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

    def stream(self, formats: Mapping[str, Any]) -> "BarPointerSession":
        """A session that takes rows of activations, and of cues where a format of them is given."""
        return BarPointerSession(self.config, formats["activations"], formats.get("cues"))


def _chunk(series: Activations | Features) -> Chunk:
    rows = series.rows
    return Chunk(series.start_s + len(rows) / series.rate_hz, rows)


class BarPointerSession:
    """`BarPointerForward` at work on a stream.

    Parameters
    ----------
    config : BarPointerConfig
    activations : SeriesFormat
        With columns ``beat`` and ``downbeat``.
    cues : SeriesFormat, optional
        At the same rate, from the same time; rows are waited for, frame by frame.
    constants, readout : optional
        Numbers of the model and of its readout; the tuned ones where not given.

    Raises
    ------
    InputError
        If a head or a cue is missing, or the rates differ.
    """

    def __init__(
        self,
        config: BarPointerConfig,
        activations: SeriesFormat,
        cues: SeriesFormat | None = None,
        *,
        constants: FilterConstants | None = None,
        readout: ReadoutConstants | None = None,
    ) -> None:
        constants, readout = constants or FilterConstants(), readout or ReadoutConstants()
        rate_hz = activations.rate_hz
        self._activations, self._heads = activations, head_columns(activations)
        self._cues = cues
        space = BarSpace.of_tempi(config.min_bpm, config.max_bpm, rate_hz=rate_hz, metres=config.metres)
        evidence = None
        if cues is not None:
            require_same_frames(cues, activations)
            evidence = CueEvidence(
                rate_hz=rate_hz,
                names=cues.names,
                accents=space.accents,
                weights=CueWeights(config.harmony_weight, config.bass_weight),
                memory=constants.memory_beats,
            )
        self._filter = ForwardFilter(space, config, constants, rate_hz=rate_hz, cues=evidence)
        self._readout = Readout(self._filter, readout, rate_hz=rate_hz)
        self.latency = Latency(lookahead_s=readout.lookahead_s, hop_s=1 / rate_hz)
        self.format = SeriesFormat(rate_hz, BeatClock.columns(space.metres), activations.start_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._filter.reset()
        self._readout.reset()
        self._frames = 0
        self._until_s = self._pushed_s = 0.0
        self._heard: deque[list[float]] = deque()
        self._cue_rows: deque[Floats32] = deque()

    def push(self, **ports: Chunk) -> Chunk:
        """Take rows of ``activations`` and of ``cues``, give rows of the clock and beats.

        Raises
        ------
        InputError
            If rows have other columns than their format, or are not finite.
        """
        if "activations" in ports:
            activations = ports["activations"]
            rows = rows_of(activations, "activations", len(self._activations.names))
            self._heard.extend(rows[:, self._heads].clip(0, 1).tolist())
            self._pushed_s = max(self._pushed_s, activations.until_s)
        if self._cues is None:
            return self._take(len(self._heard))
        if "cues" in ports:
            self._cue_rows.extend(rows_of(ports["cues"], "cues", len(self._cues.names)))
        return self._take(min(len(self._heard), len(self._cue_rows)))

    def flush(self) -> Chunk:
        """The activations have ended: what waited for cues is decoded without."""
        return self._take(len(self._heard))

    def _take(self, frames: int) -> Chunk:
        steps = [self._step() for _ in range(frames)]
        waiting_s = len(self._heard) / self.format.rate_hz
        self._until_s = max(self._until_s, self._pushed_s - waiting_s - self.latency.lookahead_s)
        if not steps:
            return Chunk(self._until_s)
        rows, events = zip(*steps, strict=True)
        return Chunk(self._until_s, np.array(rows, np.float32), tuple(chain.from_iterable(events)))

    def _step(self) -> tuple[list[float], tuple[Event, ...]]:
        """The row of the clock for the next frame, and what is told with it."""
        beat, downbeat = self._heard.popleft()
        self._filter.hear(beat, downbeat, self._cue_rows.popleft() if self._cue_rows else None)
        now_s = self.format.start_s + self._frames / self.format.rate_hz
        self._frames += 1
        return self._readout.read(now_s, beat, downbeat)
