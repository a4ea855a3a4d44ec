"""A new preset of films is one YAML file and one entry-point line, in a package of its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno.contracts.codecs import TrajectoryFile

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "somebodys-dusk"
version = "1.0"
dependencies = ["ripieno-contracts"]

[project.entry-points."ripieno.presets"]
dusk = "somebodys_dusk:dusk"

[tool.hatch.build.targets.wheel]
packages = ["somebodys_dusk"]
"""
CODE = """
from ripieno.contracts import Preset, resources

__getattr__ = resources(__name__, Preset)
"""
DUSK = """
description: The last light.
uses: controller/latent
settings:
  motion: {smoothing_s: 3}
  look: {palette: ["#20102f", "#c05030", "#f0c080"]}
"""
PIPELINE = """
name: steer
inputs:
  song: {{kind: audio, path: song.wav}}
steps:
  features: {{uses: frontend/librosa, in: {{audio: song}}}}
  dream: {{uses: controller/latent, in: {{features: features}}, with: {{preset: {preset}, fps: 24}}}}
outputs:
  dream: dream.npz
"""


@pytest.fixture
def dusk(bench, tmp_path_factory) -> Path:
    """The package, built as a wheel and installed where the bench's commands find it."""
    source = tmp_path_factory.mktemp("dusk")
    package = source / "somebodys_dusk"
    package.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (package / "__init__.py").write_text(CODE, encoding="utf-8")
    (package / "dusk.yaml").write_text(DUSK, encoding="utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "dist")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    site = tmp_path_factory.mktemp("dusk-site")
    with zipfile.ZipFile(next((source / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(site)
    bench.env["PYTHONPATH"] = os.pathsep.join([str(site), bench.environment()["PYTHONPATH"]])
    return site / "somebodys_dusk" / "dusk.yaml"


@pytest.fixture
def song(bench) -> Path:
    path = bench.folder / "song.wav"
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, 22050).astype(np.float32)
    soundfile.write(path, sound, 22050)
    return path


@pytest.mark.slow
def test_a_preset_of_another_package_steers_a_film_and_its_change_is_seen(bench, dusk, song):
    assert "dusk      The last light." in bench.core("film", "presets").stdout
    bench.pipeline(PIPELINE.format(preset="dusk"))
    made = TrajectoryFile().read(bench.run("p.yaml").folder / "dream.npz")
    assert made.look["palette"] == ("#20102f", "#c05030", "#f0c080")
    assert len(made.coefficients) == 25  # a row of features beyond the second
    dusk.write_text(DUSK.replace("#20102f", "#000000"), encoding="utf-8")
    again = bench.run("p.yaml")
    assert again.status("features") == "cached"
    assert TrajectoryFile().read(again.folder / "dream.npz").look["palette"][0] == "#000000"


def test_a_preset_that_is_not_there_is_named_with_the_one_that_was_meant(bench, dusk, song):
    bench.pipeline(PIPELINE.format(preset="duskk"))
    said = bench.fails("check", "p.yaml")
    assert said == (
        'p.yaml:8:77: step "dream": preset: no plugin preset/duskk is installed. Did you mean "preset/dusk"?'
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("fps: 12", "fps: input should be greater than or equal to 24, got 12"),
        ("motion: {wandr: 1}", 'motion: wandr: unknown setting. Did you mean "wander"?'),
        ("look: {paint: {warp: 7}}", "look: paint.warp: input should be less than or equal to 1, got 7"),
    ],
)
def test_settings_that_a_film_cannot_have_are_refused_before_anything_runs(bench, song, settings, message):
    bench.pipeline(PIPELINE.format(preset="drift").replace("fps: 24", settings))
    assert bench.fails("check", "p.yaml").endswith(f'step "dream": {message}')


def test_a_preset_that_says_what_it_may_not_fails_in_one_line(bench, dusk, song):
    dusk.write_text(DUSK.replace("smoothing_s", "smothing_s"), encoding="utf-8")
    bench.pipeline(PIPELINE.format(preset="dusk"))
    ran = bench.run("p.yaml", code=1)
    expected = 'preset/dusk: motion.smothing_s: unknown setting. Did you mean "smoothing_s"?'
    assert ran.error("dream") == expected
