import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from ripieno.contracts import ConfigError
from ripieno_film.painting import Paint
from ripieno_film.painting.colour import (
    lab_from_hex,
    lab_from_linear,
    lab_from_srgb,
    lch_from_lab,
    linear_from_srgb,
    srgb_from_lch,
    srgb_from_linear,
)
from ripieno_film.painting.palette import COLUMNS, ROWS, colour_table

# IEC 61966-2-1: linear sRGB of CIE XYZ.
RGB_FROM_XYZ = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)


@pytest.mark.parametrize(
    ("xyz", "lab"),
    [
        ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
        ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
        ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
        ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
    ],
)
def test_the_colours_of_the_paper_are_met(xyz, lab):
    # Ottosson (2020), table of XYZ and OKLab pairs, three digits.
    assert lab_from_linear(RGB_FROM_XYZ @ np.array(xyz)) == pytest.approx(lab, abs=2e-3)


@pytest.mark.parametrize(
    ("colour", "lightness", "chroma", "hue_deg"),
    [
        ("#ff0000", 0.62796, 0.25768, 29.23),
        ("#00ff00", 0.86644, 0.29483, 142.50),
        ("#0000ff", 0.45201, 0.31321, 264.05),
        ("#ffff00", 0.96798, 0.21101, 109.77),
    ],
)
def test_the_primaries_of_css_are_met(colour, lightness, chroma, hue_deg):
    # CSS Color Module Level 4, sample conversions to oklch().
    lch = lch_from_lab(lab_from_hex([colour]))[0]
    assert lch[:2] == pytest.approx([lightness, chroma], abs=1e-4)
    assert np.degrees(lch[2]) % 360 == pytest.approx(hue_deg, abs=0.05)


@given(arrays(np.float64, (5, 3), elements=st.floats(0, 1)))
def test_every_colour_comes_back(srgb):
    assert srgb_from_linear(linear_from_srgb(srgb)) == pytest.approx(srgb, abs=1e-7)
    assert srgb_from_lch(lch_from_lab(lab_from_srgb(srgb))) == pytest.approx(srgb, abs=2e-4)


@given(st.floats(0.05, 0.95), st.floats(-3.1, 3.1))
def test_what_srgb_cannot_show_keeps_lightness_and_hue(lightness, hue):
    shown = lch_from_lab(lab_from_srgb(srgb_from_lch(np.array([lightness, 0.5, hue]))))
    assert shown[0] == pytest.approx(lightness, abs=2e-3)
    assert np.cos(shown[2] - hue) > 0.999


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "", "ff0000"])
def test_what_is_no_colour_is_named(colour):
    with pytest.raises(ConfigError, match="is no colour"):
        lab_from_hex(["#000000", colour])


def table(palette, **paint):
    return colour_table(palette, Paint(**{"strata": 0} | paint), rng=np.random.default_rng(0))


PALETTE = ("#101b4b", "#2a5bd7", "#37b5a5", "#f2e3bc", "#f0803c", "#a3195b")


def test_the_palette_is_in_the_table_at_half_the_shade():
    colours = table(PALETTE)
    for place, colour in enumerate(PALETTE):
        found = colours[round(place * COLUMNS / len(PALETTE)) % COLUMNS, ROWS // 2]
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(found.astype(int) - wanted).max() <= 12


def test_the_ring_has_no_seam():
    colours = table(PALETTE, strata=1).astype(int)
    steps = np.abs(np.diff(colours, axis=0, append=colours[:1])).max(axis=(1, 2))
    assert steps[-1] <= steps[:-1].max()


@pytest.mark.parametrize("palette", [("#1540e0", "#ff8a10"), ("#e01030", "#10c0a0"), PALETTE])
def test_colours_blend_along_hue_and_never_through_grey(palette):
    own = lch_from_lab(lab_from_hex(palette))[:, 1].min()
    middle = lch_from_lab(lab_from_srgb(table(palette)[:, ROWS // 2] / 255))
    assert middle[:, 1].min() > 0.75 * own


def test_shade_goes_from_dark_to_light():
    lightness = lab_from_srgb(table(PALETTE, shadow=0.1, highlight=0.95) / 255)[..., 0]
    assert (np.diff(lightness, axis=1) > -0.012).all()
    assert lightness[:, 0] == pytest.approx(0.1, abs=0.02)
    assert lightness[:, -1] == pytest.approx(0.95, abs=0.02)


def test_dark_and_light_stay_as_saturated_as_srgb_lets_them():
    colours = table(("#2060ff", "#e02060"))[:, [ROWS // 6, -ROWS // 6]]
    assert lch_from_lab(lab_from_srgb(colours / 255))[..., 1].min() > 0.04


def test_grey_palettes_are_grey_and_one_colour_is_enough():
    grey = table(("#202020", "#d0d0d0"))
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    assert table(("#336699",)).shape == (COLUMNS, ROWS, 3)


def test_an_empty_palette_is_refused():
    with pytest.raises(ConfigError, match="it has no colours"):
        table(())
