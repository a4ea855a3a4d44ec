"""The loop of a live run: source → pace → engine → bus and listeners."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.context import temporary_folder
from ripieno.contracts.errors import PipelineError, RipienoError, StepError
from ripieno.contracts.formats import SeriesFormat
from ripieno.contracts.state_bus import StateBus
from ripieno.registry import Registry

from ..pipeline import Pipeline
from ..planner import make_plan
from .clock import StepClock
from .engine import Engine, Given
from .hops import Source, hops
from .messages import End, Error, Heard, Listener, Message, Start, State
from .pace import Pace
from .path import LivePath, live_path
from .sources import Asked

CLOCK = ("clock", "beat_clock")


@dataclass(frozen=True)
class Live:
    """A pipeline that is ready to be played.

    Parameters
    ----------
    path : LivePath
        What is at work.
    registry : Registry
        Builds the plugins.
    seed : int
        Of the run.
    states : bool
        Whether states of the slow clock are made.
    bus : StateBus
        The latest states, for whoever reads at its own speed.
    """

    path: LivePath
    registry: Registry
    seed: int = 0
    states: bool = True
    bus: StateBus[State] = field(default_factory=StateBus)

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        sources: Sequence[Asked],
        *,
        only: Sequence[str] = (),
        seed: int | None = None,
        states: bool = True,
    ) -> "Live":
        """Check a pipeline for a live run.

        Parameters
        ----------
        pipeline : Pipeline
            What was asked.
        sources : sequence of Asked
            What its inputs hear.
        only : sequence of str
            Steps to do, with all they need; every step that streams where empty.
        seed : int, optional
            Instead of the pipeline's.
        states : bool
            Whether states of the slow clock are wanted.

        Raises
        ------
        PipelineError
            With every problem, one line each.
        """
        registry = Registry(allow=pipeline.allow)
        keys = {one.input: one.key for one in sources}
        plan = make_plan(pipeline, registry, only=only, live=keys)
        path = live_path(plan, registry, sources=tuple(keys))
        taken = {ref.node for node in path.nodes for ref in node.refs}
        for name in keys:
            if name not in taken:
                raise PipelineError(f"no step that runs live takes the input {name!r}: it needs no --source")
        return cls(path, registry, pipeline.seed if seed is None else seed, states)

    @property
    def has_clock(self) -> bool:
        """Whether a step gives a beat clock, which states are made from."""
        return any(CLOCK in node.descriptor.fields for node in self.path.nodes)

    def play(self, sources: Mapping[str, Source], *, pace: Pace, listeners: Sequence[Listener] = ()) -> None:
        """Run from the first sample to the last, or until Ctrl-C; what is known by then is told.

        Parameters
        ----------
        sources : mapping of str to Source
            By input, open.
        pace : Pace
            When each block is due.
        listeners : sequence of Listener
            Who is told.

        Raises
        ------
        RipienoError
            If a source or a step fails.
        KeyboardInterrupt
            After Ctrl-C.
        BrokenPipeError
            If all listeners have gone.
        """
        audience = _Audience(listeners)
        formats = {name: source.format for name, source in sources.items()}
        with temporary_folder() as folder:
            try:
                engine = Engine(self.path, formats, registry=self.registry, seed=self.seed, folder=folder)
            except RipienoError as error:
                audience.tell([Error(str(error))])
                raise
            _Performance(self, engine, audience).play(sources, pace)


class _Audience:
    """Those who listen, as long as they do."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.listeners = list(listeners)

    def tell(self, messages: Sequence[Message]) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.take(messages)
            except BrokenPipeError:
                # Whoever read standard output has gone; others may still listen.
                self.listeners.remove(listener)
                if not self.listeners:
                    raise


class _Performance:
    """One stream from its first sample to its last."""

    def __init__(self, live: Live, engine: Engine, audience: _Audience) -> None:
        self.live = live
        self.engine = engine
        self.audience = audience
        self.reached_s = 0.0
        self.clocks = {
            node.name: StepClock(node.name, format)
            for node in live.path.nodes
            if live.states and CLOCK in node.descriptor.fields
            for format in [engine.steps[node.name]]
            if isinstance(format, SeriesFormat)
        }

    def play(self, sources: Mapping[str, Source], pace: Pace) -> None:
        begun_s = time.monotonic()
        self.audience.tell([self._start(sources)])
        stopped: BaseException | None = None
        try:
            try:
                self._hear(sources, pace)
            except StepError:
                raise
            except (KeyboardInterrupt, RipienoError) as reason:
                stopped = reason
            self._say(self.engine.flush())
        except StepError as reason:
            stopped = reason
        if isinstance(stopped, RipienoError):
            self.audience.tell([Error(str(stopped))])
        self.audience.tell([End(self.reached_s, time.monotonic() - begun_s)])
        if stopped is not None:
            raise stopped

    def _hear(self, sources: Mapping[str, Source], pace: Pace) -> None:
        with _ctrl_c() as ctrl_c:
            for name, samples, time_s in _in_order(sources, pace, ctrl_c):
                self._say(self.engine.push(name, samples))
                self.reached_s = max(self.reached_s, time_s)

    def _start(self, sources: Mapping[str, Source]) -> Start:
        path = self.live.path
        first = next(iter(sources.values()))
        return Start(
            pipeline=path.plan.pipeline.name,
            source="+".join(source.kind for source in sources.values()),
            rate_hz=first.format.rate_hz,
            channels=first.format.channels,
            steps=path.steps,
            left_out=path.left_out,
            latency_s=self.engine.latency_s,
        )

    def _say(self, given: Sequence[Given]) -> None:
        messages: list[Message] = []
        for one in given:
            messages += [Heard(one.step, event) for event in one.chunk.events]
            if one.step in self.clocks:
                for state in self.clocks[one.step].push(one.chunk):
                    self.live.bus.append(state)
                    messages.append(state)
        if messages:
            self.audience.tell(messages)


def _in_order(
    sources: Mapping[str, Source], pace: Pace, ctrl_c: "_CtrlC"
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """Blocks of all sources, each with its end in time; the source that is furthest behind comes next."""
    streams = {name: hops(source) for name, source in sources.items()}
    frames = dict.fromkeys(sources, 0)
    reached_s = dict.fromkeys(sources, 0.0)
    while streams:
        name = min(streams, key=reached_s.__getitem__)
        with ctrl_c.may_end():
            samples = next(streams[name], None)
            if samples is None:
                del streams[name]
                continue
            frames[name] += samples.shape[1]
            reached_s[name] = frames[name] / sources[name].format.rate_hz
            pace.wait(reached_s[name])
        yield name, samples, reached_s[name]


class _CtrlC:
    """Ctrl-C ends a wait for sound, never a step's work halfway; the second one ends anything."""

    def __init__(self) -> None:
        self._asked = False
        self._waits = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self._waits or self._asked:
            raise KeyboardInterrupt
        self._asked = True

    @contextmanager
    def may_end(self) -> Iterator[None]:
        self._waits = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._waits = False


@contextmanager
def _ctrl_c() -> Iterator[_CtrlC]:
    ctrl_c = _CtrlC()
    # Where the program was started to ignore it, or this is no main thread, it is not ours to handle.
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, ctrl_c.handle)
    try:
        yield ctrl_c
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
