"""The documentation: complete, linked, and true: what a page shows is run, and says what the page says."""

import inspect
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from ripieno import contracts
from ripieno.contracts import BeatClockState, SlowState, StructureState
from ripieno.contracts.data import Asset, DataPlugin, Preset, Recipe
from ripieno.contracts.errors import PipelineError
from ripieno.contracts.interfaces import INTERFACES
from ripieno.contracts.testing.browser import chromium, until
from ripieno.core.cli import COMMANDS, core
from ripieno.core.live.messages import End, Error, Start, State
from ripieno.core.pipeline import Pipeline, schema
from ripieno.core.planner import make_plan
from ripieno.registry import Registry

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
READMES = [
    path
    for pattern in ("*.md", "*/README.md", "plugins/*/README.md", "examples/*/README.md")
    for path in sorted(ROOT.glob(pattern))
]
DOCUMENTS = list(dict.fromkeys((*PAGES, *READMES)))
FENCE = re.compile(
    r"(?:^(?:[^\n]*\s)?`(?P<file>[\w./-]+\.\w+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)")
MODULES = [
    import_module(
        f"ripieno.{path.relative_to(ROOT / 'contracts/ripieno').with_suffix('').as_posix().replace('/', '.')}"
    )
    for path in sorted((ROOT / "contracts/ripieno/contracts").rglob("[!_]*.py"))
    if path.stem != "probe"
]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the file that the page says it is."""

    language: str
    text: str
    file: str = ""


def blocks(path: Path) -> list[Block]:
    found = FENCE.finditer(path.read_text(encoding="utf-8"))
    return [Block(match["language"], match["text"], match["file"] or "") for match in found]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public(module: object) -> Iterator[tuple[str, object]]:
    for name, value in vars(module).items():
        is_ours = getattr(value, "__module__", "") == module.__name__
        if (
            name.isidentifier()
            and not name.startswith("_")
            and is_ours
            and (inspect.isclass(value) or inspect.isfunction(value))
        ):
            yield name, value


def own_documentation(value: object) -> str:
    """What stands at it, not what it inherits or what `dataclass` makes up."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else getattr(value, "__doc__", None)
    return "" if not text or text.startswith(f"{getattr(value, '__name__', '')}(") else text


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_of_contracts_is_documented(module):
    assert module.__doc__
    bare = [name for name, value in public(module) if not own_documentation(value)]
    assert not bare


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_method_of_contracts_is_documented(module):
    bare = []
    for owner, value in public(module):
        if not inspect.isclass(value):
            continue
        for name, member in vars(value).items():
            function = getattr(member, "__func__", getattr(member, "fget", member))
            if name.startswith(("_", "test_")) or not inspect.isfunction(function):
                continue
            # An override keeps the words of what it overrides.
            if not inspect.getdoc(getattr(value, name)):
                bare.append(f"{owner}.{name}")
    assert not bare


@pytest.mark.parametrize("interface", INTERFACES, ids=lambda interface: interface.__name__)
def test_every_interface_says_what_its_verb_gives(interface):
    assert own_documentation(interface)
    assert inspect.getdoc(getattr(interface, interface.verb))


@pytest.mark.parametrize("model", [DataPlugin, Preset, Recipe, Asset], ids=lambda model: model.__name__)
def test_every_field_of_data_is_described(model):
    fields = model.model_json_schema().get("properties", {})
    assert [name for name, facts in fields.items() if not facts.get("description")] == []


def test_every_setting_of_every_plugin_is_described():
    registry = Registry()
    bare = [
        f"{entry.uses}: {name}"
        for entry in registry.entries()
        for name, facts in registry.describe(entry.uses).config_schema.get("properties", {}).items()
        if not facts.get("description")
    ]
    assert not bare


def test_every_key_of_a_pipeline_is_described():
    bare = []

    def visit(node: object, place: str) -> None:
        if isinstance(node, dict):
            for name, facts in node.get("properties", {}).items():
                if not facts.get("description"):
                    bare.append(f"{place}.{name}")
                visit(facts, f"{place}.{name}")
            visit(node.get("additionalProperties"), f"{place}.*")

    visit(schema(), "")
    assert not bare


def test_every_command_and_option_has_help():
    def bare(command: click.Command, path: str) -> Iterator[str]:
        if not command.help:
            yield path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.help:
                yield f"{path} {parameter.opts[0]}"
        for name, inner in getattr(command, "commands", {}).items():
            yield from bare(inner, f"{path} {name}")

    context = click.Context(core)
    assert not [line for name in COMMANDS for line in bare(core.get_command(context, name), f"core {name}")]


def test_the_page_of_interfaces_asks_for_every_module_that_plugins_import():
    page = (ROOT / "docs/interfaces.md").read_text(encoding="utf-8")
    asked = {name for line in re.findall(r"<!-- reference: api (.*?) -->", page) for name in line.split()}
    values = [getattr(contracts, name) for name in contracts.__all__]
    homes = {value.__module__ for value in values if inspect.isclass(value) or inspect.isfunction(value)}
    assert {home.rpartition(".")[2] for home in homes} <= asked


def test_every_page_is_in_the_contents():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    listed = {line for tree in re.findall(r"```\{toctree\}(.*?)```", index, re.S) for line in tree.split()}
    assert {page.stem for page in PAGES} - {"index"} <= listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_relative_link_leads_somewhere(document):
    lost = []
    for target, anchor in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        path = document.parent / target if target else document
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            lost.append(f"{target}#{anchor}" if anchor else target)
    assert not lost


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


PIPELINES = [
    pytest.param(document, index, id=f"{named(document)}-{index}")
    for document in DOCUMENTS
    for index, block in enumerate(blocks(document))
    # Those of the lesson are wrong on purpose: it is run below.
    if block.language == "yaml" and "steps:" in block.text and block.text.startswith("ripieno: 1")
    if document.stem not in ("first-pipeline", "first-plugin")
]


@pytest.mark.parametrize(("document", "index"), PIPELINES)
def test_every_pipeline_in_a_document_is_a_pipeline(document, index, tmp_path):
    shown = blocks(document)
    for block in shown:
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    pipeline = Pipeline.parse(shown[index].text, folder=tmp_path)
    for source in pipeline.inputs.values():
        paths = [source.path] if source.items is None else sources(tmp_path / source.items)
        for path in paths:
            silence(tmp_path / path.replace("**/", "").replace("*", "one"))
    assert not planning_faults(pipeline)


def planning_faults(pipeline: Pipeline) -> list[str]:
    """What is wrong with it, but for weights that are the reader's to fetch."""
    try:
        make_plan(pipeline, Registry())
    except PipelineError as error:
        return [line for line in str(error).splitlines() if ": asset " not in line]
    return []


def sources(items: Path) -> list[str]:
    return [row["src"] for row in json.loads(items.read_text(encoding="utf-8"))]


def silence(path: Path) -> None:
    """A file that planning can find; it looks at its name alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".wav":
        soundfile.write(path, np.zeros(100), 44100)
    else:
        path.touch()


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory):
    """A virtual environment that sees what is installed here, with the commands of the lessons."""
    if shutil.which("sh") is None or shutil.which("sed") is None:
        pytest.skip("the lessons need a POSIX shell")
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})\n" for path in sys.path if path.endswith("-packages")]
    (site / "outer.pth").write_text("".join(lines), encoding="utf-8")
    commands = {
        "core": "from ripieno.core.cli import main",
        "pip": "from pip._internal.cli.main import main",
        "pytest": "from pytest import main",
    }
    for name, imported in commands.items():
        script = folder / "bin" / name
        script.write_text(
            f"#!{folder}/bin/python\nimport sys\n{imported}\nsys.exit(main())\n", encoding="utf-8"
        )
        script.chmod(0o755)
    return folder / "bin"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def shell(bin_folder, tmp_path):
    """What does a line of a page in a folder like the repository's root, and gives what it says."""
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".*", "__pycache__")
    )
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "RIPIENO_STORE": str(tmp_path / "store"),
        "COLUMNS": "72",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }

    def say(line: str, folder: Path) -> str:
        command = ["sh", "-c", line]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.stdout

    return say


@pytest.mark.slow
@pytest.mark.parametrize("page", ["first-pipeline", "first-plugin", "rhythm", "playing", "speech"])
def test_a_lesson_says_what_its_commands_say(page, shell, tmp_path):
    folder = tmp_path
    for block in blocks(ROOT / f"docs/{page}.md"):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for line, expected in commands(block.text):
            if line.startswith("cd "):
                folder = folder / line.removeprefix("cd ")
            else:
                assert_says(line, shell(line, folder), expected)


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Lines after ``$``, each with what stands below it."""
    for command in re.split(r"^\$ ", text, flags=re.M)[1:]:
        line, *said = command.splitlines()
        yield line, said


def assert_says(line: str, said: str, expected: list[str]) -> None:
    """The same lines in any order, as workers finish in any; ``…`` stands for the rest of a line, or for lines."""
    left, wanted = settled(said.splitlines()), settled(expected)
    for one in wanted:
        pattern = re.escape(one).replace("…", ".*")
        found = next((other for other in left if re.fullmatch(pattern, other)), None)
        if one != "…":
            assert found is not None, f"$ {line}\n{said}\nlacks: {one}"
            left.remove(found)
    assert not left or "…" in wanted, f"$ {line}\n{said}"


def fields_of_messages() -> dict[str, set[str]]:
    """By event, as the page of live runs has them."""
    page = (ROOT / "docs/live.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", page, re.M)
    return {event: {"event", *re.findall(r"`(\w+)`", fields)} for event, fields in rows}


def test_the_page_of_live_runs_names_every_field_of_a_message():
    state = SlowState(BeatClockState(0, 0.5, 0, 0, 1, 1), StructureState.unknown(), (1.0,))
    messages = [
        Start("clock", "file", 48000, 1, ("beats",), {}, {"beats": 0.1}),
        State("beats", state, {4: 1.0}, 0.5, 0.5),
        Error("too bad"),
        End(1, 1),
    ]
    written = fields_of_messages()
    for message in [one.to_json() for one in messages]:
        assert set(message) == written[message["event"]]


def test_the_state_on_the_page_of_live_runs_keeps_the_contract():
    (shown,) = [json.loads(block.text) for block in blocks(ROOT / "docs/live.md") if block.language == "json"]
    assert SlowState.from_json(shown).beat.t_s == shown["beat"]["t_s"]


@pytest.fixture
def a_run(bin_folder, tmp_path):
    """The run of the guide on the first seconds of the song, served at a port that is free; the port."""
    for needed in ("onnxruntime", "starlette", "uvicorn", "websockets"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    song, rate_hz = soundfile.read(ROOT / "examples/first-film/song.ogg", stop=44100 * 15)
    soundfile.write(tmp_path / "song.wav", song, rate_hz)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [bin_folder / "core", "live", "beat-clock", "--source", f"file:{tmp_path / 'song.wav'}"]
    command += ["--pace", "realtime", "--port", str(port), "--token", "secret", "--serve", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as run:
        assert f"http://127.0.0.1:{port}/" in run.stderr.readline()
        yield port, run
        run.terminate()


def client_of_the_guide(name: str, folder: Path, port: int) -> Path:
    (block,) = [block for block in blocks(ROOT / "docs/rhythm.md") if block.file == name]
    path = folder / name
    path.write_text(block.text.replace("8765", str(port)), encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_program_of_the_guide_tells_the_beats_of_a_run(a_run, bin_folder, tmp_path):
    port, run = a_run
    script = client_of_the_guide("listen.py", tmp_path, port)
    listening = subprocess.run(
        [bin_folder / "python", script, "secret"], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    messages = [json.loads(line) for line in run.stdout.read().splitlines()]
    written = fields_of_messages()
    assert all(set(message) == written[message["event"]] for message in messages)
    beats = [message for message in messages if message["event"] == "beat"]
    told = [f"{beat['time_s']:.2f} s: {beat['position']} of {beat['beats_per_bar']}" for beat in beats]
    heard = listening.stdout.splitlines()
    # It came a little late, and missed nothing since.
    assert heard == told[-len(heard) :]
    assert len(heard) > len(told) / 2


@pytest.mark.slow
def test_the_page_of_the_guide_counts_and_flashes(a_run, browser, tmp_path):
    port, _ = a_run
    page = client_of_the_guide("pulse.html", tmp_path, port)
    browser.get(f"{page.as_uri()}#secret")
    seen = set()

    def counted():
        body = browser.find_element("tag name", "body")
        seen.add((body.text, body.value_of_css_property("background-color")))
        return {"1", "2"} <= {text for text, _ in seen}

    until(browser, counted)
    assert len({colour for _, colour in seen}) > 5


def settled(lines: list[str]) -> list[str]:
    """Without what differs from run to run, or as methods improve: times, dates, hashes, figures of beats."""
    for pattern, word in (
        (r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d", "DATE"),
        (r"\d+(\.\d+)? s\b", "TIME"),
        (r"\d+(\.\d+)?s\b", "TIME"),
        (r"\d+ ms\b", "TIME"),
        (r"beat \d of \d", "beat PLACE"),
        (r"\d+\.\d BPM", "TEMPO"),
        (r"confidence \d\.\d\d", "CONFIDENCE"),
        (r'": \d+\.\d+', '": FIGURE'),
        (r"\d+ (passed|skipped)", r"SOME \1"),
        (r"^[.s]+ +\[ *\d+%\]$", "TESTS"),
        (r"[0-9a-f]{20,}", "HASH"),
    ):
        lines = [re.sub(pattern, word, line.rstrip()) for line in lines]
    return [line for line in lines if line]
