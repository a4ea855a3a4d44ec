"""Tone, vignette, grain, chroma shift and trails."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno_film_effects.chroma_shift import ChromaShift, ChromaShiftConfig
from ripieno_film_effects.grain import Grain, GrainConfig
from ripieno_film_effects.tone import CURVES, Tone, ToneConfig
from ripieno_film_effects.trails import Trails, TrailsConfig
from ripieno_film_effects.vignette import Vignette, VignetteConfig

RAMP = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 256, 3)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def grey(level, *, count=1, height=270, width=480):
    return np.full((count, height, width, 3), level, np.uint8)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("exposure_stops", [-2, 0, 1.5])
def test_more_light_never_becomes_less(curve, exposure_stops):
    toned = Tone(ToneConfig(curve=curve, exposure_stops=exposure_stops)).apply(RAMP, 0.0)[0, 0, :, 0]
    assert (np.diff(toned.astype(int)) >= 0).all()


def test_punch_deepens_shadows_and_pastel_and_filmlog_lift_them():
    dark = {curve: Tone(ToneConfig(curve=curve)).apply(RAMP, 0.0)[0, 0, 40, 0] for curve in CURVES}
    assert dark["punch"] < dark["linear"] == 40 < dark["filmlog"]
    assert dark["pastel"] > 40
    assert Tone(ToneConfig(curve="punch")).apply(RAMP, 0.0)[0, 0, 128, 0] == pytest.approx(128, abs=1)


def test_half_a_curve_is_halfway():
    whole = Tone(ToneConfig(curve="pastel")).apply(RAMP, 0.0).astype(float)
    half = Tone(ToneConfig(curve="pastel", strength=0.5)).apply(RAMP, 0.0)
    assert np.abs(half - (whole + RAMP) / 2).max() <= 1


def test_without_saturation_every_pixel_is_its_luma():
    frames = noise(1, 9, 16)
    toned = Tone(ToneConfig(saturation=0)).apply(frames, 0.0)
    luma = frames @ np.array([0.2126, 0.7152, 0.0722])
    assert np.abs(toned - luma[..., None]).max() <= 0.51


def test_grey_has_no_saturation_to_change():
    assert np.array_equal(Tone(ToneConfig(saturation=2)).apply(RAMP, 0.0), RAMP)


@given(strength=st.floats(0.01, 0.99), level=st.integers(1, 255))
def test_a_vignette_leaves_the_middle_and_at_least_its_share_of_the_corners(strength, level):
    dark = Vignette(VignetteConfig(strength=strength)).apply(grey(level, height=36, width=64), 0.0)[
        0, :, :, 0
    ]
    assert dark[18, 32] == level
    assert dark.min() >= np.floor(level * (1 - strength))
    assert dark[0, 0] == dark.min() == dark[-1, -1] == dark[0, -1]


def test_below_full_strength_no_bright_pixel_becomes_black_and_at_full_strength_the_corner_does():
    assert Vignette(VignetteConfig(strength=0.999)).apply(grey(255), 0.0).min() > 0
    assert Vignette(VignetteConfig(strength=1.0)).apply(grey(255), 0.0)[0, 0, 0].max() <= 1


def test_a_vignette_falls_towards_the_corner():
    row = Vignette(VignetteConfig(strength=0.7)).apply(grey(200), 0.0)[0].diagonal()[0].astype(int)
    assert (np.diff(row[:135]) >= 0).all() and row[0] < row[134]


def test_grain_is_as_strong_as_it_says_in_the_middle_and_keeps_the_mean():
    frames = Grain(GrainConfig(strength=0.25)).apply(grey(128), 0.0).astype(float)
    assert frames.std() == pytest.approx(0.25 * 40, rel=0.05)
    assert frames.mean() == pytest.approx(128, abs=0.4)
    assert np.array_equal(frames[..., 0], frames[..., 2])


def test_black_and_white_have_no_grain():
    grain = Grain(GrainConfig(strength=1.0))
    assert not grain.apply(grey(0), 0.0).any()
    assert (grain.apply(grey(255), 0.0) == 255).all()


def test_grain_changes_at_its_own_rate_whatever_the_frame_rate():
    grain = Grain(GrainConfig(strength=0.3, rate_hz=24, fps=120))
    frames = grain.apply(grey(128, count=10, height=36, width=64), 1.0)
    same = [np.array_equal(a, b) for a, b in itertools.pairwise(frames)]
    assert same == [True] * 4 + [False] + [True] * 4


def test_grain_stands_still_if_nothing_is_said():
    frames = Grain(GrainConfig(strength=0.3)).apply(grey(128, count=3, height=36, width=64), 1.0)
    later = Grain(GrainConfig(strength=0.3)).apply(grey(128, height=36, width=64), 77.7)
    assert all(np.array_equal(frame, later[0]) for frame in frames)


def test_another_seed_is_another_grain_and_the_same_one_the_same():
    made = [Grain(GrainConfig(strength=0.3, seed=seed)).apply(grey(128), 2.0) for seed in (1, 2, 1)]
    assert np.array_equal(made[0], made[2]) and not np.array_equal(made[0], made[1])


def test_larger_grain_is_smoother():
    fine, coarse = (
        Grain(GrainConfig(strength=0.5, size=size)).apply(grey(128, height=540, width=960), 0.0).astype(float)
        for size in (1.3, 6)
    )
    assert np.abs(np.diff(coarse, axis=2)).mean() < 0.6 * np.abs(np.diff(fine, axis=2)).mean()


def test_whole_pixels_move_red_back_and_blue_forth_and_repeat_the_edges():
    frames = noise(2, 1080, 1090)
    moved = ChromaShift(ChromaShiftConfig(shift=3)).apply(frames, 0.0)
    padded = np.pad(frames, ((0, 0), (0, 0), (3, 3), (0, 0)), mode="edge")
    assert np.array_equal(moved[..., 0], padded[:, :, 6:, 0])
    assert np.array_equal(moved[..., 1], frames[..., 1])
    assert np.array_equal(moved[..., 2], padded[:, :, :-6, 2])


def test_half_a_pixel_is_the_mean_of_two():
    frames = noise(1, 1080, 1080)
    red = ChromaShift(ChromaShiftConfig(shift=0.5)).apply(frames, 0.0)[0, :, :-1, 0]
    mean = (frames[0, :, :-1, 0].astype(float) + frames[0, :, 1:, 0]) / 2
    assert np.abs(red - mean).max() <= 0.5


def test_the_vertical_axis_is_the_horizontal_one_of_a_turned_picture():
    frames = noise(1, 360, 360)
    across = ChromaShift(ChromaShiftConfig(shift=-7.3)).apply(frames, 0.0)
    down = ChromaShift(ChromaShiftConfig(shift=-7.3, axis="vertical")).apply(frames.swapaxes(1, 2), 0.0)
    assert np.array_equal(across, down.swapaxes(1, 2))


def test_a_flash_leaves_a_trail_that_fades_and_ends():
    frames = grey(0, count=20, height=4, width=4)
    frames[3] = 240
    trails = Trails(TrailsConfig(strength=1.0, length_s=8 / 30))
    trail = trails.apply(frames, 0.0)[:, 0, 0, 0].astype(int)
    assert trails.lead_frames == 8
    assert not trail[:3].any() and trail[3] == 240
    # 8 % of the light is left after 8 frames, in equal ratios.
    expected = 240 * 0.08 ** (np.arange(1, 9) / 8)
    assert np.abs(trail[4:12] - expected).max() <= 5
    assert not trail[12:].any()


def test_trails_are_the_brightest_of_fading_frames():
    frames = noise(12, 9, 16)
    trails = Trails(TrailsConfig(strength=0.7, length_s=4 / 30))
    made = trails.apply(frames, 0.0).astype(float)
    fade = 0.08 ** (1 / 4)
    expected = frames.astype(float)
    for back in range(1, 5):
        expected[back:] = np.maximum(expected[back:], 0.7 * fade**back * frames[:-back])
    assert np.abs(made - expected).max() <= 4
    assert (made >= frames).all()


@pytest.mark.parametrize("length_s", [0.05, 0.25, 0.5])
def test_trails_that_are_followed_frame_by_frame_are_those_of_any_part_that_begins_early_enough(length_s):
    frames = noise(40, 7, 11)
    trails = Trails(TrailsConfig(strength=0.9, length_s=length_s))
    followed = list(trails.follow(iter(frames), 0.0))
    lead = trails.lead_frames
    for first in range(lead, 40):
        assert np.array_equal(trails.apply(frames[first - lead : first + 1], 0.0)[-1], followed[first])
