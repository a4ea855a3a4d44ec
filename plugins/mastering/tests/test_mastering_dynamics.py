import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio
from ripieno_mastering.gate import Gate, GateConfig
from ripieno_mastering.trim import Trim, TrimConfig

NO_FADES = {"fade_in_ms": 0, "fade_out_ms": 0}


def spoken(*, before_s=1.0, during_s=1.0, after_s=1.0, rate_hz=16000, channels=1, floor=1e-4, offset=0.0):
    """Noise at -10 dB between two stretches at -80 dB."""
    lengths = [round(seconds * rate_hz) for seconds in (before_s, during_s, after_s)]
    level = np.repeat([floor, 0.3, floor], lengths)
    samples = level * np.random.default_rng(0).standard_normal((channels, level.size)) + offset
    return Audio(samples, rate_hz)


def settled_db(gained, audio, *, at_s):
    span = slice(int((at_s - 0.05) * audio.rate_hz), int((at_s + 0.05) * audio.rate_hz))
    return 10 * np.log10(np.sum(gained.samples[:, span] ** 2) / np.sum(audio.samples[:, span] ** 2))


@pytest.mark.parametrize("rate_hz", [8000, 44100, 192000])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_silence_is_trimmed_to_the_padding(rate_hz, offset):
    audio = spoken(rate_hz=rate_hz, channels=2, offset=offset)
    result = Trim(TrimConfig(**NO_FADES)).process(audio)
    assert result.duration_s == pytest.approx(1.2, abs=0.02)
    start = round(0.9 * rate_hz)
    np.testing.assert_array_equal(result.samples, audio.read(start, start + result.frames))


def test_a_sound_in_one_channel_alone_is_kept():
    one = spoken()
    both = Audio(np.concatenate([np.zeros((1, one.frames)), one.samples]), one.rate_hz)
    assert Trim().process(both).frames == Trim().process(one).frames


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0.02, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.3))
def test_what_is_kept_holds_the_sound_and_is_no_shorter_than_asked(
    before_s, during_s, after_s, shortest_s, padding_s
):
    audio = spoken(before_s=before_s, during_s=during_s, after_s=after_s)
    config = TrimConfig(shortest_s=shortest_s, padding_s=padding_s, **NO_FADES)
    kept = Trim(config).process(audio)
    assert kept.frames >= min(audio.frames, round(shortest_s * 16000))
    assert kept.duration_s <= max(shortest_s, during_s + 2 * padding_s) + 0.03
    assert np.sum(kept.samples**2) >= 0.98 * np.sum(audio.samples**2)


def test_ends_are_faded_by_raised_cosines():
    audio = Audio(np.ones((1, 16000)), 16000)
    faded = Trim(TrimConfig(threshold_db=None, fade_in_ms=10, fade_out_ms=20)).process(audio).samples[0]
    np.testing.assert_allclose(faded[:160], np.sin(np.pi / 2 * (np.arange(160) + 0.5) / 160) ** 2, atol=1e-6)
    np.testing.assert_allclose(
        faded[-320:][::-1], np.sin(np.pi / 2 * (np.arange(320) + 0.5) / 320) ** 2, atol=1e-6
    )
    assert np.all(faded[160:-320] == 1)


def test_fades_longer_than_the_sound_share_it():
    audio = Audio(np.ones((1, 100)), 8000)
    faded = Trim(TrimConfig(threshold_db=None, fade_in_ms=100, fade_out_ms=100)).process(audio).samples[0]
    np.testing.assert_allclose(faded, faded[::-1], atol=1e-6)
    assert 0 < faded[0] < 0.01 and faded.max() > 0.99


@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_silence_is_not_trimmed(offset):
    audio = Audio(np.full((2, 8000), offset), 16000)
    assert Trim(TrimConfig(**NO_FADES)).process(audio).frames == 8000


def test_a_threshold_may_be_of_full_scale():
    quiet = Audio(spoken().samples * 1e-3, 16000)
    config = TrimConfig(threshold_db=-60, relative_to="full_scale", **NO_FADES)
    assert Trim(config).process(quiet).frames == quiet.frames
    assert Trim(TrimConfig(threshold_db=-60, **NO_FADES)).process(quiet).frames < quiet.frames


def test_what_is_loud_passes_the_gate_unchanged_and_what_is_soft_is_lowered():
    audio = spoken(before_s=0.5, after_s=2)
    gated = Gate(GateConfig(threshold_db=-40, ratio=100, range_db=30)).process(audio)
    loud = slice(round(0.55 * 16000), round(1.5 * 16000))
    np.testing.assert_allclose(gated.samples[:, loud], audio.samples[:, loud], rtol=1e-4)
    assert settled_db(gated, audio, at_s=0.4) == pytest.approx(-30, abs=0.1)
    assert settled_db(gated, audio, at_s=3.4) == pytest.approx(-30, abs=0.1)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_each_db_below_the_threshold_becomes_as_many_as_the_ratio_says(ratio):
    # A sine's peak is known, and far above the key's high-pass.
    wave = 10 ** (-50 / 20) * np.sin(2 * np.pi * 1000 * np.arange(32000) / 16000)
    audio = Audio(wave, 16000)
    gated = Gate(GateConfig(threshold_db=-40, ratio=ratio)).process(audio)
    assert settled_db(gated, audio, at_s=1.8) == pytest.approx(-(ratio - 1) * 10, abs=0.3)


def test_an_open_gate_stays_open_through_the_hold_and_the_hysteresis():
    rate_hz = 16000
    wave = np.sin(2 * np.pi * 1000 * np.arange(3 * rate_hz) / rate_hz)
    level_db = np.repeat([-20.0, -44.0, -60.0], rate_hz)
    audio = Audio(wave * 10 ** (level_db / 20), rate_hz)
    config = GateConfig(threshold_db=-40, hysteresis_db=6, hold_ms=300, ratio=4, release_ms=50)
    gated = Gate(config).process(audio)
    assert settled_db(gated, audio, at_s=1.9) == pytest.approx(0, abs=0.01)
    assert settled_db(gated, audio, at_s=2.2) == pytest.approx(0, abs=0.01)
    assert settled_db(gated, audio, at_s=2.9) == pytest.approx(-30, abs=0.5)
    without = Gate(config.model_copy(update={"hysteresis_db": 0.0})).process(audio)
    assert settled_db(without, audio, at_s=1.9) == pytest.approx(-12, abs=0.5)


def test_an_offset_does_not_open_the_gate():
    audio = spoken(before_s=2, offset=0.3)
    gated = Gate(GateConfig(threshold_db=-40)).process(audio)
    assert settled_db(gated, audio, at_s=1.5) < -25


def test_channels_open_together():
    one = spoken()
    both = Audio(np.concatenate([one.samples, 1e-3 * one.samples]), one.rate_hz)
    gated = Gate(GateConfig(threshold_db=-40)).process(both)
    np.testing.assert_allclose(gated.samples[1], 1e-3 * gated.samples[0], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("frames", [7, 400, 16001])
def test_the_gate_keeps_length_and_place(frames):
    audio = Audio(np.full((6, frames), 0.5) * (-1.0) ** np.arange(frames), 8000)
    np.testing.assert_allclose(Gate().process(audio).samples, audio.samples, atol=1e-6)
