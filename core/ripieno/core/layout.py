"""Where the boxes and wires of a graph stand.

Conventions
-----------
Layers run left to right, y grows downwards, lengths are CSS pixels. A wire is one output with all that
take it; it holds a place in every layer it passes, so it never runs under a box.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

ROW, HEAD, FOOT, PILL, GAP, MARGIN, STACK = 18, 42, 8, 26, 18, 20, 4
WIDEST = 30
SWEEPS = 8
# Beyond this many, wires run straight: nobody follows them by eye, and the time is better spent.
MOST_PLACES = 10_000


@dataclass(eq=False)
class Place:
    """A box in its layer, or the room that a wire takes where it passes one (no node then).

    Parameters
    ----------
    takes, gives : list of (str, str)
        Label and kind of the ports at its left and right side, from the top.
    """

    layer: int
    node: Mapping[str, Any] = field(default_factory=dict)
    takes: list[tuple[str, str]] = field(default_factory=list)
    gives: list[tuple[str, str]] = field(default_factory=list)
    left: list["Link"] = field(default_factory=list)
    right: list["Link"] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    rank: int = 0

    @property
    def pill(self) -> bool:
        """Whether it is small, without ports to be seen."""
        return self.node.get("role") == "adapter"

    @property
    def stacked(self) -> bool:
        """Whether it stands for several items."""
        return bool(self.node) and self.node["items"] > 1

    @property
    def height(self) -> float:
        if not self.node:
            return 0.0
        return PILL if self.pill else HEAD + ROW * max(len(self.takes), len(self.gives), 1) + FOOT

    def port_y(self, index: int) -> float:
        """How far a port is below the top."""
        if not self.node:
            return 0.0
        return PILL / 2 if self.pill else HEAD + ROW * (index + 0.5)


@dataclass(frozen=True)
class Link:
    """From a port of one place to a port of a place in a later layer; the last one of an edge `ends` it."""

    source: Place
    out: int
    target: Place
    into: int
    edge: Mapping[str, Any]
    ends: bool


def lay_out(graph: Mapping[str, Any]) -> tuple[list[Place], list[Link]]:
    """All boxes and wires, with their positions.

    Parameters
    ----------
    graph : mapping
        Nodes in an order in which each comes after what it takes; see `manifest.graph_of`.
    """
    places, links = _places(graph)
    layers: list[list[Place]] = [[] for _ in range(1 + max((place.layer for place in places), default=-1))]
    for place in places:
        place.width = _width(place)
        layers[place.layer].append(place)
    _order(layers)
    _set_y(layers)
    _set_x(layers)
    return places, links


def columns(text: str) -> int:
    """Width in columns of a terminal: two for wide characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fitted(text: str) -> str:
    """A text that is short enough for a box."""
    if columns(text) <= WIDEST:
        return text
    ends = accumulate(columns(character) for character in text)
    return text[: sum(end < WIDEST for end in ends)] + "…"


def lines_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """Name of a box, and what stands below it."""
    if node["role"] == "adapter":
        return fitted(node["name"].rpartition("@")[2]), ""
    times = f" \N{MULTIPLICATION SIGN} {node['items']:,}" if node["items"] > 1 else ""
    return fitted(node["name"]), fitted(node["uses"]) + times


def _places(graph: Mapping[str, Any]) -> tuple[list[Place], list[Link]]:
    boxes: dict[str, Place] = {}
    taken: dict[str, list[Mapping[str, Any]]] = {}
    wires: dict[tuple[str, str], list[tuple[Place, int, Mapping[str, Any]]]] = {}
    for edge in graph["edges"]:
        taken.setdefault(edge["to"], []).append(edge)
    for node in graph["nodes"]:
        takes = taken.get(node["name"], [])
        place = Place(1 + max((boxes[edge["from"]].layer for edge in takes), default=-1), node)
        boxes[node["name"]] = place
        for index, edge in enumerate(takes):
            brackets = {"list": " [ ]", "dict": " { }"}.get(edge["many"], "")
            place.takes.append((fitted(edge["port"]) + brackets, edge["kind"]))
            wires.setdefault((edge["from"], edge["output"]), []).append((place, index, edge))
    passed = sum(max(place.layer for place, *_ in ends) - boxes[key[0]].layer for key, ends in wires.items())
    links: list[Link] = []
    for (name, output), ends in wires.items():
        kind = ends[0][2]["kind"]
        boxes[name].gives.append((fitted(output or kind), kind))
        links += _wire(boxes[name], ends, bend=passed <= MOST_PLACES)
    for place in boxes.values():
        place.gives = place.gives or [(place.node["kind"], place.node["kind"])]
    return [*boxes.values(), *(link.target for link in links if not link.ends)], links


def _wire(source: Place, ends: list[tuple[Place, int, Mapping[str, Any]]], *, bend: bool) -> Iterator[Link]:
    last, out = source, len(source.gives) - 1
    for target, index, edge in sorted(ends, key=lambda end: end[0].layer):
        while bend and last.layer < target.layer - 1:
            passing = Place(last.layer + 1)
            yield _joined(Link(last, out, passing, 0, edge, ends=False))
            last, out = passing, 0
        yield _joined(Link(last, out, target, index, edge, ends=True))


def _joined(link: Link) -> Link:
    link.source.right.append(link)
    link.target.left.append(link)
    return link


def _sweeps(layers: Sequence[list[Place]]) -> Iterator[tuple[bool, list[Place]]]:
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        yield from ((forward, layer) for layer in (layers if forward else reversed(layers)))


def _order(layers: Sequence[list[Place]]) -> None:
    """Each place at the mean rank of its neighbours in the layer before, to and fro.

    References
    ----------
    Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures. IEEE
    Transactions on Systems, Man, and Cybernetics 11(2), 1981.
    """

    def centre(place: Place, forward: bool) -> float:
        if forward:
            ranks = [link.source.rank + link.out / (1 + len(link.source.gives)) for link in place.left]
        else:
            ranks = [link.target.rank + link.into / (1 + len(link.target.takes)) for link in place.right]
        return _mean(ranks, place.rank)

    for layer in layers:
        _rank(layer)
    for forward, layer in _sweeps(layers):
        layer.sort(key=lambda place: centre(place, forward))
        _rank(layer)


def _rank(layer: list[Place]) -> None:
    for rank, place in enumerate(layer):
        place.rank = rank


def _set_y(layers: Sequence[list[Place]]) -> None:
    """Wires as level as the order in each layer allows, boxes apart."""

    def level(place: Place, forward: bool) -> float:
        if forward:
            tops = [
                link.source.y + link.source.port_y(link.out) - place.port_y(link.into) for link in place.left
            ]
        else:
            tops = [
                link.target.y + link.target.port_y(link.into) - place.port_y(link.out) for link in place.right
            ]
        return _mean(tops, place.y)

    for forward, layer in _sweeps(layers):
        steps = [above.height + GAP + 2 * STACK * above.stacked for above, _ in pairwise(layer)]
        tops = apart([level(place, forward) for place in layer], steps)
        for place, y in zip(layer, tops, strict=True):
            place.y = y
    top = min((layer[0].y for layer in layers), default=0.0)
    for layer in layers:
        for place in layer:
            place.y += MARGIN - top


def apart(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """The positions nearest to those wanted, in least squares, that are at least the steps apart.

    References
    ----------
    Isotonic regression by pooling adjacent violators: Barlow, Bartholomew, Bremner, Brunk: Statistical
    Inference under Order Restrictions. Wiley, 1972.
    """
    offsets = [0.0, *accumulate(steps)][: len(wanted)]
    pools: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        total, count = value - offset, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            above = pools.pop()
            total, count = total + above[0], count + above[1]
        pools.append((total, count))
    means = [total / count for total, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _set_x(layers: Sequence[list[Place]]) -> None:
    x = float(MARGIN)
    for layer in layers:
        width = max(place.width for place in layer)
        for place in layer:
            if place.pill:
                place.x = x + (width - place.width) / 2
            else:
                place.x, place.width = x, width
        # Steep wires are hard to follow: the higher they climb, the wider the room between layers.
        climb = max((abs(link.target.y - place.y) for place in layer for link in place.right), default=0.0)
        x += width + min(150.0, 52 + 0.16 * climb)


def _width(place: Place) -> float:
    if not place.node:
        return 0.0
    name, below = lines_of(place.node)
    if place.pill:
        return 22 + 6.2 * columns(name)
    takes = max((columns(label) for label, _ in place.takes), default=0)
    gives = max(columns(label) for label, _ in place.gives)
    return max(120.0, 26 + 8.2 * columns(name), 26 + 6.6 * columns(below), 44 + 6.4 * (takes + gives))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
