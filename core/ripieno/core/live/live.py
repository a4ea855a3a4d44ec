"""The loop of a live run: source → pace → engine → bus and listeners."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ripieno.contracts.context import temporary_folder
from ripieno.contracts.errors import PipelineError, RipienoError
from ripieno.contracts.formats import SeriesFormat
from ripieno.contracts.state_bus import StateBus
from ripieno.registry import Registry

from ..pipeline import Pipeline
from ..planner import make_plan
from .clock import StepClock
from .ctrl_c import CtrlC
from .engine import Engine, Given
from .hops import Source, in_order
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
        Exception
            A bug of a plugin, with a note that names the step; listeners are told of it.
        """
        audience = _Audience(listeners)
        formats = {name: source.format for name, source in sources.items()}
        with temporary_folder() as folder:
            try:
                engine = Engine(self.path, formats, registry=self.registry, seed=self.seed, folder=folder)
                performance = _Performance(self, engine, audience)
            except Exception as error:
                audience.tell([Error(_told(error))])
                raise
            performance.play(sources, pace)


class _Audience:
    """Those who listen, as long as they do."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.listeners = list(listeners)

    def tell(self, messages: Sequence[Message]) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.take(messages)
            except Exception as error:
                self.listeners.remove(listener)
                # Whoever read standard output has gone; others may still listen.
                if not (isinstance(error, BrokenPipeError) and self.listeners):
                    raise


class _Performance:
    """One stream from its first sample to its last."""

    def __init__(self, live: Live, engine: Engine, audience: _Audience) -> None:
        self.live = live
        self.engine = engine
        self.audience = audience
        self.reached_s = 0.0
        self.clocks: dict[str, StepClock] = {}
        for node in live.path.nodes:
            format = engine.steps.get(node.name)
            if live.states and CLOCK in node.descriptor.fields and isinstance(format, SeriesFormat):
                self.clocks[node.name] = StepClock(node.name, format)

    def play(self, sources: Mapping[str, Source], pace: Pace) -> None:
        begun_s = time.monotonic()
        self.audience.tell([self._start(sources)])
        stopped: BaseException | None
        try:
            stopped = self._hear(sources, pace)
            self._say(self.engine.flush())
        except Exception as fault:
            stopped = fault
        if isinstance(stopped, Exception):
            self.audience.tell([Error(_told(stopped))])
        self.audience.tell([End(self.reached_s, time.monotonic() - begun_s)])
        if stopped is not None:
            raise stopped

    def _hear(self, sources: Mapping[str, Source], pace: Pace) -> KeyboardInterrupt | RipienoError | None:
        """Push all sound through the steps; what ended it early, where that is no fault of a step."""
        arriving = in_order(sources)
        with CtrlC() as ctrl_c:
            while True:
                try:
                    with ctrl_c.may_end():
                        hop = next(arriving, None)
                        if hop is None:
                            return None
                        pace.wait(hop.end_s)
                except (KeyboardInterrupt, RipienoError) as reason:
                    return reason
                self._say(self.engine.push(hop.input, hop.samples))
                self.reached_s = max(self.reached_s, hop.end_s)

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
            unwritten=tuple(path.plan.pipeline.outputs.values()),
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


def _told(error: Exception) -> str:
    """What listeners are told of an error; of a bug, where it is too."""
    if isinstance(error, RipienoError):
        return str(error)
    return " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
