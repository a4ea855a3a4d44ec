"""The subcommands: what they print, and how they end."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ripieno.contracts import Host
from ripieno.contracts.errors import ConfigError, PipelineError, StepError
from ripieno.core import doctor
from ripieno.core.cli import COMMANDS, core
from ripieno.core.cli.runs import age_s
from ripieno.core.host import CoreHost
from ripieno.core.manifest import NAME
from ripieno.core.schema import pipeline_schema
from ripieno.core.store import Store
from ripieno.core.threads import ONE_THREAD, is_pinned, pin
from ripieno.registry import Registry

PIPELINE = """ripieno: 1
name: words
inputs:
  w: {kind: text, path: 'w/*.txt'}
steps:
  loud: {uses: joiner/shout, in: {text: w}}
  bad: {uses: joiner/faulty, in: {text: loud}}
outputs: {loud: '{item}.txt'}
"""


@pytest.fixture
def file(write, store):
    for name in "ab":
        write(f"w/{name}.txt", name)
    return write("p.yaml", PIPELINE)


@pytest.fixture
def invoke(store, tmp_path, monkeypatch):
    """Call a subcommand in the folder of the test; an exit status that is not expected fails."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, code=0):
        done = CliRunner().invoke(core, [str(one) for one in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done

    return invoke


@pytest.fixture
def command(store, tmp_path):
    """The command in a process of its own: status, output, messages."""

    def command(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", "from ripieno.core.cli import main; main()", *map(str, arguments)],
            cwd=tmp_path, env={**os.environ, "RIPIENO_STORE": str(store.folder)}, capture_output=True,
            encoding="utf-8", check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return command


def test_help_lists_every_command_those_of_plugins_too(invoke):
    shown = invoke("--help").stdout
    assert all(f"  {name} " in shown and text in shown for name, text in COMMANDS.items())
    assert "See: core hello --help" in shown
    assert invoke("--version").stdout.startswith("core ")
    for name in COMMANDS:
        assert invoke(name, "--help").stdout.startswith("Usage: ")


def test_an_unknown_command_is_answered_with_the_one_that_was_meant(invoke):
    assert "No such command 'rnu'. Did you mean \"run\"?" in invoke("rnu", code=2).stderr
    assert "No such command 'zzzz'." in invoke("zzzz", code=2).stderr


def test_run_prints_where_the_report_is(invoke, file):
    done = invoke("run", file, "--jobs", 1)
    assert done.stdout.strip().endswith("report.html")
    assert "loud [a]: joiner/shout" in done.stderr


def test_run_with_json_prints_events_alone(invoke, file):
    events = [json.loads(line) for line in invoke("run", file, "--json", "--jobs", 1).stdout.splitlines()]
    assert (events[0]["event"], events[-1]["event"], events[-1]["ok"]) == (
        "run_started",
        "run_finished",
        True,
    )


def test_run_takes_settings_inputs_and_a_choice_of_steps(invoke, file, write, tmp_path):
    other = write("other.txt", "é")
    options = (
        "--only",
        "loud",
        "--set",
        "loud.times=3",
        "--set",
        "loud.mark='1'",
        "--seed",
        4,
        "--runs",
        "here",
    )
    invoke("run", file, "--input", f"w={other}", "--quiet", "--jobs", 1, *options)
    (path,) = (tmp_path / "here").glob(f"*/{NAME}")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert (manifest["seed"], manifest["pipeline"]["settings"]["loud"]) == (4, {"times": 3, "mark": "1"})
    assert (path.parent / "other.txt").read_text(encoding="utf-8") == "É111"


def test_a_dry_run_and_a_why_do_nothing(invoke, file, tmp_path):
    assert 'step "loud", item "a": to do after what it needs' in invoke("run", file, "--dry-run").stdout
    planned = [json.loads(line) for line in invoke("run", file, "--dry-run", "--json").stdout.splitlines()]
    assert {"event": "planned", "step": "w", "item": "a", "state": "run"} in planned
    assert not (tmp_path / "runs").exists()
    invoke("run", file, "--jobs", 1)
    assert 'step "loud", item "a": in the store' in invoke("run", file, "--dry-run").stdout
    why = invoke("run", file, "--why", "loud", "--set", "loud.mark='?'").stdout
    assert why.splitlines()[:2] == ['step "loud", item "a": to do', '  config.mark: "!" → "?"']
    after = invoke("run", file, "--why", "bad", "--from", "bad").stdout
    assert after.splitlines()[0] == 'step "bad", item "a": to do'
    changed = invoke("run", file, "--why", "bad", "--set", "loud.mark='?'").stdout
    assert changed.splitlines()[:2] == [
        'step "bad", item "a": to do after what it needs',
        "  it takes from loud, to be done first",
    ]
    with pytest.raises(PipelineError, match="no step 'x'. Steps: loud, bad"):
        invoke("run", file, "--why", "x")


@pytest.mark.parametrize("option", ["--input", "--set"])
@pytest.mark.parametrize("value", ["w", "=x"])
def test_a_pair_without_a_sign_of_equality_is_refused(invoke, file, option, value):
    with pytest.raises(PipelineError, match=f"{option} NAME=VALUE"):
        invoke("run", file, option, value)


def test_a_glob_is_advised_for_files_given_twice_not_for_settings(invoke, file):
    with pytest.raises(PipelineError, match="--input w is given twice. For many files give a glob"):
        invoke("run", file, "--input", "w=a", "--input", "w=b")
    with pytest.raises(PipelineError, match="--set loud.x is given twice$"):
        invoke("run", file, "--set", "loud.x=1", "--set", "loud.x=2")


def test_check_says_that_all_is_well_or_what_is_not(invoke, file, write):
    assert "all well. Steps: 2, tasks: 8, input files: 2" in invoke("check", file).stdout
    with pytest.raises(PipelineError, match=r"p\.yaml:6:35: step \"loud\": unknown port"):
        invoke("check", write("p.yaml", PIPELINE.replace("{text: w}", "{txt: w}")))


def test_graph_draws_in_both_forms(invoke, file, tmp_path):
    assert invoke("graph", file).stdout.startswith(("flowchart", "graph"))
    assert "<svg" in invoke("graph", file, "--format", "svg").stdout
    assert invoke("graph", file, "--output", "g.svg").stdout.strip() == "g.svg"
    assert "<svg" in (tmp_path / "g.svg").read_text(encoding="utf-8")


def test_plugins_are_listed_described_and_checked(invoke):
    listed = invoke("plugins", "list", "joiner").stdout.splitlines()
    assert "joiner/shout        ripieno-bench 1.0" in listed
    rows = json.loads(invoke("plugins", "list", "--json").stdout)
    assert {"uses": "effect/phone", "distribution": "ripieno-bench", "version": "1.0"} in rows
    shown = invoke("plugins", "show", "joiner/shout").stdout.splitlines()
    assert shown[0] == "joiner/shout  (ripieno-bench 1.0)"
    assert {"in   text: text", "out  text", 'with mark: "!"  What stands at the end.'} <= set(shown)
    assert "in   right: text (optional)" in invoke("plugins", "show", "joiner/pair").stdout
    assert "in   texts: map of text" in invoke("plugins", "show", "joiner/table").stdout
    assert "out  count: scores" in invoke("plugins", "show", "joiner/counted").stdout
    assert "with rate_hz: 44100 Hz  Rate." in invoke("plugins", "show", "effect/resample").stdout
    shown = invoke("plugins", "show", "sample_library/dear").stdout
    assert "instrument: harp" in shown and "A harp that is not for sale." in shown
    assert json.loads(invoke("plugins", "show", "preset/louder", "--json").stdout)["data"]["settings"] == {
        "mark": "~"
    }
    assert "licence CC-BY-NC-4.0: A. Researcher" in invoke("plugins", "show", "joiner/hobby").stdout
    assert json.loads(invoke("plugins", "show", "joiner/shout", "--json").stdout)["verb"] == "join"
    assert invoke("plugins", "check").stdout.strip().endswith("plugins: all well")


def test_plugins_that_are_broken_are_named(invoke, site, tmp_path, monkeypatch):
    metadata = tmp_path / "broken" / "ripieno_broken-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ripieno-broken\nVersion: 1.0\n", encoding="utf-8"
    )
    (metadata / "entry_points.txt").write_text(
        "[ripieno.joiners]\ngone = ripieno_no_such_module:X\n[ripieno.commands]\nodd = json:dumps\n"
        "[ripieno.pipelines]\ngone = ripieno_no_such_module:x\n[ripieno.effects]\nphone = a b\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "broken"), *sys.path])
    monkeypatch.setenv("RIPIENO_PLUGINS", "ripieno-bench,ripieno-broken")
    done = invoke("plugins", "check", code=1)
    assert "joiner/gone of ripieno-broken 1.0: cannot be imported" in done.stdout
    assert "effect/phone" in invoke("plugins", "list").stderr
    assert "command/odd is no click command" in invoke("odd", code=1).stderr
    recipes = invoke("recipes", code=1)
    assert "greeting  Says it loud." in recipes.stdout
    assert "recipe/gone of ripieno-broken 1.0: cannot be imported" in recipes.stderr
    findings = [finding.text for finding in doctor.examine() if not finding.ok]
    assert any("joiner/gone of ripieno-broken 1.0: cannot be imported" in text for text in findings)
    assert "joiner/gone" not in json.dumps(pipeline_schema(Registry()))


def test_recipes_are_listed_with_their_inputs(invoke, monkeypatch):
    assert invoke("recipes").stdout.splitlines() == [
        "greeting  Says it loud.", "  --input word=PATH  text, needed. What to say.",
    ]  # fmt: skip
    monkeypatch.setenv("RIPIENO_PLUGINS", "ripieno-contracts")
    assert "no recipes are installed" in invoke("recipes").stderr


def test_runs_are_listed_and_the_store_is_verified_and_swept(invoke, file, store):
    assert invoke("runs", "list").stdout == ""
    invoke("run", file, "--jobs", 1)
    invoke("run", file, "--jobs", 1, "--set", "bad.fault=raises", code=1)
    first, second = invoke("runs", "list").stdout.splitlines()
    assert "  FAILED  " in first and "  ok  " in second
    assert "6 tasks, 4 from the store" in first
    assert invoke("runs", "verify").stdout.strip().endswith("artifacts read, 0 damaged")
    digest = store.digests()[0]
    (store.object_folder(digest) / "artifact.json").write_text("x", encoding="utf-8")
    done = invoke("runs", "verify", code=1).stdout.splitlines()
    assert "damaged; dropped, it is made again" in done[0] and done[1].endswith(" 1 damaged")
    assert invoke("runs", "gc").stdout.startswith("0 results and 0 artifacts removed")
    assert invoke("runs", "gc", "--older-than", "0s").exit_code == 0
    assert Store(store.folder).all_keys() == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("1.5m", 90), ("12h", 43_200), ("30d", 2_592_000), ("1w", 604_800)]
)
def test_ages_have_units(text, seconds):
    assert age_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1 d"])
def test_an_age_without_a_unit_is_refused(text):
    with pytest.raises(ConfigError, match="write a number and s, m, h, d or w"):
        age_s(text)


def test_models_are_listed_shown_and_got(invoke):
    listed = invoke("models", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["by_hand", "far", "hobby", "weights"]
    assert "not here: core models get far" in listed[1]
    assert "CC-BY-NC-4.0, not for commercial use  here" in listed[2]
    assert "licence: CC0-1.0" in invoke("models", "show", "weights").stdout
    assert invoke("models", "get", "weights").stdout.strip().endswith("weights.bin")
    kept = invoke("models", "get", "far").stdout.strip()
    assert Path(kept).read_bytes() == b"weights"
    assert invoke("models", "list").stdout.splitlines()[1].endswith("  here")


def test_what_is_not_known_of_a_model_is_not_shown(invoke):
    assert invoke("models", "show", "by_hand").stdout.splitlines() == [
        "version: 1",
        "url: https://example.org/by_hand",
        "licence: CC-BY-4.0",
        "commercial: False",
    ]


@pytest.mark.parametrize("verb", ["show", "get"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "no asset 'nope'. Run: core models list"),
        ("weight", "no asset 'weight'. Did you mean \"weights\"?"),
    ],
)
def test_a_model_that_nobody_knows_is_refused(command, verb, name, message):
    code, _, err = command("models", verb, name)
    assert (code, err) == (2, message + "\n")


def test_getting_a_model_shows_how_far_it_has_come_on_a_terminal(store, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    core(["models", "get", "far"], standalone_mode=False)
    assert "far" in shown.getvalue()


def test_the_schema_completes_what_is_installed(invoke, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    assert invoke("schema", "--output", "s.json").stdout.strip() == "s.json"
    schema = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert schema == json.loads(invoke("schema").stdout) == pipeline_schema(Registry())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def fits(step, kind="text"):
        inputs = {"x": {"kind": kind, "path": "x.txt"}}
        return validator.is_valid({"ripieno": 1, "inputs": inputs, "steps": {"a": step}})

    assert fits({"uses": "joiner/shout", "in": {"text": "x"}, "with": {"mark": "?"}})
    assert fits({"uses": "joiner/nested", "in": {"text": "x"}, "with": {"points": [{"x": 1.5}]}})
    assert not fits({"uses": "joiner/nested", "in": {"text": "x"}, "with": {"points": [{"x": "n"}]}})
    assert not fits({"uses": "joiner/shout", "in": {"txt": "x"}})
    assert not fits({"uses": "joiner/shout", "with": {"mrak": "?"}})
    assert not fits({"uses": "joiner/nun"})
    assert not fits({"uses": "codec/text"})
    assert not fits({"uses": "preset/louder"})
    assert not fits({"uses": "joiner/shout"}, kind="txet")


def test_every_reference_in_the_schema_leads_somewhere():
    schema = pipeline_schema(Registry())
    text = json.dumps(schema)
    places = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    assert places and {place.removeprefix("#/$defs/") for place in places} <= schema["$defs"].keys()


def test_the_doctor_names_what_is_missing(invoke):
    done = invoke("doctor", code=1).stdout.splitlines()
    assert done[0].startswith("ok      Python 3.")
    missing = "MISSING ripieno-bench-no-such-program: not found. Run: pip install no-such-program"
    assert missing in done
    assert any(line.startswith("ok      store ") for line in done)


def test_the_doctor_looks_at_the_store_and_at_onnxruntime(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RIPIENO_STORE", str(tmp_path / "file"))
    assert [(finding.ok, "cannot be used" in finding.text) for finding in doctor._store()] == [(False, True)]
    for name, version in (("onnxruntime", "1.2"), ("onnxruntime_gpu", "1.3")):
        metadata = tmp_path / "site" / f"{name}-{version}.dist-info"
        metadata.mkdir(parents=True)
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (metadata / "METADATA").write_text(headers, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    both, *each = doctor._onnxruntime()
    assert not both.ok and "overwrite each other" in both.text
    assert [finding.text for finding in each] == ["onnxruntime 1.2", "onnxruntime-gpu 1.3"]


def test_a_command_of_a_plugin_has_a_host(invoke, write):
    host: Host = CoreHost()
    assert host.load("greeting").name == "greeting"
    done = invoke("hello", write("word.txt", "ah"))
    assert "AH?" in done.stdout and "Says it loud." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("check", "p.yaml"), 0, ""),
        (("check", "none.yaml"), 2, "none.yaml: cannot be read"),
        (("check",), 2, "Missing argument"),
        (("rnu",), 2, "Did you mean"),
        (("run", "p.yaml", "--quiet", "--set", "bad.fault=refuses"), 1, "bad [a]: FAILED: this text is not for me\n"),
        (("run", "p.yaml", "--quiet", "--set", "bad.fault=raises"), 1, "Traceback"),
        (("hello", "gone.txt"), 2, "no file gone.txt"),
        (("--help",), 0, ""),
    ],
)  # fmt: skip
def test_the_exit_status_says_how_it_ended(command, file, arguments, status, message):
    code, _, err = command(*arguments)
    assert (code, message in err) == (status, True), err


def test_a_failure_is_told_once_and_the_failures_are_counted_at_the_end(invoke, file):
    said = invoke("run", file, "--quiet", "--jobs", 1, "--set", "bad.fault=refuses", code=1).stderr
    assert said.splitlines() == [
        "bad [a]: FAILED: this text is not for me",
        "bad [b]: FAILED: this text is not for me",
        "2 of 8 tasks failed, 0 were skipped",
    ]


def test_what_fails_in_the_run_of_a_plugins_command_is_told_by_its_error_alone(
    file, monkeypatch, tmp_path, capfd
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StepError) as caught:
        CoreHost().run(str(file), settings={"bad.fault": "refuses"})
    assert str(caught.value).splitlines() == [
        f'step "bad", item "{item}": this text is not for me' for item in "ab"
    ]
    assert capfd.readouterr().err == ""


def test_a_command_that_was_interrupted_says_so(command, site, store, tmp_path, file):
    stop = "import click, ripieno.core.cli as c; c.core.callback = None\n"
    stop += "def stopped(*a, **k): raise click.Abort\nc.core.main = stopped\nc.main()"
    done = subprocess.run([sys.executable, "-c", stop], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (
        130,
        "interrupted: what was finished is kept; run again to go on\n",
    )


def test_a_reader_that_has_gone_makes_no_noise(store):
    code = "from ripieno.core.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (1, 141)
    assert error == b""


def test_threads_of_libraries_are_pinned(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert not is_pinned()
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "4")
    pin()
    assert is_pinned()


def test_a_group_of_commands_is_click(invoke):
    assert isinstance(core, click.Group)
