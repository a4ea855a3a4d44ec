"""What is wrong with a pipeline is said before anything runs: in one line, with its place and what to do."""

import textwrap
from pathlib import Path

import pytest

from ripieno.contracts.errors import RipienoError
from ripieno.core import Pipeline
from ripieno.core.document import parse_value
from ripieno.core.planner import make_plan
from ripieno.registry import Registry

HEAD = "ripieno: 1\ninputs:\n  word: {kind: text, path: word.txt}\n  words: {kind: text, path: words/*.txt}\n"


@pytest.fixture
def check(tmp_path, site, warm_store, monkeypatch):
    """Check a pipeline; its messages, without the folder."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words").mkdir()
    for name in ("word.txt", "words/a.txt", "words/b.txt"):
        (tmp_path / name).write_text("word", encoding="utf-8")

    def messages(text: str, *, only: tuple[str, ...] = (), **inputs: str) -> list[str]:
        Path("p.yaml").write_text(text, encoding="utf-8")
        try:
            pipeline = Pipeline.load("p.yaml").with_inputs(inputs)
            make_plan(pipeline, Registry(allow=pipeline.allow, cache=warm_store), only=only)
        except RipienoError as error:
            return str(error).splitlines()
        return []

    return messages


def steps(text: str, more: str = "") -> str:
    return HEAD + "steps:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "  ") + "\n" + more


SHOUT = "loud: {uses: joiner/shout, in: {text: word}}"


def test_a_right_pipeline_has_no_problems(check):
    assert check(steps(SHOUT, "outputs: {loud: loud.txt}")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "loud: {uses: joiner/shoot, in: {text: word}}",
            'p.yaml:6:16: step "loud": no plugin joiner/shoot is',
        ),
        ("loud: {uses: joiner/shoot, in: {text: word}}", 'Did you mean "joiner/shout"?'),
        ("loud: {uses: joiner/shout, in: {txt: word}}", 'p.yaml:6:35: step "loud": unknown port "txt".'),
        ("loud: {uses: joiner/shout, in: {txt: word}}", 'joiner/shout takes text. Did you mean "text"?'),
        ("loud: {uses: joiner/shout}", 'p.yaml:6:9: step "loud": port "text" takes text and is not wired'),
        ("loud: {uses: joiner/shout, in: {text: wrd}}", 'p.yaml:6:41: step "loud": port "text": there is no'),
        ("loud: {uses: joiner/shout, in: {text: wrd}}", 'Did you mean "word"?'),
        (
            "loud: {uses: joiner/shout, in: {text: word}, with: {marc: x}}",
            'p.yaml:6:55: step "loud": marc: unk',
        ),
        ("loud: {uses: joiner/shout, in: {text: word}, with: {marc: x}}", 'takes mark. Did you mean "mark"?'),
        ("loud: {uses: joiner/shout, in: {text: word}, with: {mark: 3}}", 'p.yaml:6:61: step "loud": mark: '),
        ("loud: {usse: joiner/shout, in: {text: word}}", 'p.yaml:6:10: unknown key "usse".'),
        ("loud: {usse: joiner/shout, in: {text: word}}", 'Did you mean "uses"?'),
        (
            "loud: {uses: joiner/shout, in: {text: [word]}}",
            'p.yaml:6:41: step "loud": port "text" takes one text',
        ),
        ("loud: {uses: joiner/gather, in: {texts: {a: word}}}", 'port "texts" takes a list of text'),
        ("loud: {uses: joiner/table, in: {texts: [word]}}", 'port "texts" takes a map of text'),
        (
            "loud: {uses: effect/gain, in: {audio: word}}",
            'p.yaml:6:41: step "loud": port "audio" takes audio, wor',
        ),
        ("word: {uses: joiner/shout, in: {text: words}}", 'p.yaml:6:3: "word" is an input already'),
        (
            "loud: {uses: codec/text, in: {text: word}}",
            "codec/text is used by other plugins and cannot be a step",
        ),
        (
            "loud: {uses: recipe/greeting}",
            'p.yaml:6:16: step "loud": recipe/greeting is no plugin that does something',
        ),
        (
            "loud: {uses: joiner/shout, in: {text: word.text}}",
            'word has no output "text". word gives one result',
        ),
        (
            "count: {uses: joiner/counted, in: {text: word}}\nloud: {uses: joiner/shout, in: {text: count.count}}",
            'p.yaml:7:41: step "loud": port "text" takes text, count.count is scores. Take count.text',
        ),
        (
            "count: {uses: joiner/counted, in: {text: word}}\nloud: {uses: joiner/shout, in: {text: count.txt}}",
            'count has no output "txt". count gives text, count. Did you mean "text"?',
        ),
        (
            "a: {uses: joiner/shout, in: {text: b}}\nb: {uses: joiner/shout, in: {text: a}}",
            "the steps take from each other in a circle: ",
        ),
        (
            "a: {uses: joiner/shout, in: {text: a}}",
            "p.yaml:6:3: the steps take from each other in a circle: a → a",
        ),
        (
            "loud: {uses: joiner/inner, in: {text: word}, with: {inner: {uses: joiner/shoot}}}",
            'p.yaml:6:62: step "loud": inner: no plugin joiner/shoot is installed. Did you mean "joiner/shout"?',
        ),
        (
            "loud: {uses: joiner/inner, in: {text: word}, with: {inner: {uses: shout, with: {marc: x}}}}",
            'p.yaml:6:83: step "loud": inner.with.marc: unknown setting. '
            'joiner/shout takes mark. Did you mean "mark"?',
        ),
        (
            "loud: {uses: joiner/inner, in: {text: word}, with: {inner: {with: {marc: x}}}}",
            'p.yaml:6:70: step "loud": inner.with.marc: unknown setting. '
            'joiner/shout takes mark. Did you mean "mark"?',
        ),
        (
            "loud: {uses: joiner/inner, in: {text: word}, with: {inner: effect/gain}}",
            'p.yaml:6:62: step "loud": inner',
        ),
    ],
)
def test_a_wrong_step_is_one_line_with_its_place_and_a_cure(check, text, message):
    (line,) = check(steps(text))
    assert message in line and line.startswith("p.yaml:")


def test_all_problems_are_said_at_once(check):
    lines = check(steps("a: {uses: joiner/shoot}\nb: {uses: joiner/shout, in: {txt: word}}"))
    assert [line.partition(": ")[0] for line in lines] == ["p.yaml:6:13", "p.yaml:7:32"]


@pytest.mark.parametrize(
    "pattern",
    [
        "../out.txt",
        "/out.txt",
        "a/../../out.txt",
        "C:/out.txt",
        "C:out.txt",
        "a\\\\b.txt",
        "//host/out.txt",
    ],
)
def test_an_output_cannot_leave_the_run_folder(check, pattern):
    (line,) = check(steps(SHOUT, f'outputs: {{loud: "{pattern}"}}'))
    assert line.startswith("p.yaml:7:17: ") and "leaves the run folder" in line


@pytest.mark.parametrize(
    "pattern", ["manifest.json", "report.html", "./manifest.json", "report.html/x.txt", "."]
)
def test_an_output_cannot_take_the_place_of_the_run_s_own_files(check, pattern):
    (line,) = check(steps(SHOUT, f'outputs: {{loud: "{pattern}"}}'))
    assert line.startswith("p.yaml:7:17: ")


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ("{loud: loud.txt}", "would be written once for every item. Put {item} into it"),
        ("{loud: '{item}.xyz'}", "nothing installed reads or writes text as .xyz. There is: .md, .txt"),
        ("{lod: '{item}.txt'}", 'there is no input or step "lod". Did you mean "loud"?'),
    ],
)
def test_a_wrong_output_of_a_list_is_one_line(check, outputs, message):
    (line,) = check(steps("loud: {uses: joiner/shout, in: {text: words}}", f"outputs: {outputs}"))
    assert message in line and line.startswith("p.yaml:7:")


def test_two_outputs_in_one_place_are_refused(check):
    text = f"{SHOUT}\nagain: {{uses: joiner/shout, in: {{text: loud}}}}"
    (line,) = check(steps(text, "outputs: {loud: A.txt, again: a.txt}"))
    assert "two outputs are written to a.txt" in line


def test_two_lists_meet_only_where_it_is_said(check):
    lists = "  a: {kind: text, path: words/*.txt}\n  b: {kind: text, path: words/*.txt}\n"
    text = f"inputs:\n{lists}steps:\n  p: {{uses: joiner/pair, in: {{left: a, right: b}}CROSS}}\n"
    (line,) = check("ripieno: 1\n" + text.replace("CROSS", ""))
    assert line.startswith('p.yaml:6:3: step "p" takes from the lists a and b: say cross: true')
    assert check("ripieno: 1\n" + text.replace("CROSS", ", cross: true")) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"word": "absent.txt"}, "no file absent.txt"),
        ({"words": "absent/*.txt"}, "no file matches absent/*.txt"),
        ({"wrd": "word.txt"}, "no input 'wrd'. Inputs: word, words. Did you mean \"word\"?"),
        ({"word": "p.yaml"}, "nothing installed reads or writes text as .yaml"),
        ({"words.items": "absent.json"}, "absent.json"),
    ],
)
def test_a_wrong_input_is_one_line(check, given, message):
    text = steps(
        "loud: {uses: joiner/shout, in: {text: word}}\nall: {uses: joiner/gather, in: {texts: words}}"
    )
    (line,) = check(text, **given)
    # What was given on the command line is not blamed on the file.
    ((name, path),) = given.items()
    place = "p.yaml:" if name == "wrd" else f"--input {name.removesuffix('.items')}={path}: "
    assert message in line and line.startswith(place)


def test_a_misspelled_step_to_do_is_said(check):
    assert check(steps(SHOUT), only=("lod",)) == ["no step 'lod'. Steps: loud. Did you mean \"loud\"?"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.yaml:1:1: the pipeline is empty"),
        ("a: [", "p.yaml:2:1: not YAML"),
        ("- 1", "p.yaml:1:1: the pipeline is a list, expected a map"),
        ("ripieno: 2\nsteps: {a: {uses: joiner/shout}}", "p.yaml:1:10: ripieno is 2, expected 1"),
        ("ripieno: 1\nsteps: {}", "p.yaml:2:8: steps is empty"),
        ("ripieno: 1\nsteps: {a: {uses: !!str joiner/shout}}", "p.yaml:2:19: the tag"),
        ("ripieno: 1\nsteps: !!map {a: {uses: joiner/shout}}", "p.yaml:2:8: the tag"),
        ("ripieno: 1\nname: !!python/object/apply:os.system [ls]", "p.yaml:2:7: the tag"),
        ("ripieno: 1\nsteps: {a: &x {uses: joiner/shout}, b: *x}", "p.yaml:2:12: anchors and aliases"),
        ("ripieno: 1\nripieno: 1", 'p.yaml:2:1: the key "ripieno" stands twice'),
        ("ripieno: 1\nsteps: {a: {<<: {uses: joiner/shout}}}", "p.yaml:2:13: merge keys are not allowed"),
        ("ripieno: 1\nname: " + "[" * 5000, "levels deep"),
        ("ripieno: 1\nname: " + "9" * 5000, "a whole number of more than 40 digits"),
        ("ripieno: 1\nseed: 1e999", "1e999 is not a finite number"),
        ("ripieno: 1\n---\nripieno: 1", "a second document"),
        ("ripieno: 1\nname: a\x00b", "not YAML"),
        ("ripieno: 1\n? [a]\n: b", "p.yaml:2:3: a key must be plain text"),
        ("ripieno: 1\ninput: {}\nsteps: {a: {uses: joiner/shout}}", 'unknown key "input".'),
        (
            "ripieno: 1\nseed: on\nsteps: {a: {uses: joiner/dice}}",
            'p.yaml:2:7: seed is "on", expected a whole',
        ),
        (
            "ripieno: 1\nseed: -1\nsteps: {a: {uses: joiner/dice}}",
            "p.yaml:2:7: seed is -1, expected at least 0",
        ),
        ("ripieno: 1\nsteps: {a: {uses: joiner/dice, timeout: 0}}", "expected more than 0"),
    ],
)
def test_what_is_no_pipeline_file_is_one_line(check, text, message):
    lines = check(text)
    assert any(message in line for line in lines) and all(line.startswith("p.yaml:") for line in lines)


def test_an_alias_bomb_is_refused_at_its_first_anchor(check):
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    assert check(bomb) == ["p.yaml:1:5: anchors and aliases are not allowed: write the value out"]


def test_a_file_that_is_no_text_is_one_line(check, tmp_path):
    (tmp_path / "noise.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(RipienoError, match="not UTF-8"):
        Pipeline.load(tmp_path / "noise.yaml")


def test_a_chain_of_a_thousand_steps_is_planned(check):
    chain = "\n".join(
        f"s{i}: {{uses: joiner/shout, in: {{text: {f's{i - 1}' if i else 'word'}}}}}" for i in range(1000)
    )
    assert check(steps(chain)) == []


def test_plugins_outside_the_allow_list_are_refused(check):
    (line,) = check(steps(SHOUT, "plugins: {allow: [ripieno-media]}"))
    assert line.startswith('p.yaml:6:16: step "loud": joiner/shout') and "is not allowed" in line
    assert check(steps(SHOUT, "plugins: {allow: [ripieno-testing-plugins]}")) == []


def test_settings_of_single_items_are_checked_too(check, tmp_path):
    (tmp_path / "list.json").write_text(
        '[{"src": "word.txt", "with": {"loud": {"marc": "?"}, "lod": {}}}]', encoding="utf-8"
    )
    lines = check(steps("loud: {uses: joiner/shout, in: {text: words}}"), **{"words.items": "list.json"})
    assert len(lines) == 2
    assert "with.loud: marc: unknown setting" in lines[0]
    assert 'with.lod: there is no such step. Did you mean "loud"?' in lines[1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[1 2", "2:1: not JSON"),
        ("{}", "expected a list of items"),
        ('[{"src": "word.txt", "titel": "A"}]', '1:22: item 1: unknown field "titel". Did you mean "title"?'),
        ("[{}]", "item 1 has no `src`"),
        ('[{"src": "../"}]', "lies outside the list's folder"),
        ('[{"src": "/etc/hostname"}]', "lies outside the list's folder"),
        ('[{"src": "absent.txt"}]', "no file absent.txt"),
        ('[{"src": "word.txt"}, {"src": "word.txt"}]', "item 2 is called 'word', as item 1 is"),
        (
            '[{"src": "word.txt", "with": {"loud": 3}}]',
            '`with` is {"loud": 3}, expected {step: {key: value}}',
        ),
    ],
)
def test_a_wrong_list_of_items_is_one_line(check, tmp_path, rows, message):
    (tmp_path / "list.json").write_text(rows, encoding="utf-8")
    (line,) = check(steps("loud: {uses: joiner/shout, in: {text: words}}"), **{"words.items": "list.json"})
    assert message in line and line.startswith("list.json:")


@pytest.mark.parametrize("sign", ["?", "#fff", "*", "&a", "@", "%", "|", ": ", "- ", "!x", "a: b", "on", ""])
def test_a_setting_on_the_command_line_may_hold_any_sign(sign):
    assert parse_value(sign, name="--set loud.mark") == (sign or None)


def test_a_setting_on_the_command_line_is_a_value_as_in_a_file():
    given = ["1", "1e-3", "true", "[1, a]", "{a: 1}", "'1'"]
    assert [parse_value(text, name="x") for text in given] == [1, 0.001, True, [1, "a"], {"a": 1}, "1"]
    with pytest.raises(RipienoError, match=r"^--set a\.b: 1e999 is not a finite number$"):
        parse_value("1e999", name="--set a.b")


def test_what_takes_from_a_wrong_step_is_not_wrong_too(check):
    shout = "{uses: joiner/shout, in: {text: SOURCE}}"
    text = "\n".join(["a: {uses: joiner/shoot, in: {text: words}}", f"b: {shout}", f"c: {shout}"]).replace(
        "SOURCE", "a"
    )
    assert len(check(steps(text, "outputs: {c: '{item}.txt'}"))) == 1
