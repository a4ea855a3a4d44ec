"""A manifest as a page: what is shown, in which order, how much of it."""

import json
import os
import shlex
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from hashlib import sha256
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..graph import colour_of, svg
from .cards import make_cards

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent
# A page is for reading: beyond these counts it says how many there are.
MOST_FAILURES, MOST_SEGMENTS, MOST_ROWS = 40, 40, 200


def render(manifest: Mapping[str, Any], folder: Path) -> str:
    """The page of a run."""
    from markupsafe import Markup

    cards, items = make_cards(manifest, folder)
    failures = [row for row in (*manifest["steps"], *manifest["outputs"]) if row["status"] == "failed"]
    script = _text("report.js")
    return _template().render(
        manifest=manifest,
        started=datetime.fromisoformat(manifest["started"]),
        cards=cards,
        items=items,
        labels=_numbered(label for card in cards for _, _, label in card.sections),
        failures=failures[:MOST_FAILURES],
        failed=len(failures),
        counts=Counter(step["status"] for step in manifest["steps"]),
        timings=timings(manifest["steps"]),
        inputs=[(name, row) for name, rows in manifest["inputs"].items() for row in rows],
        most_rows=MOST_ROWS,
        graph=Markup(svg(manifest["graph"])),
        command=command(manifest),
        document=json.dumps(manifest["pipeline"]["document"], indent=2, ensure_ascii=False),
        css=Markup(_text("report.css")),
        script=Markup(script),
        script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _template() -> "Template":
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    # Compiling costs as much as all the rest: the result stands with the bytecode of this module.
    compiled = HERE / "__pycache__"
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if os.access(compiled, os.W_OK) else None,
    )
    environment.filters.update(took=took, clock=clock, colour=colour_of)
    return environment.get_template("report.html.jinja")


def command(manifest: Mapping[str, Any]) -> str:
    """What to type to run it again; empty where it came from no file."""
    pipeline = manifest["pipeline"]
    if not pipeline["file"]:
        return ""
    words = ["core", "run", pipeline["file"]]
    for name, source in pipeline["inputs"].items():
        given = {name: source["path"], f"{name}.items": source["items"]}
        words += [word for place, path in given.items() if path for word in ("--input", f"{place}={path}")]
    for step, places in pipeline["given"].items():
        for place in places:
            value = reduce(getitem, place, pipeline["settings"][step])
            words += ["--set", f"{'.'.join((step, *place))}={json.dumps(value, ensure_ascii=False)}"]
    if manifest["seed"] != pipeline["document"].get("seed", 0):
        words += ["--seed", str(manifest["seed"])]
    return shlex.join(words)


def timings(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each step its seconds in all, and its slowest items as parts of those of the slowest step."""
    by_step: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        by_step.setdefault(step["step"], []).append(step)
    totals = {name: sum(row["seconds"] for row in rows) for name, rows in by_step.items()}
    longest = max(totals.values(), default=0.0) or 1.0
    return [
        {
            "name": name,
            "uses": rows[0]["uses"],
            "seconds": totals[name],
            "counts": Counter(row["status"] for row in rows),
            "share": totals[name] / longest,
            "parts": [(row, row["seconds"] / longest) for row in _slowest(rows)],
        }
        for name, rows in by_step.items()
    ]


def _slowest(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: -row["seconds"])[:MOST_SEGMENTS]


def took(seconds: float) -> str:
    """``0.31 s``, ``12.4 s``, ``3 min 5 s``, ``2 h 7 min``."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def clock(seconds: float) -> str:
    """``3:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _numbered(labels: Iterable[str]) -> dict[str, int]:
    return {label: number for number, label in enumerate(dict.fromkeys(labels))}


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
