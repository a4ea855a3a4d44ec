"""Outputs that were written before: copied while they stand as they were written, written anew else."""

import json
import os
import shutil

import pytest

from ripieno.core import exports
from ripieno.core.manifest import NAME
from ripieno.core.plan import Task

KEY = "ab" + "0" * 62
TEXT = """
inputs: {one: {kind: text, path: one.txt}}
steps: {a: {uses: joiner/shout, in: {text: one}}}
outputs: {a: sub/a.txt}
"""
FOLDER = TEXT.replace("shout", "page").replace("sub/a.txt", "out")
MODEL = TEXT.replace("shout", "learned").replace("sub/a.txt", "out/copy.onnx")
of_each_form = pytest.mark.parametrize("text", [TEXT, FOLDER, MODEL], ids=["file", "folder", "two files"])


@pytest.fixture(autouse=True)
def inputs(write):
    write("one.txt", "hello")


def written(result):
    """The contents of the output files, by their paths in the run folder."""
    return {
        path.relative_to(result.folder).as_posix(): path.read_bytes()
        for path in result.folder.rglob("*")
        if path.is_file() and path.name not in (NAME, "report.html")
    }


def statuses(result):
    """What became of the outputs, by their references."""
    nodes = result.plan.nodes
    return {
        nodes[task.node].reference + task.item_name: outcome.status
        for task, outcome in result.outcomes.items()
        if nodes[task.node].role == "output"
    }


def edit(path):
    """Change a byte, and leave the size as it is."""
    path.write_bytes(b"#" + path.read_bytes()[1:])


def touch(path):
    os.utime(path, (1, 1))


def replace(path):
    """Put an equal file of the same times in its place, as another program saves."""
    other = path.with_name("other")
    shutil.copy2(path, other)
    os.replace(other, path)


DISTURBED = (edit, touch, replace, os.remove)


@of_each_form
def test_an_output_that_stands_is_copied(run, text):
    first, second = run(text), run(text)
    assert [set(statuses(result).values()) for result in (first, second)] == [{"done"}, {"cached"}]
    assert written(second) == written(first) != {}
    for name in written(first):
        assert not (second.folder / name).samefile(first.folder / name)
    for task, outcome in second.outcomes.items():
        before = first.outcomes[task]
        assert (outcome.key, outcome.header) == (before.key, before.header)
        assert outcome.path == before.path.replace(str(first.folder), str(second.folder))


def test_what_is_written_is_what_is_asked_for(run):
    assert written(run(TEXT)) == {"sub/a.txt": b"HELLO!"}
    assert written(run(FOLDER)) == {"out/index.html": b"<p>hello</p>", "out/sub/data.bin": b"\0\1\2"}
    made = written(run(MODEL))
    assert made.keys() == {"out/copy.onnx", "out/copy.json"} and made["out/copy.onnx"] == b"hello"
    assert json.loads(made["out/copy.json"])["metadata"] == {"rate_hz": 8000}


@pytest.mark.parametrize("disturb", DISTURBED)
@pytest.mark.parametrize(
    ("text", "name"),
    [(TEXT, "sub/a.txt"), (FOLDER, "out/sub/data.bin"), (MODEL, "out/copy.onnx"), (MODEL, "out/copy.json")],
    ids=["file", "folder", "first of two files", "second of two files"],
)
def test_what_does_not_stand_as_it_was_written_is_written_anew(run, text, name, disturb):
    first = run(text)
    right = written(first)
    disturb(first.folder / name)
    disturbed = written(first)
    second = run(text)
    assert set(statuses(second).values()) == {"done"} and written(second) == right
    # Nobody mends the run that was; the newer one is copied from now on.
    assert written(first) == disturbed
    third = run(text)
    assert set(statuses(third).values()) == {"cached"} and written(third) == right


def test_a_file_more_in_a_folder_that_was_written_has_it_written_anew(run):
    first = run(FOLDER)
    right = written(first)
    (first.folder / "out" / "more.txt").touch()
    second = run(FOLDER)
    assert statuses(second) == {"a": "done"} and written(second) == right


@of_each_form
def test_a_run_folder_that_is_gone_is_not_missed(run, text):
    first = run(text)
    right = written(first)
    shutil.rmtree(first.folder)
    second = run(text)
    assert set(statuses(second).values()) == {"done"} and written(second) == right
    # A copy of it will do.
    third = run(text)
    shutil.rmtree(second.folder)
    fourth = run(text)
    assert [set(statuses(result).values()) for result in (third, fourth)] == [{"cached"}, {"cached"}]
    assert written(fourth) == right


def test_a_run_folder_in_whose_place_a_file_is_is_not_missed(run):
    first = run(TEXT)
    shutil.rmtree(first.folder / "sub")
    (first.folder / "sub").touch()
    assert statuses(run(TEXT)) == {"a": "done"}


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (TEXT, "sub/a.txt", "b.TXT", {"b.TXT"}),
        (FOLDER, ": out", ": to/there", {"to/there/index.html", "to/there/sub/data.bin"}),
        (MODEL, "out/copy.onnx", "other.onnx", {"other.onnx", "other.json"}),
    ],
    ids=["file", "folder", "two files"],
)
def test_under_another_name_it_is_copied_too(run, text, old, new, expected):
    first = run(text)
    second = run(text.replace(old, new))
    assert set(statuses(second).values()) == {"cached"} and written(second).keys() == expected
    assert sorted(written(second).values()) == sorted(written(first).values())


def test_another_suffix_is_another_format_and_is_not_copied(run):
    run(TEXT)
    assert statuses(run(TEXT.replace("a.txt", "a.md"))) == {"a": "done"}
    words = run(TEXT.replace("a.txt", "a.words"))
    assert statuses(words) == {"a": "done"} and words.ok


def test_each_item_is_copied_or_written_for_itself(run, write):
    for name in "xyz":
        write(f"w/{name}.txt", name)
    text = "inputs: {w: {kind: text, path: 'w/*.txt'}}\nsteps: {a: {uses: joiner/shout, in: {text: w}}}\n"
    text += "outputs: {a: '{item}.txt'}\n"
    run(text)
    write("w/y.txt", "other")
    again = run(text)
    assert statuses(again) == {"ax": "cached", "ay": "done", "az": "cached"}
    assert written(again) == {"x.txt": b"X!", "y.txt": b"OTHER!", "z.txt": b"Z!"}


def test_equal_results_of_one_run_are_written_once_and_copied(run):
    text = TEXT.replace("in: {text: one}}", "in: {text: one}}, too: {uses: joiner/shout, in: {text: one}}")
    result = run(text.replace("a.txt", "a.txt, too: b.txt"))
    assert sorted(statuses(result).values()) == ["cached", "done"]
    assert written(result) == {"sub/a.txt": b"HELLO!", "b.txt": b"HELLO!"}


@pytest.mark.parametrize("options", [{"force": True}, {"again_from": ["a"]}])
def test_what_is_to_be_done_again_is_written_again(run, options):
    run(TEXT)
    again = run(TEXT, **options)
    assert {outcome.status for task, outcome in again.outcomes.items() if task.node in ("a", "output a")} == {
        "done"
    }
    assert statuses(run(TEXT)) == {"a": "cached"}


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "[]", "{}", '{"files": {}, "header": {}}', '{"files": [], "header": {}}', b"\xff"],
)
def test_a_note_that_cannot_be_read_is_as_if_it_were_not_there(run, store, content):
    result = run(TEXT)
    note = store.folder / "written" / f"{result.outcomes[Task('output a')].key}.json"
    note.write_bytes(content if isinstance(content, bytes) else content.encode())
    again = run(TEXT)
    assert statuses(again) == {"a": "done"} and written(again) == {"sub/a.txt": b"HELLO!"}
    assert json.loads(note.read_text(encoding="utf-8"))["files"].keys() == {
        str((again.folder / "sub/a.txt").absolute())
    }


@pytest.mark.parametrize("name", ["a.txt", "folder"])
def test_a_copy_that_fails_leaves_nothing(store, tmp_path, write, name):
    made = write("before/a.txt", "hello") if name == "a.txt" else write("before/folder/x", "1").parent
    exports.remember(store, KEY, [made], {"kind": "text"})
    room = tmp_path / "room"
    room.mkdir()
    (room / "taken").touch()
    assert exports.reuse(store, KEY, room / "taken" / name, room=room) is None
    assert [path.name for path in room.iterdir()] == ["taken"]
    assert exports.reuse(store, KEY, room / "free" / name, room=room) == {"kind": "text"}
    assert sorted(path.name for path in room.iterdir()) == ["free", "taken"]


def test_what_cannot_be_noted_is_written_all_the_same(store, tmp_path, write):
    shutil.rmtree(store.folder / "written")
    (store.folder / "written").touch()
    exports.remember(store, KEY, [write("a.txt", "hello")], {})
    assert exports.reuse(store, KEY, tmp_path / "b.txt", room=tmp_path) is None
    assert not (tmp_path / "b.txt").exists()
