"""One run: tasks in the order of their needs, what is in the store skipped, the rest done.

Conventions
-----------
A task is ready when all it takes is known; its key is made then, from the digests. A failed item skips
what depends on it and nothing else. Results are in the store; the run folder holds the outputs, the
manifest and the report.
"""

import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ripieno.contracts.errors import PipelineError, StepError
from ripieno.contracts.hooks import Hooks
from ripieno.registry import Registry
from ripieno.registry.digests import FileDigests
from ripieno.registry.listeners import Listeners

from . import manifest
from .jobs import Asks, Bench, Job, Taken, failure
from .keys import Recipes, hashed
from .licences import licences_of
from .pipeline import Pipeline
from .plan import Node, Plan, Task, make_plan
from .pool import Ended, Pool
from .scratch import clear, is_alive
from .store import Store, Stored, open_store, write_atomically
from .threads import is_pinned

# A result that is damaged again each time it is made means a broken disk.
MOST_REPAIRS = 3


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


@dataclass
class Outcome:
    """What became of a task.

    `status` is ``waiting``, ``done``, ``cached``, ``failed`` or ``skipped``.
    """

    status: str = "waiting"
    outputs: Mapping[str, Stored] = field(default_factory=dict)
    key: str = ""
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    path: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)
    repairs: int = 0


@dataclass(frozen=True)
class RunResult:
    """What a run gave.

    Parameters
    ----------
    folder : Path
        The run folder.
    plan : Plan
        What was to be done.
    outcomes : mapping of Task to Outcome
        What became of it.
    """

    folder: Path
    plan: Plan
    outcomes: Mapping[Task, Outcome]
    store: Store
    registry: Registry

    @property
    def ok(self) -> bool:
        """Whether everything was done."""
        return all(outcome.status in ("done", "cached") for outcome in self.outcomes.values())

    @property
    def failures(self) -> list[str]:
        """A line for each task that failed."""
        return [
            f"{title(self.plan, task)}: {outcome.error}"
            for task, outcome in self.outcomes.items()
            if outcome.status == "failed"
        ]

    def checked(self) -> "RunResult":
        """The same.

        Raises
        ------
        StepError
            If anything failed.
        """
        if not self.ok:
            raise StepError("\n".join(self.failures))
        return self

    def __getitem__(self, reference: str) -> Any:
        """A result by ``step`` or ``step.output``; by item key in a dict where the step ran for a list."""
        name, _, output = reference.partition(".")
        node = self.plan.nodes[name]
        found = {
            Task(name, key).item_name: self._load(self.outcomes[Task(name, key)], output or node.main)
            for key in self.plan.item_keys(node)
        }
        return found if node.axes else found[""]

    def _load(self, outcome: Outcome, output: str) -> Any:
        if not outcome.outputs:
            raise StepError(f"there is no result: {outcome.error or outcome.status}")
        stored = outcome.outputs.get(output) or outcome.outputs[""]
        artifact: Any = self.store.get(stored.digest, self.registry.kind)
        return artifact[output] if output not in outcome.outputs else artifact


def run(pipeline: Pipeline, options: Options = Options()) -> RunResult:
    """Run a pipeline.

    Raises
    ------
    PipelineError
        If the pipeline is wrong; nothing has run then. A failed step raises nothing: see
        `RunResult.checked`.
    """
    return Run(pipeline, options).execute()


def title(plan: Plan, task: Task) -> str:
    """How a message calls a task: ``step "film", item "song"``."""
    node = plan.nodes[task.node]
    name = task.node.partition(" → ")[0]
    return f'{node.role} "{name}"' + (f', item "{task.item_name}"' if task.item else "")


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
        self.listeners: Listeners = self.registry.listeners()
        for listener in options.listeners:
            self.listeners.add(listener)
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
            if any(not self.outcomes[source].outputs for source in self._needs(task)):
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
        self._report_crash()
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
        self.left = {task: len(self._needs(task)) for task in self.outcomes}
        self.dependents: dict[Task, list[Task]] = {task: [] for task in self.outcomes}
        for task in self.outcomes:
            for source in self._needs(task):
                self.dependents[source].append(task)
        self.running: dict[tuple[str, str], Task] = {}
        # First come, first served, in the order of the plan: the same order for any number of workers.
        self.ready = deque(task for task, count in self.left.items() if not count)
        while self.ready or self.pool.busy:
            self._start_ready()
            if self.pool.busy:
                for ended in self.pool.wait():
                    self._ended(ended)

    def _start_ready(self) -> None:
        while self.ready and self.pool.free:
            task = self.ready[0]
            if self._needs_gpu(task) and any(map(self._needs_gpu, self.running.values())):
                return
            job = self._job(task)
            alone = job is not None and self._alone(task, job)
            self.ready.popleft()
            if job is None:
                continue
            self.running[job.step, job.item] = task
            self._started(task)
            if alone:
                self._do_here(task, job)
            else:
                self.pool.start(job)

    def _needs_gpu(self, task: Task) -> bool:
        return bool(self.plan.nodes[task.node].descriptor.resources.get("gpu"))

    def _alone(self, task: Task, job: Job) -> bool:
        """Whether a worker would bring nothing: nothing else to do, nothing to distribute or to stop."""
        spreads = self.plan.nodes[task.node].descriptor.parallel and self.jobs > 1
        # A library that this process loaded with threads of its own would give other bits than a worker.
        return (
            is_pinned() and not self.pool.busy and len(self.ready) == 1 and not job.timeout_s and not spreads
        )

    def _do_here(self, task: Task, job: Job) -> None:
        asks = Asks(
            progress=lambda done, total, unit: self._progress(job, done, total, unit),
            warn=lambda message: self.emit("warned", message=message),
        )
        with self._journal(task, job):
            try:
                ended = Ended(job, self.bench.do(job, asks))
            except Exception as error:
                ended = Ended(job, None, failure(error))
        self._ended(ended)

    @contextmanager
    def _journal(self, task: Task, job: Job) -> Iterator[None]:
        """A note for the next run, should this step take the process with it."""
        path = self.store.folder / "running" / f"{job.key or hashed(job.text())}.json"
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "title": title(self.plan, task),
            "uses": job.uses,
        }
        write_atomically(path, json.dumps(note))
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def _report_crash(self) -> None:
        for path in (self.store.folder / "running").glob("*.json"):
            try:
                note = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if note["host"] == socket.gethostname() and not is_alive(note["pid"]):
                path.unlink(missing_ok=True)
                self.emit(
                    "warned",
                    message=f"an earlier run ended while {note['title']} ({note['uses']}) was being done",
                )

    def _started(self, task: Task) -> None:
        node = self.plan.nodes[task.node]
        self.emit("step_started", step=task.node, item=task.item_name, uses=node.uses)
        if node.descriptor.whole_file:
            self._warn_of_memory(task)

    def _warn_of_memory(self, task: Task) -> None:
        headers = [
            self.outcomes[source].outputs.get("", Stored("", "")).header for source in self._needs(task)
        ]
        needed = sum(header.get("frames", 0) * header.get("channels", 0) * 4 for header in headers)
        free = _free_bytes()
        if free and needed > free / 2:
            size = f"{needed >> 20} MB of {free >> 20} MB free"
            self.emit("warned", message=f"{title(self.plan, task)} holds the whole recording: {size}")

    def _progress(self, job: Job, done: float, total: float, unit: str) -> None:
        self.emit("step_progress", step=job.step, item=job.item, done=done, total=total, unit=unit)

    def _needs(self, task: Task) -> list[Task]:
        taken = self.sources[task].values()
        tasks = (
            pair[0] for group in taken for pair in (group.values() if isinstance(group, dict) else group)
        )
        return list(dict.fromkeys(tasks))

    def _job(self, task: Task) -> Job | None:
        """The job of a ready task; None where it is settled without one."""
        node = self.plan.nodes[task.node]
        item = task.item_name
        if node.role == "output":
            ports = {port: self._taken(task, port) for port in node.wires}
            path = str(self.folder / self.plan.target(task))
            room = str(self.folder)
            return Job(
                "write", task.node, item, node.uses, node.configured.config, ports, path=path, room=room
            )
        outcome = self.outcomes[task]
        try:
            recipe = self.recipes.of(task, self._inputs(task))
        except OSError as error:
            self._fail(task, {"error": f"{error.filename}: {error.strerror}"})
            return None
        outcome.key = hashed(recipe)
        if node.name not in self.again and not outcome.repairs and self._found(task, outcome.key):
            self._settle(task, "cached")
            return None
        return self._call(task, node, outcome.key, recipe)

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
            path=str(self.recipes.path_of(task)) if reads else "",
            facts=self.plan.facts_of(task),
            recipe=recipe,
            timeout_s=node.timeout_s,
        )

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
            own = licences_of(self.plan.nodes[task.node], source, self.registry)
            above = [licence for source in self._needs(task) for licence in self.licences(source)]
            unique = {hashed(licence): licence for licence in (*own, *above)}
            self._licences[task] = tuple(unique.values())
        return self._licences[task]

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
        outcome.status = status
        step, item = task.node, task.item_name
        if self.plan.nodes[task.node].role == "output":
            self.emit("output_written", name=step.partition(" → ")[0], item=item, path=outcome.path)
        elif status == "cached":
            self.emit("step_cached", step=step, item=item)
        else:
            for name, stored in outcome.outputs.items():
                facts = {"output": name, "kind": stored.kind, "digest": stored.digest}
                self.emit("artifact_stored", step=step, item=item, **facts)
            self.emit("step_finished", step=step, item=item, seconds=outcome.seconds)
        for dependent in self._waiting_for(task):
            self.left[dependent] -= 1
            if not self.left[dependent]:
                self.ready.append(dependent)

    def _waiting_for(self, task: Task) -> list[Task]:
        """Tasks that take from a task and are not begun."""
        begun = set(self.running.values())
        return [
            dependent
            for dependent in self.dependents[task]
            if self.outcomes[dependent].status == "waiting" and dependent not in begun
        ]

    def _failed(self, task: Task, problem: Mapping[str, Any]) -> None:
        outcome = self.outcomes[task]
        if "damaged" in problem and outcome.repairs < MOST_REPAIRS and self._repair(task, problem["damaged"]):
            outcome.repairs += 1
            return
        self._fail(task, problem)

    def _repair(self, task: Task, path: str) -> bool:
        """Drop a damaged object and do again what made it, then the task that found it."""
        digest = Path(path).parent.name
        # A maker that waits is being made again already, for another task that found the damage first.
        remade = [source for source in self._needs(task) if self.outcomes[source].status == "waiting"]
        makers = [
            source
            for source in self._needs(task)
            if any(stored.digest == digest for stored in self.outcomes[source].outputs.values())
        ]
        if not makers and not remade:
            return False
        self.emit("artifact_damaged", step=task.node, item=task.item_name, path=path)
        self.left[task] += len(remade)
        if makers:
            self.store.drop(digest)
        for maker in makers:
            self._make_again(maker)
        return True

    def _make_again(self, maker: Task) -> None:
        self.outcomes[maker] = Outcome(repairs=self.outcomes[maker].repairs + 1)
        self.ready.append(maker)
        for dependent in self._waiting_for(maker):
            self.left[dependent] += 1
            if dependent in self.ready:
                self.ready.remove(dependent)

    def _fail(self, task: Task, problem: Mapping[str, Any]) -> None:
        outcome = self.outcomes[task]
        outcome.status = "failed"
        outcome.error = " ".join(str(problem["error"]).split())
        outcome.traceback = problem.get("traceback", "")
        self.emit("step_failed", step=task.node, item=task.item_name, error=outcome.error)
        stack = list(self.dependents[task])
        while stack:
            skipped = stack.pop()
            if self.outcomes[skipped].status != "waiting":
                continue
            self.outcomes[skipped] = replace(self.outcomes[skipped], status="skipped")
            self.emit("step_skipped", step=skipped.node, item=skipped.item_name, because=task.node)
            stack.extend(self.dependents[skipped])


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
