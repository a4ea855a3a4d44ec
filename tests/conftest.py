"""A workbench for tests that run the `core` command as users do: processes, a wheel of plugins, a store."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ripieno.contracts.errors import DamagedError
from ripieno.contracts.packing import verify

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of `ripieno-testing-plugins` installed, as pip leaves it."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(built, cwd=PLUGINS, check=True, capture_output=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start with them.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from ripieno.core.cli import main
main()
"""


@dataclass
class Workbench:
    """A folder to work in, and the `core` command with a store and plugins of the test's own."""

    folder: Path
    site: Path
    store: Path
    env: dict[str, str] = field(default_factory=dict)

    def pipeline(self, text: str, name: str = "p.yaml") -> Path:
        """Write a pipeline file."""
        return self.write(name, "ripieno: 1\n" + text)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def environment(self) -> dict[str, str]:
        """Of the commands."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "RIPIENO_STORE": str(self.store),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.env,
        }

    def start(self, *args: object, **options: Any) -> "subprocess.Popen[str]":
        """Begin a command in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, args)],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            process_group=0,
            **{"stdin": subprocess.DEVNULL, **options},
        )

    def core(self, *args: object, code: int = 0, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Do a command, which ends with exit status `code`."""
        process = self.start(*args, **options)
        try:
            out, err = process.communicate(timeout=300)
        finally:
            kill_group(process)
        assert process.returncode == code, f"exit {process.returncode}: {err[-2000:]}"
        return subprocess.CompletedProcess(args, code, out, err)

    def run(self, *args: object, code: int = 0) -> "Ran":
        """``core run --json``: its events, messages and manifest."""
        done = self.core("run", *args, "--json", code=code)
        events = tuple(json.loads(line) for line in done.stdout.splitlines())
        folder = next((Path(event["folder"]) for event in events if event["event"] == "run_started"), None)
        return Ran(self.folder / folder if folder else self.folder, events, done.stderr)

    def fails(self, *args: object) -> str:
        """What a command that cannot be run as asked says: its only lines, without a traceback."""
        done = self.core(*args, code=2)
        assert "Traceback" not in done.stderr and done.stdout == ""
        return done.stderr.strip()

    def run_folders(self) -> list[Path]:
        """In the order in which they were made."""
        return sorted((self.folder / "runs").glob("*"), key=lambda path: path.stat().st_ctime_ns)

    def leftovers(self) -> list[Path]:
        """What an end of whatever kind may not leave behind."""
        scratch = [path for name in ("scratch", "running") for path in (self.store / name).glob("*")]
        hidden = list((self.folder / "runs").rglob(".*"))
        temporary = list(self.store.rglob(".*"))
        return [*scratch, *hidden, *temporary]

    def damaged(self) -> list[str]:
        """Objects of the store that are not what their names say."""
        found = []
        for folder in (self.store / "objects").glob("*/*"):
            try:
                verify(folder, folder.name)
            except DamagedError as error:
                found.append(str(error))
        return found


@dataclass(frozen=True)
class Ran:
    """What ``core run --json`` did."""

    folder: Path
    events: tuple[Mapping[str, Any], ...]
    messages: str

    @property
    def manifest(self) -> dict[str, Any]:
        """Of the run."""
        document: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return document

    @property
    def digests(self) -> dict[tuple[str, str, str], str]:
        """Digests of all results by step, item and output."""
        return {
            (row["step"], row["item"], name): stored["digest"]
            for row in self.manifest["steps"]
            for name, stored in row["outputs"].items()
        }

    def status(self, step: str, item: str = "") -> str:
        """What became of a step's item."""
        return next(
            row["status"] for row in self.manifest["steps"] if (row["step"], row["item"]) == (step, item)
        )

    def statuses(self, step: str) -> dict[str, str]:
        """What became of a step, by item."""
        return {row["item"]: row["status"] for row in self.manifest["steps"] if row["step"] == step}

    def error(self, step: str, item: str = "") -> str:
        """Why it failed."""
        return next(
            row["error"] for row in self.manifest["steps"] if (row["step"], row["item"]) == (step, item)
        )

    def text(self, name: str) -> str:
        """An output file."""
        return (self.folder / name).read_text(encoding="utf-8")

    def named(self, event: str) -> list[Mapping[str, Any]]:
        """The events of one name."""
        return [one for one in self.events if one["event"] == event]


def kill_group(process: "subprocess.Popen[str]") -> None:
    """Kill a command and its process group, if anything of it is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="session")
def warm_store(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that remembers descriptors and holds no results."""
    folder = tmp_path_factory.mktemp("warm")
    bench = Workbench(folder, site, folder / "store")
    bench.core("schema")
    return bench.store


@pytest.fixture(scope="session")
def bench_in(site: Path, warm_store: Path) -> Callable[[Path], Workbench]:
    """Makes a workbench in an empty folder."""

    def make(folder: Path) -> Workbench:
        shutil.copytree(warm_store, folder / "store")
        (folder / "work").mkdir()
        return Workbench(folder / "work", site, folder / "store")

    return make


@pytest.fixture
def bench(tmp_path: Path, bench_in: Callable[[Path], Workbench]) -> Iterator[Workbench]:
    """A workbench; whatever a test does with it, nothing is left half done at its end."""
    made = bench_in(tmp_path)
    yield made
    assert made.leftovers() == []
    assert made.damaged() == []
