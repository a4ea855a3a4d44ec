"""Which steps of a plan stream, and why others do not.

Conventions
-----------
A step streams where its plugin does, with all plugins inside it that could. What it takes must be live
too: a step that cannot stream and is needed is refused by name, one that nothing needs is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ripieno.contracts.errors import PipelineError
from ripieno.registry import Configured, Registry

from ..plan import Node, Plan

# Interfaces whose plugins may have a session; a step with one of them inside streams only if that one does.
STREAMING = (
    *("frontend", "transcriber", "decoder", "beat_tracker", "structure_analyzer"),
    *("separator", "effect", "controller"),
)


@dataclass(frozen=True)
class LivePath:
    """The part of a plan that streams.

    Parameters
    ----------
    plan : Plan
        What was asked.
    sources : tuple of str
        Inputs that are live.
    nodes : tuple of Node
        Steps and the adapters between them, each after what it takes.
    left_out : mapping of str to str
        Other steps, and why.
    """

    plan: Plan
    sources: tuple[str, ...]
    nodes: tuple[Node, ...]
    left_out: Mapping[str, str]

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps that are at work."""
        return tuple(node.name for node in self.nodes if node.role == "step")


def live_path(plan: Plan, registry: Registry, *, sources: Sequence[str]) -> LivePath:
    """The steps that stream from live sources, and the adapters that they need.

    Parameters
    ----------
    plan : Plan
        Of inputs of which no file is read.
    registry : Registry
        Knows the plugins inside others.
    sources : sequence of str
        Inputs that are live.

    Raises
    ------
    PipelineError
        Naming every step that does not stream and is needed by one that does; or if none streams.
    """
    downstream = plan.downstream(sources)
    running: list[str] = []
    left_out: dict[str, str] = {}
    problems: dict[str, list[str]] = {}
    for step in (node for node in plan.nodes.values() if node.role == "step"):
        origins = list(dict.fromkeys(_origins(plan, step)))
        why = why_not(step, registry)
        if why:
            left_out[step.name] = why
        elif downstream.isdisjoint(origins):
            left_out[step.name] = f"takes {', '.join(origins) or 'nothing'}, without a live source"
        else:
            found = [_missing(plan, origin, sources, left_out) for origin in origins]
            problems[step.name] = [problem for problem in found if problem]
            running.append(step.name)
    _refuse(plan, running, problems)
    if not running:
        listed = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise PipelineError(f"{plan.pipeline.name}: no step of it can run live ({listed or 'it has none'})")
    needed = _needed(plan, running)
    nodes = tuple(node for node in plan.nodes.values() if node.name in needed and node.role != "input")
    return LivePath(plan, tuple(sources), nodes, left_out)


def why_not(node: Node, registry: Registry) -> str:
    """Why a step has no session; empty where it has one."""
    if not node.descriptor.causal:
        return f"{node.uses} does not stream"
    for uses in _inside(node.configured, registry):
        if uses.partition("/")[0] in STREAMING and not registry.describe(uses).causal:
            return f"{node.uses} has {uses} in it, which does not stream"
    for port, wire in node.wires.items():
        if wire.many != "one":
            return f'its port "{port}" takes many, and only one thing at a time streams'
    return ""


def _inside(configured: Configured, registry: Registry) -> Iterator[str]:
    """Every plugin that settings refer to, and those in their settings."""
    for reference in configured.references.values():
        uses = reference["uses"]
        yield uses
        if not registry.is_data(uses):
            yield from _inside(registry.configure(uses, reference["with"]), registry)


def _origins(plan: Plan, node: Node) -> Iterator[str]:
    """The inputs and steps that a node takes from, through adapters."""
    for ref in node.refs:
        source = plan.nodes[ref.node]
        if source.role == "adapter":
            yield from _origins(plan, source)
        else:
            yield source.name


def _missing(plan: Plan, origin: str, sources: Sequence[str], left_out: Mapping[str, str]) -> str:
    """What is wrong with taking from an input or a step; empty where nothing is."""
    if origin in left_out:
        return f'takes "{origin}", which cannot run live: {left_out[origin]}'
    if plan.nodes[origin].role == "step" or origin in sources:
        return ""
    kind = plan.pipeline.inputs[origin].kind
    cure = f"Give one: --source {origin}=mic" if kind == "audio" else f"A live source gives audio, no {kind}"
    return f'takes the input "{origin}", which has no live source. {cure}'


def _refuse(plan: Plan, running: list[str], problems: Mapping[str, list[str]]) -> None:
    lines = [
        f'{plan.pipeline.at("steps", name, key=True)}: step "{name}" {problem}'
        for name, found in problems.items()
        for problem in found
    ]
    if not lines:
        return
    wrong = plan.downstream([name for name, found in problems.items() if found])
    well = [name for name in running if name not in wrong]
    if well:
        lines.append(f"To run what can: {' '.join(f'--only {name}' for name in well)}")
    raise PipelineError("\n".join(lines))


def _needed(plan: Plan, names: list[str]) -> set[str]:
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(ref.node for ref in plan.nodes[name].refs)
    return needed
