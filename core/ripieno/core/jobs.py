"""One piece of work, as text, and doing it: in this process or in a worker, by the same code.

Conventions
-----------
A job names plugins, digests and paths; nothing is pickled. Results are put into the store by whoever
does the job, the key last, so that finished work outlives whoever asked for it.
"""

import importlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ripieno.contracts.context import Context, Made, Progress, call_in, use_context
from ripieno.contracts.errors import PluginError, StepError
from ripieno.contracts.provenance import Licence, Provenance
from ripieno.registry import Registry

from . import exports
from .scratch import scratch
from .store import Record, Store, full_disk_named

if TYPE_CHECKING:
    from ripieno.contracts.artifact import Artifact


@dataclass(frozen=True)
class Taken:
    """An artifact that a job takes.

    Parameters
    ----------
    digest : str
        Of the stored object.
    part : str
        Name of a stem of it; the whole where empty.
    made_by, licences
        Its provenance.
    """

    digest: str
    part: str = ""
    made_by: str = ""
    licences: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Parameters
    ----------
    verb : {"call", "read", "write", "map"}
        Call a plugin's verb; read an input; write an output; one job of a plugin's `Context.map`.
    step, item : str
        For messages.
    uses : str
        The plugin; for ``map`` its function as ``module:name``.
    settings : mapping
        Of the plugin; for ``map`` the job itself, under ``job``.
    ports : mapping
        Port → `Taken`, a list of them or a map.
    path : str
        What is read or written; for ``map`` the checkpoint folder.
    room : str
        For ``write``: the run folder, in which files are in the making.
    """

    verb: Literal["call", "read", "write", "map"]
    step: str
    item: str
    uses: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ports: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    seed: int = 0
    index: int = 0
    path: str = ""
    room: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = field(default_factory=list)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None

    def text(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Job":
        """The inverse of `text`."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Asks:
    """Whom a job tells what happens while it is done.

    Parameters
    ----------
    progress : callable
        Takes done, total, unit.
    warn : callable
        Takes a line.
    map : callable, optional
        Does jobs of a `Context.map` elsewhere; one after the other here where not given.
    """

    progress: Callable[[float, float, str], None]
    warn: Callable[[str], None]
    map: Callable[[Sequence[Job]], list[Any]] | None = None


class Bench:
    """Where jobs are done: a store, a registry, and the plugins built so far.

    A built plugin is kept, with the models it has loaded, for the next job that uses it.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self.registry = registry
        self._built: dict[str, Any] = {}

    def do(self, job: Job, asks: Asks) -> dict[str, Any]:
        """Do a job.

        Returns
        -------
        dict
            JSON: ``outputs`` and ``seconds`` of a call or a read, ``path`` and ``header`` of a write,
            ``result`` of a map's job.
        """
        logger = _logger(job, asks.warn)
        if job.verb == "map":
            return {"result": self._map_one(job, logger)}
        with full_disk_named(self.store.folder), self.store.scratch() as scratch:
            context = self._context(job, scratch, logger, asks)
            with use_context(context):
                return self._write(job) if job.verb == "write" else self._make(job, context)

    def _context(self, job: Job, scratch: Path, logger: logging.Logger, asks: Asks) -> Context:
        from ripieno.contracts.plugin import draws

        folder = scratch / "scratch"
        folder.mkdir()
        plugin = self._plugin(job)

        def on_map(function: Callable[[Any, Context], Any], jobs: Sequence[Any]) -> list[Any]:
            made = map_jobs(job, function, jobs, context)
            return asks.map(made) if asks.map else [self._map_one(one, logger) for one in made]

        def on_progress(progress: Progress) -> None:
            asks.progress(progress.done, progress.total, progress.unit)

        context = Context(
            scratch=folder,
            checkpoint=folder if job.verb == "write" else self.store.checkpoint(job.key),
            seed=job.seed,
            random=draws(plugin),
            device="cuda" if plugin.resources.gpu else "cpu",
            facts=job.facts,
            lost=job.lost,
            history=tuple(Made(**made) for made in job.history),
            logger=logger,
            on_progress=on_progress,
            on_map=on_map,
        )
        return context

    def _plugin(self, job: Job) -> Any:
        name = json.dumps([job.uses, job.settings], sort_keys=True)
        if name not in self._built:
            self._built[name] = self.registry.build(job.uses, job.settings)
        return self._built[name]

    def _make(self, job: Job, context: Context) -> dict[str, Any]:
        plugin = self._plugin(job)
        started = time.perf_counter()
        if job.verb == "read":
            artifacts = {"": plugin.read(Path(job.path))}
        else:
            arguments = {port: self._argument(taken) for port, taken in job.ports.items()}
            plugin.check({port: _headers(value) for port, value in arguments.items()})
            artifacts = named(job.uses, plugin, getattr(plugin, plugin.verb)(**arguments))
        movable = (context.scratch, context.checkpoint)
        outputs = {
            name: replace(self.store.put(value, movable=movable), licences=_found_in_data(value, job))
            for name, value in artifacts.items()
        }
        seconds = time.perf_counter() - started
        self.store.record(job.key, Record(outputs, seconds, job.recipe))
        shutil.rmtree(context.checkpoint, ignore_errors=True)
        return {"outputs": {name: asdict(stored) for name, stored in outputs.items()}, "seconds": seconds}

    def _argument(self, taken: Any) -> Any:
        if isinstance(taken, list):
            return [self._load(one) for one in taken]
        if "digest" not in taken:
            return {name: self._load(one) for name, one in taken.items()}
        return self._load(taken)

    def _load(self, facts: Mapping[str, Any]) -> Any:
        taken = Taken(**facts)
        artifact: Any = self.store.get(taken.digest, self.registry.kind)
        if taken.part:
            artifact = artifact[taken.part]
        licences = tuple(Licence(**licence) for licence in taken.licences)
        return artifact.with_provenance(Provenance(taken.made_by, licences))

    def _write(self, job: Job) -> dict[str, Any]:
        target = Path(job.path)
        artifact = self._argument(job.ports["artifact"])
        target.parent.mkdir(parents=True, exist_ok=True)
        # Some codecs write a file beside the one asked for: all are made in a folder and moved together.
        with full_disk_named(target.parent), scratch(Path(job.room)) as room:
            self._plugin(job).write(artifact, room / target.name)
            made = exports.place(room, target, asked=target.name)
        exports.remember(self.store, job.key, made, artifact.header())
        return {"path": str(target), "header": artifact.header()}

    def _map_one(self, job: Job, logger: logging.Logger) -> Any:
        module, _, name = job.uses.partition(":")
        function = getattr(importlib.import_module(module), name)
        with self.store.scratch() as scratch:
            context = Context(
                scratch=scratch,
                checkpoint=Path(job.path),
                seed=job.seed,
                random=bool(job.settings["random"]),
                facts=job.facts,
                logger=logger,
            )
            result = call_in(context, function, job.settings["job"])
        return _plain(result, job)


def map_jobs(parent: Job, function: Callable[..., Any], jobs: Sequence[Any], context: Context) -> list[Job]:
    """The jobs of a plugin's `Context.map` as jobs for workers.

    Raises
    ------
    PluginError
        If the function is not at the top of a module, or a job is not plain JSON.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    if "<" in name or "." in function.__qualname__ or function.__module__ == "__main__":
        raise PluginError(f"{name}: context.map takes a function at the top level of a plugin's module")
    made = []
    for index, job in enumerate(jobs):
        own = context.for_job(index, context.scratch)
        made.append(
            Job(
                verb="map",
                step=parent.step,
                item=parent.item,
                uses=name,
                settings={"job": _plain(job, parent), "random": own.random},
                seed=own.seed,
                index=index,
                path=str(context.checkpoint),
                facts=parent.facts,
            )
        )
    return made


def named(uses: str, plugin: Any, result: Any) -> dict[str, Any]:
    """The results of a verb by name.

    Raises
    ------
    StepError
        If they are not what the plugin says it gives.
    """
    from ripieno.contracts.ports import signature

    shape = signature(type(plugin))
    expected = [kind for _, kind in shape.fields] or [shape.kind]
    values = list(result) if shape.fields and isinstance(result, tuple) else [result]
    kinds = [getattr(value, "kind", type(value).__name__) for value in values]
    if kinds != expected:
        raise StepError(f"{uses} returned {', '.join(kinds)}, its signature says {', '.join(expected)}")
    names = tuple(plugin.output_names(plugin.config))
    if shape.kind == "stems" and set(result.names) != set(names):
        raise StepError(f"{uses} returned the stems {', '.join(result.names)}, it says {', '.join(names)}")
    return dict(zip([name for name, _ in shape.fields] or [""], values, strict=True))


def _found_in_data(artifact: "Artifact", job: Job) -> list[Mapping[str, Any]]:
    """Licences that an artifact brings beyond those of what it was made from."""
    known = [dict(licence) for taken in _each(job.ports) for licence in taken["licences"]]
    brought = (asdict(licence) for licence in artifact.provenance.licences)
    return [licence for licence in brought if licence not in known]


def _each(ports: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Everything that ports take, one by one."""
    for taken in ports.values():
        many = taken if isinstance(taken, list) else [taken] if "digest" in taken else taken.values()
        yield from many


def _headers(value: Any) -> Any:
    if isinstance(value, list):
        return [_headers(one) for one in value]
    if isinstance(value, dict):
        return {name: _headers(one) for name, one in value.items()}
    return value.header()


def _plain(value: Any, job: Job) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise PluginError(f"{job.uses}: what goes through context.map is plain JSON: {error}") from error


class _Warnings(logging.Handler):
    def __init__(self, warn: Callable[[str], None], who: str) -> None:
        super().__init__(logging.WARNING)
        self.warn = warn
        self.who = who

    def emit(self, record: logging.LogRecord) -> None:
        self.warn(f"{self.who}: {record.getMessage()}")


def _logger(job: Job, warn: Callable[[str], None]) -> logging.Logger:
    logger = logging.Logger("ripieno")
    logger.addHandler(_Warnings(warn, f"{job.step} {job.item}".strip()))
    return logger


def failure(error: BaseException) -> dict[str, Any]:
    """An exception as JSON: a user's mistake is one line, a bug keeps its traceback."""
    import traceback

    from ripieno.contracts.errors import DamagedError, RipienoError

    if isinstance(error, DamagedError):
        return {"damaged": error.path, "error": str(error)}
    if isinstance(error, RipienoError):
        return {"error": str(error)}
    text = "".join(traceback.format_exception(error))
    # A message may hold what is no character and could not be written down.
    message, text = (said.encode(errors="replace").decode() for said in (str(error), text))
    return {"error": f"{type(error).__name__}: {message}".strip(), "traceback": text}
