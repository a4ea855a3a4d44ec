import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.framing import frame_count, frames, istft, stft


@st.composite
def layouts(draw):
    window = draw(st.integers(2, 70))
    return window, draw(st.integers(1, window // 2))


def noise(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@given(layouts(), st.integers(0, 300))
def test_the_inverse_gives_any_signal_back_at_any_length(layout, length):
    window, hop = layout
    signal = noise(2, length)
    spectra = stft(signal, window=window, hop=hop)
    np.testing.assert_allclose(istft(spectra, window=window, hop=hop, length=length), signal, atol=1e-12)


def test_single_precision_stays_single_and_comes_back_to_its_rounding():
    signal = noise(2, 44_101, dtype=np.float32)
    spectra = stft(signal, window=2048, hop=512)
    back = istft(spectra, window=2048, hop=512, length=44_101)
    assert spectra.dtype == np.complex64 and back.dtype == np.float32
    np.testing.assert_allclose(back, signal, atol=2e-6)


def test_channels_are_transformed_as_if_each_were_alone():
    signal = noise(3, 1001)
    together = stft(signal, window=64, hop=16)
    np.testing.assert_array_equal(together, np.stack([stft(row, window=64, hop=16) for row in signal]))


def test_a_sine_on_a_bin_has_the_magnitude_that_the_window_gives():
    window, cycles = 512, 32
    signal = np.cos(2 * np.pi * cycles * np.arange(4096) / window)
    inner = np.abs(stft(signal, window=window, hop=128))[4:-4, cycles]
    np.testing.assert_allclose(inner, window / 4, rtol=1e-12)


def test_the_transform_is_that_of_scipy():
    signal = pytest.importorskip("scipy.signal")
    samples = noise(5000)
    transform = signal.ShortTimeFFT(signal.get_window("hann", 256), hop=64, fs=1, phase_shift=None)
    reference = transform.stft(samples, p0=0, p1=frame_count(5000, window=256, hop=64, centred=True)).T
    np.testing.assert_allclose(stft(samples, window=256, hop=64), reference, atol=1e-12)


@given(layouts(), st.integers(1, 300), st.booleans())
def test_each_frame_holds_the_samples_around_its_place_and_silence_outside(layout, length, centred):
    window, hop = layout
    signal = np.arange(1, length + 1)
    cut = frames(signal, window=window, hop=hop, centred=centred)
    assert cut.shape == (frame_count(length, window=window, hop=hop, centred=centred), window)
    first = np.arange(cut.shape[0])[:, None] * hop - (window // 2 if centred else 0)
    places = first + np.arange(window)
    inside = (places >= 0) & (places < length)
    np.testing.assert_array_equal(cut, np.where(inside, places + 1, 0))


@given(layouts(), st.integers(1, 300))
def test_every_sample_lies_between_two_centres(layout, length):
    window, hop = layout
    last_centre = (frame_count(length, window=window, hop=hop, centred=True) - 1) * hop
    assert length <= last_centre < length + hop


def test_frames_that_are_not_centred_share_the_memory_of_the_signal():
    signal = noise(2, 1000)
    assert np.shares_memory(frames(signal, window=100, hop=50, centred=False), signal)


def test_an_empty_signal_has_no_frames():
    assert stft(np.zeros((2, 0)), window=64, hop=16).shape == (2, 0, 33)
    assert frames(np.zeros((2, 10)), window=64, hop=16, centred=False).shape == (2, 0, 64)


@pytest.mark.parametrize(("window", "hop"), [(64, 33), (64, 0), (1, 1)])
def test_a_hop_that_cannot_be_inverted_is_refused(window, hop):
    with pytest.raises(InputError, match="hop must be 1 to half the window"):
        stft(np.zeros(100), window=window, hop=hop)


def test_spectra_of_another_length_are_refused():
    spectra = stft(np.zeros(100), window=16, hop=4)
    with pytest.raises(InputError, match="of 200 samples"):
        istft(spectra, window=16, hop=4, length=200)
