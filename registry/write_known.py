"""Writes ``known.json`` from the ``pyproject.toml`` files of the workspace: ``python registry/write_known.py``."""

import json
import tomllib
from pathlib import Path

from ripieno.registry.entries import Entry
from ripieno.registry.memo import write_text

WORKSPACE = Path(__file__).resolve().parents[1]
KNOWN = Path(__file__).with_name("ripieno") / "registry" / "known.json"


def collect(workspace: Path) -> dict[str, str]:
    """Distribution by ``prefix/name``, of every ``pyproject.toml`` below a folder but in hidden and tests' ones."""
    found: dict[str, str] = {}
    for path in sorted(workspace.rglob("pyproject.toml")):
        if any(part.startswith(".") or part == "tests" for part in path.relative_to(workspace).parts):
            continue
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        for group, entries in project.get("entry-points", {}).items():
            if group.startswith("ripieno."):
                for name in entries:
                    found[Entry(group, name, "", project["name"], "").uses] = project["name"]
    return dict(sorted(found.items()))


def text(workspace: Path) -> str:
    """The content of ``known.json``."""
    return json.dumps(collect(workspace), indent=2) + "\n"


if __name__ == "__main__":
    write_text(KNOWN, text(WORKSPACE))
