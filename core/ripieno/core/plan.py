"""What will be done: a checked graph of nodes, and the tasks that its items make of it.

Conventions
-----------
A node reads an input, uses a plugin, or writes an output. It runs once for every item on its axes: a
list input opens an axis, named after it; a port that takes one artifact passes the axis on, a port that
takes many gathers it. An output of a node is named by its field or stem, the main one by ``""``.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ripieno.registry import Configured, Descriptor

from .items import Item
from .pipeline import Pipeline

ItemKey = tuple[str, ...]
Sources = dict[str, "tuple[Task, str]"] | list["tuple[Task, str]"]


@dataclass(frozen=True)
class Ref:
    """One output of a node."""

    node: str
    output: str = ""

    def __str__(self) -> str:
        return f"{self.node}.{self.output}" if self.output else self.node


@dataclass(frozen=True)
class Wire:
    """What a port takes: one reference, or several that are gathered in a list or by name."""

    refs: tuple[Ref, ...]
    many: Literal["one", "list", "dict"] = "one"
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A place in the graph.

    Parameters
    ----------
    name : str
        Unique; a step's own name, an input's, or one made from the reference it adapts or writes.
    role : {"input", "step", "adapter", "output"}
        What it is there for.
    uses : str
        The plugin.
    outputs : mapping of str to str
        Kind by name of output; ``""`` is the main one.
    wires : mapping of str to Wire
        By port.
    axes : tuple of str
        List inputs whose items it runs for.
    settings : mapping
        As written; `configured` holds them completed.
    """

    name: str
    role: Literal["input", "step", "adapter", "output"]
    uses: str
    descriptor: Descriptor
    configured: Configured
    outputs: Mapping[str, str]
    main: str = ""
    wires: Mapping[str, Wire] = field(default_factory=dict)
    axes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None
    pattern: str = ""
    reference: str = ""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All that it takes."""
        return tuple(ref for wire in self.wires.values() for ref in wire.refs)


@dataclass(frozen=True)
class Task:
    """One node for one item."""

    node: str
    item: ItemKey = ()

    @property
    def item_name(self) -> str:
        """The keys of its items as one text: ``cd1/intro``, ``intro + live`` where lists cross."""
        return " + ".join(self.item)


@dataclass(frozen=True)
class Plan:
    """Nodes in an order in which each comes after what it takes.

    Parameters
    ----------
    pipeline : Pipeline
        What was asked.
    nodes : mapping of str to Node
        In topological order.
    items : mapping of str to tuple of Item
        Files of every input that is used.
    """

    pipeline: Pipeline
    nodes: Mapping[str, Node]
    items: Mapping[str, tuple[Item, ...]]

    def item_keys(self, node: Node) -> Iterator[ItemKey]:
        """The items a node runs for, in order."""
        return itertools.product(*([item.key for item in self.items[axis]] for axis in node.axes))

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Everything there is to do, in order."""
        return tuple(Task(node.name, key) for node in self.nodes.values() for key in self.item_keys(node))

    def sources(self, task: Task) -> dict[str, Sources]:
        """For each port the tasks and outputs it takes: one as a list of one, by name where it is a map."""
        node = self.nodes[task.node]
        return {port: self._gathered(node, task.item, wire) for port, wire in node.wires.items()}

    def _gathered(self, node: Node, item: ItemKey, wire: Wire) -> Sources:
        if wire.many == "one":
            return [self._projected(node, item, wire.refs[0])]
        if wire.many == "dict" and wire.names:
            pairs = zip(wire.names, wire.refs, strict=True)
            return {name: self._projected(node, item, ref) for name, ref in pairs}
        found = [
            (Task(ref.node, key), ref.output)
            for ref in wire.refs
            for key in self.item_keys(self.nodes[ref.node])
        ]
        if wire.many == "list":
            return found
        return {source.item_name or source.node: (source, output) for source, output in found}

    def gathered(self, task: Task) -> tuple[Task, ...]:
        """Tasks for single items of which one may fail and a `partial` plugin does with the rest."""
        node = self.nodes[task.node]
        if not node.descriptor.partial:
            return ()
        many = [self._gathered(node, task.item, wire) for wire in node.wires.values() if wire.many != "one"]
        groups = (group.values() if isinstance(group, dict) else group for group in many)
        return tuple(
            dict.fromkeys(source for group in groups for source, _ in group if source.item != task.item)
        )

    def _projected(self, node: Node, item: ItemKey, ref: Ref) -> tuple[Task, str]:
        axes = self.nodes[ref.node].axes
        return Task(ref.node, tuple(item[node.axes.index(axis)] for axis in axes)), ref.output

    def items_of(self, task: Task) -> tuple[Item, ...]:
        """The files behind a task, one for each of its axes."""
        axes = self.nodes[task.node].axes
        return tuple(self._by_key[axis][key] for axis, key in zip(axes, task.item, strict=True))

    def file_of(self, task: Task) -> Path:
        """The file that a task of an input reads."""
        items = self._by_key[task.node]
        return (items[task.item[0]] if task.item else next(iter(items.values()))).path

    @cached_property
    def _by_key(self) -> Mapping[str, Mapping[str, Item]]:
        return {axis: {item.key: item for item in items} for axis, items in self.items.items()}

    def settings_of(self, task: Task) -> Mapping[str, Any]:
        """A step's settings with those of its items over them."""
        node = self.nodes[task.node]
        settings = dict(node.settings)
        for item in self.items_of(task):
            settings.update(item.settings.get(task.node, {}))
        return settings

    def facts_of(self, task: Task) -> dict[str, Any]:
        """What is known of the items of a task."""
        return {name: fact for item in self.items_of(task) for name, fact in item.facts.items()}

    def target(self, task: Task) -> str:
        """The path of an output in the run folder."""
        label = "__".join(item.label for item in self.items_of(task))
        return self.nodes[task.node].pattern.replace("{item}", label)

    def downstream(self, names: Sequence[str]) -> set[str]:
        """Nodes that are among `names` or take anything from them."""
        reached = set(names)
        for node in self.nodes.values():
            if any(ref.node in reached for ref in node.refs):
                reached.add(node.name)
        return reached
