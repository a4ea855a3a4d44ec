"""What a run was and gave, as ``manifest.json``; enough to run it again and to draw its report."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.registry import Registry

from .pipeline import Input, expanded
from .plan import Plan, Task
from .store import write_atomically

if TYPE_CHECKING:
    from .result import Outcome, RunResult
    from .run import Run

NAME = "manifest.json"


def write(run: "Run", result: "RunResult", *, started: float, seconds: float) -> None:
    """Write manifest and report into the run folder."""
    from .report import write_report

    document = describe(run, result, started=started, seconds=seconds)
    write_atomically(result.folder / NAME, json.dumps(document, indent=1, ensure_ascii=False))
    write_report(document, result.folder)


def describe(run: "Run", result: "RunResult", *, started: float, seconds: float) -> dict[str, Any]:
    """The manifest of a run.

    Returns
    -------
    dict
        run, name, pipeline (the file and its content), started (ISO 8601), seconds, ok, seed, jobs,
        platform, versions, inputs, steps, outputs, licences, graph.
    """
    plan = run.plan
    pipeline = plan.pipeline
    return {
        "ripieno": 1,
        "run": result.folder.name,
        "name": pipeline.name,
        "pipeline": {
            "file": str(pipeline.file.absolute()) if pipeline.file else "",
            "document": pipeline.document.value,
            "inputs": {
                name: {"path": _absolute(source, source.path), "items": _absolute(source, source.items)}
                for name, source in pipeline.inputs.items()
            },
            "settings": {name: dict(step.settings) for name, step in pipeline.steps.items()},
            "given": {name: sorted(map(list, step.given)) for name, step in pipeline.steps.items()},
        },
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(started)),
        "seconds": round(seconds, 3),
        "ok": result.ok,
        "seed": run.seed,
        "jobs": run.jobs,
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": _versions(plan, run.registry),
        "inputs": _inputs(run),
        "steps": [
            _step(run, task, outcome)
            for task, outcome in result.outcomes.items()
            if plan.nodes[task.node].role != "output"
        ],
        "outputs": [
            _output(run, task, outcome, result.folder)
            for task, outcome in result.outcomes.items()
            if plan.nodes[task.node].role == "output"
        ],
        "licences": _licences(run),
        "graph": graph_of(plan),
    }


def graph_of(plan: Plan) -> dict[str, Any]:
    """Nodes and edges of a plan, without the outputs.

    Returns
    -------
    dict
        nodes: name, role, uses, kind, axes; edges: from, to, port, output, kind, many.
    """
    nodes = [node for node in plan.nodes.values() if node.role != "output"]
    return {
        "nodes": [
            {
                "name": node.name,
                "role": node.role,
                "uses": node.uses,
                "kind": node.outputs[node.main],
                "axes": list(node.axes),
                "items": len(list(plan.item_keys(node))),
            }
            for node in nodes
        ],
        "edges": [
            {
                "from": ref.node,
                "to": node.name,
                "port": port,
                "output": ref.output,
                "kind": plan.nodes[ref.node].outputs[ref.output],
                "many": wire.many,
            }
            for node in nodes
            for port, wire in node.wires.items()
            for ref in wire.refs
        ],
    }


def _absolute(source: Input, path: str | None) -> str | None:
    return None if path is None else str((source.folder / expanded(path)).absolute())


def _versions(plan: Plan, registry: Registry) -> dict[str, str]:
    from . import __version__

    used = {registry.find(node.uses) for node in plan.nodes.values()}
    return {
        "ripieno-core": __version__,
        **{entry.distribution: entry.version for entry in sorted(used, key=str)},
    }


def _inputs(run: "Run") -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {
                "item": item.key,
                "path": str(item.path.absolute()),
                "sha256": run.recipes.file(item.path) if item.path.exists() else "",
                "facts": dict(item.facts),
            }
            for item in items
        ]
        for name, items in run.plan.items.items()
    }


def _step(run: "Run", task: Task, outcome: "Outcome") -> dict[str, Any]:
    node = run.plan.nodes[task.node]
    entry = run.registry.find(node.uses)
    return {
        "step": task.node,
        "item": task.item_name,
        "role": node.role,
        "uses": node.uses,
        "distribution": entry.distribution,
        "version": entry.version,
        "config": run.recipes.configured(task).config,
        "seed": run.recipes.seed_of(task),
        "key": outcome.key,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 4),
        "error": outcome.error,
        "traceback": outcome.traceback,
        "outputs": {name: asdict(stored) for name, stored in outcome.outputs.items()},
    }


def _output(run: "Run", task: Task, outcome: "Outcome", folder: Path) -> dict[str, Any]:
    node = run.plan.nodes[task.node]
    ref = node.refs[0]
    path = Path(outcome.path).relative_to(folder).as_posix() if outcome.path else ""
    return {
        "name": node.reference,
        "item": task.item_name,
        "kind": run.plan.nodes[ref.node].outputs[ref.output],
        "path": path,
        "status": outcome.status,
        "error": outcome.error,
        "traceback": outcome.traceback,
        "header": dict(outcome.header),
    }


def _licences(run: "Run") -> list[Mapping[str, Any]]:
    unique = {
        json.dumps(licence, sort_keys=True): licence
        for task in run.outcomes
        for licence in run.licences(task)
    }
    return list(unique.values())
