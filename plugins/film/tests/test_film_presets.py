"""Presets: each is whole and unlike the others, and one of another package is as good."""

import numpy as np
import pytest
from click.testing import CliRunner
from hearing import CPPN, PRESETS, config, features, steady
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from ripieno.contracts import Asset, ConfigError, MissingError, Preset
from ripieno.toolkit.latents import GeneratorCard
from ripieno_film import presets
from ripieno_film.choosing import TRAITS, choose, traits_of
from ripieno_film.command import film
from ripieno_film.contact_sheet import MOMENTS_S, TILE, contact_sheet, piece
from ripieno_film.controller import LatentController
from ripieno_film.generator import load
from ripieno_film.installed import shipped
from ripieno_film.painting import Painter
from ripieno_film.steering.settings import Character, Scene, scene_of

CARD = load(str(CPPN), gpu=False).card
CODES = len(CARD.anchors)


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


def test_the_anchors_of_the_presets_are_those_that_suit_them():
    lines = dict(
        line.split(None, 1) for line in invoked("--anchors", "--weights", "cppn").output.splitlines()
    )
    for name in PRESETS:
        assert lines[name] == f"asset/cppn: {list(scene(name).anchors['asset/cppn'])}"


@given(
    hnp.arrays(np.float64, (30, 4), elements=st.floats(-1, 1)),
    st.integers(1, 40),
    st.sampled_from(["light", "contrast", "fineness", "variety"]),
)
def test_of_a_bank_are_chosen_codes_of_the_character(traits, count, trait):
    bank = np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32)
    card = GeneratorCard((8, 1, 1), "fields", (8, 8), bank, bank[:1], bank[:, :1], ("rms",))
    plain = Character(light=0, contrast=0, fineness=0, variety=0)
    chosen = choose(card, traits, plain.model_copy(update={trait: 1.0}), count=count)
    assert len(set(chosen)) == len(chosen) == min(count, 30)
    place = TRAITS.index(trait)
    if count <= 5:
        assert traits[list(chosen), place].mean() >= traits[:, place].mean() - 0.2
    assert traits[chosen[0], 0] == traits[list(chosen), 0].min()


def test_pictures_are_ranked_by_what_they_are_like():
    traits = traits_of(load(str(CPPN), gpu=False))
    assert traits.shape == (CODES, 4)
    np.testing.assert_allclose(np.sort(traits, axis=0), np.linspace(-1, 1, CODES)[:, None] * np.ones(4))


@pytest.mark.slow
def test_a_sheet_has_a_row_a_preset_and_the_same_pixels_every_time():
    shown = {name: getattr(presets, name) for name in ("drift", "surge")}
    weights = shipped(Catalogue(), "cppn")
    sheet, again = (contact_sheet(shown, weights) for _ in range(2))
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
    done = invoked("nocturne", "--weights", "cppn", "--contact-sheet", str(path))
    assert done.exit_code == 0, done.exception
    assert cv2.imread(str(path)).shape[1] > 2000
    assert done.output.splitlines()[-1] == str(path)


def test_a_preset_may_say_nothing_at_all():
    made = LatentController(config(Preset(uses="controller/latent", settings={}))).control(
        features(1.0), beats=steady(until_s=1)
    )
    assert made.look["palette"] == ()
    assert scene_of(Preset(uses="controller/latent", settings={}), name="x", over={}) == Scene()
