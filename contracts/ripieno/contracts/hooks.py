"""What happens during a run, for those who want to listen."""

from collections.abc import Mapping
from typing import Any


class Hooks:
    """Base of listeners, registered under ``ripieno.hooks``; define the methods you want.

    A listener is built once per run, in the main process. What it raises is reported in one line and
    does not stop the run. `item` is the key on the step's axis, empty where there is none.
    """

    def run_started(self, run: str, folder: str, steps: int) -> None:
        """A run begins: its id, its folder, the number of step items to do or find."""

    def run_finished(self, run: str, ok: bool, seconds: float) -> None:
        """A run is over."""

    def step_started(self, step: str, item: str, uses: str) -> None:
        """A plugin begins to work on an item."""

    def step_progress(self, step: str, item: str, done: float, total: float, unit: str) -> None:
        """A plugin says how far it has come; `total` 0 = not known."""

    def step_finished(self, step: str, item: str, seconds: float) -> None:
        """An item is done and stored."""

    def step_cached(self, step: str, item: str) -> None:
        """An item was in the store already."""

    def step_failed(self, step: str, item: str, error: str) -> None:
        """An item failed, with one line saying why."""

    def step_skipped(self, step: str, item: str, because: str) -> None:
        """An item was not tried because the step `because` failed before it."""

    def artifact_stored(self, step: str, item: str, output: str, kind: str, digest: str) -> None:
        """A result is in the store under its digest; `output` is its name, empty for the only one."""

    def artifact_damaged(self, step: str, item: str, path: str) -> None:
        """Stored bytes were wrong; the object was dropped and will be made again."""

    def output_written(self, name: str, item: str, path: str) -> None:
        """An output of the pipeline is in the run folder."""

    def warned(self, message: str) -> None:
        """Something that does not stop the run but should be known."""


EVENTS: Mapping[str, Any] = {
    name: method for name, method in vars(Hooks).items() if not name.startswith("_") and callable(method)
}
"""Every hook by name."""
