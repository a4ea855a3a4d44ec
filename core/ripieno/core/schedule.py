"""Which task may begin: each after all that it takes."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from .plan import Task


class Schedule:
    """Tasks on their way from waiting to over.

    First come, first served, in the order of the plan: the same order for any number of workers.

    Parameters
    ----------
    needs : mapping of Task to sequence of Task
        What each task takes from, in the order of the plan.
    spares : mapping of Task to collection of Task, optional
        What of it a task can do without, where it fails.
    """

    def __init__(
        self,
        needs: Mapping[Task, Sequence[Task]],
        spares: Mapping[Task, Collection[Task]] | None = None,
    ) -> None:
        self.needs = needs
        self.spares = spares or {}
        self.dependents: dict[Task, list[Task]] = {task: [] for task in needs}
        for task, sources in needs.items():
            for source in sources:
                self.dependents[source].append(task)
        self._open = {task: len(sources) for task, sources in needs.items()}
        self._begun: set[Task] = set()
        self._over: set[Task] = set()
        self.ready = deque(task for task, count in self._open.items() if not count)

    def begin(self) -> Task:
        """Take the first task that is ready."""
        task = self.ready.popleft()
        self._begun.add(task)
        return task

    def finish(self, task: Task) -> None:
        """A task is done: what waited for it alone is ready."""
        self._over.add(task)
        for dependent in self._waiting(task):
            self._open[dependent] -= 1
            if not self._open[dependent]:
                self.ready.append(dependent)

    def give_up(self, task: Task) -> list[Task]:
        """A task has failed; what depends on it, near and far, will not be done unless it can do without."""
        self._over.add(task)
        lost: dict[Task, None] = {}
        spared: list[Task] = []
        stack = [task]
        while stack:
            failed = stack.pop()
            for other in self._waiting(failed):
                if failed in self.spares.get(other, ()):
                    spared.append(other)
                elif other not in lost:
                    lost[other] = None
                    stack.append(other)
        self._over.update(lost)
        for other in spared:
            self._open[other] -= 1
            if not self._open[other] and other not in lost:
                self.ready.append(other)
        return list(lost)

    def again(self, task: Task, makers: Sequence[Task]) -> None:
        """A task that has begun waits once more, until `makers` of what it takes are done again.

        Nothing that these take may have failed: it would never be done.
        """
        self._begun.difference_update((task, *makers))
        self._over.difference_update(makers)
        waiting = [other for maker in makers for other in self._waiting(maker)]
        for other in dict.fromkeys((*makers, task, *waiting)):
            if other in self.ready:
                self.ready.remove(other)
            self._open[other] = sum(source not in self._over for source in self.needs[other])
            if not self._open[other]:
                self.ready.append(other)

    def is_over(self, task: Task) -> bool:
        """Whether a task is done, has failed or will not be done."""
        return task in self._over

    def _waiting(self, task: Task) -> list[Task]:
        """What takes from a task and has not begun."""
        return [
            other for other in self.dependents[task] if other not in self._begun and other not in self._over
        ]
