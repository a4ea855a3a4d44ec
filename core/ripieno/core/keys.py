"""Cache keys: everything that decides a result, as JSON, and its hash.

Conventions
-----------
A recipe holds the plugin's code and versions, its configuration, the plugins it refers to, the files
it reads, and the *digests* of its inputs, not their keys: where an input comes out the same, nothing
after it is done again.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ripieno.contracts.context import derive_seed
from ripieno.registry import Configured, Registry
from ripieno.registry.digests import FileDigests

from .history import history_of
from .plan import Node, Plan, Task

HASH_VERSION = 1


class Recipes:
    """Recipes of the tasks of a plan.

    What holds for a whole node is made once, so that ten thousand items cost little.
    """

    def __init__(self, plan: Plan, registry: Registry, digests: FileDigests, *, seed: int) -> None:
        self.plan = plan
        self.registry = registry
        self.digests = digests
        self.seed = seed
        self._of_plugin: dict[str, dict[str, Any]] = {}

    def seed_of(self, task: Task) -> int:
        """The seed of a task: from the run's or the track's own, the step and the item, whatever else is run."""
        own = [item.facts["seed"] for item in self.plan.items_of(task) if "seed" in item.facts]
        seed = derive_seed(own[0], *map(str, own[1:])) if len(own) > 1 else (own or [self.seed])[0]
        return derive_seed(seed, task.node, *task.item)

    def of(
        self, task: Task, inputs: Mapping[str, Any], lost: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The recipe of a task whose ports take artifacts of these digests, without the items that were lost."""
        node = self.plan.nodes[task.node]
        configured = self.configured(task)
        recipe = {"hash": HASH_VERSION, **self.plugin(node.uses, configured), "inputs": inputs}
        if recipe["random"]:
            recipe["seed"] = self.seed_of(task)
        if node.role == "input":
            recipe["file"] = self.file(self.plan.file_of(task))
        elif node.role == "output":
            recipe["suffix"] = PurePosixPath(node.pattern).suffix.lower()
        else:
            recipe["facts"] = self.facts(task)
        if node.descriptor.reads_history:
            recipe["history"] = history_of(task, self)
        if lost:
            recipe["lost"] = dict(lost)
        return recipe

    def facts(self, task: Task) -> dict[str, Any]:
        """What is known of the items of a task, the cover as what it shows, wherever it lies."""
        facts = self.plan.facts_of(task)
        return {**facts, "art": self.file(Path(facts["art"]))} if "art" in facts else facts

    def configured(self, task: Task) -> Configured:
        """A task's settings, completed; items may bring their own."""
        node: Node = self.plan.nodes[task.node]
        if not any(task.node in item.settings for item in self.plan.items_of(task)):
            return node.configured
        return self.registry.configure(node.uses, self.plan.settings_of(task))

    def plugin(self, uses: str, configured: Configured) -> dict[str, Any]:
        """What a configured plugin brings to a key, the plugins it refers to included."""
        name = json.dumps([uses, configured.config], sort_keys=True)
        if name not in self._of_plugin:
            inside = {place: self.reference(given) for place, given in configured.references.items()}
            draws = self.registry.describe(uses).random or any(given["random"] for given in inside.values())
            self._of_plugin[name] = {
                "uses": uses,
                "random": draws,
                "code": self.registry.identity(uses),
                "config": configured.config,
                "assets": [self.file(path) for path in configured.assets],
                "references": inside,
            }
        return self._of_plugin[name]

    def reference(self, reference: Mapping[str, Any]) -> dict[str, Any]:
        uses = reference["uses"]
        if self.registry.is_data(uses):
            return {"uses": uses, "random": False, "code": self.registry.identity(uses)}
        return self.plugin(uses, self.registry.configure(uses, reference["with"]))

    def file(self, path: Path) -> str:
        """Digest of a file, or of all files in a folder with their names."""
        if not path.is_dir():
            return self.digests.digest(path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return hashed([[file.relative_to(path).as_posix(), self.digests.digest(file)] for file in files])


def hashed(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """What changed from one recipe to another, a line each: ``config.kernel: 31 → 17``."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for name in sorted({*old, *new})
            for line in differences(old.get(name), new.get(name), f"{place}.{name}" if place else name)
        ]
    return [] if old == new else [f"{place}: {_shown(old)} → {_shown(new)}"]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:40]}…"
