"""Pictures by formula: their families, their files, their sameness."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from ripieno.contracts import Context, Dataset, InputError
from ripieno.contracts.context import use_context
from ripieno.contracts.testing import DataSourceSuite
from ripieno_gan import noise, palettes, pictures
from ripieno_gan.abstract import Abstract, AbstractConfig
from ripieno_gan.families import FAMILIES


class TestConformance(DataSourceSuite):
    plugin = Abstract
    config = AbstractConfig(count=18, size=64)


class TestConformanceOfRgb(DataSourceSuite):
    plugin = Abstract
    config = AbstractConfig(count=5, size=64, form="rgb")


def generated(folder, *, seed=3, **config):
    context = Context(scratch=folder / "scratch", checkpoint=folder / "checkpoint", seed=seed)
    for made in (context.scratch, context.checkpoint):
        made.mkdir(parents=True, exist_ok=True)
    with use_context(context):
        return Abstract(AbstractConfig(**config)).generate()


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from((64, 96, 128)))
@settings(max_examples=12)
def test_a_picture_is_two_fields_between_0_and_1_with_something_to_see(family, seed, size):
    picture = FAMILIES[family](np.random.default_rng(seed), size)
    assert picture.shape == (2, size, size) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1
    assert picture[1].std() > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_of_a_family_differ(family):
    first, second = (FAMILIES[family](np.random.default_rng(seed), 64) for seed in (1, 2))
    assert np.abs(first - second).mean() > 0.02


@given(st.integers(0, 2**32 - 1), st.floats(1, 12))
@settings(max_examples=20)
def test_noise_is_smooth_within_a_cell(seed, cells):
    field = noise.smooth(np.random.default_rng(seed), 128, cells=cells)
    # Cubic convolution of values within 4.5 changes by less than 2 x 1.5 x 4.5 a cell and direction.
    assert np.abs(np.diff(field, axis=0)).max() < 2 * 1.5 * 4.5 * cells / 128 * 2


def test_between_knots_of_one_value_there_is_that_value():
    weights = noise._between(50, cells=3, count=7, phase=1.3)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_at_a_knot_there_is_its_own_value():
    weights = noise._between(8, cells=8, count=12, phase=1.0)
    assert weights == pytest.approx(np.eye(12)[1:9], abs=1e-6)


def test_a_larger_set_begins_with_the_smaller(tmp_path):
    small, large = (generated(tmp_path / str(count), count=count, size=64) for count in (3, 8))
    assert large.manifest["pictures"][:3] == small.manifest["pictures"]


def test_families_take_turns(tmp_path):
    data = generated(tmp_path, count=5, size=64, families=("glitch", "flow"))
    found = [entry["family"] for entry in data.manifest["pictures"]]
    assert found == ["glitch", "flow", "glitch", "flow", "glitch"]


def test_an_interrupted_set_keeps_what_is_whole_and_mends_what_is_not(tmp_path):
    whole = generated(tmp_path, count=4, size=64)
    kept, torn = (whole.files[f"abstract-00000{index}.png"] for index in (0, 2))
    before = {path: path.read_bytes() for path in (kept, torn)}
    stamp = kept.stat().st_mtime_ns
    torn.write_bytes(before[torn][:100])
    again = generated(tmp_path, count=4, size=64)
    assert again.manifest == whole.manifest
    assert torn.read_bytes() == before[torn]
    assert kept.stat().st_mtime_ns == stamp


def test_each_picture_has_a_file_with_its_entry(tmp_path):
    data = generated(tmp_path, count=2, size=64)
    for entry in data.manifest["pictures"]:
        assert json.loads(data.files[f"{entry['name']}.json"].read_text(encoding="utf-8")) == entry


def test_fields_come_back_from_their_file(tmp_path):
    fields = np.random.default_rng(0).integers(0, 256, (9, 7, 2), np.uint8)
    entry = pictures.keep(tmp_path, fields, name="one", facts={})
    assert (entry["form"], entry["size"]) == ("fields", [7, 9])
    assert (pictures.read(tmp_path / "one.png", channels=2) == fields).all()


def test_rgb_comes_back_from_its_file(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    pictures.keep(tmp_path, rgb, name="one", facts={})
    assert (pictures.read(tmp_path / "one.png", channels=3) == rgb).all()


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_what_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "no.png").write_bytes(content)
    with pytest.raises(InputError, match=r"no\.png: not a picture"):
        pictures.read(tmp_path / "no.png", channels=2)


@pytest.mark.parametrize("shape", [(40, 80), (80, 40)])
def test_of_a_picture_the_middle_is_fitted_and_nothing_stretched(shape):
    pixels = np.zeros((*shape, 2), np.uint8)
    pixels[shape[0] // 2 - 20 : shape[0] // 2 + 20, shape[1] // 2 - 20 : shape[1] // 2 + 20] = 200
    assert pictures.fitted(pixels, (20, 20)).shape == (20, 20, 2)
    assert (pictures.fitted(pixels, (20, 20)) == 200).all()
    assert (pictures.fitted(pixels, shape[::-1]) == pixels).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1)])
def test_of_the_smallest_picture_something_is_left(shape):
    assert (pictures.fitted(np.full((*shape, 3), 7, np.uint8), (64, 32)) == 7).all()


def test_an_unknown_family_is_refused():
    with pytest.raises(ValidationError, match='no family "flows". Did you mean "flow"?'):
        AbstractConfig(families=("flows",))


def test_oklab_of_white_and_of_red():
    # Ottosson's page: white is (1, 0, 0), sRGB red (0.628, 0.225, 0.126).
    lab = palettes.oklab(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]))
    assert lab == pytest.approx(np.array([[1, 0, 0], [0.628, 0.225, 0.126]]), abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_srgb_comes_back_from_oklab(rgb):
    assert palettes.srgb(palettes.oklab(np.array([rgb])))[0] == pytest.approx(rgb, abs=1e-3)


def test_the_ends_of_a_palette_are_its_colours():
    palette = ("#102030", "#8090a0", "#f0d0b0")
    # 31.5 of 63 is the middle of the shade: of the two next to it, one is a little darker, one a little lighter.
    found = palettes.table(palette)[31:33, [0, 255]].astype(float).mean(axis=0)
    assert found == pytest.approx(np.array([[16, 32, 48], [240, 208, 176]]), abs=14)


def test_more_shade_is_lighter():
    lightness = palettes.oklab(palettes.table(palettes.PALETTES["ember"]) / 255)[..., 0]
    assert (np.diff(lightness, axis=0) > -0.01).all()


def test_a_drawn_palette_has_five_colours():
    palette = palettes.drawn(np.random.default_rng(4))
    assert len(palette) == 5 and all(len(name) == 7 for name in palette)


def test_pictures_are_listed_from_a_manifest_that_was_stored(tmp_path):
    data = generated(tmp_path, count=3, size=64)
    # The store gives lists back as tuples.
    stored = Dataset(data.files, {"pictures": tuple(data.manifest["pictures"])})
    assert pictures.listed([stored]) == pictures.listed([data])


def test_a_manifest_that_lists_words_is_refused():
    with pytest.raises(InputError, match="the manifest lists 'one', which says nothing of a picture"):
        pictures.listed([Dataset({}, {"pictures": ["one"]})])


def test_a_manifest_that_lists_what_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"lists lost\.png, which is not in the data set"):
        pictures.listed([Dataset({}, {"pictures": [{"picture": "lost.png"}]})])
