"""The graph of a plan: as Mermaid, and as a picture whose boxes and wires can be told apart."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from ripieno.core.graph import mermaid, svg
from ripieno.core.layout import apart, columns, fitted, lay_out

SVG = "{http://www.w3.org/2000/svg}"
KINDS = st.sampled_from(["audio", "beats", "sections", "video", "stems", "a_kind_of_ours"])
# Surrogates cannot stand in a file; everything else may.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
HOSTILE = '</svg><script>alert("1")</script>\n& \'"`[]{}()|;#<br/>\u202e\x00'


def node(name, role="step", kind="audio", items=1, uses="effect/gain"):
    return {"name": name, "role": role, "uses": uses, "kind": kind, "axes": [], "items": items}


def edge(source, target, port="audio", kind="audio", output="", many="one"):
    return {"from": source, "to": target, "port": port, "output": output, "kind": kind, "many": many}


@st.composite
def graphs(draw, names=NAMES, most=25):
    nodes = []
    edges = []
    for name in draw(st.lists(names, unique=True, max_size=most)):
        sources = draw(st.lists(st.sampled_from(nodes), max_size=4)) if nodes else []
        role = draw(st.sampled_from(["step", "adapter"])) if sources else "input"
        nodes.append(node(name, role, draw(KINDS), draw(st.integers(1, 3)), draw(names)))
        for index, source in enumerate(sources):
            output = draw(st.sampled_from(["", "drums"]))
            many = draw(st.sampled_from(["one", "list", "dict"]))
            kind = source["kind"] if not output else "audio"
            edges.append(edge(source["name"], name, f"port{index}", kind, output, many))
    return {"nodes": nodes, "edges": edges}


def chain(count):
    nodes = [node(f"step{index}") for index in range(count)]
    return {"nodes": nodes, "edges": [edge(a["name"], b["name"]) for a, b in pairwise(nodes)]}


def rectangles(picture):
    found = [
        r for r in ElementTree.fromstring(picture).iter(f"{SVG}rect") if "node" in r.get("class", "").split()
    ]
    return [tuple(float(r.get(side)) for side in ("x", "y", "width", "height")) for r in found]


@given(graphs())
def test_every_node_and_every_edge_is_in_the_picture_once(graph):
    picture = ElementTree.fromstring(svg(graph))
    edges = [path for path in picture.iter(f"{SVG}path") if "edge" in path.get("class").split()]
    assert len(rectangles(svg(graph))) == len(graph["nodes"])
    assert len(edges) == len(graph["edges"])
    assert sum("many" in path.get("class").split() for path in edges) == sum(
        e["many"] != "one" for e in graph["edges"]
    )


@given(graphs())
def test_no_two_boxes_overlap_and_all_lie_inside(graph):
    root = ElementTree.fromstring(svg(graph))
    boxes = rectangles(svg(graph))
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x1 + w1 < x2 or x2 + w2 < x1 or y1 + h1 < y2 or y2 + h2 < y1
    for x, y, width, height in boxes:
        assert x >= 0
        assert y >= 0
        assert x + width <= float(root.get("width"))
        assert y + height <= float(root.get("height"))


@given(graphs())
def test_wires_run_to_the_right_and_never_pass_through_a_box(graph):
    places, links = lay_out(graph)
    boxes = [place for place in places if place.node]
    for link in links:
        assert link.source.x + link.source.width < link.target.x
        if link.target.node:
            continue
        # Where a wire passes a layer it is level, so its line misses every box there.
        assert not any(
            box.layer == link.target.layer and box.y <= link.target.y <= box.y + box.height for box in boxes
        )


@given(graphs())
def test_what_takes_stands_right_of_what_gives(graph):
    places, _ = lay_out(graph)
    layer = {place.node["name"]: place.layer for place in places if place.node}
    assert all(layer[e["from"]] < layer[e["to"]] for e in graph["edges"])


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30), st.data())
def test_positions_are_apart_and_those_that_are_apart_stay(wanted, data):
    steps = data.draw(st.lists(st.floats(0, 100), min_size=len(wanted) - 1, max_size=len(wanted) - 1))
    found = apart(wanted, steps)
    assert all(b - a >= step - 1e-6 for (a, b), step in zip(pairwise(found), steps, strict=True))
    # A least-squares fit with such bounds keeps the mean.
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-5)
    assert apart(found, steps) == pytest.approx(found, abs=1e-5)


def test_crossed_wires_are_uncrossed():
    nodes = [node(name, "input") for name in "abcd"] + [node(name) for name in "WXYZ"]
    graph = {"nodes": nodes, "edges": [edge(a, b) for a, b in zip("abcd", "ZYXW", strict=True)]}
    y = {place.node["name"]: place.y for place in lay_out(graph)[0]}
    assert sorted("abcd", key=y.get) == sorted("abcd", key=lambda name: y["ZYXW"["abcd".index(name)]])


@pytest.mark.parametrize("name", [HOSTILE, "Flötenträume", "歌" * 60, "🎻", " ", "end", "1. a", "- a"])
def test_odd_names_are_text_and_nothing_else(name):
    graph = {
        "nodes": [node(name), node("b", uses=name)],
        "edges": [edge(name, "b", port=name, output=name, kind=name)],
    }
    root = ElementTree.fromstring(svg(graph))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "style", "path", "g", "rect", "text", "circle")
    }
    titles = [element.text for element in root.iter(f"{SVG}title")]
    readable = re.sub(r"[\x00-\x1f\u202e]", " ", name)
    assert f"{readable}: effect/gain" in titles


@given(graphs())
def test_mermaid_has_one_line_for_each_node_and_edge_and_quotes_all_text(graph):
    first, *lines = mermaid(graph).splitlines()
    label = r'"(?:[\w /@().-]|#\d+;|<br/>)*"'
    nodes = [
        line for line in lines if re.fullmatch(rf"    n\d+(\[/{label}/\]|\[{label}\]|\(\[{label}\]\))", line)
    ]
    edges = [line for line in lines if re.fullmatch(rf"    n\d+ -->\|{label}\| n\d+", line)]
    assert first == "flowchart LR"
    assert len(nodes) == len(graph["nodes"])
    assert len(edges) == len(graph["edges"])
    assert len(lines) == len(nodes) + len(edges)


def test_mermaid_text_can_be_read_back():
    (line,) = mermaid({"nodes": [node(HOSTILE)], "edges": []}).splitlines()[1:]
    text = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), line)
    assert re.sub(r"[\n\u202e\x00]", " ", HOSTILE) in text


@given(NAMES)
def test_long_names_are_shortened_to_the_width_of_a_box(name):
    assert columns(fitted(name)) <= 30
    assert fitted(name) == name or fitted(name).endswith("…")


def test_a_graph_without_nodes_is_a_picture_too():
    assert ElementTree.fromstring(svg({"nodes": [], "edges": []})).tag == f"{SVG}svg"


def test_a_chain_whose_last_step_takes_from_all_does_not_grow_with_the_square():
    sizes = []
    for count in (200, 400, 800):
        graph = chain(count)
        graph["edges"] += [
            edge(f"step{index}", f"step{count - 1}", f"port{index}") for index in range(count - 2)
        ]
        sizes.append(len(svg(graph)))
    assert sizes[2] < 5 * sizes[1]
