"""What a run says while it goes on: bars on a terminal, lines elsewhere, JSON where asked."""

import inspect
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TextIO

from ripieno.contracts.hooks import EVENTS, Hooks

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """Standard output for the caller alone; what anybody else prints goes to standard error."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        yield sys.stdout  # a notebook's or a test's: no file
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(number), "w", encoding="utf-8") as out:
        os.dup2(2, number)
        try:
            yield out
        finally:
            sys.stdout.flush()
            os.dup2(out.fileno(), number)


def listener(out: TextIO, *, as_json: bool, quiet: bool, failures: bool = True) -> Hooks:
    """The listener that fits the terminal; JSON goes to `out`, the rest to standard error.

    `failures` says whether it names what fails; not where an error will say so in the end.
    """
    if as_json:
        return JsonEvents(out)
    if sys.stderr.isatty() and not quiet:
        return Bars(failures=failures)
    return Lines(sys.stderr, quiet=quiet, failures=failures)


class JsonEvents(Hooks):
    """One JSON object a line: ``{"event": "step_finished", "step": …}``."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def say(self, event: str, facts: dict[str, Any]) -> None:
        """Write one event; a reader that has gone does not stop the run."""
        line = json.dumps({"event": event, "time": round(time.time(), 3), **facts}, ensure_ascii=False)
        try:
            print(line, file=self.out, flush=True)
        except BrokenPipeError:
            # What is left to say, and what is left in the buffer, goes nowhere.
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self.out.fileno())


def _json_event(name: str) -> Any:
    names = tuple(inspect.signature(EVENTS[name]).parameters)[1:]

    # A listener is given the facts that its signature names, and they come by position.
    @wraps(EVENTS[name])
    def event(self: JsonEvents, *facts: Any) -> None:
        self.say(name, dict(zip(names, facts, strict=True)))

    return event


for _name in EVENTS:
    setattr(JsonEvents, _name, _json_event(_name))


class Lines(Hooks):
    """A line for each thing worth knowing."""

    def __init__(self, out: TextIO, *, quiet: bool, failures: bool = True) -> None:
        self.out = out
        self.quiet = quiet
        self.failures = failures

    def say(self, line: str) -> None:
        """Write a line."""
        print(line, file=self.out, flush=True)

    def step_started(self, step: str, item: str, uses: str) -> None:
        if not self.quiet and not step.startswith("output "):
            self.say(f"{named(step, item)}: {uses}")

    def step_finished(self, step: str, item: str, seconds: float) -> None:
        if not self.quiet:
            self.say(f"{named(step, item)}: done in {seconds:.1f} s")

    def step_cached(self, step: str, item: str) -> None:
        if not self.quiet:
            self.say(f"{named(step, item)}: in the store")

    def step_failed(self, step: str, item: str, error: str) -> None:
        if self.failures:
            self.say(f"{named(step, item)}: FAILED: {error}")

    def step_skipped(self, step: str, item: str, because: str) -> None:
        if not self.quiet:
            self.say(f"{named(step, item)}: skipped, it needs {because}")

    def artifact_damaged(self, step: str, item: str, path: str) -> None:
        self.say(f"{named(step, item)}: {path} is damaged in the store; it is made again")

    def warned(self, message: str) -> None:
        self.say(f"note: {message}")


class Bars(Lines):
    """Bars with rate and time left on a terminal; what fails or is noted stays above them."""

    def __init__(self, *, failures: bool = True) -> None:
        super().__init__(sys.stderr, quiet=True, failures=failures)
        self._progress: Progress | None = None
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._whole: TaskID | None = None

    def run_started(self, run: str, folder: str, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._whole = self._progress.add_task("everything", total=steps, rate="")

    def run_finished(self, run: str, ok: bool, seconds: float) -> None:
        if self._progress is not None:
            self._progress.stop()

    def say(self, line: str) -> None:
        if self._progress is None:
            super().say(line)
        else:
            self._progress.console.print(line, markup=False, highlight=False)

    def step_started(self, step: str, item: str, uses: str) -> None:
        if self._progress is not None:
            self._bars[step, item] = self._progress.add_task(named(step, item), total=None, rate="")

    def step_progress(self, step: str, item: str, done: float, total: float, unit: str) -> None:
        bar = self._bars.get((step, item))
        if self._progress is None or bar is None:
            return
        speed = self._progress.tasks[self._progress.task_ids.index(bar)].speed
        rate = f"{speed:.1f} {unit}/s" if speed and unit else ""
        self._progress.update(bar, completed=done, total=total or None, rate=rate)

    def step_finished(self, step: str, item: str, seconds: float) -> None:
        self._over(step, item)

    def step_cached(self, step: str, item: str) -> None:
        self._over(step, item)

    def output_written(self, name: str, item: str, path: str) -> None:
        self._over(f"output {name}", item)

    def step_failed(self, step: str, item: str, error: str) -> None:
        super().step_failed(step, item, error)
        self._over(step, item)

    def step_skipped(self, step: str, item: str, because: str) -> None:
        super().step_skipped(step, item, because)
        self._over(step, item)

    def _over(self, step: str, item: str) -> None:
        if self._progress is None or self._whole is None:
            return
        bar = self._bars.pop((step, item), None)
        if bar is not None:
            self._progress.remove_task(bar)
        self._progress.advance(self._whole)


def named(step: str, item: str) -> str:
    """A step, and its item where it has one."""
    return f"{step} [{item}]" if item else step
