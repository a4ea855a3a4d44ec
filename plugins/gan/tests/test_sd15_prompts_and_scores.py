"""Prompts of Stable Diffusion, and what is kept of its pictures: no weights, no torch."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import ConfigError, InputError, MissingError
from ripieno.contracts.describe import configure
from ripieno_gan.sd15 import Sd15, Sd15Config
from ripieno_gan.sd15_prompts import BUCKETS, prompt_of
from ripieno_gan.sd15_scores import judged, measured

RNG = np.random.default_rng(3)
GREY = np.full((64, 64, 3), 128, np.uint8)
NOISE = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
RAMP = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 64, 0).repeat(3, 2)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_prompt_has_one_of_each_part_and_follows_the_generator(bucket):
    prompts = {prompt_of(bucket, np.random.default_rng(seed)) for seed in range(40)}
    assert len(prompts) > 15
    for prompt in prompts:
        for part in BUCKETS[bucket].parts:
            assert any(words in prompt for words in part)
    assert prompt_of(bucket, np.random.default_rng(1)) == prompt_of(bucket, np.random.default_rng(1))


def test_there_are_the_five_buckets_that_a_generator_learns_from():
    assert set(BUCKETS) == {"abstract", "glitch", "colour_field", "reaction_diffusion", "monochrome_noise"}


def test_measures_know_grey_from_noise_and_colour():
    grey, noise, ramp = map(measured, (GREY, NOISE, RAMP))
    assert grey["contrast"] == grey["colour"] == grey["detail"] == 0
    assert noise["detail"] > ramp["detail"] > 0
    # The standard deviation of an even ramp from 0 to 1 is the root of a twelfth.
    assert ramp["contrast"] == pytest.approx(12**-0.5, abs=0.01)
    # A histogram that is filled evenly has the logarithm of its bins as entropy.
    assert ramp["variety"] == pytest.approx(5, abs=0.1)
    assert ramp["colour"] == 0 < noise["colour"]
    assert ramp["fingerprint"] == "ff" * 24


def of(contrast, fingerprint, **others):
    return {
        "contrast": contrast,
        "colour": 0.1,
        "detail": 0.1,
        "variety": 3.0,
        "fingerprint": fingerprint,
        **others,
    }


def test_gradients_of_one_direction_are_doubles_only_where_their_colours_are_alike():
    red, dark_red, blue = (RAMP * np.array(colour, np.uint8) for colour in ((1, 0, 0), (1, 0, 0), (0, 0, 1)))
    dark_red //= 2
    verdicts = judged([measured(picture) for picture in (red, dark_red, blue)], keep=1)
    assert [one.culled for one in verdicts] == ["", "like a better one", ""]


def test_blank_pictures_and_doubles_go_before_the_worst():
    family = [
        of(0.01, "00000000ffffffff"),
        of(0.30, "ffffffffffffffff"),
        of(0.29, "fffffffffffffffe"),
        of(0.20, "0f0f0f0f0f0f0f0f"),
        of(0.10, "00ff00ff00ff00ff"),
    ]
    said = [one.culled for one in judged(family, keep=1)]
    assert said == ["blank", "", "like a better one", "", ""]
    assert [one.culled for one in judged(family, keep=0.4)][3:] == ["", "among the worst"]


def test_colour_counts_only_where_a_family_has_any():
    family = [of(0.2, "0" * 16, colour=0.0), of(0.1, "f" * 16, colour=0.9)]
    assert judged(family, keep=0.5, has_colour=False)[0].culled == ""
    assert [one.score for one in judged(family, keep=0.5, has_colour=False)] == pytest.approx([0.7, 0.3])
    # Best in contrast against best in colour, and even in the rest.
    assert [one.score for one in judged(family, keep=0.5)] == [0.5, 0.5]


def test_of_a_single_picture_one_stays_whatever_the_share():
    assert [one.culled for one in judged([of(0.2, "0" * 16)], keep=0.1)] == [""]


PICTURES = st.tuples(st.floats(0.03, 0.5), st.integers(0, 2**64 - 1))


@given(st.lists(PICTURES, min_size=1, max_size=30), st.floats(0.05, 1))
def test_the_share_or_a_single_picture_is_kept_at_most_and_none_is_worse_than_a_plain_reject(family, keep):
    measures = [of(contrast, f"{bits:016x}") for contrast, bits in family]
    verdicts = judged(measures, keep=keep)
    kept = [one.score for one in verdicts if not one.culled]
    assert 1 <= len(kept) <= max(1, round(keep * len(family)))
    rejected = [one.score for one in verdicts if one.culled == "among the worst"]
    assert not kept or not rejected or min(kept) >= max(rejected)


def test_settings_that_do_not_fit_are_refused_in_a_line():
    for settings, message in (
        ({"families": ["abstrct"]}, 'no family "abstrct". Did you mean "abstract"'),
        ({"families": ["glitch", "glitch"]}, "twice"),
        ({"size": 500}, "multiple of 64"),
    ):
        with pytest.raises(ConfigError, match=message):
            configure(Sd15, settings)


def test_weights_that_are_not_there_are_asked_for(tmp_path):
    with pytest.raises(MissingError, match=r"^data_source/sd15 has no weights. `core models show sd15`"):
        Sd15().generate()
    with pytest.raises(InputError, match=r"no pipeline of diffusers: it has no model_index.json$"):
        Sd15(Sd15Config(folder=tmp_path)).generate()
