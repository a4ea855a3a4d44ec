"""One run: tasks in the order of their needs, what is in the store skipped, the rest done.

Conventions
-----------
A task is ready when all it takes is known; its key is made then, from the digests. A failed item skips
what depends on it and nothing else. Results are in the store; the run folder holds the outputs, the
manifest and the report.
"""

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ripieno.contracts.errors import PipelineError
from ripieno.contracts.hooks import Hooks
from ripieno.registry import Registry
from ripieno.registry.digests import FileDigests
from ripieno.registry.listeners import Listeners

from . import exports, manifest
from .jobs import Asks, Bench, Job, Taken, failure
from .journal import crashed, noted
from .keys import Recipes, hashed
from .licences import excluded, licences_of
from .pipeline import Pipeline
from .plan import ItemKey, Node, Sources, Task
from .planner import make_plan
from .pool import Ended, Pool
from .result import Outcome, RunResult, title
from .schedule import Schedule
from .scratch import clear
from .store import Stored, open_store
from .threads import is_pinned

# A result that is damaged again each time it is made means a broken disk.
MOST_REPAIRS = 3
UNDONE = ("failed", "skipped")


@dataclass(frozen=True)
class Options:
    """How a run is done.

    Parameters
    ----------
    jobs : int
        Workers at once; 0 = as many as there are cores.
    seed : int, optional
        Instead of the pipeline's.
    only : sequence of str
        Steps to do, with all they need; every step where empty.
    again_from : sequence of str
        Steps to do again, with all that depends on them.
    force : bool
        Do everything again.
    folder : Path
        Where run folders are made.
    store : Path, optional
        Folder of the store; ``$RIPIENO_STORE`` or the user's cache folder where not given.
    listeners : sequence of Hooks
        Told what happens, beside those that are installed.
    """

    jobs: int = 0
    seed: int | None = None
    only: Sequence[str] = ()
    again_from: Sequence[str] = ()
    force: bool = False
    folder: Path = Path("runs")
    store: Path | None = None
    listeners: Sequence[Hooks] = ()

    def __post_init__(self) -> None:
        # A string is a sequence too, of letters.
        for name in ("only", "again_from"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        object.__setattr__(self, "folder", Path(self.folder))
        object.__setattr__(self, "store", Path(self.store) if self.store else None)


def run(pipeline: Pipeline, options: Options = Options()) -> RunResult:
    """Run a pipeline.

    Raises
    ------
    PipelineError
        If the pipeline is wrong; nothing has run then. A failed step raises nothing: see
        `RunResult.checked`.
    """
    return Run(pipeline, options).execute()


class Run:
    """A run being made; `preview` tells what it would do, `execute` does it."""

    def __init__(self, pipeline: Pipeline, options: Options) -> None:
        self.options = options
        self.store = open_store(options.store)
        self.registry = Registry(allow=pipeline.allow, cache=self.store.folder)
        self.plan = make_plan(pipeline, self.registry, only=options.only)
        self.seed = pipeline.seed if options.seed is None else options.seed
        self.jobs = options.jobs or os.cpu_count() or 1
        digests = FileDigests(self.store.folder)
        self.recipes = Recipes(self.plan, self.registry, digests, seed=self.seed)
        self.again = self._again()
        self.outcomes = {task: Outcome() for task in self.plan.tasks}
        self.sources = {task: self.plan.sources(task) for task in self.plan.tasks}
        self.needs = {task: needed(taken.values()) for task, taken in self.sources.items()}
        self.listeners: Listeners = self.registry.listeners()
        for listener in options.listeners:
            self.listeners.add(listener)
        self.lost: dict[Task, dict[str, str]] = {}
        self._licences: dict[Task, tuple[Mapping[str, Any], ...]] = {}

    def _again(self) -> set[str]:
        if self.options.force:
            return set(self.plan.nodes)
        for name in self.options.again_from:
            if name not in self.plan.nodes:
                raise PipelineError(
                    f"no step {name!r} to run again from. Steps: {', '.join(self.plan.pipeline.steps)}"
                )
        return self.plan.downstream(self.options.again_from) if self.options.again_from else set()

    def preview(self) -> Iterator[tuple[Task, str, Mapping[str, Any] | None]]:
        """For each task what would happen (``cached``, ``run``, ``depends``) and its recipe where known."""
        for task in self.plan.tasks:
            node = self.plan.nodes[task.node]
            if any(not self.outcomes[source].outputs for source in self.needs[task]):
                yield task, "depends", None
                continue
            if node.role == "output":
                yield task, "run", None
                continue
            recipe = self.recipes.of(task, self._inputs(task))
            if node.name not in self.again and self._found(task, hashed(recipe)):
                yield task, "cached", recipe
            else:
                yield task, "run", recipe

    def execute(self) -> RunResult:
        """Do it all."""
        started = time.time()
        folder = new_folder(self.options.folder, self.plan.pipeline.name, started)
        self.folder = folder
        for what in crashed(self.store):
            self.emit("warned", message=f"an earlier run ended while {what} was being done")
        self._clear()
        self.emit("run_started", run=folder.name, folder=str(folder), steps=len(self.outcomes))
        self.bench = Bench(self.store, self.registry)
        self.pool = Pool(
            self.store.folder,
            self.plan.pipeline.allow,
            size=self.jobs,
            on_progress=self._progress,
            on_warning=lambda message: self.emit("warned", message=message),
        )
        result = RunResult(folder, self.plan, self.outcomes, self.store, self.registry)
        try:
            self._loop()
        finally:
            self.pool.close()
            self._clear()
            # Also after Ctrl-C: what was finished stands in the run folder, and the manifest says so.
            seconds = time.time() - started
            manifest.write(self, result, started=started, seconds=seconds)
            self.emit("run_finished", run=folder.name, ok=result.ok, seconds=seconds)
        return result

    def _clear(self) -> None:
        """Remove what a worker or an earlier run that was killed left half done."""
        self.store.clear_scratch()
        for folder in self.options.folder.iterdir():
            clear(folder)

    def emit(self, event: str, **facts: Any) -> None:
        """Tell the listeners."""
        self.listeners.emit(event, **facts)

    def _loop(self) -> None:
        spares = {task: frozenset(self.plan.gathered(task)) for task in self.plan.tasks}
        self.schedule = Schedule(self.needs, spares)
        self.running: dict[tuple[str, str], Task] = {}
        while self.schedule.ready or self.pool.busy:
            while self.schedule.ready and self.pool.free and not self._waits_for_gpu(self.schedule.ready[0]):
                self._begin(self.schedule.begin())
            if self.pool.busy:
                for ended in self.pool.wait():
                    self._ended(ended)

    def _waits_for_gpu(self, task: Task) -> bool:
        return self._needs_gpu(task) and any(map(self._needs_gpu, self.running.values()))

    def _begin(self, task: Task) -> None:
        job = self._job(task)
        if job is None:
            return
        self.running[job.step, job.item] = task
        self._started(task)
        if self._alone(task, job):
            self._do_here(task, job)
        else:
            self.pool.start(job)

    def _needs_gpu(self, task: Task) -> bool:
        return bool(self.plan.nodes[task.node].descriptor.resources.get("gpu"))

    def _alone(self, task: Task, job: Job) -> bool:
        """Whether a worker would bring nothing: nothing else to do, nothing to distribute or to stop."""
        spreads = self.plan.nodes[task.node].descriptor.parallel and self.jobs > 1
        # A library that this process loaded with threads of its own would give other bits than a worker.
        alone = is_pinned() and not self.pool.busy and not self.schedule.ready
        return alone and not job.timeout_s and not spreads

    def _do_here(self, task: Task, job: Job) -> None:
        asks = Asks(
            progress=lambda done, total, unit: self._progress(job, done, total, unit),
            warn=lambda message: self.emit("warned", message=message),
        )
        with noted(self.store, job.key, f"{title(self.plan, task)} ({job.uses})"):
            try:
                ended = Ended(job, self.bench.do(job, asks))
            except Exception as error:
                ended = Ended(job, None, failure(error))
        self._ended(ended)

    def _started(self, task: Task) -> None:
        node = self.plan.nodes[task.node]
        self.emit("step_started", step=task.node, item=task.item_name, uses=node.uses)
        if node.descriptor.whole_file:
            self._warn_of_memory(task)

    def _warn_of_memory(self, task: Task) -> None:
        headers = [
            self.outcomes[source].outputs.get("", Stored("", "")).header for source in self.needs[task]
        ]
        needed = sum(header.get("frames", 0) * header.get("channels", 0) * 4 for header in headers)
        free = _free_bytes()
        if free and needed > free / 2:
            size = f"{needed >> 20} MB of {free >> 20} MB free"
            self.emit("warned", message=f"{title(self.plan, task)} holds the whole recording: {size}")

    def _progress(self, job: Job, done: float, total: float, unit: str) -> None:
        self.emit("step_progress", step=job.step, item=job.item, done=done, total=total, unit=unit)

    def _job(self, task: Task) -> Job | None:
        """The job of a task that begins; None where it is settled without one."""
        node = self.plan.nodes[task.node]
        outcome = self.outcomes[task]
        if not self._leave_out_lost(task):
            because = self._failed_above(task)
            self._skip(task, because)
            self._give_up(task, because)
            return None
        try:
            recipe = self.recipes.of(task, self._inputs(task), self.lost.get(task))
        except OSError as error:
            self._fail(task, {"error": f"{error.filename}: {error.strerror}"})
            return None
        outcome.key = hashed(recipe)
        if node.role == "output":
            return self._write(task, node, outcome)
        if node.name not in self.again and not outcome.repairs and self._found(task, outcome.key):
            self._settle(task, "cached")
            return None
        return self._call(task, node, outcome.key, recipe)

    def _write(self, task: Task, node: Node, outcome: Outcome) -> Job | None:
        target = self.folder / self.plan.target(task)
        again = node.name in self.again or outcome.repairs
        header = None if again else exports.reuse(self.store, outcome.key, target, room=self.folder)
        if header is not None:
            outcome.path, outcome.header = str(target), header
            self._settle(task, "cached")
            return None
        return Job(
            verb="write",
            step=task.node,
            item=task.item_name,
            uses=node.uses,
            settings=node.configured.config,
            ports={port: self._taken(task, port) for port in node.wires},
            key=outcome.key,
            path=str(target),
            room=str(self.folder),
        )

    def _call(self, task: Task, node: Node, key: str, recipe: Mapping[str, Any]) -> Job:
        reads = node.role == "input"
        return Job(
            verb="read" if reads else "call",
            step=task.node,
            item=task.item_name,
            uses=node.uses,
            settings=recipe["config"],
            ports={} if reads else {port: self._taken(task, port) for port in node.wires},
            key=key,
            seed=self.recipes.seed_of(task),
            path=str(self.plan.file_of(task)) if reads else "",
            facts=self.plan.facts_of(task),
            lost=self.lost.get(task, {}),
            history=recipe.get("history", []),
            recipe=recipe,
            timeout_s=node.timeout_s,
        )

    def _leave_out_lost(self, task: Task) -> bool:
        """Take an item that failed on one port from all ports that gather; whether something is left."""
        failed = {
            source.item for source in self.plan.gathered(task) if self.outcomes[source].status in UNDONE
        }
        if not failed:
            return True
        because = {
            other.item: outcome.error
            for other, outcome in reversed(self.outcomes.items())
            if other.item in failed and outcome.error
        }
        self.lost[task] = {" + ".join(item): because.get(item, "") for item in sorted(failed)}
        wires, sources = self.plan.nodes[task.node].wires, self.sources[task]
        for port, group in sources.items():
            if wires[port].many != "one":
                sources[port] = _without(group, failed)
                if not sources[port]:
                    return False
        self.needs[task] = needed(sources.values())
        return True

    def _found(self, task: Task, key: str) -> bool:
        def damaged(path: str) -> None:
            self.emit("artifact_damaged", step=task.node, item=task.item_name, path=path)

        record = self.store.find(key, on_damage=damaged)
        if record is None:
            return False
        self.outcomes[task].outputs = record.outputs
        self.outcomes[task].seconds = record.seconds
        return True

    def _inputs(self, task: Task) -> dict[str, Any]:
        """Digests of what each port takes."""

        def digest(source: tuple[Task, str]) -> str:
            stored, part = self._stored(source)
            return stored.parts[part] if part else stored.digest

        return {
            port: {name: digest(source) for name, source in group.items()}
            if isinstance(group, dict)
            else [digest(source) for source in group]
            for port, group in self.sources[task].items()
        }

    def _stored(self, source: tuple[Task, str]) -> tuple[Stored, str]:
        """The stored object behind an output, and the name of the stem of it that is meant."""
        task, output = source
        outputs = self.outcomes[task].outputs
        return (outputs[output], "") if output in outputs else (outputs[""], output)

    def _taken(self, task: Task, port: str) -> Any:
        def taken(source: tuple[Task, str]) -> dict[str, Any]:
            stored, part = self._stored(source)
            node = self.plan.nodes[source[0].node]
            return vars(Taken(stored.digest, part, f"{node.name}: {node.uses}", self.licences(source[0])))

        group = self.sources[task][port]
        if isinstance(group, dict):
            return {name: taken(source) for name, source in group.items()}
        items = [taken(source) for source in group]
        return items[0] if self.plan.nodes[task.node].wires[port].many == "one" else items

    def licences(self, task: Task) -> tuple[Mapping[str, Any], ...]:
        """Of everything that goes into a task's result."""
        if task not in self._licences:
            source = self.plan.pipeline.inputs.get(task.node)
            uses, configured = self.plan.nodes[task.node].uses, self.recipes.configured(task)
            own = licences_of(uses, configured, source, self.registry)
            own += [dict(licence) for licence in self._found_in_data(task)]
            above = [licence for source in self.needs[task] for licence in self.licences(source)]
            unique = {hashed(licence): licence for licence in (*own, *above)}
            self._licences[task] = tuple(unique.values())
        return self._licences[task]

    def _found_in_data(self, task: Task) -> list[Mapping[str, Any]]:
        return [licence for stored in self.outcomes[task].outputs.values() for licence in stored.licences]

    def _ended(self, ended: Ended) -> None:
        task = self.running.pop((ended.job.step, ended.job.item))
        outcome = self.outcomes[task]
        if ended.result is None:
            self._failed(task, ended.failure)
        elif ended.job.verb == "write":
            outcome.path, outcome.header = ended.result["path"], ended.result["header"]
            self._settle(task, "done")
        else:
            outcome.seconds = ended.result["seconds"]
            outcome.outputs = {name: Stored(**stored) for name, stored in ended.result["outputs"].items()}
            self._settle(task, "done")

    def _settle(self, task: Task, status: str) -> None:
        outcome = self.outcomes[task]
        excluding = [licence for licence in self._found_in_data(task) if not licence["commercial"]]
        if self.plan.pipeline.commercial and excluding:
            self._fail(task, {"error": excluded(excluding[0])})
            return
        outcome.status = status
        step, item = task.node, task.item_name
        node = self.plan.nodes[task.node]
        if node.role == "output":
            self.emit("output_written", name=node.reference, item=item, path=outcome.path)
        elif status == "cached":
            self.emit("step_cached", step=step, item=item)
        else:
            for name, stored in outcome.outputs.items():
                facts = {"output": name, "kind": stored.kind, "digest": stored.digest}
                self.emit("artifact_stored", step=step, item=item, **facts)
            self.emit("step_finished", step=step, item=item, seconds=outcome.seconds)
        self.schedule.finish(task)

    def _failed(self, task: Task, problem: Mapping[str, Any]) -> None:
        outcome = self.outcomes[task]
        if "damaged" in problem and outcome.repairs < MOST_REPAIRS and self._repair(task, problem["damaged"]):
            outcome.repairs += 1
            return
        self._fail(task, problem)

    def _repair(self, task: Task, path: str) -> bool:
        """Drop a damaged object and do again what made it, then the task that found it."""
        digest = Path(path).parent.name
        makers = [
            source
            for source in self.needs[task]
            if any(stored.digest == digest for stored in self.outcomes[source].outputs.values())
        ]
        # A maker that is not over is being made again already, for another task that found the damage first.
        if not makers and all(map(self.schedule.is_over, self.needs[task])):
            return False
        taken = {source for one in (task, *makers) for source in self.needs[one]}
        if any(self.outcomes[source].status in ("failed", "skipped") for source in taken):
            return False  # made again before, which failed
        self.emit("artifact_damaged", step=task.node, item=task.item_name, path=path)
        if makers:
            self.store.drop(digest)
        for maker in makers:
            self.outcomes[maker] = Outcome(repairs=self.outcomes[maker].repairs + 1)
        self.schedule.again(task, makers)
        return True

    def _fail(self, task: Task, problem: Mapping[str, Any]) -> None:
        outcome = self.outcomes[task]
        outcome.status = "failed"
        outcome.error = self._as_given(task, " ".join(str(problem["error"]).split()))
        outcome.traceback = problem.get("traceback", "")
        self.emit("step_failed", step=task.node, item=task.item_name, error=outcome.error)
        self._give_up(task, task.node)

    def _as_given(self, task: Task, message: str) -> str:
        """A message that names files of the store, with what the user knows them by."""
        for source in self.needs[task]:
            node = self.plan.nodes[source.node]
            name = str(self.plan.file_of(source)) if node.role == "input" else f"the result of {node.name}"
            for stored in self.outcomes[source].outputs.values():
                folder = re.escape(str(self.store.object_folder(stored.digest)))
                message = re.sub(rf"{folder}[/\\][^\s:]*", name.replace("\\", r"\\"), message)
        return message

    def _give_up(self, task: Task, because: str) -> None:
        """Skip what cannot be done without a task."""
        for lost in self.schedule.give_up(task):
            self._skip(lost, because)

    def _skip(self, task: Task, because: str) -> None:
        self.outcomes[task] = replace(self.outcomes[task], status="skipped")
        self.emit("step_skipped", step=task.node, item=task.item_name, because=because)

    def _failed_above(self, task: Task) -> str:
        """The step whose failure leaves nothing of what a task takes."""
        while self.outcomes[task].status != "failed":
            task = next(source for source in self.needs[task] if self.outcomes[source].status in UNDONE)
        return task.node


def _without(group: Sources, items: Collection[ItemKey]) -> Sources:
    """What ports gather, less some items."""
    if isinstance(group, dict):
        return {name: source for name, source in group.items() if source[0].item not in items}
    return [source for source in group if source[0].item not in items]


def needed(taken: Iterable[Sources]) -> list[Task]:
    """The tasks behind what the ports of a task take, each once."""
    groups = (group.values() if isinstance(group, dict) else group for group in taken)
    return list(dict.fromkeys(source for group in groups for source, _ in group))


def new_folder(runs: Path, name: str, started: float) -> Path:
    """A run folder of its own: time and name, a number where two begin in one second.

    Raises
    ------
    PipelineError
        If it cannot be made.
    """
    from .items import labels

    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.localtime(started))
    label = labels([name.replace("/", "_")])[0]
    try:
        for number in range(1, 10_000):
            folder = runs / (f"{stamp}-{label}" + (f"-{number}" if number > 1 else ""))
            try:
                folder.mkdir(parents=True)
                return folder
            except FileExistsError:
                continue
    except OSError as error:
        raise PipelineError(f"no run folder can be made in {runs.absolute()}: {error.strerror}") from error
    raise PipelineError(f"{runs.absolute()} has ten thousand runs of this second")


def _free_bytes() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
