"""The steps of a live path at work: sound in, chunks of every step out.

Conventions
-----------
A step gets what arrived on each of its ports in one push, and cannot write to it: others hear it too. At the
end each step is flushed after those that it takes from, once what they had left has gone through it: the
order of an offline run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.artifact import read_only
from ripieno.contracts.context import Context, derive_seed, use_context
from ripieno.contracts.errors import InputError, PipelineError, RipienoError, StepError
from ripieno.contracts.formats import AudioFormat, EventFormat, SeriesFormat, StreamFormat
from ripieno.contracts.plugin import draws
from ripieno.contracts.streaming import Chunk, Session
from ripieno.registry import Registry

from ..plan import Node, Ref
from .checks import check_chunk, check_session
from .path import LivePath

# Kinds of artifacts that stream as events, and what their events are called; predictions are not among them.
EVENTS = {"beats": "beat", "sections": "section"}
Part = Callable[[Chunk], Chunk]


@dataclass(frozen=True)
class Given:
    """What a step gave.

    Parameters
    ----------
    step : str
        Its name.
    chunk : Chunk
        As its session gave it.
    """

    step: str
    chunk: Chunk


class Engine:
    """Sessions of all steps of a path, wired.

    Parameters
    ----------
    path : LivePath
        What is at work.
    formats : mapping of str to AudioFormat
        By input.
    registry : Registry
        Builds the plugins.
    seed : int
        Of the run: random steps draw what they draw in an offline run of that seed.
    folder : Path
        Where plugins may write while the engine is used.

    Raises
    ------
    StepError
        If a step refuses what it would be given.
    """

    def __init__(
        self,
        path: LivePath,
        formats: Mapping[str, AudioFormat],
        *,
        registry: Registry,
        seed: int,
        folder: Path,
    ) -> None:
        self.path = path
        self.formats = dict(formats)
        self._frames = dict.fromkeys(formats, 0)
        self._stages: list[_Stage] = []
        known: dict[str, StreamFormat] = dict(formats)
        for node in path.nodes:
            stage = _Stage(node, path, known, registry=registry, seed=seed, folder=folder)
            known[node.name] = stage.format
            self._stages.append(stage)

    @property
    def steps(self) -> dict[str, StreamFormat]:
        """What each step gives."""
        return {stage.name: stage.format for stage in self._stages if stage.is_step}

    @property
    def latency_s(self) -> dict[str, float]:
        """By step: the longest time from a sample of a source to what it decides."""
        reached: dict[str, float] = {}
        for stage in self._stages:
            before = max((reached.get(source, 0.0) for source, _ in stage.takes.values()), default=0.0)
            reached[stage.name] = before + stage.session.latency.total_s
        return {stage.name: reached[stage.name] for stage in self._stages if stage.is_step}

    def push(self, name: str, samples: NDArray[np.float32]) -> list[Given]:
        """Take sound of an input, give what every step makes of it.

        Parameters
        ----------
        name : str
            Of the input.
        samples : ndarray [channels, frames]
            What follows on what was pushed before; finite.

        Raises
        ------
        InputError
            If the number of channels is another than the format's.
        StepError
            If a step refuses it.
        """
        format = self.formats[name]
        if samples.ndim != 2 or len(samples) != format.channels:
            raise InputError(
                f"{name}: a block of shape {samples.shape}, expected [channels, frames] "
                f"with {format.channels} channels"
            )
        self._frames[name] += samples.shape[1]
        return self._pass(Given(name, Chunk(self._frames[name] / format.rate_hz, read_only(samples))), 0)

    def flush(self) -> list[Given]:
        """All inputs have ended: give the rest."""
        given: list[Given] = []
        for index, stage in enumerate(self._stages, start=1):
            last = stage.flush()
            given += [last] if stage.is_step else []
            given += self._pass(last, index)
        return given

    def reset(self) -> None:
        """Forget everything, as new."""
        self._frames = dict.fromkeys(self._frames, 0)
        for stage in self._stages:
            stage.begin()

    def _pass(self, first: Given, start: int) -> list[Given]:
        """What the stages from `start` on make of something new, in their order."""
        arrived = {first.step: first.chunk}
        given = []
        for stage in self._stages[start:]:
            ports = {
                port: part(arrived[source])
                for port, (source, part) in stage.takes.items()
                if source in arrived
            }
            if not ports:
                continue
            made = stage.push(ports)
            arrived[stage.name] = made.chunk
            given += [made] if stage.is_step else []
        return given


class _Stage:
    """A node with its session and what it takes."""

    def __init__(
        self,
        node: Node,
        path: LivePath,
        known: Mapping[str, StreamFormat],
        *,
        registry: Registry,
        seed: int,
        folder: Path,
    ) -> None:
        self.name = node.name
        self.is_step = node.role == "step"
        self._who = f'step "{node.name}" ({node.uses})'
        self.takes: dict[str, tuple[str, Part]] = {}
        formats: dict[str, StreamFormat] = {}
        for port, wire in node.wires.items():
            ref = wire.refs[0]
            formats[port], part = _taken(path.plan.nodes[ref.node], ref, known[ref.node])
            self.takes[port] = ref.node, part
        self._formats, self._folder, self._seed = formats, folder, _seed(path, node, seed)
        try:
            self._plugin = registry.build(node.uses, node.settings)
        except RipienoError as error:
            raise StepError(f"{self._who}: {error}") from error
        self.begin()

    def begin(self) -> None:
        """Open a session: as new, what it draws at random too."""
        self._until_s = 0.0
        self._context = _context(self._plugin, self._folder, seed=self._seed)
        with self._at_work():
            self.session: Session = self._plugin.stream(self._formats)
            check_session(self.session)
            self.format = self.session.format

    def push(self, ports: Mapping[str, Chunk]) -> Given:
        with self._at_work():
            return self._given(self.session.push(**ports))

    def flush(self) -> Given:
        with self._at_work():
            return self._given(self.session.flush())

    def _given(self, chunk: Chunk) -> Given:
        check_chunk(chunk, self.format, after_s=self._until_s)
        self._until_s = chunk.until_s
        if chunk.samples is not None:
            chunk = replace(chunk, samples=read_only(chunk.samples))
        return Given(self.name, chunk)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """In the context of the step; what goes wrong says in which."""
        try:
            with use_context(self._context):
                yield
        except RipienoError as error:
            raise StepError(f"{self._who}: {error}") from error
        except Exception as bug:
            bug.add_note(f"in {self._who}")
            raise


def _seed(path: LivePath, node: Node, seed: int) -> int:
    # A live source is a list of one where a list is declared, and the item's key is part of the seed.
    (item,) = path.plan.item_keys(node)
    return derive_seed(seed, node.name, *item)


def _context(plugin: Any, folder: Path, *, seed: int) -> Context:
    device = "cuda" if plugin.resources.gpu else "cpu"
    return Context(folder, folder, seed=seed, random=draws(plugin), device=device)


def _taken(node: Node, ref: Ref, format: StreamFormat) -> tuple[StreamFormat, Part]:
    """The format of an output of a node, and how it is taken out of what its session gives.

    A port of sound or of a series always gets samples, if none have come an empty block of them.
    """
    kind = node.outputs[ref.output]
    if kind in EVENTS:
        return EventFormat(), lambda chunk: _events(chunk, EVENTS[kind])
    if isinstance(format, EventFormat):
        raise PipelineError(f'step "{node.name}" ({node.uses}) gives events alone live, no {ref}')
    if isinstance(format, SeriesFormat):
        return format, _samples_or(np.zeros((0, len(format.names)), np.float32))
    stems: Sequence[str] = node.configured.outputs if node.descriptor.kind == "stems" else ()
    if ref.output not in stems:
        return format, _samples_or(np.zeros((format.channels, 0), np.float32))
    channels = format.channels // len(stems)
    first = stems.index(ref.output) * channels
    nothing = np.zeros((channels, 0), np.float32)
    return AudioFormat(format.rate_hz, channels), _samples_or(nothing, slice(first, first + channels))


def _events(chunk: Chunk, what: str) -> Chunk:
    return Chunk(chunk.until_s, events=tuple(event for event in chunk.events if event.what == what))


def _samples_or(nothing: NDArray[np.float32], channels: slice = slice(None)) -> Part:
    def part(chunk: Chunk) -> Chunk:
        return Chunk(chunk.until_s, nothing if chunk.samples is None else chunk.samples[channels])

    return part
