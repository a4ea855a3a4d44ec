"""A new instrument is one YAML file and one entry-point line, in a package of its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ripieno.contracts import Envelope, Note, Performance, Stream, write_cont

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "somebodys-viola"
version = "1.0"
dependencies = ["ripieno-contracts"]

[project.entry-points."ripieno.instruments"]
viola = "somebodys_viola:viola"

[tool.hatch.build.targets.wheel]
packages = ["somebodys_viola"]
"""
CODE = """
from ripieno.contracts import InstrumentProfile, resources

__getattr__ = resources(__name__, InstrumentProfile)
"""
PROFILE = """
description: Viola.
lowest_midi: 48
highest_midi: 93
polyphony: 4
tunings: {standard: [48, 55, 62, 69]}
channels:
  bow_pressure: {unit: ratio, minimum: 0, maximum: 1}
articulations: [sustained, legato, plucked]
modes: [arco, pizzicato]
"""


@pytest.fixture
def viola(bench, tmp_path_factory) -> Path:
    """The package, built as a wheel and installed where the bench's commands find it."""
    source = tmp_path_factory.mktemp("viola")
    package = source / "somebodys_viola"
    package.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (package / "__init__.py").write_text(CODE, encoding="utf-8")
    (package / "viola.yaml").write_text(PROFILE, encoding="utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "dist")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    site = tmp_path_factory.mktemp("viola-site")
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(site)
    bench.env["PYTHONPATH"] = os.pathsep.join([str(site), bench.environment()["PYTHONPATH"]])
    return site


def write_piece(path, *, pitch_midi, mode="arco"):
    note = Note(0.1, 0.6, "sustained", mode, {"pitch_midi": Envelope([0.1, 0.5], [pitch_midi, pitch_midi])})
    write_cont(Performance((Stream("viola", (note,)),), 48000, 1.0), path)


def test_a_viola_is_listed_and_its_documents_are_checked(bench, viola):
    assert "instrument/viola" in bench.core("plugins", "list").stdout
    write_piece(bench.folder / "low.cont", pitch_midi=48.0)
    bench.core("cont", "validate", "low.cont")
    write_piece(bench.folder / "lower.cont", pitch_midi=40.0, mode="pick")
    said = bench.core("cont", "validate", "lower.cont", code=2)
    assert "streams[0].notes[0].envelopes.pitch_midi: about 40.00; its range is 48 to 93" in said.stdout
    assert "streams[0].notes[0].mode: 'pick'; it has arco, pizzicato" in said.stdout


def test_without_the_package_the_viola_is_not_known(bench):
    write_piece(bench.folder / "low.cont", pitch_midi=48.0)
    said = bench.core("cont", "validate", "low.cont", code=2)
    assert "viola" in said.stdout + said.stderr
