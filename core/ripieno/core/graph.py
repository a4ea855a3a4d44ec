"""The graph of a plan as Mermaid text and as a picture in SVG.

Conventions
-----------
A graph is what `manifest.graph_of` gives: nodes in an order in which each comes after what it takes.
"""

import re
import zlib
from collections.abc import Mapping
from html import escape
from typing import Any

from .layout import MARGIN, PILL, STACK, Link, Place, lay_out, lines_of

COLOURS = {
    "audio": "#16938a", "stems": "#2b86d1", "beats": "#d07a1f", "beat_clock": "#b88a14", "sections": "#9467dd",
    "video": "#d64d78", "image": "#bf62a0", "features": "#5f8f3a", "activations": "#849a25",
    "trajectory": "#4797b4", "scores": "#b4713a", "text": "#7d8590", "model": "#6675d6", "dataset": "#96715b",
    "bundle": "#7c8a58",
}  # fmt: skip

STYLE = """
.rp-graph{color-scheme:light dark;color:#1d2127;font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
.rp-graph text{fill:currentColor}
.rp-graph .soft{opacity:.64;font-size:11px}
.rp-graph .name{font-weight:600;font-size:13px}
.rp-graph .box{fill:#fff;stroke:#c9ced6}
.rp-graph .adapter .box{stroke-dasharray:3 3}
.rp-graph .wire{fill:none;stroke-width:1.8}
.rp-graph .many{stroke-width:3.2}
@media(prefers-color-scheme:dark){.rp-graph{color:#e8eaed}.rp-graph .box{fill:#1d2025;stroke:#454b55}}
"""


def colour_of(kind: str) -> str:
    """Colour of a kind, legible on white and on black; the same everywhere."""
    return COLOURS.get(kind) or list(COLOURS.values())[zlib.crc32(kind.encode()) % len(COLOURS)]


def mermaid(graph: Mapping[str, Any]) -> str:
    """The graph as a Mermaid flowchart."""
    shapes = {"input": ('[/"', '"/]'), "adapter": ('(["', '"])')}
    ids = {node["name"]: f"n{index}" for index, node in enumerate(graph["nodes"])}
    lines = ["flowchart LR"]
    for node in graph["nodes"]:
        before, after = shapes.get(node["role"], ('["', '"]'))
        times = f" x{node['items']}" if node["items"] > 1 else ""
        label = f"{_mermaid_text(node['name'])}<br/>{_mermaid_text(node['uses'])}{times}"
        lines.append(f"    {ids[node['name']]}{before}{label}{after}")
    for edge in graph["edges"]:
        label = edge["kind"] if edge["port"] == edge["kind"] else f"{edge['port']} ({edge['kind']})"
        lines.append(f'    {ids[edge["from"]]} -->|"{_mermaid_text(label)}"| {ids[edge["to"]]}')
    return "\n".join(lines) + "\n"


def svg(graph: Mapping[str, Any]) -> str:
    """The graph as an SVG element with its own style, for a file or to stand in a page."""
    places, links = lay_out(graph)
    boxes = [place for place in places if place.node]
    width = max((place.x + place.width for place in places), default=0) + MARGIN + 2 * STACK
    height = max((place.y + place.height for place in places), default=0) + MARGIN + 2 * STACK
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="rp-graph" role="img" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'style="max-width:max(100%,{0.7 * width:.0f}px);height:auto">',
            f"<title>{len(boxes)} nodes and what they pass on</title><style>{STYLE}</style>",
            *(_card(box, depth, "box") for box in boxes if box.stacked for depth in (2, 1)),
            *(_drawn_link(link) for link in links),
            *(_drawn_box(box) for box in boxes),
            "</svg>\n",
        ]
    )


def _drawn_link(link: Link) -> str:
    source, target, edge = link.source, link.target, link.edge
    x, y = source.x + source.width, source.y + source.port_y(link.out)
    to_x, to_y = target.x, target.y + target.port_y(link.into)
    middle = (x + to_x) / 2
    path = f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    colour = colour_of(edge["kind"])
    if not link.ends:
        return f'<path class="wire trunk" stroke="{colour}" d="{path}h{target.width:.1f}"/>'
    many = " many" if edge["many"] != "one" else ""
    output = f".{edge['output']}" if edge["output"] else ""
    title = _xml(f"{edge['from']}{output} → {edge['to']}.{edge['port']}: {edge['kind']}")
    return f'<path class="wire edge{many}" stroke="{colour}" d="{path}"><title>{title}</title></path>'


def _drawn_box(box: Place) -> str:
    node, x, y = box.node, box.x, box.y
    name, below = (_xml(line) for line in lines_of(node))
    title = _xml(f"{node['name']}: {node['uses']}")
    start = f'<g class="{node["role"]}"><title>{title}</title>{_card(box, 0, "box node")}'
    if box.pill:
        middle = f'x="{x + box.width / 2:.1f}" y="{y + PILL / 2 + 4:.1f}" text-anchor="middle"'
        return f'{start}<text class="soft" {middle}>{name}</text></g>'
    colour = colour_of(node["kind"])
    return "".join(
        [
            start,
            f'<rect fill="{colour}" x="{x:.1f}" y="{y + 10:.1f}" width="3" height="26" rx="1.5"/>',
            f'<text class="name" x="{x + 12:.1f}" y="{y + 20:.1f}">{name}</text>',
            f'<text class="soft" x="{x + 12:.1f}" y="{y + 35:.1f}">{below}</text>',
            *(_drawn_port(box, index, *port, left=True) for index, port in enumerate(box.takes)),
            *(_drawn_port(box, index, *port, left=False) for index, port in enumerate(box.gives)),
            "</g>",
        ]
    )


def _card(box: Place, depth: int, role: str) -> str:
    return (
        f'<rect class="{role}" x="{box.x + depth * STACK:.1f}" y="{box.y + depth * STACK:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{PILL / 2 if box.pill else 8:g}"/>'
    )


def _drawn_port(box: Place, index: int, label: str, kind: str, *, left: bool) -> str:
    x, y = (box.x if left else box.x + box.width), box.y + box.port_y(index)
    at, anchor = (x + 12, "start") if left else (x - 12, "end")
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour_of(kind)}"/>'
        f'<text class="soft" x="{at:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{_xml(label)}</text>'
    )


def _xml(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """On one line, without what XML forbids or what turns the direction of writing."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", " ", text)


def _mermaid_text(text: str) -> str:
    """All that Mermaid or its Markdown could take for syntax as the number of the character."""
    return re.sub(r"[^\w /@().-]|\B[.-]|[.-]\B", lambda found: f"#{ord(found[0])};", _clean(text)) or "#32;"
