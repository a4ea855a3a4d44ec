"""What a plan makes of a pipeline: ports, axes, adapters, order, and all that is refused beforehand."""

import json
import shutil

import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts.errors import PipelineError
from ripieno.core import planner as plans
from ripieno.core.pipeline import Pipeline
from ripieno.core.plan import Ref, Task
from ripieno.core.planner import make_plan, pattern_problem
from ripieno.registry import Registry

WORDS = """
inputs:
  w: {kind: text, path: 'w/*.txt'}
  v: {kind: text, path: 'v/*.txt'}
  one: {kind: text, path: one.txt}
  sound: {kind: audio, path: s.numbers}
steps:
"""


@pytest.fixture(autouse=True)
def files(write):
    for name in ("w/a.txt", "w/b.txt", "v/x.txt", "v/y.txt", "one.txt"):
        write(name, name)
    write("s.numbers", "0 1")


@pytest.fixture
def steps(planned):
    """The plan of steps on the inputs w and v (lists of two), one (a text) and sound."""
    return lambda text, **options: planned(WORDS + text, **options)


@pytest.fixture
def complaint(steps):
    """What is said of steps that are wrong, without the places."""

    def complain(text, **options):
        with pytest.raises(PipelineError) as caught:
            steps(text, **options)
        return [line.split(": ", 1)[1] for line in str(caught.value).splitlines()]

    return complain


def sources(plan, step, *item):
    return plan.sources(Task(step, item))


def test_a_step_runs_once_for_each_item_of_a_list(steps):
    plan = steps("  a: {uses: joiner/shout, in: {text: w}}\n  b: {uses: joiner/shout, in: {text: a}}\n")
    assert plan.tasks == tuple(Task(node, (item,)) for node in ("w", "a", "b") for item in "ab")
    assert sources(plan, "b", "a") == {"text": [(Task("a", ("a",)), "")]}
    assert [item.key for item in plan.items_of(Task("b", ("b",)))] == ["b"]


def test_a_port_that_takes_many_gathers(steps):
    plan = steps(
        """
  list: {uses: joiner/concat, in: {texts: w}}
  lists: {uses: joiner/concat, in: {texts: [one, w]}}
  map: {uses: joiner/table, in: {texts: w}}
  plain: {uses: joiner/table, in: {texts: one}}
"""
    )
    both = [(Task("w", ("a",)), ""), (Task("w", ("b",)), "")]
    assert sources(plan, "list") == {"texts": both}
    assert sources(plan, "lists") == {"texts": [(Task("one"), ""), *both]}
    assert sources(plan, "map") == {"texts": dict(zip("ab", both, strict=True))}
    assert sources(plan, "plain") == {"texts": {"one": (Task("one"), "")}}


def test_a_map_of_references_passes_their_axis_on(steps):
    plan = steps("  t: {uses: joiner/table, in: {texts: {left: w, right: one}}}\n")
    assert plan.nodes["t"].axes == ("w",)
    assert sources(plan, "t", "b") == {"texts": {"left": (Task("w", ("b",)), ""), "right": (Task("one"), "")}}


def test_one_axis_zips_and_one_artifact_is_broadcast(steps):
    plan = steps(
        """
  a: {uses: joiner/shout, in: {text: w}}
  zipped: {uses: joiner/pair, in: {left: a, right: w}}
  cast: {uses: joiner/pair, in: {left: one, right: w}}
"""
    )
    assert plan.nodes["zipped"].axes == plan.nodes["cast"].axes == ("w",)
    assert sources(plan, "zipped", "b") == {
        "left": [(Task("a", ("b",)), "")],
        "right": [(Task("w", ("b",)), "")],
    }
    assert sources(plan, "cast", "b")["left"] == [(Task("one"), "")]


def test_two_axes_cross_only_where_that_is_said(steps, complaint):
    plan = steps("  c: {uses: joiner/pair, in: {left: w, right: v}, cross: true}\n")
    assert [task.item for task in plan.tasks if task.node == "c"] == [
        ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"),
    ]  # fmt: skip
    assert sources(plan, "c", "a", "y") == {
        "left": [(Task("w", ("a",)), "")],
        "right": [(Task("v", ("y",)), "")],
    }
    assert complaint("  c: {uses: joiner/pair, in: {left: w, right: v}}\n") == [
        'step "c" takes from the lists w and v: say cross: true to run for every pair of their items'
    ]


def test_a_crossed_step_wires_on_by_its_own_order_of_axes(steps):
    plan = steps(
        """
  c: {uses: joiner/pair, in: {left: w, right: v}, cross: true}
  d: {uses: joiner/pair, in: {left: v, right: c}, cross: true}
"""
    )
    assert plan.nodes["d"].axes == ("v", "w")
    assert sources(plan, "d", "x", "b")["right"] == [(Task("c", ("b", "x")), "")]


def test_only_inputs_that_are_taken_are_looked_for(planned):
    plan = planned(
        "inputs: {x: {kind: text, path: nowhere.txt}}\nsteps: {a: {uses: joiner/concat, in: {texts: []}}}"
    )
    assert list(plan.nodes) == ["a"]
    assert sources(plan, "a") == {"texts": []}


def test_the_first_of_several_results_is_the_step_itself(steps):
    plan = steps(
        "  c: {uses: joiner/counted, in: {text: one}}\n"
        "  a: {uses: joiner/shout, in: {text: c}}\n  b: {uses: joiner/shout, in: {text: c.text}}\n"
    )
    assert sources(plan, "a") == sources(plan, "b") == {"text": [(Task("c"), "text")]}
    assert dict(plan.nodes["c"].outputs) == {"": "text", "text": "text", "count": "scores"}


def test_stems_are_wired_by_name(steps, complaint):
    plan = steps(
        "  h: {uses: separator/halves, in: {audio: sound}}\n  d: {uses: effect/downmix, in: {audio: h.left}}\n"
    )
    assert sources(plan, "d") == {"audio": [(Task("h"), "left")]}
    assert complaint(
        "  h: {uses: separator/halves, in: {audio: sound}}\n  d: {uses: effect/downmix, in: {audio: h.lfet}}\n"
    ) == ['step "d": port "audio": h has no output "lfet". h gives left, right. Did you mean "left"?']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: {uses: joiner/shot, in: {text: w}}",
            'step "a": no plugin joiner/shot is installed. Did you mean "joiner/shout"?',
        ),
        ("a: {uses: codec/text}", 'step "a": codec/text is used by other plugins and cannot be a step'),
        (
            "a: {uses: preset/louder}",
            'step "a": preset/louder is no plugin that does something and cannot be a step',
        ),
        (
            "a: {uses: joiner/needy, in: {text: w}}",
            'step "a": joiner/needy needs the program ripieno-bench-no-such-program. Run: pip install no-such-program',
        ),
        ("a: {uses: joiner/shout}", 'step "a": port "text" takes text and is not wired'),
        (
            "a: {uses: joiner/shout, in: {txt: w}}",
            'step "a": unknown port "txt". joiner/shout takes text. Did you mean "text"?',
        ),
        ("a: {uses: joiner/shout, in: {text: ww}}", 'step "a": port "text": there is no input or step "ww"'),
        (
            "a: {uses: joiner/shout, in: {text: soudn}}",
            'step "a": port "text": there is no input or step "soudn". Did you mean "sound"?',
        ),
        ("a: {uses: joiner/shout, in: {text: sound}}", 'step "a": port "text" takes text, sound is audio'),
        (
            "a: {uses: joiner/shout, in: {text: one.x}}",
            'step "a": port "text": one has no output "x". one gives one result: write one',
        ),
        ("a: {uses: joiner/shout, in: {text: [w]}}", 'step "a": port "text" takes one text'),
        ("a: {uses: joiner/concat, in: {texts: {x: w}}}", 'step "a": port "texts" takes a list of text'),
        ("a: {uses: joiner/table, in: {texts: [w]}}", 'step "a": port "texts" takes a map of text'),
        ("w: {uses: joiner/shout, in: {text: one}}", '"w" is an input already: give the step another name'),
        (
            "a: {uses: joiner/shout, in: {text: w}, with: {mrak: x}}",
            'step "a": mrak: unknown setting. joiner/shout takes mark, times. Did you mean "mark"?',
        ),
        (
            "a: {uses: joiner/concat, in: {texts: w}, with: {mark: x}}",
            'step "a": mark: unknown setting. joiner/concat has no settings',
        ),
        (
            "a: {uses: joiner/shout, in: {text: w}, with: {times: 0}}",
            'step "a": times: input should be greater than or equal to 1, got 0',
        ),
        (
            "a: {uses: joiner/nested, in: {text: w}, with: {points: [{x: 1}, {x: n}]}}",
            "step \"a\": points.1.x: input should be a valid number, unable to parse string as a number, got 'n'",
        ),
        (
            "a: {uses: joiner/inner, in: {text: w}, with: {inner: joiner/nun}}",
            'step "a": inner: no plugin joiner/nun is installed',
        ),
        (
            "a: {uses: joiner/inner, in: {text: w}, with: {inner: {uses: joiner/shout, with: {times: 0}}}}",
            'step "a": inner.with.times: input should be greater than or equal to 1, got 0',
        ),
        (
            "a: {uses: joiner/weighted, in: {text: w}, with: {weights: far}}",
            'step "a": weights: asset far: not downloaded (7 bytes, CC0-1.0). Run: core models get far',
        ),
        ("a: {uses: joiner/shout, in: {text: a}}", "the steps take from each other in a circle: a → a"),
        (
            "a: {uses: joiner/shout, in: {text: b}}\n  b: {uses: joiner/shout, in: {text: a}}",
            "the steps take from each other in a circle: a → b → a",
        ),
    ],
    ids=lambda value: value[:60],
)
def test_what_cannot_be_done_is_said_beforehand(complaint, text, message):
    assert [line for line in complaint(f"  {text}\n") if line.startswith(message)] == complaint(f"  {text}\n")


def test_a_result_of_the_wrong_kind_is_answered_with_one_that_fits(complaint):
    assert complaint(
        "  h: {uses: separator/halves, in: {audio: sound}}\n  d: {uses: effect/downmix, in: {audio: h}}\n"
    ) == ['step "d": port "audio" takes audio, h is stems. Take h.left or h.right']


def test_a_gpu_that_is_not_there_is_said_beforehand(complaint):
    if plans.has_gpu():
        pytest.skip("this machine has a GPU")
    (line,) = complaint("  a: {uses: joiner/accelerated, in: {text: w}}\n")
    assert line == 'step "a": joiner/accelerated needs a GPU, and this machine has none that is set up'
    assert plans.has_gpu() == (shutil.which("nvidia-smi") is not None)


def test_all_problems_are_said_at_once_and_each_where_it_stands(steps):
    with pytest.raises(PipelineError) as caught:
        steps(
            "  a: {uses: joiner/nun}\n"
            "  b: {uses: joiner/shout, in: {text: a}, with: {x: 1, y: 2}}\n"
            "  c: {uses: joiner/shout, in: {text: b}}\n"
            "outputs: {c: /abs.txt, d: d.txt, w: w.txt}\n"
        )
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "pipeline.yaml:9:13:",
        "pipeline.yaml:10:49:",
        "pipeline.yaml:10:55:",
        "pipeline.yaml:12:27:",
        "pipeline.yaml:12:37:",
    ]
    assert len({line.partition(" ")[2] for line in lines}) == len(lines)


def test_steps_come_after_what_they_take_however_they_are_written(steps):
    plan = steps(
        """
  d: {uses: joiner/pair, in: {left: b, right: c}}
  c: {uses: joiner/pair, in: {left: a, right: b}}
  b: {uses: joiner/shout, in: {text: a}}
  a: {uses: joiner/shout, in: {text: one}}
"""
    )
    assert list(plan.nodes) == ["one", "a", "b", "c", "d"]


@settings(max_examples=40)
@given(st.data())
def test_every_graph_without_circles_is_put_in_order(tmp_path_factory, site, data):
    folder = tmp_path_factory.mktemp("graph")
    (folder / "one.txt").write_text("x", encoding="utf-8")
    count = data.draw(st.integers(1, 8))
    wires = {
        f"s{n}": data.draw(st.lists(st.sampled_from([f"s{m}" for m in range(n)] or ["one"]), max_size=3))
        for n in range(count)
    }
    text = "ripieno: 1\ninputs: {one: {kind: text, path: one.txt}}\nsteps:\n"
    for name in data.draw(st.permutations(list(wires))):
        text += f"  {name}: {{uses: joiner/concat, in: {{texts: [{', '.join(wires[name])}]}}}}\n"
    plan = make_plan(Pipeline.parse(text, folder=folder), Registry(cache=folder))
    place = {name: index for index, name in enumerate(plan.nodes)}
    assert all(place[ref.node] < place[name] for name, node in plan.nodes.items() for ref in node.refs)
    assert set(wires) <= set(place)


def test_only_what_is_wanted_is_planned(steps, complaint):
    text = """
  a: {uses: joiner/shout, in: {text: one}}
  b: {uses: joiner/shout, in: {text: a}}
  c: {uses: joiner/none, in: {text: b}}
outputs: {a: a.txt, b: b.txt, c: c.txt}
"""
    assert list(steps(text, only=["b"]).nodes) == ["one", "a", "b", "output b"]
    with pytest.raises(PipelineError, match=r"^no step 'bb'. Steps: a, b, c. Did you mean \"b\"\?$"):
        steps(text, only=["bb"])


def test_what_comes_after_a_step_is_found(steps):
    plan = steps(
        "  a: {uses: joiner/shout, in: {text: one}}\n  b: {uses: joiner/shout, in: {text: a}}\n"
        "  c: {uses: joiner/shout, in: {text: one}}\noutputs: {b: b.txt}\n"
    )
    assert plan.downstream(["a"]) == {"a", "b", "output b"}


def test_adapters_stand_in_the_graph_once_and_are_shared(steps):
    plan = steps(
        "  p: {uses: effect/phone, in: {audio: sound}}\n  q: {uses: effect/phone, in: {audio: sound}}\n"
        "  r: {uses: effect/radio, in: {audio: sound}}\n"
    )
    adapters = {name: node for name, node in plan.nodes.items() if node.role == "adapter"}
    assert list(adapters) == ["sound@1ch", "sound@1ch@8000Hz", "sound@1ch@8000Hz-live"]
    assert adapters["sound@1ch"].refs == (Ref("sound"),)
    assert adapters["sound@1ch@8000Hz"].refs == (Ref("sound@1ch"),)
    assert plan.nodes["p"].refs == plan.nodes["q"].refs == (Ref("sound@1ch@8000Hz"),)
    assert plan.nodes["r"].refs == (Ref("sound@1ch@8000Hz-live"),)
    settings = {name: dict(node.configured.config) for name, node in adapters.items()}
    assert settings["sound@1ch"] == {"channels": 1}
    assert settings["sound@1ch@8000Hz"] == {"rate_hz": 8000, "streaming": False}
    assert settings["sound@1ch@8000Hz-live"] == {"rate_hz": 8000, "streaming": True}


def test_adapters_that_are_not_installed_are_named(steps, complaint, monkeypatch):
    real = Registry.describe

    def without(self, uses):
        return real(self, uses.replace("effect/resample", "effect/resampel"))

    monkeypatch.setattr(Registry, "describe", without)
    (line,) = complaint("  p: {uses: effect/phone, in: {audio: sound}}\n")
    assert line.startswith(
        'step "p": effect/phone needs its audio adapted: no plugin effect/resampel is installed'
    )


def test_inputs_that_are_wrong_are_named_where_they_stand(planned, write):
    write("mixed/a.txt")
    write("mixed/b.md")
    write("mixed/c.words")
    inputs = {
        "gone": ("text, path: gone.txt", "input 'gone': no file"),
        "kind": ("txt, path: one.txt", "nothing installed reads or writes txt as .txt"),
        "suffix": (
            "text, path: s.numbers",
            "nothing installed reads or writes text as .numbers. There is: .md, .txt, .words",
        ),
        "open": ("text", "input 'open' has no path. Give one: --input open=PATH"),
        "mixed": ("text, path: mixed/*", "files of one input need one codec: codec/text, codec/words"),
    }
    text = "inputs:\n" + "".join(f"  {name}: {{kind: {said}}}\n" for name, (said, _) in inputs.items())
    text += "steps: {a: {uses: joiner/concat, in: {texts: [gone, kind, suffix, open, mixed]}}}\n"
    with pytest.raises(PipelineError) as caught:
        planned(text)
    lines = str(caught.value).splitlines()
    # The first that is wrong ends the port.
    assert len(lines) == 1
    for number, (name, (said, message)) in enumerate(inputs.items()):
        with pytest.raises(PipelineError) as caught:
            planned(
                f"inputs: {{{name}: {{kind: {said}}}}}\nsteps: {{a: {{uses: joiner/concat, in: {{texts: {name}}}}}}}"
            )
        assert message in str(caught.value), number
        assert str(caught.value).startswith(f"pipeline.yaml:2:{len(name) + 12}: ")


def test_a_folder_is_read_by_the_codec_of_folders(planned, write):
    write("b/x.txt", "x")
    with pytest.raises(PipelineError, match="nothing installed reads or writes text as a folder"):
        planned("inputs: {b: {kind: text, path: b}}\nsteps: {a: {uses: joiner/concat, in: {texts: b}}}")


@pytest.mark.parametrize(
    ("pattern", "many", "message"),
    [
        ("films/{item}.mp4", True, ""),
        ("film.mp4", False, ""),
        ("a/b..c.mp4", False, ""),
        ("/film.mp4", False, "leaves the run folder"),
        ("C:/film.mp4", False, "leaves the run folder"),
        ("..\\film.mp4", False, "leaves the run folder"),
        ("a/../../film.mp4", False, "leaves the run folder"),
        (".", False, "is no file name"),
        ("a\0.mp4", False, "is no file name"),
        ("Manifest.json", False, "is the run's own file"),
        ("report.html", False, "is the run's own file"),
        ("film.mp4", True, "would be written once for every item"),
        ("{item}.mp4", False, "but there is only one"),
    ],
)
def test_an_output_is_a_path_in_the_run_folder(pattern, many, message):
    found = pattern_problem(pattern, many=many)
    assert message in found
    assert bool(found) == bool(message)


def test_outputs_are_written_by_the_codec_of_their_suffix(steps):
    plan = steps(
        "  c: {uses: joiner/counted, in: {text: w}}\n"
        "outputs: {c: 't/{item}.TXT', c.count: 't/{item}.json', one: one.md}\n"
    )
    outputs = {node.pattern: node for node in plan.nodes.values() if node.role == "output"}
    assert {pattern: node.uses for pattern, node in outputs.items()} == {
        "t/{item}.TXT": "codec/text", "t/{item}.json": "codec/scores", "one.md": "codec/text",
    }  # fmt: skip
    assert {node.reference for node in outputs.values()} == {"c", "c.count", "one"}
    assert all(plan.nodes[f"output {node.reference}"] is node for node in outputs.values())
    assert plan.target(Task("output c", ("b",))) == "t/b.TXT"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            "{a: '{item}.wav'}",
            'output "a": nothing installed reads or writes text as .wav. There is: .md, .txt, .words',
        ),
        ("{a: a.txt}", 'output "a": a.txt would be written once for every item. Put {item} into it'),
        ("{b: b.txt}", 'output: there is no input or step "b"'),
        ("{a.x: '{item}.txt'}", 'output: a has no output "x". a gives one result: write a'),
        ("{a: '{item}.txt', w: '{item}.TXT'}", "two outputs are written to a.txt"),
    ],
)
def test_outputs_that_cannot_be_written_are_named(complaint, outputs, message):
    assert complaint(f"  a: {{uses: joiner/shout, in: {{text: w}}}}\noutputs: {outputs}\n") == [message]


LEAVES = """
  leaf: {uses: joiner/leaf, in: {text: %s}, with: {marked: %s}}
  book: {uses: joiner/bound, in: {texts: leaf}}
outputs: {leaf: 'leaves/{item}.%s', book: book.%s}
"""


def test_a_file_that_cannot_hold_what_a_step_makes_is_refused_beforehand(steps, complaint):
    for marked, leaf, book in (("true", "md", "MD"), ("false", "words", "txt")):
        steps(LEAVES % ("w", marked, leaf, book))
    assert complaint(LEAVES % ("w", "true", "txt", "md")) == [
        'output "leaf": leaves/{item}.txt cannot hold what leaf makes with these settings. Write leaves/{item}.md'
    ]
    assert complaint(LEAVES % ("w", "false", "txt", "md")) == [
        'output "book": book.md cannot hold what book makes with these settings. Write book.txt'
    ]


def test_what_is_made_of_nothing_may_stand_in_any_file_of_its_kind(steps):
    steps("  book: {uses: joiner/bound, in: {texts: []}}\noutputs: {book: book.md}\n")


def test_settings_of_an_item_must_fit_the_files_of_all(planned, write):
    write("list.json", json.dumps([{"src": "w/a.txt", "with": {"leaf": {"marked": True}}}]))
    text = "inputs: {l: {kind: text, items: list.json}}\nsteps:"
    planned(text + LEAVES % ("l", "true", "md", "md"))
    with pytest.raises(PipelineError) as caught:
        planned(text + LEAVES % ("l", "false", "txt", "txt"))
    assert str(caught.value).partition("list.json:")[2] == (
        "1:38: item 'w/a': with.leaf: leaves/{item}.txt cannot hold what leaf makes with these settings, "
        "but a .md could. All items need such settings, or none"
    )


def test_items_bring_settings_and_facts(planned, write):
    rows = [{"src": "w/a.txt", "title": "A", "with": {"a": {"mark": "?"}}}, {"src": "w/b.txt"}]
    write("list.json", json.dumps(rows))
    plan = planned(
        "inputs: {l: {kind: text, items: list.json}}\nsteps: {a: {uses: joiner/shout, in: {text: l}, with: {times: 2}}}"
    )
    assert plan.settings_of(Task("a", ("w/a",))) == {"times": 2, "mark": "?"}
    assert plan.settings_of(Task("a", ("w/b",))) == {"times": 2}
    assert plan.facts_of(Task("a", ("w/a",))) == {"src": "w/a.txt", "title": "A"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"b": {}}, "1:30: item 'w/a': with.b: there is no such step"),
        ({"a": {"times": 0}}, "1:45: item 'w/a': with.a: times: input should be greater"),
        ({"a": {"tims": 0}}, "1:36: item 'w/a': with.a: tims: unknown setting. joiner/shout takes"),
    ],
)
def test_settings_of_items_are_checked_beforehand(planned, write, settings, message):
    write("list.json", json.dumps([{"src": "w/a.txt", "with": settings}]))
    with pytest.raises(PipelineError) as caught:
        planned(
            "inputs: {l: {kind: text, items: list.json}}\nsteps: {a: {uses: joiner/shout, in: {text: l}}}"
        )
    assert str(caught.value).partition("list.json:")[2].startswith(message)


def test_a_timeout_is_the_steps_own(steps):
    plan = steps("  a: {uses: joiner/shout, in: {text: one}, timeout: 1.5}\n")
    assert (plan.nodes["a"].timeout_s, plan.nodes["one"].timeout_s) == (1.5, None)


@pytest.mark.parametrize(
    ("steps_text", "message"),
    [
        (
            "a: {uses: joiner/hobby, in: {text: one}}",
            'step "a": the licence CC-BY-NC-4.0 of A. Researcher excludes',
        ),
        (
            "a: {uses: joiner/weighted, in: {text: one}, with: {weights: hobby}}",
            'step "a": the licence CC-BY-NC-4.0 of package:ripieno_bench/weights.bin excludes',
        ),
        (
            "a: {uses: joiner/borrowed, in: {text: one}, with: {lender: A. Friend}}",
            'step "a": the licence CC-BY-NC-4.0 of A. Friend excludes',
        ),
        (
            "a: {uses: joiner/sampled, in: {text: one}}",
            'step "a": the licence CC-BY-NC-4.0 of A. Harpist excludes',
        ),
        (
            "a: {uses: joiner/inner, in: {text: one}, with: {inner: joiner/hobby}}",
            'step "a": the licence CC-BY-NC-4.0 of A. Researcher excludes',
        ),
        (
            "a: {uses: joiner/shout, in: {text: nc}}",
            'input "nc": the licence CC-BY-NC-SA-4.0 of Somebody excludes',
        ),
        (
            "a: {uses: joiner/shout, in: {text: unsaid}}",
            'input "unsaid": the licence not stated of one.txt excludes',
        ),
    ],
)
def test_a_commercial_run_refuses_what_excludes_commercial_use(planned, steps_text, message):
    text = f"""
inputs:
  one: {{kind: text, path: one.txt, licence: CC0-1.0}}
  nc: {{kind: text, path: one.txt, licence: CC-BY-NC-SA-4.0, credit: Somebody, commercial: false}}
  unsaid: {{kind: text, path: one.txt, commercial: false}}
steps:
  {steps_text}
"""
    planned(text)
    with pytest.raises(PipelineError) as caught:
        planned(f"commercial: true\n{text}")
    (line,) = str(caught.value).splitlines()
    assert message in line
    assert line.endswith("commercial use. Use something else, or take commercial: true out of the pipeline")


def test_a_commercial_run_refuses_what_an_item_brings_by_its_settings(planned, write):
    rows = [{"src": "w/a.txt", "with": {"a": {"lender": "A. Friend"}}}, {"src": "w/b.txt", "with": {"b": {}}}]
    write("list.json", json.dumps(rows))
    text = """
inputs: {l: {kind: text, items: list.json}}
steps: {a: {uses: joiner/borrowed, in: {text: l}}, b: {uses: joiner/hobby, in: {text: l}}}
"""
    planned(text)
    with pytest.raises(PipelineError) as caught:
        planned(f"commercial: true\n{text}")
    of_the_step, of_the_item = str(caught.value).splitlines()
    assert 'step "b": the licence CC-BY-NC-4.0 of A. Researcher excludes' in of_the_step
    assert of_the_item.partition("list.json:")[2].startswith(
        "1:35: item 'w/a': with.a: the licence CC-BY-NC-4.0 of A. Friend excludes"
    )


def test_a_commercial_run_takes_what_allows_it(planned):
    planned(
        "commercial: true\ninputs: {one: {kind: text, path: one.txt, licence: CC0-1.0}}\n"
        "steps: {a: {uses: joiner/weighted, in: {text: one}}, b: {uses: joiner/inner, in: {text: a}},"
        " c: {uses: joiner/borrowed, in: {text: b}}}"
    )
