"""A path in a setting is relative to what it was written in: the file, the list, or the folder one is in."""

import json
import os
from pathlib import Path

import pytest

from ripieno.core import Pipeline

TEXT = """
inputs: {word: {kind: text, path: word.txt}}
steps:
  said: {uses: joiner/%s, in: {text: word}, with: %s}
outputs: {said: said.txt}
"""
FORMS = {
    "a setting": ("quote", "{file: a.txt}", "word|project a"),
    "a list": ("quote", "{files: [a.txt, sub/b.txt]}", "word|project a|project b"),
    "one of a pair": ("quote", "{pair: [a.txt, sub/b.txt]}", "word|a.txt|project b"),
    "a map": ("quote", "{named: {a.txt: sub/b.txt}}", "word|project b"),
    "a model inside": ("quote", "{page: {file: a.txt}}", "word|project a"),
    "one of two models": (
        "quote",
        "{parts: [{kind: word, file: a.txt}, {kind: page, file: a.txt}]}",
        "word|a.txt|project a",
    ),
    "a path or a word": ("quote", "{either: a.txt}", "word|project a"),
    "a word where a path may stand": ("quote", "{either: none}", "word"),
    "text": ("quote", "{note: a.txt}", "word|a.txt"),
    "a plugin": ("inner", "{inner: {uses: joiner/quote, with: {file: a.txt}}}", "<word|project a>"),
    "a bare name": ("inner", "{inner: {uses: quote, with: {file: a.txt}}}", "<word|project a>"),
    "no name": ("ask", "{whom: {with: {file: a.txt}}}", "word|project a|asked"),
    "a chain": (
        "ask",
        "{others: [{whom: {uses: ask, with: {others: [{whom: {uses: quote, with: {files: [a.txt]}}}]}}}]}",
        "word|asked|asked|project a",
    ),
}


@pytest.fixture
def project(bench):
    """A project in a folder below; where the command is given, other files have the same names."""
    for folder in ("project/", ""):
        said = folder.rstrip("/") or "here"
        bench.write(f"{folder}a.txt", f"{said} a")
        bench.write(f"{folder}sub/b.txt", f"{said} b")
    bench.write("project/word.txt", "word")
    return lambda plugin, settings: bench.pipeline(TEXT % (plugin, settings), "project/p.yaml")


@pytest.fixture
def elsewhere(bench):
    """Another folder to give commands in; the store and the plugins are the same."""
    folder = bench.folder.parent / "elsewhere"
    folder.mkdir()
    return type(bench)(folder, bench.site, bench.store)


@pytest.mark.parametrize(("plugin", "settings", "text"), FORMS.values(), ids=FORMS)
def test_a_path_in_a_file_is_relative_to_it(bench, project, plugin, settings, text):
    assert bench.run(project(plugin, settings)).text("said.txt") == text


def test_a_path_of_the_command_line_is_relative_to_the_current_folder(bench, project):
    pipeline = project("quote", "{file: a.txt, files: [sub/b.txt]}")
    assert bench.run(pipeline, "--set", "said.file=a.txt").text("said.txt") == "word|here a|project b"
    assert bench.run(pipeline, "--set", "said.files=[a.txt]").text("said.txt") == "word|project a|here a"


def test_one_path_of_a_plugin_inside_may_come_from_the_command_line(bench, project):
    pipeline = project("ask", "{whom: {with: {file: a.txt, page: {file: sub/b.txt}}}}")
    ran = bench.run(pipeline, "--set", "said.whom.with.file=a.txt")
    assert ran.text("said.txt") == "word|here a|project b|asked"
    ran = bench.run(pipeline, "--set", "said.whom.with.page={file: sub/b.txt}")
    assert ran.text("said.txt") == "word|project a|here b|asked"


def test_a_path_from_python_is_relative_to_the_current_folder(bench, project, monkeypatch):
    monkeypatch.syspath_prepend(bench.site)
    monkeypatch.setenv("PYTHONPATH", bench.environment()["PYTHONPATH"])
    monkeypatch.chdir(bench.folder)
    pipeline = Pipeline.load(project("quote", "{file: a.txt, files: [a.txt]}"))
    options = {"jobs": 1, "store": bench.store, "folder": bench.folder / "runs"}
    result = pipeline.run(settings={"said.file": Path("a.txt")}, **options)
    assert result["said"].text == "word|here a|project a"


def test_a_path_of_an_item_is_relative_to_the_list(bench, project):
    quoted = {"said": {"whom": {"with": {"file": "a.txt"}}}}
    rows = [{"src": "one.txt", "with": quoted}, {"src": "two.txt"}]
    for name in ("one", "two", "a"):
        bench.write(f"project/album/{name}.txt", f"album {name}")
    bench.write("project/album/list.json", json.dumps(rows))
    pipeline = project("ask", "{whom: {with: {file: a.txt}}}")
    text = pipeline.read_text(encoding="utf-8")
    text = text.replace("path: word.txt", "items: album/list.json").replace("said.txt", '"{item}.txt"')
    pipeline.write_text(text, encoding="utf-8")
    ran = bench.run(pipeline)
    assert ran.text("one.txt") == "album one|album a|asked"
    assert ran.text("two.txt") == "album two|project a|asked"


def test_a_tilde_is_the_home_folder(bench, project):
    bench.env["HOME"] = bench.env["USERPROFILE"] = str(bench.folder / "home")
    bench.write("home/a.txt", "home a")
    pipeline = project("quote", "{file: ~/a.txt}")
    assert bench.run(pipeline).text("said.txt") == "word|home a"
    assert bench.run(pipeline, "--set", "said.files=[~/a.txt]").text("said.txt") == "word|home a|home a"


def test_a_run_is_the_same_from_another_folder(bench, elsewhere, project):
    pipeline = project("inner", "{inner: {uses: quote, with: {file: a.txt, files: [../a.txt]}}}")
    first = bench.run(pipeline.relative_to(bench.folder))
    second = elsewhere.run(os.path.relpath(pipeline, elsewhere.folder))
    assert second.status("said") == "cached"
    assert first.text("said.txt") == second.text("said.txt") == "<word|project a|here a>"
    assert elsewhere.run(pipeline).digests == first.digests == second.digests


def test_a_manifest_gives_the_same_from_another_folder(bench, elsewhere, project):
    pipeline = project("ask", "{whom: {with: {file: a.txt, page: {file: a.txt}}}}")
    first = bench.run("project/p.yaml", "--set", "said.whom.with.page.file=sub/b.txt")
    pipeline.unlink()
    again = elsewhere.run(first.folder / "manifest.json")
    assert again.text("said.txt") == first.text("said.txt") == "word|project a|here b|asked"
    assert again.status("said") == "cached" and again.digests == first.digests


def test_a_manifest_keeps_the_paths_of_steps_that_were_left_out(bench, elsewhere, project):
    pipeline = project("quote", "{file: a.txt}")
    more = "  more: {uses: joiner/quote, in: {text: said}, with: {files: [sub/b.txt]}}\noutputs:"
    text = pipeline.read_text(encoding="utf-8").replace("outputs:", more)
    pipeline.write_text(text.replace("said: said.txt", "said: said.txt, more: more.txt"), encoding="utf-8")
    first = bench.run("project/p.yaml", "--only", "said", "--set", "more.file=a.txt")
    again = elsewhere.run(first.folder / "manifest.json")
    assert again.text("more.txt") == "word|project a|here a|project b"


def test_projects_with_files_of_the_same_names_are_kept_apart(bench, elsewhere, project):
    project("quote", "{file: a.txt}")
    other = {"p.yaml": TEXT % ("quote", "{file: a.txt}"), "a.txt": "other a", "word.txt": "word"}
    for name, content in other.items():
        elsewhere.write(name, content.replace("\ninputs", "ripieno: 1\ninputs"))
    assert bench.run("project/p.yaml").text("said.txt") == "word|project a"
    assert elsewhere.run("p.yaml").text("said.txt") == "word|other a"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{whom: {with: {fil: a.txt}}}", "whom.with.fil: unknown setting. joiner/quote takes file, "),
        ("{whom: {with: {file: 3}}}", "whom.with.file: "),
        (
            "{whom: {uses: quot, with: {file: a.txt}}}",
            "whom: no plugin joiner/quot is installed. Did you mean",
        ),
        ("{others: [{whom: {uses: quote, with: 3}}]}", "others.0.whom.with: "),
    ],
)
def test_what_is_wrong_beside_a_path_keeps_its_place(bench, project, settings, message):
    said = bench.fails("check", project("ask", settings))
    assert "p.yaml:5:" in said and f'step "said": {message}' in said


def test_the_bank_of_an_augmenter_in_a_chain_is_found_from_anywhere(bench, elsewhere):
    room = {"name": "hall", "file": "hall.wav", "kind": "room", "licence": "CC0-1.0", "commercial": True}
    bench.write("project/rooms/dataset_manifest.json", json.dumps({"assets": [room]}))
    bench.write("project/rooms/hall.wav", b"")
    bench.write("project/set/dataset_manifest.json", json.dumps({"clips": []}))
    steps = "[{augmenter: {uses: room, with: {bank: rooms}}}]"
    pipeline = bench.pipeline(
        f"""
inputs: {{set: {{kind: dataset, path: set}}}}
steps:
  more:
    uses: joiner/augmented
    in: {{datasets: [set]}}
    with: {{augmenter: {{with: {{steps: {steps}}}}}}}
outputs: {{more: more}}
""",
        "project/p.yaml",
    )
    elsewhere.core("check", pipeline)
    said = elsewhere.fails("check", pipeline, "--set", f"more.augmenter.with.steps={steps}")
    assert f"{elsewhere.folder / 'rooms'}: no bank" in said
