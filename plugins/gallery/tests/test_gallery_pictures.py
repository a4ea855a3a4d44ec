"""Waves and spectra: what they show is where and as high as it sounds, however the sound comes in."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sounds import noise, published, silence, sine

from ripieno_gallery.pictures import LEVELS, RANGE_DB, ROWS, Spectrum, Wave, palette, png


def drawn(kind, samples, **facts):
    picture = kind(samples.shape[1], **facts)
    picture.push(samples)
    return picture


@pytest.mark.parametrize("hz", [100, 440, 1000, 5000, 12_000])
def test_a_sine_stands_at_its_frequency_and_level(hz):
    spectrum = drawn(Spectrum, sine(hz, 1.0, level=0.5).samples, rate_hz=48_000)
    spectrum.flush()
    levels_db = spectrum.level_db[:, spectrum.level_db.shape[1] // 2]
    assert levels_db.max() == pytest.approx(20 * np.log10(0.5), abs=3)
    assert np.argmax(levels_db) / (ROWS - 1) == pytest.approx(spectrum.place(hz), abs=1.5 / ROWS)


def test_a_click_stands_at_its_time():
    samples = np.zeros((1, 48_000), np.float32)
    samples[0, 12_000] = 1
    spectrum, wave = drawn(Spectrum, samples, rate_hz=48_000), drawn(Wave, samples)
    spectrum.flush()
    loudest = spectrum.level_db.sum(axis=0)
    assert np.argmax(loudest) / loudest.size == pytest.approx(0.25, abs=0.03)
    assert np.argmax(wave.high) == wave.high.size // 4
    assert wave.peak == 1


@given(st.integers(1, 9000), st.lists(st.integers(1, 3000), max_size=8))
def test_blocks_do_not_matter(length, cuts):
    samples = noise(length / 16_000, channels=2).samples
    whole, wave = drawn(Spectrum, samples, rate_hz=16_000), drawn(Wave, samples)
    parts, parted = Spectrum(length, rate_hz=16_000), Wave(length)
    edges = sorted({0, length, *(cut for cut in cuts if cut < length)})
    for first, last in pairwise(edges):
        parts.push(samples[:, first:last])
        parted.push(samples[:, first:last])
    whole.flush()
    parts.flush()
    np.testing.assert_array_equal(parted.low, wave.low)
    np.testing.assert_array_equal(parted.high, wave.high)
    np.testing.assert_allclose(parts.level_db, whole.level_db, atol=1e-3)


def test_a_wave_has_the_extremes_of_its_samples():
    samples = noise(1.0, channels=2).samples
    wave, mono = drawn(Wave, samples), samples.mean(axis=0)
    assert (wave.low.min(), wave.high.max()) == (mono.min(), mono.max())
    assert wave.outline(1 / wave.peak).startswith("M")


def test_a_picture_is_read_back_as_its_levels():
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    levels_db = np.linspace(-RANGE_DB - 10, 10, 400, dtype=np.float32).reshape(20, 20)
    pixels = np.asarray(image.open(io.BytesIO(png(levels_db, top_db=0.0))).convert("RGB"))
    shares = np.clip(1 + levels_db / RANGE_DB, 0, 1)
    np.testing.assert_array_equal(pixels, palette()[np.rint(shares * (LEVELS - 1)).astype(int)])


def test_silence_is_dark_and_a_faint_sound_between_it_and_others(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    pairs = {"silence": silence(1.0), "faint": noise(1.0, level=1e-4), "usual": noise(1.0)}
    folder = published(tmp_path, pairs, pairs)
    pictures = [image.open(path).convert("RGB") for path in sorted(folder.glob("images/*-after.png"))]
    quietest, faint, usual = (np.asarray(picture).reshape(-1, 3) for picture in pictures)
    assert (quietest == palette()[0]).all()
    assert quietest.mean() < faint.mean() < usual.mean()


def test_colours_grow_lighter_all_the_way():
    light = palette() @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()
