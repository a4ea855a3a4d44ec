"""Why a step runs again: what changed since it ran last."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .keys import differences
from .manifest import NAME
from .store import Store


class History:
    """The steps of earlier runs of a pipeline, the newest first.

    Parameters
    ----------
    runs : Path
        Where run folders are.
    pipeline : str
        Name of the pipeline.
    """

    def __init__(self, runs: Path, pipeline: str) -> None:
        self.keys: dict[tuple[str, str], str] = {}
        for path in sorted(runs.glob(f"*/{NAME}"), reverse=True):
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                continue
            if document.get("name") == pipeline:
                for row in document["steps"]:
                    # A run that was told to do some steps only says nothing of the others.
                    if row["key"]:
                        self.keys.setdefault((row["step"], row["item"]), row["key"])

    def reasons(self, store: Store, *, step: str, item: str, recipe: Mapping[str, Any]) -> list[str]:
        """What differs between a recipe and the one that was used last, a line each."""
        key = self.keys.get((step, item))
        if key is None:
            return ["it has not run before"]
        document = store.document(key)
        if document is None:
            return ["its last result is not in the store any more"]
        changed = differences(document["recipe"], json.loads(json.dumps(recipe)))
        return changed or ["nothing it depends on has changed"]
