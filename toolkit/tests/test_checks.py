import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.toolkit.measuring.checks import click_times_s, clip_faults

RATE_HZ = 48_000
DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[3] / "shared" / "data"))


def tone(*, frequency_hz=220.0, seconds=1.0, amplitude=0.5, harmonics=12):
    """A saw whose partials fall steeply, faded in and out."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    numbers = np.arange(1, harmonics + 1)
    partials = np.sin(2 * np.pi * frequency_hz * np.outer(times_s, numbers)) / numbers**2
    fade = np.minimum(1, np.minimum(times_s, seconds - times_s) / 0.05)
    return (amplitude * fade * partials.sum(axis=1) / 1.2).astype(np.float32)


def faults(samples, *, frames=None):
    return clip_faults(samples, rate_hz=RATE_HZ, frames=samples.size if frames is None else frames)


def test_a_clean_tone_has_no_fault():
    assert faults(tone()) == ()


def test_a_clip_of_another_length_is_told():
    assert faults(tone(), frames=47_999) == ("wrong length: 48000 frames, not 47999",)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_told(value):
    samples = tone()
    samples[77] = value
    assert faults(samples) == ("NaN or infinite samples",)


@pytest.mark.parametrize("samples", [np.zeros(100), np.zeros(0), 0.0009 * tone()])
def test_silence_is_told(samples):
    assert faults(samples) == ("silence",)


@given(st.floats(0.4, 2.0))
@settings(max_examples=30)
def test_clipping_is_told_and_only_clipping(amplitude):
    samples = tone(amplitude=amplitude)
    assert ("clipping" in " ".join(faults(np.clip(samples, -1, 1)))) == (np.abs(samples).max() >= 0.999)


def test_clipping_that_was_turned_down_afterwards_is_told():
    samples = np.clip(tone(amplitude=2.0), -1, 1) * np.float32(0.3)
    assert any(fault.startswith("clipping: flat tops at 0.300") for fault in faults(samples))


@settings(max_examples=40)
@given(st.integers(6_000, 42_000), st.floats(0.1, 0.4), st.integers(1, 4), st.sampled_from([-1, 1]))
def test_a_spike_in_a_tone_is_a_click(at, height, width, sign):
    samples = tone()
    samples[at : at + width] += sign * height
    np.testing.assert_allclose(click_times_s(samples, rate_hz=RATE_HZ), at / RATE_HZ, atol=0.0021)


@pytest.mark.parametrize("phase", [0.2, 0.4, 0.7])
def test_a_sound_cut_off_is_a_click(phase):
    samples = tone(frequency_hz=100.0)
    at = 24_000 + round(phase * 480)
    samples[at:] = 0
    assert click_times_s(samples, rate_hz=RATE_HZ) == pytest.approx([at / RATE_HZ], abs=0.0021)


def test_a_spike_in_silence_is_a_click():
    samples = np.concatenate([tone(), np.zeros(RATE_HZ, np.float32)])
    samples[72_000] = 0.1
    assert click_times_s(samples, rate_hz=RATE_HZ) == pytest.approx([1.5], abs=0.0011)


@given(st.floats(30, 2000), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_the_attack_of_a_plucked_string_is_no_click(frequency_hz, seed):
    """Karplus and Strong's string: a burst of noise that goes round a loop with an average of two in it."""
    loop = np.random.default_rng(seed).uniform(-0.5, 0.5, max(8, round(RATE_HZ / frequency_hz)))
    rounds = [loop]
    for _ in range(int(0.4 * RATE_HZ / loop.size)):
        rounds.append((rounds[-1] + np.roll(rounds[-1], 1)) / 2)
    samples = np.concatenate([np.zeros(9_600), *rounds, np.zeros(0)])
    samples *= np.minimum(1, np.arange(samples.size, 0, -1) / 2400)
    assert click_times_s(samples, rate_hz=RATE_HZ).size == 0


def test_pulses_that_repeat_are_a_tone():
    samples = np.zeros(RATE_HZ, np.float32)
    samples[:: RATE_HZ // 40] = 0.5
    assert click_times_s(samples, rate_hz=RATE_HZ).size <= 1


def test_noise_has_no_clicks():
    noise = 0.1 * np.random.default_rng(4).standard_normal(5 * RATE_HZ)
    assert click_times_s(noise, rate_hz=RATE_HZ).size == 0


@pytest.mark.parametrize("folder", ["emily-electric-guitar/notes", "spanish-classical-guitar/samples"])
def test_recorded_plucks_have_no_clicks(folder):
    soundfile = pytest.importorskip("soundfile")
    paths = sorted((DATA / "sfz" / folder).glob("*.flac"))[::4]
    if not paths:
        pytest.skip("no sampled notes: set RIPIENO_DATA")
    for path in paths:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        mono = np.pad(samples.mean(axis=1), (rate_hz // 5, 0))
        assert click_times_s(mono, rate_hz=rate_hz).size == 0, path.name
