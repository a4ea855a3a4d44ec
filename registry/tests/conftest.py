import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ripieno.registry import Registry

Make = Callable[..., Path]

GAIN = """
from pydantic import Field
from ripieno.contracts import Audio, Effect, PluginConfig


class GainConfig(PluginConfig):
    gain_db: float = Field(0.0, ge=-60, le=60, description="Gain.", json_schema_extra={"unit": "dB"})


class Gain(Effect[GainConfig]):
    \"\"\"Louder or softer.\"\"\"

    def process(self, audio: Audio) -> Audio:
        return audio
"""


def write_distribution(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    modules: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
) -> Path:
    """Install a distribution into a folder as pip does: its files, and a ``.dist-info`` beside them."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    headers = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    headers += [f"Requires-Dist: {line}" for line in requires]
    (metadata / "METADATA").write_text("\n".join(headers) + "\n\nWhat it is for.\n", encoding="utf-8")
    lines = []
    for group, entries in (entry_points or {}).items():
        lines += [f"[{group}]", *(f"{entry} = {value}" for entry, value in entries.items()), ""]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    for path, text in (modules or {}).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return metadata


@pytest.fixture
def gain_source() -> str:
    return GAIN


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder at the head of the module search path; what was imported from it is forgotten after."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if origin.startswith(str(folder)):
            del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def make_distribution(site: Path) -> Make:
    """Write a distribution into `site`."""

    def make(name: str, version: str = "1.0", **content: object) -> Path:
        metadata = write_distribution(site, name, version, **content)  # type: ignore[arg-type]
        importlib.invalidate_caches()
        return metadata

    return make


@pytest.fixture
def gain(make_distribution: Make, site: Path) -> Path:
    """The module file of a distribution ripieno-gain with the plugin effect/gain."""
    make_distribution(
        "ripieno-gain",
        entry_points={"ripieno.effects": {"gain": "ripieno_gain.effect:Gain"}},
        modules={"ripieno_gain/__init__.py": "", "ripieno_gain/effect.py": GAIN},
        requires=["ripieno-contracts>=0.1", "pydantic>=2"],
    )
    return site / "ripieno_gain" / "effect.py"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def registry(site: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that has read nothing yet: distributions made before its first use are in it."""
    monkeypatch.delenv("RIPIENO_PLUGINS", raising=False)
    return Registry(cache=cache)


@pytest.fixture
def in_new_process(site: Path, cache: Path) -> Callable[[str], str]:
    """Run code in a process of its own that has `registry`; gives what it prints."""

    def run(code: str) -> str:
        prelude = (
            "import sys\nfrom pathlib import Path\nfrom ripieno.registry import Registry\n"
            f"registry = Registry(cache=Path({str(cache)!r}))\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("RIPIENO_PLUGINS", None)
        done = subprocess.run(
            [sys.executable, "-c", prelude + code],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
