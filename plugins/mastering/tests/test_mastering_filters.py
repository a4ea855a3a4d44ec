import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, InputError, PluginError
from ripieno.toolkit.distortion import si_sdr_db
from ripieno_mastering.convolution import zero_phase_kernel
from ripieno_mastering.filters import HIGHEST_CORNER, HighPass, HighPassConfig, HighShelf, HighShelfConfig
from ripieno_mastering.sections import high_pass_sections, high_shelf_sections, magnitude

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
SPEECH = sorted((DATA / "speech").glob("*")) if (DATA / "speech").is_dir() else []


def noise(*, rate_hz=16000, channels=1, frames=40_000, seed=0):
    return Audio(0.1 * np.random.default_rng(seed).standard_normal((channels, frames)), rate_hz)


def gain_db(effect, frequency_hz, *, rate_hz=48000):
    """Of the steady middle of a sine."""
    sine = np.sin(2 * np.pi * frequency_hz * np.arange(rate_hz) / rate_hz)
    middle = slice(rate_hz // 4, 3 * rate_hz // 4)
    filtered = effect.process(Audio(sine, rate_hz)).samples[0]
    return 10 * np.log10(np.mean(filtered[middle] ** 2) / np.mean(sine[middle] ** 2))


@pytest.mark.parametrize("order", [2, 4, 8])
@pytest.mark.parametrize("cutoff_hz", [40, 300])
def test_a_high_pass_is_the_butterworth_filter_of_scipy(order, cutoff_hz):
    signal = pytest.importorskip("scipy.signal")
    expected = signal.butter(order, cutoff_hz, "highpass", fs=48000, output="sos")
    ours = high_pass_sections(48000, cutoff_hz=cutoff_hz, order=order)
    frequencies_hz = np.geomspace(10, 23_000, 50)
    ours_at = np.abs(signal.sosfreqz(ours, frequencies_hz, fs=48000)[1])
    np.testing.assert_allclose(
        ours_at, np.abs(signal.sosfreqz(expected, frequencies_hz, fs=48000)[1]), rtol=1e-6
    )


@settings(deadline=None)
@given(st.floats(200, 20_000), st.floats(-20, 20), st.floats(0.1, 1))
def test_a_shelf_leaves_the_lows_has_half_its_gain_at_the_corner_and_all_of_it_above(
    corner_hz, shelf_db, slope
):
    sections = high_shelf_sections(48000, corner_hz=corner_hz, gain_db=shelf_db, slope=slope)
    gains_db = 20 * np.log10(magnitude(sections, 48000))
    assert gains_db[0] == pytest.approx(0, abs=1e-6)
    assert gains_db[-1] == pytest.approx(shelf_db, abs=1e-6)
    assert np.interp(corner_hz, np.arange(24001), gains_db) == pytest.approx(shelf_db / 2, abs=0.01)
    # A shelf, not a peak: the gain goes one way.
    assert np.all(np.diff(gains_db * np.sign(shelf_db)) >= -1e-9)


@pytest.mark.parametrize("phase", ["zero", "minimum"])
@pytest.mark.parametrize("frequency_hz", [20, 40, 80, 1000])
def test_both_phases_have_the_gain_of_the_formula(phase, frequency_hz):
    expected_db = -10 * np.log10(1 + (40 / frequency_hz) ** 4)
    assert gain_db(HighPass(HighPassConfig(phase=phase)), frequency_hz) == pytest.approx(
        expected_db, abs=0.05
    )


def test_a_shelf_of_one_db_raises_the_top_by_one_db_and_nothing_else():
    shelf = HighShelf(HighShelfConfig(corner_hz=6000, gain_db=1))
    assert gain_db(shelf, 500) == pytest.approx(0, abs=0.01)
    assert gain_db(shelf, 20_000) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("rate_hz", [8000, 44100, 192000])
def test_what_a_kernel_leaves_off_is_140_db_below(rate_hz):
    sections = high_pass_sections(rate_hz, cutoff_hz=40, order=2)
    kernel = zero_phase_kernel(lambda points: magnitude(sections, points))
    points = 1 << 20
    centred = np.roll(np.pad(kernel, (0, points - len(kernel))), -(len(kernel) // 2))
    np.testing.assert_allclose(np.fft.rfft(centred), magnitude(sections, points), atol=1e-7)
    np.testing.assert_array_equal(kernel, kernel[::-1])


@pytest.mark.parametrize("effect", [HighPass(), HighShelf(HighShelfConfig(corner_hz=2000, gain_db=-9))])
def test_a_zero_phase_filter_shifts_nothing_whichever_way_the_sound_runs(effect):
    audio = noise(channels=2)
    forward = effect.process(audio).samples
    backward = effect.process(Audio(audio.samples[:, ::-1], audio.rate_hz)).samples[:, ::-1]
    np.testing.assert_allclose(forward, backward, atol=1e-7)


def test_blocks_leave_no_seam():
    audio = noise(frames=200_000)
    sections = high_pass_sections(audio.rate_hz, cutoff_hz=40, order=2)
    kernel = zero_phase_kernel(lambda points: magnitude(sections, points))
    held = np.pad(audio.samples[0].astype(float), len(kernel) // 2, mode="edge")
    oaconvolve = pytest.importorskip("scipy.signal").oaconvolve
    np.testing.assert_allclose(
        HighPass().process(audio).samples[0], oaconvolve(held, kernel, "valid"), atol=1e-7
    )


@pytest.mark.parametrize("phase", ["zero", "minimum"])
@pytest.mark.parametrize("frames", [1, 800, 70_000])
def test_an_offset_goes_without_a_thump_at_the_ends(phase, frames):
    result = HighPass(HighPassConfig(phase=phase)).process(Audio(np.full((2, frames), 0.5), 16000))
    np.testing.assert_allclose(result.samples, 0, atol=1e-6)


@pytest.mark.skipif(not SPEECH, reason="no speech: set RIPIENO_DATA")
@pytest.mark.parametrize("path", SPEECH, ids=lambda path: path.stem)
def test_zero_phase_keeps_clean_speech_where_the_causal_filter_does_not(path):
    soundfile = pytest.importorskip("soundfile")
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    audio = Audio(samples.T, rate_hz)

    def kept_db(**options):
        return si_sdr_db(HighPass(HighPassConfig(**options)).process(audio).samples, audio.samples)

    # What is lost is rumble alone.
    assert kept_db() > 20
    assert kept_db() > kept_db(phase="minimum") + 12
    assert kept_db(cutoff_hz=70, phase="zero") > 17
    assert kept_db(cutoff_hz=70, phase="minimum") < 17


def test_a_shelf_above_the_band_passes_the_sound_on():
    audio = noise(rate_hz=16000)
    for corner_hz in (7999.999, 12_000):
        assert HighShelf(HighShelfConfig(corner_hz=corner_hz)).process(audio) is audio


@pytest.mark.parametrize("cutoff_hz", [7999.999, 9000])
def test_a_cutoff_at_the_end_of_the_band_or_beyond_is_refused(cutoff_hz):
    with pytest.raises(InputError, match="take 7840 at most"):
        HighPass(HighPassConfig(cutoff_hz=cutoff_hz)).process(noise())


@pytest.mark.parametrize("rate_hz", [8000, 192000])
def test_kernels_are_short_up_to_the_highest_corner(rate_hz):
    corner_hz = HIGHEST_CORNER * rate_hz
    for sections in (
        high_pass_sections(rate_hz, cutoff_hz=corner_hz, order=8),
        high_shelf_sections(rate_hz, corner_hz=corner_hz, gain_db=40, slope=0.1),
    ):
        assert len(zero_phase_kernel(partial(magnitude, sections))) < 1 << 14


def test_without_phase_there_is_no_stream():
    with pytest.raises(PluginError, match="phase: minimum"):
        HighPass().stream({"audio": noise().format})


def test_an_odd_order_is_refused():
    with pytest.raises(ValueError, match="order"):
        HighPassConfig(order=3)
