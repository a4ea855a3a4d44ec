"""Runs from start to end: what is done, in what order, and what is not done again."""

import json

import pytest

from ripieno.contracts.errors import PipelineError, StepError
from ripieno.core import Pipeline

WORDS = """
inputs:
  words: {kind: text, path: words/*.txt}
steps:
  loud: {uses: joiner/shout, in: {text: words}}
  dice: {uses: joiner/dice, in: {text: loud}}
  spread: {uses: joiner/spread, in: {text: loud}}
  all: {uses: joiner/gather, in: {texts: dice}}
outputs:
  loud: loud/{item}.txt
  spread: spread/{item}.txt
  all: all.txt
"""
NAMES = ("ah", "be", "ce")


@pytest.fixture
def words(bench):
    for name in NAMES:
        bench.write(f"words/{name}.txt", name)
    return bench.pipeline(WORDS)


def test_outputs_and_digests_do_not_depend_on_the_number_of_workers(bench, words):
    first = bench.run(words, "--jobs", 2)
    assert [first.text(f"loud/{name}.txt") for name in NAMES] == ["AH!", "BE!", "CE!"]
    assert first.manifest["ok"] and (first.folder / "report.html").exists()
    jobs = [json.loads(first.text(f"spread/{name}.txt")) for name in NAMES]
    assert all([number for number, _ in job] == list(range(7)) for job in jobs)
    assert len({draw for job in jobs for _, draw in job}) == 21
    for count in (1, 4):
        again = bench.run(words, "--force", "--jobs", count)
        assert {row["status"] for row in again.manifest["steps"]} == {"done"}
        assert again.digests == first.digests


def test_a_lone_item_comes_out_the_same_in_this_process_and_in_workers(bench, words):
    lone = ("--input", "words=words/be.txt", "--only", "spread", "--only", "dice")
    here = bench.run(words, "--jobs", 1, *lone)
    elsewhere = bench.run(words, "--jobs", 2, "--force", *lone)
    whole = bench.run(words, "--force")
    assert here.digests == elsewhere.digests == {place: whole.digests[place] for place in here.digests}


def test_a_run_again_does_only_what_has_changed(bench, words):
    first, second = bench.run(words), bench.run(words)
    assert {row["status"] for row in second.manifest["steps"]} == {"cached"}
    assert second.digests == first.digests and second.text("all.txt") == first.text("all.txt")
    bench.write("words/be.txt", "changed")
    third = bench.run(words)
    assert third.statuses("loud") == {"ah": "cached", "be": "done", "ce": "cached"}
    assert third.statuses("dice") == {"ah": "cached", "be": "done", "ce": "cached"}
    # A space more, and the same loud word: the wave stops there.
    bench.write("words/be.txt", "changed ")
    fourth = bench.run(words)
    assert fourth.statuses("loud")["be"] == "done" and fourth.status("all") == "cached"


def test_seeds_depend_on_run_step_and_item_alone(bench, words):
    whole = bench.run(words)
    alone = bench.run(words, "--only", "dice", "--force")
    assert {step for step, _, _ in alone.digests} == {"words", "loud", "dice"}
    assert all(whole.digests[place] == digest for place, digest in alone.digests.items())
    other = bench.run(words, "--seed", 7)
    assert other.statuses("loud") == dict.fromkeys(NAMES, "cached")
    assert all(other.digests["dice", name, ""] != whole.digests["dice", name, ""] for name in NAMES)
    assert other.manifest["seed"] == 7


def test_steps_run_again_from_where_one_says(bench, words):
    bench.run(words)
    ran = bench.run(words, "--from", "dice")
    assert set(ran.statuses("loud").values()) == {"cached"} == set(ran.statuses("spread").values())
    assert set(ran.statuses("dice").values()) == {"done"} == {ran.status("all")}


def test_settings_of_the_command_line_hold_and_say_why(bench, words):
    bench.run(words, "--only", "loud")
    why = bench.core("run", words, "--set", "loud.mark=?", "--why", "loud").stdout
    assert 'step "loud", item "ah": to do\n  config.mark: "!" → "?"\n' in why
    ran = bench.run(words, "--set", "loud.mark=?", "--only", "loud")
    assert ran.text("loud/ah.txt") == "AH?"
    assert (
        "nothing it depends on has changed"
        in bench.core("run", words, "--set", "loud.mark=?", "--why", "loud").stdout
    )


def test_a_dry_run_does_nothing(bench, words):
    lines = bench.core("run", words, "--dry-run").stdout.splitlines()
    assert 'input "words", item "ah": to do' in lines
    assert 'step "all": to do after what it needs' in lines
    planned = [
        json.loads(line) for line in bench.core("run", words, "--dry-run", "--json").stdout.splitlines()
    ]
    assert {"event": "planned", "step": "words", "item": "ah", "state": "run"} in planned
    assert bench.run_folders() == []
    bench.run(words, "--only", "loud")
    assert 'step "loud", item "ah": in the store' in bench.core("run", words, "--dry-run").stdout


def test_every_line_of_json_is_an_event_in_order(bench, words):
    ran = bench.run(words, "--jobs", 2)
    names = [event["event"] for event in ran.events]
    assert names[0] == "run_started" and names[-1] == "run_finished"
    assert all(isinstance(event["time"], float) for event in ran.events)
    started = [
        (event["step"], event["item"])
        for event in ran.named("step_started")
        if not event["step"].startswith("output ")
    ]
    finished = [(event["step"], event["item"]) for event in ran.named("step_finished")]
    assert sorted(started) == sorted(finished) and len(set(started)) == 13
    assert len(ran.named("output_written")) == 7
    assert {event["digest"] for event in ran.named("artifact_stored")} == set(ran.digests.values())


def test_a_run_is_made_again_from_its_manifest(bench, words):
    first = bench.run(words, "--seed", 3, "--set", "loud.mark=?")
    again = bench.run(first.folder / "manifest.json", "--force")
    assert again.digests == first.digests and again.manifest["seed"] == 3
    assert again.text("all.txt") == first.text("all.txt")


def test_a_list_is_broadcast_gathered_zipped_and_crossed(bench):
    for folder, name in [("a", "x"), ("a", "y"), ("b", "x"), ("b", "z")]:
        bench.write(f"{folder}/{name}.txt", f"{folder}{name}")
    bench.write("one.txt", "one")
    ran = bench.run(
        bench.pipeline("""
inputs:
  a: {kind: text, path: a/*.txt}
  b: {kind: text, path: b/*.txt}
  one: {kind: text, path: one.txt}
steps:
  loud: {uses: joiner/shout, in: {text: a}}
  zipped: {uses: joiner/pair, in: {left: a, right: loud}}
  broadcast: {uses: joiner/pair, in: {left: one, right: a}}
  crossed: {uses: joiner/pair, in: {left: a, right: b}, cross: true}
  row: {uses: joiner/gather, in: {texts: [loud, one, b]}}
  gathered: {uses: joiner/gather, in: {texts: crossed}}
  table: {uses: joiner/table, in: {texts: loud}}
  named: {uses: joiner/table, in: {texts: {first: one, second: loud}}}
  alone: {uses: joiner/pair, in: {left: one}}
outputs:
  zipped: zipped/{item}.txt
  broadcast: broadcast/{item}.txt
  crossed: crossed/{item}.txt
  row: row.txt
  gathered: gathered.txt
  table: table.txt
  named: named/{item}.txt
  alone: alone.txt
""")
    )
    assert [ran.text(f"zipped/{name}.txt") for name in "xy"] == ["ax+AX!", "ay+AY!"]
    assert [ran.text(f"broadcast/{name}.txt") for name in "xy"] == ["one+ax", "one+ay"]
    assert {path.stem: path.read_text("utf-8") for path in (ran.folder / "crossed").iterdir()} == {
        "x__x": "ax+bx", "x__z": "ax+bz", "y__x": "ay+bx", "y__z": "ay+bz"
    }  # fmt: skip
    assert ran.text("row.txt") == "AX!|AY!|one|bx|bz"
    assert ran.text("gathered.txt") == "ax+bx|ax+bz|ay+bx|ay+bz"
    assert ran.text("table.txt") == "x=AX!|y=AY!"
    assert ran.text("named/x.txt") == "first=one|second=AX!"
    assert ran.text("alone.txt") == "one+"


def test_several_results_and_plugins_inside_plugins(bench):
    bench.write("word.txt", "two words")
    ran = bench.run(
        bench.pipeline("""
inputs: {word: {kind: text, path: word.txt}}
steps:
  count: {uses: joiner/counted, in: {text: word}}
  loud: {uses: joiner/inner, in: {text: count}, with: {inner: {uses: joiner/shout, with: {mark: "?"}}}}
  nested: {uses: joiner/inner, in: {text: count.text}, with: {inner: {uses: inner, with: {inner: shout}}}}
outputs: {count: words.txt, count.count: count.json, loud: loud.txt, nested: nested.txt}
""")
    )
    assert ran.text("words.txt") == "two words" and ran.text("loud.txt") == "<TWO WORDS?>"
    assert ran.text("nested.txt") == "<<TWO WORDS!>>"
    assert json.loads(ran.text("count.json"))["values"] == {"words": 2.0}


def test_items_bring_their_order_facts_and_settings(bench):
    for name in ("a", "b"):
        bench.write(f"album/{name}.txt", name)
    rows = [{"src": "b.txt", "id": "last", "title": "B"}, {"src": "a.txt", "with": {"tell": {"mark": "?"}}}]
    listed = bench.write("album/list.json", json.dumps(rows))
    pipeline = bench.pipeline("""
inputs: {words: {kind: text, many: true, items: album/list.json}}
steps:
  tell: {uses: joiner/facts, in: {text: words}}
  all: {uses: joiner/gather, in: {texts: words}}
outputs: {tell: "{item}.txt", all: all.txt}
""")
    ran = bench.run(pipeline)
    assert ran.text("all.txt") == "b|a"
    assert ran.text("last.txt") == '{"id": "last", "src": "b.txt", "title": "B"}!'
    assert ran.text("a.txt") == '{"src": "a.txt"}?'
    listed.write_text(json.dumps([{**rows[0], "title": "C"}, rows[1]]), encoding="utf-8")
    again = bench.run(pipeline)
    assert again.statuses("tell") == {"last": "done", "a": "cached"} and '"C"' in again.text("last.txt")
    other = bench.write("album/other.json", json.dumps({"tracks": [{"src": "a.txt"}]}))
    assert bench.run(pipeline, "--input", f"words.items={other}").text("all.txt") == "a"
    assert bench.run(pipeline, "--input", f"words={bench.folder}/album/?.txt").text("all.txt") == "a|b"


def test_a_recipe_of_a_wheel_runs_by_its_name(bench):
    bench.write("word.txt", "hi")
    assert (
        "greeting  Says it loud.\n  --input word=PATH  text, needed. What to say."
        in bench.core("recipes").stdout
    )
    assert bench.run("greeting", "--input", "word=word.txt").text("loud.txt") == "HI!"
    assert "input 'word' has no path. Give one: --input word=PATH" in bench.fails("run", "greeting")
    assert "no recipe 'greting'. Recipes: beat-clock, first-film, greeting" in bench.fails("run", "greting")


def test_a_subcommand_of_a_plugin_uses_core_through_its_host(bench):
    bench.write("word.txt", "hi")
    assert bench.core("hello", "word.txt").stdout == "HI?\nSays it loud.\n"
    assert "hello" in bench.core("--help").stdout
    assert "absent.txt" in bench.fails("hello", "absent.txt")


def test_python_runs_a_pipeline_and_gives_results(bench, words, monkeypatch):
    monkeypatch.syspath_prepend(bench.site)
    monkeypatch.setenv("PYTHONPATH", bench.environment()["PYTHONPATH"])
    options = {"store": bench.store, "folder": bench.folder / "runs"}
    result = Pipeline.load(words).run({"words": bench.folder / "words" / "b*.txt"}, **options)
    assert {item: text.text for item, text in result["loud"].items()} == {"be": "BE!"}
    assert result["all"].text == result["dice"]["be"].text
    assert (result.folder / "all.txt").read_text(encoding="utf-8") == result["all"].text
    with pytest.raises(PipelineError, match='Did you mean "loud"'):
        Pipeline.load(words).run(settings={"lod.mark": "?"}, **options)
    (bench.folder / "words" / "bad.txt").write_bytes(b"\xff")
    with pytest.raises(StepError, match='^input "words", item "bad": .*bad.txt'):
        Pipeline.load(words).run(**options)


def test_any_file_name_becomes_an_item_and_an_output(bench):
    names = [
        "with space",
        "quo'te",
        'quo"te',
        "-dash",
        "--only",
        "new\nline",
        "ÄÖ é",
        "A\u0308O\u0308",
        "l" * 240,
    ]
    names += ["a[1]b", "50%", "{item}", "tab\t", "CON", "dot.", "~home", "$HOME", "a;b", "\U0001f3b5"]
    for name in names:
        bench.write(f"words/{name}.txt", name)
    ran = bench.run(bench.pipeline(WORDS), "--only", "loud")
    made = list((ran.folder / "loud").iterdir())
    assert sorted(path.read_text("utf-8") for path in made) == sorted(
        f"{name.strip().upper()}!" for name in names
    )
    assert all(len(path.name.encode()) < 256 and path.name.isprintable() for path in made)
    assert not any(path.name.startswith("-") for path in made)


def test_two_forms_of_one_name_stay_apart(bench):
    for name in ("CAFE", "cafe"):
        bench.write(f"words/{name}.txt", name)
    pipeline = bench.pipeline(WORDS)
    ran = bench.run(pipeline, "--only", "loud")
    assert len({path.name.casefold() for path in (ran.folder / "loud").iterdir()}) == 2
    for name in ("\u00e9", "e\u0301"):
        bench.write(f"words/{name}.txt", name)
    assert "differ in nothing that can be seen" in bench.fails("run", pipeline)


def test_a_lone_file_may_have_the_name_of_a_pattern(bench):
    bench.write("a[1].txt", "yes")
    bench.write("a1.txt", "no")
    assert bench.run("greeting", "--input", "word=a[1].txt").text("loud.txt") == "YES!"
