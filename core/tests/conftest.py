"""A workbench for tests of core: a distribution of small plugins, a store, and pipelines as text."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ripieno.core.live.live import Live
from ripieno.core.live.sources import parse_sources
from ripieno.core.pipeline import Pipeline
from ripieno.core.plan import Plan
from ripieno.core.planner import make_plan
from ripieno.core.run import Options, RunResult, run as run_pipeline
from ripieno.core.store import Store
from ripieno.core.threads import ONE_THREAD
from ripieno.registry import Registry

PACKAGE = Path(__file__).with_name("ripieno_bench")
JOINERS = (
    "Shout", "Concat", "Beside", "Table", "Pair", "Counted", "Inner", "Dice", "FactsOf", "Told", "Weighted", "Hobby",
    "Needy", "Page", "Sampled", "Quoting", "Learned", "Device", "Accelerated", "Faulty", "Spread", "Headed", "Nested",
    "Rest", "Borrowed", "Leaf", "Bound", "Picky",
)  # fmt: skip
EFFECTS = ("Downmix", "Resample", "Phone", "Radio", "Whole")
STREAMS = "ripieno_bench.streams"
ENTRY_POINTS: Mapping[str, Mapping[str, str]] = {
    "ripieno.joiners": {name.lower(): f"ripieno_bench:{name}" for name in JOINERS},
    "ripieno.effects": {
        **{name.lower(): f"ripieno_bench:{name}" for name in EFFECTS},
        **{name.lower(): f"{STREAMS}:{name}" for name in ("Hold", "Fussy")},
    },
    "ripieno.separators": {"halves": "ripieno_bench:Halves", "sides": f"{STREAMS}:Sides"},
    "ripieno.frontends": {"peaks": f"{STREAMS}:Peaks", "filepeaks": f"{STREAMS}:FilePeaks"},
    "ripieno.beat_trackers": {
        "onsets": f"{STREAMS}:Onsets",
        "randomonsets": f"{STREAMS}:RandomOnsets",
        "decoded": f"{STREAMS}:Decoded",
        "beatsalone": f"{STREAMS}:BeatsAlone",
        "wrong": f"{STREAMS}:Wrong",
    },
    "ripieno.controllers": {
        name.lower(): f"{STREAMS}:{name}" for name in ("Count", "Follow", "Gather", "Marks")
    },
    "ripieno.structure_analyzers": {"form": f"{STREAMS}:Form"},
    "ripieno.decoders": {"offline": f"{STREAMS}:OfflineDecoder"},
    "ripieno.codecs": {
        "numbers": "ripieno_bench:WaveFile",
        "words": "ripieno_bench:WordFile",
        "drip": f"{STREAMS}:Drip",
    },
    "ripieno.assets": {
        "by_hand": "ripieno_bench.data:by_hand",
        "weights": "ripieno_bench.data:weights",
        "hobby": "ripieno_bench.data:hobby_weights",
        "far": "ripieno_bench.data:far_weights",
    },
    "ripieno.sample_libraries": {"dear": "ripieno_bench.data:dear_samples"},
    "ripieno.presets": {"louder": "ripieno_bench.data:louder"},
    "ripieno.pipelines": {"greeting": "ripieno_bench.data:greeting"},
    "ripieno.commands": {"hello": "ripieno_bench:hello"},
    "ripieno.hooks": {"quiet": "ripieno_bench:Quiet"},
}


def install(folder: Path) -> None:
    """Put the distribution into a folder as pip does."""
    shutil.copytree(PACKAGE, folder / "ripieno_bench", ignore=shutil.ignore_patterns("__pycache__"))
    metadata = folder / "ripieno_bench-1.0.dist-info"
    metadata.mkdir()
    headers = "Metadata-Version: 2.1\nName: ripieno-bench\nVersion: 1.0\nRequires-Dist: ripieno-contracts\n"
    (metadata / "METADATA").write_text(headers, encoding="utf-8")
    lines = []
    for group, entries in ENTRY_POINTS.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()), ""]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the distribution ripieno-bench is installed."""
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    return folder


@pytest.fixture(autouse=True)
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process and its workers see ripieno-bench, and no other plugins."""
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("RIPIENO_PLUGINS", "ripieno-bench")
    # As the command does, so that what runs alone runs in this process.
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def forgotten() -> Iterator[None]:
    """Leave no module of ripieno-bench behind for the tests of others."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "ripieno_bench"]:
        del sys.modules[name]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of a test."""
    monkeypatch.setenv("RIPIENO_STORE", str(tmp_path / "store"))
    return Store(tmp_path / "store")


@pytest.fixture
def registry(store: Store) -> Registry:
    return Registry(cache=store.folder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into the folder of a test."""

    def write(name: str, content: str | bytes = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[[str], Pipeline]:
    """A pipeline from the text of its file, without the first line; in the folder of a test."""

    def parse(text: str) -> Pipeline:
        return Pipeline.parse(f"ripieno: 1\n{text}", folder=tmp_path)

    return parse


@pytest.fixture
def planned(pipeline: Callable[[str], Pipeline], registry: Registry) -> Callable[..., Plan]:
    """The plan of a pipeline's text."""

    def plan(text: str, **options: Any) -> Plan:
        return make_plan(pipeline(text), registry, **options)

    return plan


@pytest.fixture
def run(tmp_path: Path, store: Store, pipeline: Callable[[str], Pipeline]) -> Callable[..., RunResult]:
    """Run a pipeline's text, one job at a time where not said otherwise."""

    def run(text: str, *, jobs: int = 1, **options: Any) -> RunResult:
        wanted = Options(jobs=jobs, store=store.folder, folder=tmp_path / "runs", **options)
        return run_pipeline(pipeline(text), wanted)

    return run


@pytest.fixture
def live(pipeline: Callable[[str], Pipeline], store: Store) -> Callable[..., Live]:
    """A pipeline's text, ready to be played; by default its input ``song`` hears a file."""

    def ready(text: str, *sources: str, **options: Any) -> Live:
        parsed = pipeline(text)
        return Live.of(parsed, parse_sources(sources or ("song=file:song.numbers",), parsed), **options)

    return ready
