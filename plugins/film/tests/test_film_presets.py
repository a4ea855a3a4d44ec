"""Presets: each is whole and unlike the others, and one of another package is as good."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from hearing import CPPN, PRESETS, config, features, steady

from ripieno.contracts import Asset, ConfigError, MissingError, Preset
from ripieno_film import presets
from ripieno_film.command import film
from ripieno_film.contact_sheet import MOMENTS_S, TILE, contact_sheet, piece
from ripieno_film.controller import LatentController, card_at
from ripieno_film.painting import Painter
from ripieno_film.steering.settings import Scene, scene_of

CODES = len(card_at(CPPN).anchors)


def scene(name):
    return scene_of(getattr(presets, name), name=f"preset/{name}", over={})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_anchors_of_the_bank_moods_and_colours(name):
    made, preset = scene(name), getattr(presets, name)
    for codes in made.anchors.values():
        assert len(set(codes)) == len(codes) >= 10
    assert max(made.anchors["asset/cppn"]) < CODES
    assert len(made.moods) >= 3
    assert all(mood.lead for mood in made.moods.values())
    assert 5 <= len(made.look.palette) <= 8
    assert preset.description.endswith(".")


def test_no_two_presets_are_alike():
    scenes = [scene(name) for name in PRESETS]
    for part in (lambda one: one.look.palette, lambda one: one.motion, lambda one: one.anchors["asset/cppn"]):
        assert len({repr(part(one)) for one in scenes}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_what_the_painter_takes(name):
    look = scene(name).look.model_dump(mode="json")
    Painter({"palette": look["palette"], "paint": look["paint"]}, size=(16, 16))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_effects_that_there_are(name):
    effects = pytest.importorskip("ripieno_film_effects")
    assert effects
    from importlib.metadata import entry_points

    known = {f"frame_effect/{entry.name}": entry for entry in entry_points(group="ripieno.frame_effects")}
    for uses, settings in scene(name).look.effects.items():
        known[uses].load().config_class().model_validate(settings)


def test_settings_of_a_step_go_over_the_preset_key_by_key():
    over = {
        "motion": {"wander": 0.1},
        "look": {"effects": {"frame_effect/x": {"a": 1}}, "palette": ["#000000"]},
    }
    made, plain = scene_of(presets.drift, name="preset/drift", over=over), scene("drift")
    assert made.motion == plain.motion.model_copy(update={"wander": 0.1})
    assert made.look.paint == plain.look.paint
    assert made.look.effects == {**plain.look.effects, "frame_effect/x": {"a": 1}}
    assert made.look.palette == ("#000000",)


def test_the_piece_of_the_sheet_has_all_that_a_controller_reads():
    made = LatentController(config("default")).control(**piece())
    assert np.isfinite(made.coefficients).all()


def cppn():
    return Asset(version="1", url="file:x", licence="none", commercial=True).at(CPPN)


@pytest.mark.slow
def test_a_sheet_has_a_row_a_preset_and_the_same_pixels_every_time():
    shown = {name: getattr(presets, name) for name in ("drift", "surge")}
    sheet, again = (contact_sheet(shown, cppn(), uses="asset/cppn") for _ in range(2))
    assert np.array_equal(sheet, again)
    assert sheet.shape[0] >= 2 * TILE[1]
    assert sheet.shape[1] >= len(MOMENTS_S) * TILE[0]
    upper, lower = np.array_split(sheet[:, -2 * TILE[0] :].astype(float), 2)
    assert np.abs(upper.mean(axis=(0, 1)) - lower.mean(axis=(0, 1))).max() > 10


class Catalogue:
    """What a command asks of its host, from this package alone."""

    def data(self, uses):
        prefix, name = uses.split("/")
        if prefix == "asset":
            return Asset(
                version="1", url="package:ripieno_film.assets/cppn.onnx", licence="none", commercial=True
            )
        try:
            return getattr(presets, name)
        except AttributeError as error:
            raise MissingError(f"no plugin {uses} is installed") from error


def invoked(*args):
    return CliRunner().invoke(film, ["presets", *args], obj=Catalogue())


def test_presets_are_listed_with_what_they_are():
    listed = invoked().output
    for name in PRESETS:
        assert f"{name} " in listed
        assert getattr(presets, name).description in listed
    assert invoked("lumen").output.startswith("lumen  Morning light")


def test_a_preset_that_does_not_exist_is_one_line():
    assert isinstance(invoked("driftt").exception, MissingError)


def test_a_sheet_that_is_no_png_is_refused(tmp_path):
    refused = invoked("--contact-sheet", str(tmp_path / "x.jpg")).exception
    assert isinstance(refused, ConfigError)
    assert "Call it x.png" in str(refused)


def test_a_sheet_of_one_preset_is_written(tmp_path):
    import cv2

    path = tmp_path / "sheet.png"
    done = invoked("nocturne", "--contact-sheet", str(path))
    assert done.exit_code == 0, done.exception
    assert cv2.imread(str(path)).shape[1] > 2000
    assert done.output.splitlines()[-1] == str(path)


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
CODE = "from ripieno.contracts import Preset, resources\n\n__getattr__ = resources(__name__, Preset)\n"
DUSK = """
description: The last light.
uses: controller/latent
settings:
  motion: {smoothing_s: 3}
  look: {palette: ["#20102f", "#c05030", "#f0c080"]}
"""


@pytest.fixture
def dusk(tmp_path):
    """A preset in a package of its own, built as a wheel and installed as pip leaves it."""
    package = tmp_path / "source" / "somebodys_dusk"
    package.mkdir(parents=True)
    (tmp_path / "source" / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (package / "__init__.py").write_text(CODE, encoding="utf-8")
    (package / "dusk.yaml").write_text(DUSK, encoding="utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path / "source", check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    return tmp_path / "site"


STEERED = """
import json
from importlib.metadata import entry_points
from pathlib import Path
from hearing import config, features
from ripieno_film.controller import LatentController
(entry,) = (entry for entry in entry_points(group="ripieno.presets") if entry.name == "dusk")
made = LatentController(config(entry.load())).control(features(1.0))
print(json.dumps([made.look["palette"], len(made.look["anchors"]), len(made.coefficients)]))
"""


def test_a_preset_is_one_file_and_one_line_in_a_package_of_its_own(dusk):
    assert len(DUSK.strip().splitlines()) == 5
    path = os.pathsep.join([str(dusk), os.path.dirname(__file__), *filter(None, sys.path)])
    env = {**os.environ, "PYTHONPATH": path}
    ran = subprocess.run([sys.executable, "-c", STEERED], env=env, capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [["#20102f", "#c05030", "#f0c080"], 12, 30]


def test_a_preset_may_say_nothing_at_all():
    made = LatentController(config(Preset(uses="controller/latent", settings={}))).control(
        features(1.0), beats=steady(until_s=1)
    )
    assert made.look["palette"] == ()
    assert scene_of(Preset(uses="controller/latent", settings={}), name="x", over={}) == Scene()
