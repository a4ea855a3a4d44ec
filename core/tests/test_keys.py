"""Cache keys: what changes them, what does not, and how a change is told."""

import hashlib
import itertools
import json
import shutil
import sys

import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.context import derive_seed
from ripieno.core.keys import Recipes, differences, hashed
from ripieno.core.pipeline import Pipeline
from ripieno.core.plan import Task
from ripieno.core.planner import make_plan
from ripieno.registry import Registry
from ripieno.registry.digests import FileDigests

ONE = "inputs: {one: {kind: text, path: one.txt}}\nsteps:\n  a: "
A = Task("a")


@pytest.fixture
def recipe(tmp_path, store, write):
    """The recipe of the task a in a pipeline with one step of this text."""
    write("one.txt", "hello")

    def recipe(text, *, seed=0, inputs=None, task=A, head=ONE, registry=None):
        registry = registry or Registry(cache=store.folder)
        plan = make_plan(Pipeline.parse(f"ripieno: 1\n{head}{text}", folder=tmp_path), registry)
        recipes = Recipes(plan, registry, FileDigests(store.folder), seed=seed)
        return recipes.of(task, inputs or {"text": ["d"]})

    return recipe


SHOUT = "{uses: joiner/shout, in: {text: one}}"


def test_defaults_written_out_change_nothing(recipe):
    written = "{uses: joiner/shout, in: {text: one}, with: {times: 1, mark: '!'}}"
    assert recipe(SHOUT) == recipe(written)
    assert recipe(SHOUT)["config"] == {"mark": "!", "times": 1}


def test_settings_inputs_and_plugins_change_the_key(recipe):
    made = [
        recipe(SHOUT),
        recipe("{uses: joiner/shout, in: {text: one}, with: {mark: '?'}}"),
        recipe(SHOUT, inputs={"text": ["e"]}),
        recipe(SHOUT, inputs={"text": ["d"], "more": ["d"]}),
        recipe("{uses: joiner/factsof, in: {text: one}}"),
    ]
    for left, right in itertools.combinations(made, 2):
        assert hashed(left) != hashed(right)


def test_the_seed_is_in_the_key_of_what_draws_alone(recipe):
    assert recipe(SHOUT, seed=1) == recipe(SHOUT, seed=2)
    dice = "{uses: joiner/dice, in: {text: one}}"
    assert recipe(dice, seed=1)["seed"] == derive_seed(1, "a") != recipe(dice, seed=2)["seed"]
    inner = "{uses: joiner/inner, in: {text: one}, with: {inner: joiner/dice}}"
    assert recipe(inner, seed=1) != recipe(inner, seed=2)


def test_the_name_of_a_step_or_a_file_is_not_in_the_key(recipe, write):
    write("two.txt", "hello")
    assert recipe(SHOUT) == recipe(SHOUT.replace("one", "b"), head=ONE.replace("one:", "b:"))
    first = recipe(SHOUT, task=Task("one"))
    assert first == recipe(SHOUT, task=Task("one"), head=ONE.replace("one.txt", "two.txt"))
    write("two.txt", "other")
    assert first != recipe(SHOUT, task=Task("one"), head=ONE.replace("one.txt", "two.txt"))


def test_the_suffix_of_an_output_is_in_its_key_and_the_rest_of_its_name_is_not(recipe):
    def written(path):
        outputs = f"\noutputs: {{a: '{path}'}}"
        return recipe(SHOUT + outputs, inputs={"artifact": ["d"]}, task=Task("output a"))

    # One codec writes another format for another suffix.
    assert written("a.txt") == written("sub/b.TXT") != written("a.md")
    assert written("a.txt")["uses"] == written("a.md")["uses"]


def test_the_names_in_a_folder_are_content(recipe, write, tmp_path):
    head = "inputs: {one: {kind: bundle, path: b}}\nsteps:\n  c: {uses: joiner/concat, in: {texts: []}}\n"
    write("b/x.txt", "1")
    registry = Registry()

    def digest():
        plan = make_plan(Pipeline.parse(f"ripieno: 1\n{head}", folder=tmp_path), registry)
        return Recipes(plan, registry, FileDigests(tmp_path / "d"), seed=0).file(tmp_path / "b")

    first = digest()
    assert first == digest()
    (tmp_path / "b/x.txt").rename(tmp_path / "b/y.txt")
    second = digest()
    write("b/sub/z.txt", "2")
    assert len({first, second, digest()}) == 3


def test_facts_and_settings_of_an_item_are_in_its_key_alone(recipe, write):
    rows = [
        {"src": "one.txt", "id": "x", "title": "X", "with": {"a": {"mark": "?"}}},
        {"src": "one.txt", "id": "y", "title": "Y"},
    ]
    write("list.json", json.dumps(rows))
    head = "inputs: {l: {kind: text, items: list.json}}\nsteps:\n  a: "
    text = "{uses: joiner/shout, in: {text: l}}"
    x, y = (recipe(text, head=head, task=Task("a", (key,))) for key in "xy")
    assert (x["facts"]["title"], x["config"]["mark"]) == ("X", "?")
    assert (y["facts"]["title"], y["config"]["mark"]) == ("Y", "!")
    read_x, read_y = (recipe(text, head=head, task=Task("l", (key,))) for key in "xy")
    assert read_x == read_y
    write("list.json", json.dumps([{"src": "one.txt", "id": key} for key in "xy"]))
    dice = "{uses: joiner/dice, in: {text: l}}"
    assert len({recipe(dice, head=head, task=Task("a", (key,)))["seed"] for key in "xy"}) == 2


def test_a_track_may_have_a_seed_of_its_own(recipe, write):
    head = "inputs: {l: {kind: text, items: list.json}}\nsteps:\n  a: "
    dice = "{uses: joiner/dice, in: {text: l}}"

    def seeds(seed, *own):
        rows = [{"src": "one.txt", "id": f"{index}", **facts} for index, facts in enumerate(own)]
        write("list.json", json.dumps(rows))
        tasks = [Task("a", (row["id"],)) for row in rows]
        return [recipe(dice, head=head, task=task, seed=seed)["seed"] for task in tasks]

    assert seeds(1, {"seed": 7}, {}) == [derive_seed(7, "a", "0"), derive_seed(1, "a", "1")]
    assert seeds(2, {"seed": 7}, {}) == [derive_seed(7, "a", "0"), derive_seed(2, "a", "1")]
    assert seeds(1, {"seed": 1})[0] == derive_seed(1, "a", "0")


def test_a_cover_is_in_the_key_by_what_it_shows_not_by_where_it_lies(recipe, write):
    head = "inputs: {l: {kind: text, items: list.json}}\nsteps:\n  a: "

    def key(name, content):
        write(name, content)
        write("list.json", json.dumps([{"src": "one.txt", "art": name}]))
        return recipe("{uses: joiner/shout, in: {text: l}}", head=head, task=Task("a", ("one",)))

    assert key("a.png", "red") == key("b.png", "red") != key("b.png", "blue")


def test_who_reads_the_history_is_told_every_setting_and_where_it_comes_from(recipe, write):
    rows = [{"src": "one.txt", "seed": 5, "with": {"loud": {"mark": "?"}}}]
    write("list.json", json.dumps(rows))
    head = (
        "inputs: {l: {kind: text, items: list.json}}\nsteps:\n"
        "  loud: {uses: joiner/shout, in: {text: l}, with: {times: 2, mark: '!'}}\n"
        "  cast: {uses: joiner/dice, in: {text: loud}}\n"
        "  aside: {uses: joiner/shout, in: {text: l}}\n"
        "  a: "
    )
    task = Task("a", ("one",))
    said, loud, cast = recipe("{uses: joiner/told, in: {text: cast}}", head=head, task=task)["history"]
    assert (said["step"], said["item"], said["file"]) == ("l", "one", "one.txt")
    assert said["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert (loud["step"], loud["uses"], loud["seed"]) == ("loud", "joiner/shout", None)
    assert (loud["distribution"], loud["version"]) == ("ripieno-bench", "1.0")
    assert loud["settings"] == {"mark": "?", "times": 2}
    assert loud["given"] == {"mark": "track list", "times": "pipeline"}
    assert (cast["step"], cast["seed"], cast["given"]) == ("cast", derive_seed(5, "cast", "one"), {})
    assert "history" not in recipe("{uses: joiner/shout, in: {text: cast}}", head=head, task=task)


def test_plugins_inside_bring_their_code_and_settings(recipe):
    inner = "{uses: joiner/inner, in: {text: one}, with: {inner: {uses: joiner/shout, with: {mark: X}}}}"
    found = recipe(inner)["references"]["inner"]
    assert (found["uses"], found["config"]) == ("joiner/shout", {"mark": "X", "times": 1})
    default = recipe("{uses: joiner/inner, in: {text: one}}")
    written = recipe(inner.replace("mark: X", "mark: '!'"))
    assert default["references"] == written["references"]
    weighted = recipe("{uses: joiner/weighted, in: {text: one}}")["references"]["weights"]
    assert weighted["code"]["distribution"] == "ripieno-bench"


def test_another_byte_of_a_plugins_package_is_another_key(recipe, site, tmp_path, monkeypatch):
    before = recipe(SHOUT)
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    monkeypatch.setattr(sys, "path", [str(copy), *(folder for folder in sys.path if folder != str(site))])
    monkeypatch.delitem(sys.modules, "ripieno_bench", raising=False)
    assert recipe(SHOUT) == before
    (copy / "ripieno_bench" / "more.txt").write_text("x", encoding="utf-8")
    after = recipe(SHOUT)
    assert [line.partition(": ")[0] for line in differences(before, after)] == ["code.code"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), JSON, max_size=4), st.randoms())
def test_a_hash_does_not_depend_on_the_order_of_names(value, random):
    pairs = list(value.items())
    random.shuffle(pairs)
    try:
        assert hashed(dict(pairs)) == hashed(value)
    except UnicodeEncodeError:
        assert "\\ud" in json.dumps(value)


@given(JSON, JSON)
def test_there_are_differences_where_values_differ(left, right):
    def bare(value):
        """Without names that say nothing."""
        if isinstance(value, dict):
            return {name: bare(item) for name, item in value.items() if bare(item) not in (None, {})}
        return value

    assert differences(left, left) == []
    if bare(left) != bare(right):
        assert differences(left, right)


def test_differences_are_told_by_their_place():
    old = {"config": {"kernel": 31, "same": 1}, "seed": 4, "inputs": {"audio": ["a" * 64]}}
    new = {"config": {"kernel": 17, "same": 1}, "inputs": {"audio": ["b" * 64]}, "more": "é"}
    assert differences(old, new) == [
        "config.kernel: 31 → 17",
        f'inputs.audio: ["{"a" * 38}… → ["{"b" * 38}…',
        'more: null → "é"',
        "seed: 4 → null",
    ]
