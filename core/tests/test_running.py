"""Runs in one process: order, what is not done again, what fails, what is damaged, and what they leave."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from ripieno.contracts import Hooks
from ripieno.contracts.context import derive_seed
from ripieno.contracts.errors import PipelineError, StepError
from ripieno.core import run as runs
from ripieno.core.journal import crashed, noted
from ripieno.core.manifest import NAME
from ripieno.core.plan import Task
from ripieno.core.recipes import find_pipeline, from_manifest
from ripieno.core.result import RunError, title
from ripieno.core.run import Options, Run, new_folder
from ripieno.core.why import History

WORDS = """
name: words
seed: 7
inputs:
  w: {kind: text, path: 'w/*.txt', licence: CC0-1.0, credit: Somebody}
steps:
  loud: {uses: joiner/shout, in: {text: w}}
  dice: {uses: joiner/dice, in: {text: loud}}
  all: {uses: joiner/concat, in: {texts: dice}}
outputs: {loud: 'loud/{item}.txt', all: all.txt}
"""


@pytest.fixture(autouse=True)
def words(write):
    for name in "abc":
        write(f"w/{name}.txt", name)


class Events(Hooks):
    """Remembers what it is told."""

    def __init__(self):
        self.started, self.cached, self.failed, self.skipped = [], [], [], []
        self.damaged, self.warnings, self.progress = [], [], []

    def step_started(self, step, item):
        self.started.append((step, item))

    def step_cached(self, step, item):
        self.cached.append((step, item))

    def step_failed(self, step, item, error):
        self.failed.append((step, item, error))

    def step_skipped(self, step, item, because):
        self.skipped.append((step, item, because))

    def step_progress(self, step, done, total, unit):
        self.progress.append((step, done, total, unit))

    def artifact_damaged(self, step, path):
        self.damaged.append((step, path))

    def warned(self, message):
        self.warnings.append(message)


@pytest.fixture
def events():
    return Events()


def statuses(result):
    return {(task.node, task.item_name): outcome.status for task, outcome in result.outcomes.items()}


def document(result):
    return json.loads((result.folder / NAME).read_text(encoding="utf-8"))


def test_tasks_are_done_in_the_order_of_the_plan(run, events):
    result = run(WORDS, listeners=[events])
    assert result.ok and result.failures == [] and result.checked() is result
    steps = [(task.node, task.item_name) for task in result.plan.tasks]
    assert sorted(events.started) == sorted(steps)
    at = {step: index for index, step in enumerate(events.started)}
    for task in result.plan.tasks:
        for source in result.plan.sources(task).values():
            assert all(at[taken.node, taken.item_name] < at[task.node, task.item_name] for taken, _ in source)
    assert (result.folder / "loud/b.txt").read_text(encoding="utf-8") == "B!"
    assert (result.folder / "report.html").exists()


def test_results_are_had_by_reference(run):
    result = run(
        "inputs: {one: {kind: text, path: w/a.txt}, w: {kind: text, path: 'w/*.txt'}}\n"
        "steps:\n  c: {uses: joiner/counted, in: {text: one}}\n  l: {uses: joiner/shout, in: {text: w}}\n"
    )
    assert result["c"].text == result["c.text"].text == result["one"].text == "a"
    assert result["c.count"].values == {"words": 1}
    assert {key: text.text for key, text in result["l"].items()} == {"a": "A!", "b": "B!", "c": "C!"}
    with pytest.raises(KeyError, match="none"):
        result["none"]


def test_stems_are_had_by_name(run, write):
    write("s.numbers", "0.5 -0.5")
    result = run(
        "inputs: {s: {kind: audio, path: s.numbers}}\nsteps:\n  h: {uses: separator/halves, in: {audio: s}}\n"
        "  d: {uses: effect/phone, in: {audio: h.left}}\n"
    )
    assert result["h.left"].samples.tolist() == result["d"].samples.tolist() == [[0.5, -0.5]]
    assert set(result["h"].names) == {"left", "right"}


def test_the_same_again_is_not_done_again(run, events):
    first = run(WORDS)
    second = run(WORDS, listeners=[events])
    assert {one.key for one in first.outcomes.values()} == {one.key for one in second.outcomes.values()}
    assert set(statuses(second).values()) == {"cached"} and second.ok
    assert sorted(events.cached) == sorted(
        (task.node, task.item_name)
        for task in second.plan.tasks
        if second.plan.nodes[task.node].role != "output"
    )


def test_draws_are_the_same_for_any_number_of_workers(run):
    drawn = run(WORDS, jobs=1)["all"].text
    assert run(WORDS, jobs=3, force=True)["all"].text == drawn
    assert run(WORDS, jobs=1, seed=8)["all"].text != drawn


def test_some_steps_are_done_again_with_all_that_depends_on_them(run):
    run(WORDS)
    again = statuses(run(WORDS, again_from=["dice"]))
    assert {step for (step, _), status in again.items() if status == "cached"} == {"w", "loud", "output loud"}
    assert {step for (step, _), status in again.items() if status == "done"} == {"dice", "all", "output all"}
    assert set(statuses(run(WORDS, force=True)).values()) == {"done"}
    with pytest.raises(PipelineError, match=r"^no step 'x' to run again from. Steps: loud, dice, all$"):
        run(WORDS, again_from=["x"])


def test_only_some_steps_are_done_and_what_they_need(run):
    result = run(WORDS, only=["loud"])
    assert {task.node for task in result.outcomes} == {"w", "loud", "output loud"}


def test_an_input_that_is_the_same_ends_the_wave(run, write):
    text = (
        "inputs: {one: {kind: text, path: w/a.txt}}\nsteps:\n  a: {uses: joiner/counted, in: {text: one}}\n"
    )
    text += "  b: {uses: joiner/shout, in: {text: a}}\n"
    run(text)
    found = statuses(run(text.replace("one", "two")))
    assert found == {("two", ""): "cached", ("a", ""): "cached", ("b", ""): "cached"}


FAILING = """
inputs: {w: {kind: text, path: 'w/*.txt'}}
steps:
  bad: {uses: joiner/faulty, in: {text: w}, with: {fault: FAULT, word: b}}
  next: {uses: joiner/shout, in: {text: bad}}
  all: {uses: joiner/concat, in: {texts: next}}
outputs: {next: '{item}.txt'}
"""


PARTIAL = """
inputs: {w: {kind: text, path: 'w/*.txt'}}
steps:
  bad: {uses: joiner/faulty, in: {text: w}, with: {fault: refuses, word: WORD}}
  all: {uses: joiner/rest, in: {texts: bad, others: w}}
outputs: {all: all.txt}
"""


def test_what_takes_the_rest_is_told_which_items_failed_and_why(run):
    result = run(PARTIAL.replace("WORD", "b"))
    assert not result.ok
    assert statuses(result)["all", ""] == "done"
    assert result["all"].text == "a=a survived|c=c survived|a|c|b: this text is not for me"


def test_what_takes_the_rest_is_done_again_when_a_lost_item_is_there(run, events):
    run(PARTIAL.replace("WORD", "b"))
    result = run(PARTIAL.replace("WORD", "none"), listeners=[events])
    assert result["all"].text == "a=a survived|b=b survived|c=c survived|a|b|c"
    assert ("all", "") in events.started


def test_what_takes_the_rest_is_skipped_where_nothing_is_left(run, write, events):
    for name in "abc":
        write(f"w/{name}.txt", "b")
    through = PARTIAL.replace("texts: bad", "texts: next").replace(
        "  all:", "  next: {uses: joiner/shout, in: {text: bad}}\n  all:"
    )
    for text in (PARTIAL, through):
        events.skipped.clear()
        result = run(text.replace("WORD", "b"), listeners=[events])
        assert [line.partition(":")[0] for line in result.failures] == [
            f'step "bad", item "{name}"' for name in "abc"
        ]
        assert events.skipped[-2:] == [("all", "", "bad"), ("output all", "", "bad")]
        assert statuses(result)["all", ""] == statuses(result)["output all", ""] == "skipped"
        assert not result.ok


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("raises", "ZeroDivisionError: a bug in a plugin"),
        ("refuses", "this text is not for me"),
        ("wrong", "joiner/faulty returned scores, its signature says text"),
        ("nothing", "joiner/faulty returned NoneType, its signature says text"),
        ("garbled", "ValueError: half a character: ?"),
    ],
)
def test_an_item_that_fails_skips_what_depends_on_it_and_nothing_else(run, events, fault, error):
    result = run(FAILING.replace("FAULT", fault), listeners=[events])
    assert result.failures == [f'step "bad", item "b": {error}']
    found = statuses(result)
    assert (found["bad", "b"], found["next", "b"], found["all", ""]) == ("failed", "skipped", "skipped")
    assert (found["next", "a"], found["output next", "c"]) == ("done", "done")
    assert sorted(found.values()) == sorted(9 * ["done"] + ["failed"] + 3 * ["skipped"])
    assert result.summary == "1 of 13 tasks failed, 3 were skipped"
    assert events.failed == [("bad", "b", error)]
    assert sorted(events.skipped) == [
        ("all", "", "bad"), ("next", "b", "bad"), ("output next", "b", "bad"),
    ]  # fmt: skip
    assert not result.ok and not document(result)["ok"]
    with pytest.raises(StepError, match=r'^step "bad", item "b": '):
        result.checked()
    with pytest.raises(StepError, match="there is no result"):
        result["bad"]


def test_a_file_that_is_gone_fails_its_item(run, tmp_path, pipeline, store):
    going = Run(pipeline(WORDS), Options(jobs=1, store=store.folder, folder=tmp_path / "runs"))
    (tmp_path / "w/b.txt").unlink()
    result = going.execute()
    assert [line.partition(":")[0] for line in result.failures] == ['input "w", item "b"']


def test_a_file_of_the_store_is_called_as_the_user_knows_it(run, tmp_path):
    (tmp_path / "my model.onnx").write_bytes(b"no words")
    result = run(
        "inputs: {net: {kind: model, path: my model.onnx}, w: {kind: text, path: w/a.txt}}\n"
        "steps:\n"
        "  given: {uses: joiner/picky, in: {model: net}}\n"
        "  learned: {uses: joiner/learned, in: {text: w}}\n"
        "  made: {uses: joiner/picky, in: {model: learned}}\n"
    )
    assert sorted(result.failures) == [
        f'step "given": {tmp_path / "my model.onnx"}: no words in it',
        'step "made": the result of learned: no words in it',
    ]


def test_progress_and_warnings_are_told(run, events):
    text = FAILING.replace("FAULT", "prints")
    assert run(text, listeners=[events]).ok
    assert events.progress == [("bad", 1, 2, "words")]
    assert events.warnings == ["bad b: a plugin that warns"]


def damage(store, result, reference):
    (outcome,) = (one for task, one in result.outcomes.items() if (task.node, task.item_name) == reference)
    digest = outcome.outputs[""].digest
    index = store.object_folder(digest) / "artifact.json"
    index.write_text("{", encoding="utf-8")
    return digest


def test_a_damaged_result_is_found_and_made_again(run, store, events):
    first = run(WORDS)
    digest = damage(store, first, ("loud", "b"))
    second = run(WORDS, listeners=[events])
    assert second.ok and [step for step, _ in events.damaged] == ["loud"]
    assert store.verify(digest) is None
    assert second["all"].text == first["all"].text


class Damaging(Hooks):
    """Damages the results of a step just when they were stored, some times."""

    def __init__(self, store, step, times):
        self.store, self.step, self.times = store, step, times

    def artifact_stored(self, step, digest):
        if step == self.step and self.times:
            self.times -= 1
            (self.store.object_folder(digest) / "artifact.json").write_text("{", encoding="utf-8")


FAN = """
inputs: {one: {kind: text, path: w/a.txt}}
steps:
  m: {uses: joiner/shout, in: {text: one}}
  x: {uses: joiner/dice, in: {text: one}}
  y: {uses: joiner/faulty, in: {text: x}}
  d: {uses: joiner/shout, in: {text: m}}
  e: {uses: joiner/dice, in: {text: m}}
  f: {uses: joiner/pair, in: {left: m, right: y}}
"""


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("times", [1, 2])
def test_a_result_that_is_damaged_during_the_run_is_made_again_for_all_that_take_it(
    run, store, events, jobs, times
):
    result = run(FAN, jobs=jobs, listeners=[Damaging(store, "m", times), events])
    assert result.ok, result.failures
    assert result["f"].text.startswith("A!+a ") and result["d"].text == "A!!"
    assert events.damaged


def test_a_result_that_is_damaged_every_time_fails_the_step_that_reads_it(run, store):
    result = run(
        "inputs: {one: {kind: text, path: w/a.txt}}\nsteps:\n  m: {uses: joiner/shout, in: {text: one}}\n"
        "  d: {uses: joiner/shout, in: {text: m}}\n",
        listeners=[Damaging(store, "m", -1)],
    )
    (line,) = result.failures
    assert line.startswith('step "d": ') and "differ from the hash" in line


def test_what_is_stopped_in_time_fails_alone(run):
    text = FAILING.replace("FAULT", "hangs").replace("word: b}", "word: b}, timeout: 1.5")
    assert run(text, jobs=3).failures == [
        'step "bad", item "b": it did not end within its timeout of 1.5 s and was stopped'
    ]


def test_a_map_is_the_same_here_and_on_workers(run):
    text = "inputs: {one: {kind: text, path: w/a.txt}}\nsteps:\n"
    text += "  s: {uses: joiner/spread, in: {text: one}, with: {faults: [none, none, none]}}\n"
    assert run(text, jobs=1)["s"].text == run(text, jobs=3, force=True)["s"].text


def test_crossed_items_are_told_apart(run, write):
    for name in ("x/a/b.txt", "x/a.txt", "y/c.txt", "y/b/c.txt"):
        write(name, name)
    result = run(
        "inputs: {x: {kind: text, path: 'x/**/*.txt'}, y: {kind: text, path: 'y/**/*.txt'}}\n"
        "steps: {p: {uses: joiner/pair, in: {left: x, right: y}, cross: true}}\n",
        jobs=2,
    )
    assert {key: text.text for key, text in result["p"].items()} == {
        f"{x} + {y}": f"x/{x}.txt+y/{y}.txt" for x in ("a/b", "a") for y in ("c", "b/c")
    }


def test_a_preview_says_what_would_be_done(run, pipeline, store, tmp_path, write):
    def previewed():
        going = Run(pipeline(WORDS), Options(store=store.folder, folder=tmp_path / "runs"))
        return {(task.node, task.item_name): state for task, state, _ in going.preview()}

    before = previewed()
    assert (before["w", "a"], before["loud", "a"], before["all", ""]) == ("run", "depends", "depends")
    run(WORDS)
    after = previewed()
    outputs = {(step, item) for step, item in after if step.startswith("output ")}
    assert {step for step, _ in outputs} == {"output loud", "output all"}
    assert {state for place, state in after.items() if place not in outputs} == {"cached"}
    assert {after[place] for place in outputs} == {"run"}
    write("w/b.txt", "other")
    changed = previewed()
    assert (changed["w", "b"], changed["w", "a"], changed["loud", "b"]) == ("run", "cached", "depends")


def test_why_names_what_changed_since_a_step_ran_last(run, pipeline, store, tmp_path):
    runs = tmp_path / "runs"
    assert History(runs, "words").keys == {}
    run(WORDS)
    (runs / "9-broken").mkdir()
    (runs / "9-broken" / NAME).write_text("{", encoding="utf-8")
    # What a later run left out has still run before.
    run(WORDS, only=("loud",))
    history = History(runs, "words")
    assert History(runs, "others").keys == {}

    def why(text, history=history, step="loud", item="a"):
        going = Run(pipeline(text), Options(store=store.folder))
        recipe = next(
            recipe for task, _, recipe in going.preview() if (task.node, task.item_name) == (step, item)
        )
        return history.reasons(store, step=step, item=item, recipe=recipe)

    assert why(WORDS) == why(WORDS, step="dice") == ["nothing it depends on has changed"]
    assert why(WORDS.replace("{text: w}", "{text: w}, with: {mark: '?'}")) == ['config.mark: "!" → "?"']
    assert why(WORDS, history=History(runs, "others")) == ["it has not run before"]
    assert why(WORDS.replace("loud", "low"), step="low") == ["it has not run before"]
    store.key_file(history.keys["loud", "a"]).unlink()
    assert why(WORDS) == ["its last result is not in the store any more"]


def test_an_input_goes_along_another_key_by_key(run, write):
    for key in "cab":
        write(f"said/{key}.txt", key.upper())
    text = (
        "inputs:\n  w: {kind: text, path: 'w/*.txt'}\n  said: {kind: text, path: 'said/*.txt', along: w}\n"
        "steps:\n  all: {uses: joiner/concat, in: {texts: [w, said]}}\n  loud: {uses: joiner/shout, in: {text: said}}\n"
        "  two: {uses: joiner/beside, in: {left: w, right: said}}\n"
    )
    result = run(text)
    assert {key: text.text for key, text in result["loud"].items()} == {"a": "A!", "b": "B!", "c": "C!"}
    assert {key: text.text for key, text in result["two"].items()} == {"a": "a A", "b": "b B", "c": "c C"}


def test_what_an_input_lacks_of_the_one_it_goes_along_is_named(run, write):
    write("said/a.txt", "A")
    along = "inputs:\n  w: {{kind: text, path: 'w/*.txt'}}\n  said: {{kind: text, path: 'said/*.txt', along: {}}}\n"
    steps = "steps: {two: {uses: joiner/beside, in: {left: w, right: said}}}\n"
    with pytest.raises(PipelineError, match="input 'said' has no file for b, c of 'w'"):
        run(along.format("w") + steps)
    with pytest.raises(PipelineError, match="goes along 'v', which is no list input"):
        run(along.format("v") + steps)


def test_a_run_that_failed_keeps_what_it_did_in_the_error(run):
    faulty = "{uses: joiner/faulty, in: {text: w}, with: {fault: raises, word: b}}"
    result = run(WORDS.replace("{uses: joiner/shout, in: {text: w}}", faulty))
    with pytest.raises(RunError, match='step "loud", item "b": ') as caught:
        result.checked()
    assert caught.value.result is result
    assert repr(result) == f"RunResult({str(result.folder)!r}, {result.summary})"
    assert repr(result.plan.pipeline) == "Pipeline('words', inputs: w; steps: loud, dice, all)"
    with pytest.raises(KeyError, match=r"no result 'nun'\. There are: w, loud"):
        result["nun"]


def test_a_manifest_tells_all_that_is_needed_to_do_it_again(run, store, tmp_path, registry):
    result = run(WORDS, seed=3)
    made = document(result)
    assert (made["name"], made["seed"], made["ok"], made["jobs"]) == ("words", 3, True, 1)
    assert {"ripieno-bench", "ripieno-core", "ripieno-contracts"} <= set(made["versions"])
    assert [row["item"] for row in made["inputs"]["w"]] == ["a", "b", "c"]
    rows = {(row["step"], row["item"]): row for row in made["steps"]}
    assert rows["loud", "a"]["config"] == {"mark": "!", "times": 1}
    assert rows["dice", "a"]["seed"] == derive_seed(3, "dice", "a")
    assert {row["path"] for row in made["outputs"]} == {"loud/a.txt", "loud/b.txt", "loud/c.txt", "all.txt"}
    assert made["licences"] == [
        {"name": "CC0-1.0", "credit": "Somebody", "commercial": True, "source": "w/*.txt"}
    ]
    again = find_pipeline(str(result.folder / NAME), registry)
    replayed = again.run(jobs=1, store=store.folder, folder=tmp_path / "elsewhere")
    assert {one.status for one in replayed.outcomes.values()} == {"cached"}
    assert (replayed.folder / "all.txt").read_bytes() == (result.folder / "all.txt").read_bytes()
    assert replayed["all"].text == result["all"].text


def test_a_manifest_brings_the_inputs_and_settings_of_the_command(tmp_path, store, write, pipeline):
    write("l.json", json.dumps([{"src": "w/b.txt"}]))
    text = WORDS.replace("path: 'w/*.txt'", "items: gone.json") + "# settings of the command\n"
    asked = (
        pipeline(text).with_inputs({"w.items": str(tmp_path / "l.json")}).with_settings({"loud.mark": "?"})
    )
    result = Run(asked, Options(jobs=1, store=store.folder, folder=tmp_path / "runs [1]")).execute()
    again = from_manifest(result.folder / NAME)
    assert again.steps["loud"].settings == {"mark": "?"}
    assert again.inputs["w"].items == str(tmp_path / "l.json")
    assert again.seed == 7


@pytest.mark.parametrize("content", ["{", "[]", "{}", "1"])
def test_what_is_no_manifest_is_refused(write, content):
    with pytest.raises(PipelineError, match="not the manifest of a run"):
        from_manifest(write(NAME, content))


def test_pipelines_are_found_by_path_and_by_name(registry, write):
    path = write("sub/p.yaml", "ripieno: 1\nsteps: {a: {uses: x}}\n")
    assert find_pipeline(str(path)).name == "p"
    assert find_pipeline("greeting", registry).description == "Says it loud."


def test_run_folders_are_of_their_own_and_called_after_the_pipeline(tmp_path):
    started = time.time()
    folders = [new_folder(tmp_path / "runs", name, started).name for name in ("a/b", "a/b", "song: 1")]
    stamp = folders[0][:19]
    assert folders[0].startswith(f"{stamp}-a_b")
    assert folders[1] == f"{folders[0]}-2"
    assert ":" not in folders[2]
    (tmp_path / "file").touch()
    with pytest.raises(PipelineError, match="no run folder can be made in"):
        new_folder(tmp_path / "file", "a", started)


def test_a_crash_of_an_earlier_run_is_told_once(run, store, events, tmp_path):
    note = {"pid": os.getpid(), "host": socket.gethostname(), "what": 'step "film" (renderer/x)'}
    for name, changes in (
        ("living", {}),
        ("dead", {"pid": 2**22 + 12345}),
        ("elsewhere", {"host": "another", "pid": 2**22 + 12345}),
    ):
        (store.folder / "running" / f"{name}.json").write_text(
            json.dumps({**note, **changes}), encoding="utf-8"
        )
    for name, content in (("cut", "{"), ("list", "[]"), ("empty", "{}")):
        (store.folder / "running" / f"{name}.json").write_text(content, encoding="utf-8")
    run(WORDS, listeners=[events])
    assert events.warnings == ['an earlier run ended while step "film" (renderer/x) was being done']
    assert {path.stem for path in (store.folder / "running").iterdir()} == {
        "living", "elsewhere", "cut", "list", "empty",
    }  # fmt: skip


def test_what_a_process_was_doing_when_it_died_is_known_and_what_it_finished_is_not(store):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom ripieno.core.journal import noted\n"
        "from ripieno.core.store import Store\nstore = Store(Path(sys.argv[1]))\n"
        "try:\n    with noted(store, 'failed', 'one'):\n        raise OSError\nexcept OSError:\n    pass\n"
        "with noted(store, 'done', 'two'):\n    pass\n"
        "with noted(store, 'ended', 'step \"é\"'):\n    os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(store.folder)], check=True)
    with noted(store, "own", "this"):
        assert crashed(store) == ['step "é"']
        assert [path.name for path in (store.folder / "running").iterdir()] == ["own.json"]
    assert crashed(store) == [] and list((store.folder / "running").iterdir()) == []


def test_an_interruption_leaves_a_manifest_and_no_workers(run, tmp_path):
    class Interrupting(Hooks):
        def step_finished(self, step):
            if step == "loud":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(WORDS, jobs=2, listeners=[Interrupting()])
    (path,) = (tmp_path / "runs").glob(f"*/{NAME}")
    made = json.loads(path.read_text(encoding="utf-8"))
    assert not made["ok"] and {"done", "waiting"} <= {row["status"] for row in made["steps"]}
    assert run(WORDS).ok


def test_memory_that_will_not_do_is_warned_of(run, monkeypatch, write, events):
    write("s.numbers", "0 1 2 3")
    text = "inputs: {s: {kind: audio, path: s.numbers}}\nsteps: {m: {uses: effect/whole, in: {audio: s}}}\n"
    monkeypatch.setattr(runs, "_free_bytes", lambda: 8)
    run(text, listeners=[events])
    assert events.warnings == ['step "m" holds the whole recording: 0 MB of 0 MB free']
    monkeypatch.undo()
    assert runs._free_bytes() >= 0


def test_a_title_names_a_task(run):
    plan = run(WORDS).plan
    assert title(plan, Task("loud", ("a",))) == 'step "loud", item "a"'
    assert title(plan, Task("all")) == 'step "all"'
    assert title(plan, Task("output all")) == 'output "all"'


QUOTED = """
inputs: {one: {kind: text, path: w/a.txt, licence: CC-BY-4.0, credit: Me}}
steps: {a: {uses: joiner/quoting, in: {text: one}}, b: {uses: joiner/shout, in: {text: a}}}
"""


def test_licences_that_a_plugin_finds_in_data_are_those_of_all_that_is_made_of_it(run):
    for status in ("done", "cached"):
        result = run(QUOTED)
        assert statuses(result)["b", ""] == status
        credits = [licence["credit"] for licence in document(result)["licences"]]
        assert credits == ["Me", "A. Poet"]


def test_terms_that_an_item_brings_by_its_settings_are_those_of_the_run(run, write):
    rows = [{"src": "w/a.txt", "with": {"a": {"lender": "A. Friend"}}}, {"src": "w/b.txt"}]
    write("list.json", json.dumps(rows))
    borrowed = "steps: {a: {uses: joiner/borrowed, in: {text: l}}}"
    result = run(f"inputs: {{l: {{kind: text, items: list.json}}}}\n{borrowed}")
    assert [licence["credit"] for licence in document(result)["licences"]] == ["A. Friend"]


@pytest.mark.parametrize("before", [False, True])
def test_a_commercial_run_refuses_a_result_that_brings_what_excludes_it(run, before):
    if before:
        run(QUOTED)
    result = run(f"commercial: true\n{QUOTED}")
    assert statuses(result) == {
        ("one", ""): "cached" if before else "done",
        ("a", ""): "failed",
        ("b", ""): "skipped",
    }
    (error,) = [outcome.error for outcome in result.outcomes.values() if outcome.error]
    assert error.startswith("the licence CC-BY-NC-4.0 of A. Poet excludes commercial use. Use something else")


def test_a_plugin_reads_the_weights_that_its_settings_name(run):
    result = run(
        "inputs: {one: {kind: text, path: w/a.txt}}\nsteps: {a: {uses: joiner/weighted, in: {text: one}}}\n"
    )
    assert result["a"].text == f"a {len(b'weights')}"
