"""Worker processes: started when needed, kept while useful, killed when they hang.

Conventions
-----------
`size` jobs are at work at once. A worker whose job waits for its own `Context.map` does not count, so
that a map never waits for itself. Everything happens in the caller's thread, in `wait`; one thread per
worker only reads lines.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .jobs import Job
from .threads import ONE_THREAD


@dataclass(frozen=True)
class Ended:
    """A job is over.

    Parameters
    ----------
    job : Job
        Which.
    result : mapping or None
        What it gave; None where it failed.
    failure : mapping
        ``error`` in one line; ``traceback`` of a bug, ``damaged`` path of stored bytes that are wrong.
    """

    job: Job
    result: Mapping[str, Any] | None
    failure: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Map:
    """A `Context.map` that a worker waits for."""

    caller: "_Worker"
    results: list[Any]
    left: int
    failure: Mapping[str, Any] | None = None


class _Worker:
    def __init__(self, number: int, command: Sequence[str], inbox: "queue.Queue[Any]") -> None:
        self.number = number
        self.job: Job | None = None
        self.map: _Map | None = None
        self.waiting = False
        self.deadline: float | None = None
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as the worker
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()

    def _listen(self, inbox: "queue.Queue[Any]") -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # what a worker that dies leaves is half a line
                inbox.put((self, json.loads(line)))
        self.process.wait()
        inbox.put((self, {"died": self.process.returncode}))

    def give(self, job: Job, *, of: _Map | None) -> None:
        self.job, self.map, self.waiting = job, of, False
        self.deadline = time.monotonic() + job.timeout_s if job.timeout_s else None
        self.send({"job": job.text()})

    def send(self, message: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has died; its listener says so

    def kill(self) -> None:
        """End the worker and what it started: the session is its own."""
        try:
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        except ProcessLookupError:
            pass

    def close(self) -> None:
        """End it, an idle one by the end of its input, and let go of its pipes."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(OSError):
            self.process.stdin.close()
        if self.job is None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=2)
        self.kill()
        self.process.wait()
        self.errors.close()
        self.process.stdout.close()

    def last_words(self) -> str:
        """The last line it wrote on standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 4000))
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


class Pool:
    """Workers on one store.

    Parameters
    ----------
    store : Path
        Folder of the store.
    allow : sequence of str
        Distributions that may load.
    size : int
        Jobs at work at once, >= 1.
    on_progress : callable
        Takes job, done, total, unit.
    on_warning : callable
        Takes a line.
    """

    def __init__(
        self,
        store: Path,
        allow: Sequence[str],
        *,
        size: int,
        on_progress: Callable[[Job, float, float, str], None],
        on_warning: Callable[[str], None],
    ) -> None:
        self.command = [sys.executable, "-m", "ripieno.core.worker", str(store), *allow]
        self.size = size
        self.on_progress = on_progress
        self.on_warning = on_warning
        self._workers: list[_Worker] = []
        self._started = 0
        self._inbox: queue.Queue[tuple[_Worker, dict[str, Any]]] = queue.Queue()
        self._queued: deque[tuple[Job, _Map]] = deque()

    @property
    def free(self) -> int:
        """How many more jobs may be started now."""
        active = sum(1 for worker in self._workers if worker.job and not worker.waiting)
        return max(0, self.size - active - len(self._queued))

    @property
    def busy(self) -> bool:
        """Whether any job is not over yet."""
        return any(worker.job for worker in self._workers)

    def start(self, job: Job) -> None:
        """Begin a job on an idle worker, or on a new one."""
        self._idle().give(job, of=None)

    def wait(self) -> list[Ended]:
        """Wait until something happens; the jobs that are over by then."""
        ended: list[Ended] = []
        try:
            worker, message = self._inbox.get(timeout=self._patience_s())
            ended.extend(self._hear(worker, message))
        except queue.Empty:
            pass
        ended.extend(self._kill_late())
        self._start_queued()
        return ended

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def _idle(self) -> _Worker:
        for worker in self._workers:
            if worker.job is None:
                return worker
        self._started += 1
        worker = _Worker(self._started, self.command, self._inbox)
        self._workers.append(worker)
        return worker

    def _patience_s(self) -> float | None:
        deadlines = [worker.deadline for worker in self._workers if worker.job and worker.deadline]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _hear(self, worker: _Worker, message: Mapping[str, Any]) -> list[Ended]:
        ((what, value),) = message.items()
        job = worker.job
        if what == "died":
            return self._bury(worker, value)
        if job is None or worker not in self._workers:
            return []
        if what == "progress":
            self.on_progress(job, *value)
        elif what == "warn":
            self.on_warning(value)
        elif what == "map":
            self._spread(worker, [Job.parse(text) for text in value])
        elif what == "done":
            return self._end(worker, Ended(job, value))
        else:
            return self._end(worker, Ended(job, None, value))
        return []

    def _spread(self, worker: _Worker, jobs: Sequence[Job]) -> None:
        spread = _Map(worker, [None] * len(jobs), len(jobs))
        worker.waiting = True
        self._queued.extend((job, spread) for job in jobs)
        self._answer_if_done(spread)

    def _start_queued(self) -> None:
        while (
            self._queued
            and sum(1 for worker in self._workers if worker.job and not worker.waiting) < self.size
        ):
            job, spread = self._queued.popleft()
            self._idle().give(job, of=spread)

    def _end(self, worker: _Worker, ended: Ended) -> list[Ended]:
        spread, worker.job, worker.map, worker.deadline = worker.map, None, None, None
        if spread is None:
            return [ended]
        if ended.result is None:
            # The first failure decides; what was not begun is not begun any more.
            spread.failure = spread.failure or ended.failure
            kept = [(job, other) for job, other in self._queued if other is not spread]
            spread.left -= len(self._queued) - len(kept)
            self._queued = deque(kept)
        else:
            spread.results[ended.job.index] = ended.result["result"]
        spread.left -= 1
        self._answer_if_done(spread)
        return []

    def _answer_if_done(self, spread: _Map) -> None:
        if spread.left:
            return
        spread.caller.waiting = False
        spread.caller.send({"mapped": spread.failure or {"results": spread.results}})

    def _bury(self, worker: _Worker, code: int) -> list[Ended]:
        if worker not in self._workers:
            return []
        self._workers.remove(worker)
        job, words = worker.job, worker.last_words()
        worker.close()
        self._drop_map_of(worker)
        if job is None:
            return []
        cause = _cause(code) + (f": {words}" if words else "")
        return self._end(worker, Ended(job, None, {"error": f"its process died ({cause})"}))

    def _drop_map_of(self, caller: _Worker) -> None:
        self._queued = deque((job, spread) for job, spread in self._queued if spread.caller is not caller)
        for worker in list(self._workers):
            if worker.map is not None and worker.map.caller is caller:
                self._workers.remove(worker)
                worker.close()

    def _kill_late(self) -> list[Ended]:
        now = time.monotonic()
        late = [
            worker for worker in self._workers if worker.job and worker.deadline and worker.deadline <= now
        ]
        ended = []
        for worker in late:
            self._workers.remove(worker)
            worker.close()
            self._drop_map_of(worker)
            assert worker.job is not None
            message = f"it did not end within its timeout of {worker.job.timeout_s:g} s and was stopped"
            ended.extend(self._end(worker, Ended(worker.job, None, {"error": message})))
        return ended


def _cause(code: int) -> str:
    if code < 0:
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"
    return f"exit status {code}"
