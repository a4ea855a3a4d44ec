"""The `core` command as users meet it: quick, quiet in a pipe, and not troubled by plugins that are broken."""

import subprocess
import sys

import pytest

from ripieno.core.cli import main
from ripieno.core.threads import ONE_THREAD

OTHERS = {
    "slow": "import pathlib, time\npathlib.Path('slow-was-imported').touch()\ntime.sleep(5)\n",
    "broken": "import nothing_of_this_name\n",
    "wrong": "raise RuntimeError('two\\nlines')\n",
    "leaving": "raise SystemExit(3)\n",
}
MAP = "\n".join(f"{name} = ripieno_others_{name}:Plugin" for name in OTHERS)


def install(folder, name, entry_points, modules=()):
    """A distribution as pip leaves it."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    for module, text in dict(modules).items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def troubled(bench, tmp_path):
    """A workbench with plugins that take long to import or cannot be."""
    others = tmp_path / "others"
    modules = {f"ripieno_others_{name}": text for name, text in OTHERS.items()}
    groups = f"[ripieno.joiners]\n{MAP}\n[ripieno.commands]\n{MAP}\n"
    install(others, "ripieno-others", groups, modules)
    bench.env["PYTHONPATH"] = f"{bench.environment()['PYTHONPATH']}:{others}"
    bench.write("word.txt", "word")
    bench.pipeline(
        "inputs: {word: {kind: text, path: word.txt}}\nsteps:\n  s: {uses: joiner/shout, in: {text: word}}\n",
        "one.yaml",
    )
    return bench


def test_plugins_that_cannot_be_imported_trouble_nobody_who_does_not_use_them(troubled):
    assert "broken" in troubled.core("--help").stdout
    assert "joiner/slow" in troubled.core("plugins", "list", "joiner").stdout
    assert "all well" in troubled.core("check", "one.yaml").stdout
    assert troubled.run("one.yaml").manifest["ok"]
    assert not (troubled.folder / "slow-was-imported").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "cannot be imported: No module named 'nothing_of_this_name'. Run: pip install"),
        ("wrong", "cannot be imported: RuntimeError: two lines. Run: pip install -U ripieno-others"),
        ("leaving", "cannot be imported: SystemExit: 3"),
    ],
)
def test_a_broken_plugin_that_is_used_is_one_line_with_a_cure(troubled, name, said):
    line = f"  s: {{uses: joiner/{name}, in: {{text: word}}}}\n"
    path = troubled.pipeline(f"inputs: {{word: {{kind: text, path: word.txt}}}}\nsteps:\n{line}")
    message = troubled.fails("check", path)
    assert said in message and "of ripieno-others 1.0" in message and len(message.splitlines()) == 1
    message = troubled.fails(name)
    assert said in message and len(message.splitlines()) == 1


def test_two_plugins_of_one_name_are_refused_with_both_distributions(bench, tmp_path):
    install(
        tmp_path / "others",
        "ripieno-twin",
        "[ripieno.joiners]\nshout = ripieno_testing_plugins.words:Shout\n",
    )
    bench.env["PYTHONPATH"] = f"{bench.environment()['PYTHONPATH']}:{tmp_path / 'others'}"
    bench.write("word.txt", "word")
    text = (
        "inputs: {word: {kind: text, path: word.txt}}\nsteps: {s: {uses: joiner/shout, in: {text: word}}}\n"
    )
    message = bench.fails("run", bench.pipeline(text))
    assert "joiner/shout is in ripieno-testing-plugins 1.0 and in ripieno-twin 1.0" in message
    assert len(message.splitlines()) == 1
    allowed = "plugins: {allow: [ripieno-testing-plugins]}\n"
    assert bench.run(bench.pipeline(text + allowed)).manifest["ok"]
    bench.env["RIPIENO_PLUGINS"] = "ripieno-media"
    assert "is not allowed" in bench.fails("run", bench.pipeline(text))


@pytest.mark.parametrize("command", ["plugins list", "run one.yaml --json", "run one.yaml --dry-run"])
def test_a_reader_that_has_gone_is_no_traceback(troubled, command):
    script = f"{sys.executable} -c 'from ripieno.core.cli import main; main()' {command} | true"
    done = subprocess.run(
        script, shell=True, cwd=troubled.folder, env=troubled.environment(), capture_output=True, timeout=60
    )
    assert b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr


def test_a_run_whose_reader_has_gone_is_done_to_its_end(troubled):
    process = troubled.start("run", "one.yaml", "--json")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 0 and process.stderr.read() == ""
    (folder,) = troubled.run_folders()
    assert (folder / "manifest.json").exists()


def test_progress_lines_results_and_failures_go_where_they_belong(troubled):
    done = troubled.core("run", "one.yaml")
    (report,) = done.stdout.splitlines()
    assert (troubled.folder / report).is_file()
    assert "s: joiner/shout" in done.stderr.splitlines()
    assert troubled.core("run", "one.yaml", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("runn",), 'Did you mean "run"?'),
        (("run",), "Missing argument 'PIPELINE'"),
        (("run", "absent.yaml"), "absent.yaml: cannot be read: No such file or directory"),
        (("run", "absent"), "no recipe 'absent'. Recipes: beat-clock, first-film, greeting"),
        (("run", "one.yaml", "--only", "t"), "no step 't'. Steps: s"),
        (("run", "one.yaml", "--from", "t"), "no step 't' to run again from. Steps: s"),
        (("run", "one.yaml", "--why", "t"), "no step 't'. Steps: s"),
        (("run", "one.yaml", "--set", "s.mark"), "write --set NAME=VALUE"),
        (("run", "one.yaml", "--set", "mark=1"), "'mark' is not step.key. Steps: s"),
        (("run", "one.yaml", "--input", "word"), "write --input NAME=VALUE"),
        (("run", "one.yaml", "--jobs", "0"), "Invalid value for '--jobs'"),
        (("run", "one.yaml", "--seed", "x"), "Invalid value for '--seed'"),
        (("run", "word.txt/manifest.json"), "not the manifest of a run"),
        (("plugins", "show", "joiner/shoot"), 'Did you mean "joiner/shout"?'),
        (("run", "one.yaml", "--runs", "word.txt"), "no run folder can be made in"),
        (("run", "one.yaml", "--only", "s", "--input", "word=one.yaml"), "reads or writes text as .yaml"),
        (("runs", "gc", "--older-than", "soon"), "write a number and s, m, h, d or w"),
        (("plugins", "show", "shout"), "no plugin shout is installed"),
    ],
)
def test_a_wrong_command_is_one_line(troubled, args, said, monkeypatch, capsys):
    monkeypatch.chdir(troubled.folder)
    for name, value in {**dict.fromkeys(ONE_THREAD, "1"), "RIPIENO_STORE": str(troubled.store)}.items():
        monkeypatch.setenv(name, value)
    for folder in troubled.env["PYTHONPATH"].split(":"):
        monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "argv", ["core", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "") and said in err


def test_plugins_are_described_without_being_run(troubled):
    shown = troubled.core("plugins", "show", "joiner/shout").stdout
    assert "in   text: text" in shown and 'with mark: "!"' in shown


@pytest.mark.slow
def test_all_broken_plugins_are_listed_by_a_check(troubled):
    checked = troubled.core("plugins", "check", code=1)
    assert checked.stdout.count("\n") == 2 * len(OTHERS) and "joiner/broken" in checked.stdout
