"""What became of the tasks of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ripieno.contracts.errors import StepError
from ripieno.registry import Registry

from .plan import Plan, Task
from .store import Store, Stored


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


class RunError(StepError):
    """A run that did not do everything; `result` holds what it did."""

    def __init__(self, result: "RunResult") -> None:
        super().__init__("\n".join(result.failures) or "the run was interrupted")
        self.result = result


@dataclass(frozen=True, repr=False)
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

    @property
    def summary(self) -> str:
        """How many tasks failed and were skipped, in one line."""
        states = [outcome.status for outcome in self.outcomes.values()]
        return (
            f"{states.count('failed')} of {len(states)} tasks failed, {states.count('skipped')} were skipped"
        )

    def checked(self) -> "RunResult":
        """The same.

        Raises
        ------
        RunError
            If anything failed; its `result` is this.
        """
        if not self.ok:
            raise RunError(self)
        return self

    def __repr__(self) -> str:
        return f"RunResult({str(self.folder)!r}, {'ok' if self.ok else self.summary})"

    def __getitem__(self, reference: str) -> Any:
        """A result by ``step`` or ``step.output``; by item key in a dict where the step ran for a list."""
        name, _, output = reference.partition(".")
        node = self.plan.nodes.get(name)
        if node is None or output not in node.outputs:
            has = [f"{node.name}.{other}" for node in self.plan.nodes.values() for other in node.outputs]
            raise KeyError(
                f"no result {reference!r}. There are: {', '.join(name.rstrip('.') for name in has)}"
            )
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


def title(plan: Plan, task: Task) -> str:
    """How a message calls a task: ``step "film", item "song"``."""
    node = plan.nodes[task.node]
    return f'{node.role} "{node.reference or node.name}"' + (
        f', item "{task.item_name}"' if task.item else ""
    )
