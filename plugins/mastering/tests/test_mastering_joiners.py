import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, InputError
from ripieno.toolkit.distortion import si_sdr_db
from ripieno_mastering import spans
from ripieno_mastering.blend import Blend, BlendConfig
from ripieno_mastering.fusion import MaskFusion, MaskFusionConfig
from ripieno_mastering.masks import fuse, ratio_mask, smooth
from ripieno_mastering.wiener import Wiener, WienerConfig

RATE_HZ = 16000


def noise(*, channels=1, frames=20_000, rate_hz=RATE_HZ, seed=0, gain=0.1):
    return Audio(gain * np.random.default_rng(seed).standard_normal((channels, frames)), rate_hz)


def tones(frequency_hz, *, frames=32_000, rate_hz=RATE_HZ, seed=0):
    """Bursts of a tone, so that time and frequency both matter."""
    time_s = np.arange(frames) / rate_hz
    loud = np.random.default_rng(seed).uniform(0.1, 1, 40)[(time_s * 10).astype(int) % 40]
    return Audio(0.3 * loud * np.sin(2 * np.pi * frequency_hz * time_s), rate_hz)


def mixed(*parts):
    return Audio(np.sum([part.samples for part in parts], axis=0), parts[0].rate_hz)


def scaled(audio, gain):
    return Audio(gain * audio.samples, audio.rate_hz)


magnitudes = st.lists(st.floats(0, 1e3, width=32), min_size=2, max_size=8).map(np.float32)
RULES = ["mean", "geometric_mean", "max", "min", "product"]


@given(magnitudes, st.floats(0.5, 4))
def test_the_masks_of_two_parts_sum_to_one_where_there_is_sound(values, exponent):
    part, rest = values, values[::-1]
    both = ratio_mask(part, rest, exponent=exponent) + ratio_mask(rest, part, exponent=exponent)
    np.testing.assert_allclose(both[(part + rest) > 0], 1, atol=1e-6)


def test_at_exponent_one_a_mask_is_found_again_from_what_it_made():
    rng = np.random.default_rng(0)
    spectrum = rng.standard_normal((4, 1, 9)) + 1j * rng.standard_normal((4, 1, 9))
    mask = rng.uniform(0, 1, spectrum.shape)
    np.testing.assert_allclose(
        ratio_mask(mask * spectrum, (1 - mask) * spectrum, exponent=1.0), mask, atol=1e-6
    )


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=5))
def test_rules_are_what_they_are_called(values):
    masks = [np.full((1, 1, 1), value, np.float32) for value in values]
    fused = {rule: fuse(masks, rule=rule).item() for rule in RULES}
    assert fused["max"] == max(values) and fused["min"] == min(values)
    assert fused["mean"] == pytest.approx(np.mean(values), abs=1e-6)
    assert fused["product"] == pytest.approx(np.prod(values), abs=1e-6)
    assert fused["geometric_mean"] == pytest.approx(np.prod(values) ** (1 / len(values)), abs=1e-5)
    assert fused["min"] - 1e-6 <= fused["geometric_mean"] <= fused["mean"] + 1e-6


def test_a_weighted_fusion_is_the_weighted_mean():
    masks = [np.full((1, 1, 1), value, np.float32) for value in (0.2, 0.6)]
    assert fuse(masks, rule="weighted", weights=(3, 1)).item() == pytest.approx(0.3)


@given(st.integers(1, 12), st.integers(0, 5), st.sampled_from([0, 2]))
def test_smoothing_is_a_weighted_mean_of_neighbours(length, reach, axis):
    shape = (length, 1, 3) if axis == 0 else (3, 1, length)
    values = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    distance = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    weights = np.where(distance <= reach, np.cos(np.pi / 2 * distance / (reach + 1)) ** 2, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
    np.testing.assert_allclose(smooth(values, reach=reach, axis=axis), expected, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate_hz", [8000, 44100, 192000])
def test_an_estimate_that_is_the_mixture_gives_it_back(rule, rate_hz):
    audio = noise(channels=2, rate_hz=rate_hz, frames=rate_hz // 4)
    for count in (1, 3):
        result = MaskFusion(MaskFusionConfig(rule=rule)).join(audio, [audio] * count)
        np.testing.assert_allclose(result.samples, audio.samples, atol=1e-6)
    np.testing.assert_allclose(Wiener().join(audio, audio).samples, audio.samples, atol=1e-6)


def test_what_all_estimates_leave_out_is_gone_and_what_all_have_stays():
    voice, song = tones(440), tones(2000, seed=1)
    result = MaskFusion().join(mixed(voice, song), [voice, scaled(voice, 0.9)])
    assert si_sdr_db(result.samples, voice.samples) > 25


def test_what_one_of_two_estimates_leaks_passes_less_than_by_the_maximum():
    voice, song = tones(440), tones(2000, seed=1)
    mixture = mixed(voice, song)
    estimates = [voice, mixed(voice, scaled(song, 0.5))]
    kept_db = {
        rule: si_sdr_db(
            MaskFusion(MaskFusionConfig(rule=rule)).join(mixture, estimates).samples, voice.samples
        )
        for rule in RULES
    }
    assert kept_db["geometric_mean"] > kept_db["mean"] > kept_db["max"]


def test_weights_choose_an_estimate():
    voice, song = tones(440), tones(2000, seed=1)
    mixture = mixed(voice, song)
    only_first = MaskFusionConfig(rule="weighted", weights=(1, 0))
    np.testing.assert_array_equal(
        MaskFusion(only_first).join(mixture, [voice, song]).samples,
        MaskFusion().join(mixture, [voice]).samples,
    )


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 5000), st.sampled_from([0.0, 40.0]), st.sampled_from([1, 40, 1000]))
def test_spans_leave_no_seam(frames, smooth_ms, span):
    mixture, estimate = noise(frames=frames), noise(frames=frames, seed=1)
    joiners = MaskFusion(MaskFusionConfig(smooth_ms=smooth_ms)), Wiener(WienerConfig(smooth_ms=smooth_ms))
    whole = [joiners[0].join(mixture, [estimate]), joiners[1].join(mixture, estimate)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "SPAN_BINS", 1)
        patch.setattr(spans, "LEAST_FRAMES", span)
        cut = [joiners[0].join(mixture, [estimate]), joiners[1].join(mixture, estimate)]
    for one, other in zip(whole, cut, strict=True):
        assert one.frames == frames
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
def test_the_gain_of_the_filter_is_that_of_the_formula(beta):
    mixture = noise()
    estimate = scaled(mixture, 0.6)
    gain = max(0.02, 0.36 / (0.36 + beta * 0.16))
    result = Wiener(WienerConfig(beta=beta)).join(mixture, estimate)
    np.testing.assert_allclose(result.samples, gain * mixture.samples, atol=1e-6)


def test_what_is_nothing_but_noise_goes_down_to_the_floor():
    mixture = noise()
    result = Wiener(WienerConfig(floor=0.1)).join(mixture, scaled(mixture, 0))
    np.testing.assert_allclose(result.samples, 0.1 * mixture.samples, atol=1e-6)


def test_clean_speech_is_not_harmed():
    voice = mixed(*(tones(frequency_hz, seed=frequency_hz) for frequency_hz in (200, 400, 1200, 3000)))
    error = noise(frames=voice.frames, gain=1)
    level = np.sqrt(np.sum(voice.samples**2) / np.sum(error.samples**2)) * 10 ** (-35 / 20)
    estimate = mixed(voice, scaled(error, level))
    assert si_sdr_db(Wiener().join(voice, estimate).samples, voice.samples) > 40
    assert si_sdr_db(MaskFusion().join(voice, [estimate, estimate]).samples, voice.samples) > 40


@pytest.mark.parametrize("frames", [0, 1, 800])
@pytest.mark.parametrize("channels", [1, 6])
def test_silence_short_files_and_dead_channels_are_taken(frames, channels):
    silence, sound = noise(channels=channels, frames=frames, gain=0), noise(channels=channels, frames=frames)
    dead = Audio(sound.samples * (np.arange(channels) > 0)[:, None], RATE_HZ)
    for mixture, estimate in [(silence, silence), (sound, silence), (dead, dead), (dead, sound)]:
        for result in (
            MaskFusion(MaskFusionConfig(smooth_ms=50, smooth_hz=50)).join(mixture, [estimate]),
            Wiener(WienerConfig(smooth_ms=50, smooth_hz=50)).join(mixture, estimate),
            Blend().join(mixture, estimate),
        ):
            assert result.header() == mixture.header() and np.isfinite(result.samples).all()
    assert not Wiener().join(silence, silence).samples.any()


@pytest.mark.parametrize("gain", [1e-25, 1e19, 1e30])
def test_the_level_of_the_sound_does_not_matter(gain):
    mixture, estimate = (noise(channels=2, seed=seed).samples for seed in (0, 1))
    for joiner in (
        lambda mixture, estimate: MaskFusion().join(mixture, [estimate, mixture]),
        Wiener(WienerConfig(smooth_ms=50)).join,
        Blend().join,
    ):
        expected = joiner(Audio(mixture, RATE_HZ), Audio(estimate, RATE_HZ)).samples
        result = joiner(
            Audio(np.float32(gain) * mixture, RATE_HZ), Audio(np.float32(gain) * estimate, RATE_HZ)
        )
        np.testing.assert_allclose(result.samples / np.float32(gain), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"rate_hz": 8000}, "8000 Hz"),
        ({"channels": 2}, "2 channels"),
        ({"frames": 19_999}, "19999 samples"),
    ],
)
def test_an_estimate_of_another_shape_is_named(other, what):
    with pytest.raises(InputError, match=f"estimate 2 has {what}"):
        MaskFusion().join(noise(), [noise(), noise(**other)])
    with pytest.raises(InputError, match=f"the estimate has {what}"):
        Wiener().join(noise(), noise(**other))
    with pytest.raises(InputError, match=f"wet has {what}"):
        Blend().join(noise(), noise(**other))


def test_no_estimates_and_weights_of_another_number_are_refused():
    with pytest.raises(InputError, match="one separator's stem at least"):
        MaskFusion().join(noise(), [])
    with pytest.raises(InputError, match="2 weights for 1 estimates"):
        MaskFusion(MaskFusionConfig(rule="weighted", weights=(1, 1))).join(noise(), [noise()])


@pytest.mark.parametrize(
    "settings", [{"weights": (1,)}, {"rule": "weighted"}, {"rule": "weighted", "weights": (0, 0)}]
)
def test_weights_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="weights"):
        MaskFusionConfig(**settings)


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 1), st.sampled_from([None, 300.0, 7500.0, 20_000.0]))
def test_a_sound_blended_with_itself_stays_as_it_is(wet, crossover_hz):
    audio = noise(channels=2)
    result = Blend(BlendConfig(wet=wet, crossover_hz=crossover_hz)).join(audio, audio)
    np.testing.assert_array_equal(result.samples, audio.samples)


def test_without_a_crossover_the_blend_is_the_formula():
    dry, wet = noise(), noise(seed=1)
    result = Blend(BlendConfig(wet=0.7, residual=0.2, crossover_hz=None)).join(dry, wet)
    expected = 0.7 * wet.samples + 0.3 * dry.samples + 0.2 * (dry.samples - wet.samples)
    np.testing.assert_allclose(result.samples, expected, atol=1e-7)


def test_above_the_crossover_the_untreated_sound_is_kept_and_below_it_the_treated_one():
    rate_hz = 44100
    low, high, silent = (
        tones(1000, rate_hz=rate_hz),
        tones(12_000, rate_hz=rate_hz),
        noise(frames=32_000, gain=0),
    )
    dry = mixed(low, high)
    result = Blend().join(dry, Audio(silent.samples, rate_hz))
    middle = slice(2000, -2000)
    assert si_sdr_db(result.samples[:, middle], high.samples[:, middle]) > 40
    kept = Blend().join(dry, low)
    assert si_sdr_db(kept.samples[:, middle], dry.samples[:, middle]) > 40


@pytest.mark.parametrize("crossover_hz", [20, 300, 2000])
def test_a_low_crossover_leaves_nothing_untreated_far_below_it(crossover_hz):
    rate_hz = 16000
    dry = Audio(np.ones((1, rate_hz)), rate_hz)
    result = Blend(BlendConfig(crossover_hz=crossover_hz)).join(dry, scaled(dry, 0))
    np.testing.assert_allclose(result.samples, 0, atol=1e-6)


def test_more_cannot_come_back_than_was_taken():
    with pytest.raises(ValueError, match="residual"):
        BlendConfig(wet=0.3, residual=0.5)
