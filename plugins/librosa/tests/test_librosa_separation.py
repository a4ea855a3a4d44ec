import tracemalloc

import librosa
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio
from ripieno.contracts.testing import SeparatorSuite
from ripieno_librosa.separation import (
    BLOCK_HOPS,
    HarmonicPercussive,
    HpssConfig,
    hop_of,
    median,
    separate_span,
)

RATE_HZ = 22050


class TestConformance(SeparatorSuite):
    plugin = HarmonicPercussive


class TestConformanceWithMargin(SeparatorSuite):
    plugin = HarmonicPercussive
    config = HpssConfig(margin=2.0, window_ms=20, power=1.0)


def si_sdr_db(estimate: np.ndarray, reference: np.ndarray) -> float:
    estimate, reference = estimate.ravel().astype(float), reference.ravel().astype(float)
    target = reference * (estimate @ reference) / (reference @ reference)
    return float(10 * np.log10(np.sum(target**2) / np.sum((estimate - target) ** 2)))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


@st.composite
def tones(draw):
    pitches_midi = draw(st.lists(st.integers(48, 84), min_size=1, max_size=4, unique=True))
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    waves = [np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time_s) for pitch in pitches_midi]
    return 0.3 * np.mean(waves, axis=0)


@st.composite
def clicks(draw):
    interval_s = draw(st.floats(0.2, 0.5))
    seed = draw(st.integers(0, 9))
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    envelope = np.exp(-((time_s + interval_s / 2) % interval_s) * 300)
    return envelope * noise(len(time_s), seed=seed) * 5


@settings(max_examples=15)
@given(tones(), clicks())
def test_tones_are_harmonic_and_clicks_percussive(tone, click):
    mix = (tone + click).astype(np.float32)
    stems = HarmonicPercussive().separate(Audio(mix, RATE_HZ))
    assert si_sdr_db(stems["harmonic"].samples, tone) > si_sdr_db(mix, tone) + 6
    assert si_sdr_db(stems["percussive"].samples, click) > si_sdr_db(mix, click) + 6


@settings(max_examples=25)
@given(
    frames=st.integers(0, 30_000),
    channels=st.integers(1, 3),
    rate_hz=st.sampled_from([8000, 22050, 44100]),
    power=st.floats(0.5, 4),
)
def test_at_margin_1_the_stems_sum_to_the_audio(frames, channels, rate_hz, power):
    audio = Audio(noise(channels, frames), rate_hz)
    stems = HarmonicPercussive(HpssConfig(power=power)).separate(audio)
    total = stems["harmonic"].samples + stems["percussive"].samples
    np.testing.assert_allclose(total, audio.samples, atol=1e-5)


def test_above_margin_1_a_rest_is_left_out():
    audio = Audio(noise(1, 2 * RATE_HZ), RATE_HZ)
    stems = HarmonicPercussive(HpssConfig(margin=3.0)).separate(audio)
    rest = audio.samples - stems["harmonic"].samples - stems["percussive"].samples
    assert np.mean(rest**2) > 0.1 * np.mean(audio.samples**2)


@settings(max_examples=10)
@given(blocks=st.floats(0.01, 3.2), harmonic_ms=st.floats(10, 2000))
def test_blocks_leave_no_seams(blocks, harmonic_ms):
    config = HpssConfig(window_ms=8, harmonic_ms=harmonic_ms)
    audio = Audio(noise(2, int(blocks * BLOCK_HOPS * hop_of(config, 8000))), 8000)
    whole = separate_span(audio, config, 0, audio.frames)
    stems = HarmonicPercussive(config).separate(audio)
    np.testing.assert_allclose(stems["harmonic"].samples, whole[0], atol=1e-6)
    np.testing.assert_allclose(stems["percussive"].samples, whole[1], atol=1e-6)


@pytest.mark.parametrize(("power", "margin"), [(2.0, 1.0), (1.0, 2.0)])
def test_it_separates_as_librosa_does(power, margin):
    config = HpssConfig(power=power, margin=margin, harmonic_ms=400, percussive_hz=400)
    samples, hop = noise(3 * RATE_HZ), hop_of(config, RATE_HZ)
    kernel_frames = 2 * round((0.4 * RATE_HZ / hop - 1) / 2) + 1
    kernel_bins = 2 * round((400 * 4 * hop / RATE_HZ - 1) / 2) + 1
    padded = np.pad(samples, (3 * hop, 4 * hop - len(samples) % hop))
    spectra = librosa.stft(padded, n_fft=4 * hop, hop_length=hop, center=False)
    parts = librosa.decompose.hpss(
        spectra, kernel_size=(kernel_frames, kernel_bins), power=power, margin=margin
    )
    stems = HarmonicPercussive(config).separate(Audio(samples, RATE_HZ))
    for stem, part in zip(stems.items.values(), parts, strict=True):
        expected = librosa.istft(part, hop_length=hop, center=False)[3 * hop :][: len(samples)]
        np.testing.assert_allclose(stem.samples[0][hop:-hop], expected[hop:-hop], atol=1e-5)


def test_nothing_moves_in_the_stereo_image():
    mono = noise(RATE_HZ)
    stems = HarmonicPercussive().separate(Audio(np.stack([mono, -0.25 * mono]), RATE_HZ))
    for stem in stems.items.values():
        np.testing.assert_allclose(stem.samples[1], -0.25 * stem.samples[0], atol=1e-6)


@given(size=st.sampled_from([3, 9, 31]), axis=st.sampled_from([0, 1]), seed=st.integers(0, 99))
def test_the_median_is_that_of_the_window_mirrored_at_the_ends(size, axis, seed):
    values = np.random.default_rng(seed).random((13, 40), dtype=np.float32)
    padding = [(0, 0), (0, 0)]
    padding[axis] = (size // 2, size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, padding, mode="symmetric"), size, axis)
    np.testing.assert_array_equal(median(values, size, axis=axis), np.median(windows, axis=-1))


def test_memory_does_not_grow_with_length():
    def peak_bytes(seconds: int) -> int:
        audio = Audio(noise(1, seconds * 8000), 8000)
        tracemalloc.start()
        HarmonicPercussive().separate(audio)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(1)
    assert peak_bytes(480) < 1.3 * peak_bytes(160)
