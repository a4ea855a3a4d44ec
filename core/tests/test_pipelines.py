"""Pipeline files: their schema, what it refuses, and what a run may put in place of what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from ripieno.contracts.errors import PipelineError, StepError
from ripieno.core import pipeline as pipelines
from ripieno.core.document import Document
from ripieno.core.pipeline import Pipeline
from ripieno.core.shape import problems

MINIMAL = "ripieno: 1\nsteps:\n  a: {uses: joiner/shout}\n"


def complaints(text: str) -> list[str]:
    with pytest.raises(PipelineError) as caught:
        Pipeline.parse(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the pipeline is empty, expected a map"),
        ("[]", "1:1: the pipeline is a list, expected a map"),
        ("ripieno: 1", "1:1: the pipeline lacks steps: Uses of plugins, by step name."),
        ("steps: {a: {uses: x}}", "1:1: the pipeline lacks ripieno: Version of the pipeline format."),
        ("ripieno: 2\nsteps: {a: {uses: x}}", "1:10: ripieno is 2, expected 1"),
        ("ripieno: true\nsteps: {a: {uses: x}}", "1:10: ripieno is true, expected a whole number"),
        ("ripieno: 1\nsteps: {}", "2:8: steps is empty"),
        (MINIMAL + "seed: -1", "4:7: seed is -1, expected at least 0"),
        (MINIMAL + "seed: 1.5", "4:7: seed is 1.5, expected a whole number"),
        (MINIMAL + "name: ''", '4:7: name is "", expected text'),
        (MINIMAL + "name: [a]", "4:7: name is a list, expected text"),
        (MINIMAL + "commercial: on", '4:13: commercial is "on", expected true or false'),
        (MINIMAL + "plugins: {allow: [1]}", "4:19: plugins.allow.0 is 1, expected text"),
        (MINIMAL + "inputs: {x: {}}", '4:13: input "x" lacks kind: Kind of artifact: audio, beats, video, …'),
        (MINIMAL + "inputs: {x: }", '4:13: input "x" is empty, expected a map'),
        (MINIMAL + "  b: {uses: x, timeout: 0}", "4:25: steps.b.timeout is 0, expected more than 0"),
        (MINIMAL + "  b: {uses: x, in: {p: 1}}", "4:24: steps.b.in.p is 1, expected text or a list or a map"),
        (MINIMAL + "  b: {uses: x, in: {p: [1]}}", "4:25: steps.b.in.p.0 is 1, expected text"),
        (MINIMAL + "  b: {uses: x, in: {p: {q: 1}}}", "4:28: steps.b.in.p.q is 1, expected text"),
        (MINIMAL + "  b: {uses: x, with: 1}", "4:22: steps.b.with is 1, expected a map"),
        (
            MINIMAL + "  b: {uses: x, wiht: {}}",
            '4:16: unknown key "wiht". step "b" takes uses, in, with, cross, timeout. Did you mean "with"?',
        ),
        (
            MINIMAL + "stepps: {}",
            '4:1: unknown key "stepps". the pipeline takes ripieno, name, description, seed, commercial, '
            'plugins, inputs, steps, outputs. Did you mean "steps"?',
        ),
        (MINIMAL + "  b.c: {uses: x}", '4:3: "b.c": A name has no space, dot, slash, @ or =.'),
        (MINIMAL + "inputs: {a/b: {kind: text}}", '4:10: "a/b": A name has no space, dot, slash, @ or =.'),
        (MINIMAL + "outputs: {a: ''}", '4:14: output "a" is "", expected text'),
        (MINIMAL + "outputs: {a: 1}", '4:14: output "a" is 1, expected text'),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_schema_is_named_with_its_place(text, message):
    assert complaints(text) == [f"pipeline.yaml:{message}"]


def test_all_that_is_wrong_is_said_at_once():
    text = "ripieno: 3\nseed: x\nsteps:\n  a: {use: x}\n"
    assert [line.partition(": ")[0].removeprefix("pipeline.yaml:") for line in complaints(text)] == [
        "1:10", "2:7", "4:7",
    ]  # fmt: skip


def test_the_schema_is_a_valid_schema():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(pipelines.schema())
    assert pipelines.schema()["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(0.5) | st.sampled_from(["", "a", "a b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=3,
)


def near(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a schema, or nearly do."""
    if "anyOf" in schema:
        return st.one_of([near(option) for option in schema["anyOf"]]) | VALUES
    kind = schema.get("type")
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | VALUES
    if kind == "array":
        return st.lists(near(schema["items"]), max_size=2) | VALUES
    if kind != "object":
        return VALUES
    known = {name: near(below) for name, below in schema.get("properties", {}).items()}
    required = {name: known.pop(name) for name in schema.get("required", ())}
    others = schema.get("additionalProperties", True)
    free = near(others) if isinstance(others, dict) else VALUES
    named = st.fixed_dictionaries(required, optional=known)
    more = st.dictionaries(st.sampled_from(["a", "b-1", "é", "a.b", "a\n", "", "@"]), free, max_size=2)
    either = named if others is False else st.builds(lambda left, right: left | right, named, more)
    return st.one_of(either, either, either, VALUES, st.builds(lambda left, right: left | right, named, more))


@given(near(pipelines.schema()))
@example({"ripieno": 1, "steps": {"a": {"uses": "x"}}})
@example({"ripieno": 1, "steps": {"a": {"uses": "x", "in": {"b": []}}}, "seed": 0})
def test_the_checker_agrees_with_a_library_for_json_schema(value):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(pipelines.schema())
    found = problems(Document("p", value), pipelines.schema())
    assert bool(found) == (not validator.is_valid(value)), found


def test_a_pipeline_holds_what_its_file_says(write):
    path = write(
        "album.yaml",
        """
ripieno: 1
description: An album.
seed: 7
commercial: true
plugins: {allow: [ripieno-x]}
inputs:
  song: {kind: audio, path: "*.wav", description: d, licence: l, credit: c, commercial: false}
  list: {kind: audio, items: l.json}
  one: {kind: audio}
  many: {kind: audio, many: true}
steps:
  a: {uses: effect/x, in: {audio: song}, with: {gain: 1}, cross: true, timeout: 0.5}
  b: {uses: effect/y}
outputs: {a: a.wav}
""",
    )
    loaded = Pipeline.load(path)
    assert (loaded.name, loaded.file, loaded.seed, loaded.commercial) == ("album", path, 7, True)
    assert (loaded.description, loaded.allow, loaded.outputs) == ("An album.", ("ripieno-x",), {"a": "a.wav"})
    song = loaded.inputs["song"]
    assert (song.kind, song.path, song.folder, song.commercial) == ("audio", "*.wav", path.parent, False)
    assert (song.description, song.licence, song.credit) == ("d", "l", "c")
    assert {name: given.many for name, given in loaded.inputs.items()} == {
        "song": True, "list": True, "one": False, "many": True,
    }  # fmt: skip
    a, b = loaded.steps.values()
    assert (a.uses, a.sources, a.settings, a.cross, a.timeout_s) == (
        "effect/x", {"audio": "song"}, {"gain": 1}, True, 0.5,
    )  # fmt: skip
    assert (b.sources, b.settings, b.cross, b.timeout_s) == ({}, {}, False, None)
    assert loaded.at("steps", "a", key=True) == f"{path}:13:3"


def test_a_file_without_a_name_is_called_as_the_file():
    assert Pipeline.parse(MINIMAL).name == "pipeline"
    assert Pipeline.parse(MINIMAL + "name: x").name == "x"


def test_another_path_replaces_the_items_and_keeps_the_axis(write):
    path = write("p.yaml", MINIMAL + "inputs: {songs: {kind: text, path: 'x/*.txt', items: x.json}}")
    declared = Pipeline.load(path)
    songs = declared.with_inputs({"songs": "one.txt"}).inputs["songs"]
    assert (songs.path, songs.items, songs.many, songs.folder) == ("one.txt", None, True, Path())
    songs = declared.with_inputs({"songs.items": Path("other.json")}).inputs["songs"]
    assert (songs.items, songs.many, songs.folder) == ("other.json", True, Path())
    assert declared.inputs["songs"].items == "x.json"


@pytest.mark.parametrize("name", ["sogn", "song.path", ""])
def test_an_input_that_is_not_declared_is_refused(name):
    declared = Pipeline.parse(MINIMAL + "inputs: {song: {kind: text}}")
    with pytest.raises(PipelineError, match=r"^pipeline.yaml: no input .*\. Inputs: song"):
        declared.with_inputs({name: "x"})
    with pytest.raises(PipelineError, match="Inputs: none"):
        Pipeline.parse(MINIMAL).with_inputs({name: "x"})


def test_settings_are_put_in_at_any_depth():
    declared = Pipeline.parse("ripieno: 1\nsteps:\n  a: {uses: x, with: {b: {c: 1, d: 2}, e: 3}}\n")
    changed = declared.with_settings({"a.b.c": 4, "a.e.f": 5, "a.g": [6]})
    assert changed.steps["a"].settings == {"b": {"c": 4, "d": 2}, "e": {"f": 5}, "g": [6]}
    assert declared.steps["a"].settings == {"b": {"c": 1, "d": 2}, "e": 3}


def test_paths_in_settings_are_relative_to_the_file_except_those_that_the_run_gives():
    declared = Pipeline.parse("ripieno: 1\nsteps:\n  a: {uses: x, with: {b: {c: 1}}}\n", folder=Path("songs"))
    step = declared.with_settings({"a.b.c": 2, "a.d": 3}).with_settings({"a.e.f": 4}).steps["a"]
    given = [("b", "c"), ("b", "c", 0), ("d",), ("d", "e"), ("e", "f")]
    assert {step.folder_of(trail) for trail in given} == {Path()}
    assert {step.folder_of(trail) for trail in [("b",), ("b", "d"), ("c",), ("e",)]} == {Path("songs")}
    assert declared.steps["a"].folder_of(("b", "c")) == Path("songs")


@pytest.mark.parametrize("place", ["b.c", ".c", ""])
def test_a_setting_of_no_step_is_refused(place):
    with pytest.raises(PipelineError, match=r"is not step\.key\. Steps: a"):
        Pipeline.parse(MINIMAL).with_settings({place: 1})


@pytest.mark.parametrize("place", ["a", "a."])
def test_a_step_that_is_set_as_a_whole_asks_for_a_key(place):
    with pytest.raises(
        PipelineError, match=r"is a step: write a\.KEY=VALUE\. Its keys: core plugins show joiner/shout$"
    ):
        Pipeline.parse(MINIMAL).with_settings({place: 1})


@pytest.mark.parametrize(
    ("source", "names"), [("a.b", ("a.b",)), (["a", "b"], ["a", "b"]), ({"x": "a", "y": "b"}, ("a", "b"))]
)
def test_the_references_of_a_port_are_those_it_names(source, names):
    assert pipelines.names_of(source) == names


def test_a_pipeline_runs_from_python(tmp_path, store, write):
    word = write("word.txt", "ah")
    text = "ripieno: 1\ninputs: {w: {kind: text}}\nsteps:\n  a: {uses: joiner/shout, in: {text: w}}\n"
    options = {"folder": tmp_path / "runs", "store": store.folder, "jobs": 1}
    result = Pipeline.parse(text).run({"w": word}, settings={"a.mark": "?"}, **options)
    assert result["a"].text == "AH?"
    failing = text.replace("shout", "faulty")
    with pytest.raises(StepError, match='^step "a": this text is not for me$'):
        Pipeline.parse(failing).run({"w": word}, settings={"a.fault": "refuses"}, **options)


def test_the_public_names_of_core_are_lazy():
    import ripieno.core

    assert ripieno.core.Pipeline is Pipeline
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        ripieno.core.Pipelin  # noqa: B018


def test_the_schema_is_read_once():
    assert pipelines.schema() is pipelines.schema()
    assert json.dumps(pipelines.schema())
