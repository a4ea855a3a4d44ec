import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno_beatnet.features import BANDS, RATE_HZ, WINDOW, BeatFeatures, filterbank

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
REFERENCE = DATA.parent / "refs" / "beatnet"
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference values: set RIPIENO_DATA")

# As the published filterbank has it: bins as of a window of 1410 samples.
BIN_HZ = RATE_HZ / 1410


def sine(frequency_hz: float, *, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency_hz / RATE_HZ * np.arange(WINDOW))).astype(np.float32)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, WINDOW).astype(np.float32)


def test_the_filterbank_has_136_bands_that_sum_to_1_from_46_9_to_10_994_hz():
    bank = filterbank()
    heard_hz = np.flatnonzero(bank.any(axis=1)) * BIN_HZ
    assert bank.shape == (705, BANDS)
    np.testing.assert_allclose(bank.sum(axis=0), 1, rtol=1e-6)
    assert (round(heard_hz[0], 1), round(heard_hz[-1])) == (46.9, 10994)


def test_each_band_rises_to_the_edge_of_the_one_below_and_falls_to_that_of_the_one_above():
    peaks = filterbank().argmax(axis=0)
    assert (np.diff(peaks) > 0).all()
    for band in range(1, BANDS - 1):
        inside = np.flatnonzero(filterbank()[:, band])
        assert (inside[0] - 1, inside[-1] + 1) == (peaks[band - 1], peaks[band + 1])


def test_centres_lie_24_to_the_octave_where_bins_are_fine_enough():
    centres_hz = filterbank().argmax(axis=0) * BIN_HZ
    steps = 24 * np.log2(centres_hz[centres_hz > 1000] / 440)
    # A centre is at most half a bin from its place.
    assert np.abs(steps - np.round(steps)).max() <= 24 * np.log2(1 + 0.5 * BIN_HZ / 1000)
    np.testing.assert_array_equal(np.diff(np.round(steps)), 1)


@needs_reference
def test_the_filterbank_is_the_published_one():
    published = np.load(REFERENCE / "filterbank.npz")["filterbank"]
    np.testing.assert_allclose(filterbank(), published, atol=1e-7)


@given(st.integers(0, 2**32 - 1))
def test_levels_are_those_of_the_fourier_sum(seed):
    window = noise(seed)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    turns = np.outer(np.arange(705), np.arange(WINDOW)) / WINDOW
    magnitudes = np.abs(np.exp(-2j * np.pi * turns) @ (window * taper))
    expected = np.log10(1 + magnitudes @ filterbank())
    np.testing.assert_allclose(BeatFeatures().frames(window[None])[0, :BANDS], expected, atol=1e-5)


@given(st.floats(500, 10_000))
def test_a_tone_is_loudest_in_a_band_that_hears_it(frequency_hz):
    loudest = int(BeatFeatures().frames(sine(frequency_hz)[None])[0, :BANDS].argmax())
    heard_hz = np.flatnonzero(filterbank()[:, loudest]) * BIN_HZ
    assert heard_hz[0] - BIN_HZ < frequency_hz < heard_hz[-1] + BIN_HZ


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_differences_are_what_rose_since_the_frame_before(first, second):
    features = BeatFeatures()
    before, after = features.frames(np.stack([noise(first), noise(second)]))
    assert not before[BANDS:].any()
    np.testing.assert_array_equal(after[BANDS:], np.maximum(0, after[:BANDS] - before[:BANDS]))


def test_silence_has_no_level_and_a_reset_forgets_the_frame_before():
    features = BeatFeatures()
    features.frames(noise(0)[None])
    assert not features.frames(np.zeros((1, WINDOW), np.float32)).any()
    features.reset()
    again = features.frames(noise(1)[None])
    np.testing.assert_array_equal(again, BeatFeatures().frames(noise(1)[None]))


@needs_reference
def test_features_are_those_of_the_published_package():
    samples = np.load(REFERENCE / "808kick120bpm_22050_float32.npz")["audio"]
    expected = np.load(REFERENCE / "808kick120bpm.npz")["features"]
    padded = np.pad(samples, WINDOW)
    windows = [padded[WINDOW - 705 + 441 * frame :][:WINDOW] for frame in range(len(expected))]
    features = BeatFeatures()
    np.testing.assert_allclose(features.frames(np.stack(windows)), expected, atol=1e-5)
