import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio
from ripieno.toolkit.loudness import LoudnessMeter
from ripieno_media.loudness import Loudness, LoudnessConfig


def measured(audio):
    meter = LoudnessMeter(audio.rate_hz, channels=audio.channels)
    meter.push(audio.samples)
    return meter.integrated_lufs, meter.true_peak_dbtp


def tone(*, peak_db, seconds=3.0, rate_hz=48000, channels=2, frequency_hz=997):
    wave = np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)
    return Audio(np.tile(10 ** (peak_db / 20) * wave, (channels, 1)), rate_hz)


def clicks(rate_hz=44100):
    samples = 0.003 * np.random.default_rng(0).standard_normal((2, 4 * rate_hz))
    samples[:, :: rate_hz // 3] = 0.9
    return Audio(samples, rate_hz)


@settings(deadline=None, max_examples=12)
@given(
    peak_db=st.floats(-40, 6),
    target_lufs=st.floats(-30, -10),
    rate_hz=st.sampled_from([8000, 44100, 48000, 96000]),
    channels=st.sampled_from([1, 2, 6]),
)
def test_a_steady_tone_reaches_the_target(peak_db, target_lufs, rate_hz, channels):
    audio = tone(peak_db=peak_db, rate_hz=rate_hz, channels=channels)
    config = LoudnessConfig(target_lufs=target_lufs, ceiling_dbtp=0, max_gain_db=60)
    loudness_lufs, _ = measured(Loudness(config).process(audio))
    assert loudness_lufs == pytest.approx(target_lufs, abs=0.1)


def test_a_stereo_tone_at_the_standard_frequency_gets_the_gain_of_the_formula():
    # EBU Tech 3341: a stereo sine of 1 kHz has as many LUFS as its peak has dBFS.
    audio = tone(peak_db=-23, frequency_hz=1000)
    gained = Loudness(LoudnessConfig(target_lufs=-18)).process(audio)
    ratio = np.abs(gained.samples).max() / np.abs(audio.samples).max()
    assert 20 * math.log10(ratio) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("ceiling_dbtp", [-0.1, -1.0, -6.0])
@pytest.mark.parametrize("target_lufs", [-5, -16, -30])
def test_the_true_peak_never_passes_the_ceiling(ceiling_dbtp, target_lufs):
    config = LoudnessConfig(target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp)
    result = Loudness(config).process(clicks())
    assert measured(result)[1] <= ceiling_dbtp
    assert result.frames == clicks().frames


def test_what_is_too_short_for_a_loudness_is_still_limited():
    audio = tone(peak_db=3, seconds=0.1)
    assert measured(Loudness().process(audio))[1] <= -1


def test_silence_and_what_needs_no_change_are_passed_on_as_they_are():
    silence = Audio(np.zeros((2, 96000)), 48000)
    assert Loudness().process(silence) is silence
    empty = Audio(np.zeros((2, 0)), 48000)
    assert Loudness().process(empty) is empty


def test_gain_is_not_more_than_its_limit():
    audio = tone(peak_db=-60)
    gained = Loudness(LoudnessConfig(max_gain_db=6)).process(audio)
    np.testing.assert_allclose(gained.samples, audio.samples * 10 ** (6 / 20), rtol=1e-6)
