"""Why a step runs again: what changed since the last run of the pipeline."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .keys import differences
from .manifest import NAME
from .store import Store


def last_manifest(runs: Path, pipeline: str) -> Mapping[str, Any] | None:
    """The manifest of the newest run of that name, None where there is none."""
    for path in sorted(runs.glob(f"*/{NAME}"), reverse=True):
        try:
            document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if document.get("name") == pipeline:
            return document
    return None


def reasons(
    manifest: Mapping[str, Any] | None, store: Store, *, step: str, item: str, recipe: Mapping[str, Any]
) -> list[str]:
    """What differs between a recipe and the one that the last run used, a line each."""
    rows = manifest["steps"] if manifest else ()
    row = next((row for row in rows if row["step"] == step and row["item"] == item), None)
    if row is None:
        return ["it has not run before"]
    document = store.document(row["key"])
    if document is None:
        return ["its last result is not in the store any more"]
    changed = differences(document["recipe"], json.loads(json.dumps(recipe)))
    return changed or ["nothing it depends on has changed"]
