"""Which distribution brings a plugin that is not installed.

``python -m ripieno.registry.known FOLDER`` writes ``known.json`` beside this file from the
``pyproject.toml`` files of a workspace.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from .entries import Entry
from .memo import write_text

KNOWN = Path(__file__).with_name("known.json")


@cache
def known() -> Mapping[str, str]:
    """Distribution by ``prefix/name``."""
    found: dict[str, str] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return found


def cure(uses: str) -> str:
    """``. Run: pip install …``, or nothing where no distribution is known to bring it."""
    return f". Run: pip install {known()[uses]}" if uses in known() else ""


def collect(workspace: Path) -> dict[str, str]:
    """Distribution by ``prefix/name``, of every ``pyproject.toml`` below a folder but in hidden and tests' ones."""
    import tomllib

    found: dict[str, str] = {}
    for path in sorted(workspace.rglob("pyproject.toml")):
        if any(part.startswith(".") or part == "tests" for part in path.relative_to(workspace).parts):
            continue
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        for group, entries in project.get("entry-points", {}).items():
            if group.startswith("ripieno."):
                for name in entries:
                    found[Entry(group, name, "", "", "", path).uses] = project["name"]
    return dict(sorted(found.items()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write ``known.json`` from the workspace folder given."""
    parser = ArgumentParser(prog="python -m ripieno.registry.known", description="Write known.json.")
    parser.add_argument("workspace", type=Path, help="folder of the workspace")
    workspace = parser.parse_args(arguments).workspace
    write_text(KNOWN, json.dumps(collect(workspace), indent=2) + "\n")


if __name__ == "__main__":
    main()
