import librosa
import numpy as np
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from ripieno.contracts import Audio, InputError
from ripieno.contracts.testing import FrontendSuite
from ripieno_librosa.features import FLOOR_DB, FeaturesConfig, LibrosaFeatures, block_features

RATE_HZ = 22050


class TestConformance(FrontendSuite):
    plugin = LibrosaFeatures


class TestConformanceOfShortFrames(FrontendSuite):
    plugin = LibrosaFeatures
    config = FeaturesConfig(hop=100, window=333, mel_bands=3, mfcc=0)


def noise(*, frames: int, gain: float = 0.1, seed: int = 0) -> np.ndarray:
    return (gain * np.random.default_rng(seed).standard_normal(frames)).astype(np.float32)


def features(samples: np.ndarray, *, rate_hz: int = RATE_HZ, **settings: int):
    return LibrosaFeatures(FeaturesConfig(**settings)).transform(Audio(samples, rate_hz))


@pytest.fixture(scope="module")
def magnitude_of_noise():
    spectra = librosa.stft(noise(frames=RATE_HZ), pad_mode="constant")
    return np.abs(spectra) * 2 / librosa.filters.get_window("hann", 2048).sum()


def test_rms_centroid_and_flatness_are_those_of_librosa(magnitude_of_noise):
    result = features(noise(frames=RATE_HZ))
    rms = librosa.feature.rms(y=noise(frames=RATE_HZ), frame_length=2048, hop_length=512)
    np.testing.assert_allclose(result["rms"], rms[0], rtol=1e-4)
    centroid_hz = librosa.feature.spectral_centroid(S=magnitude_of_noise, sr=RATE_HZ)
    np.testing.assert_allclose(result["centroid_hz"], centroid_hz[0], rtol=1e-4)
    flatness = librosa.feature.spectral_flatness(S=magnitude_of_noise, amin=1e-14)
    np.testing.assert_allclose(result["flatness"], flatness[0], rtol=1e-3)


def test_mfcc_and_onset_strength_are_those_of_librosa(magnitude_of_noise):
    result = features(noise(frames=RATE_HZ))
    power = librosa.feature.melspectrogram(S=magnitude_of_noise**2, sr=RATE_HZ, n_mels=40, fmax=8000)
    levels_db = librosa.power_to_db(power * RATE_HZ / 2048, amin=10 ** (FLOOR_DB / 10), top_db=None)
    mfcc = librosa.feature.mfcc(S=levels_db, n_mfcc=13)
    np.testing.assert_allclose(
        np.stack([result[f"mfcc_{index}"] for index in range(13)]), mfcc, rtol=1e-3, atol=2e-3
    )
    strength = librosa.onset.onset_strength(S=levels_db, sr=RATE_HZ, center=False)
    np.testing.assert_allclose(result["onset_strength"], strength, rtol=1e-3, atol=1e-3)


@given(frames=st.integers(0, 5000), hop=st.integers(1, 700))
def test_there_is_a_frame_for_each_hop_begun_and_one_for_the_start(frames, hop):
    result = features(noise(frames=frames), hop=hop, window=64, mel_bands=4, mfcc=4)
    assert len(result.values) == (1 + frames // hop if frames else 0)
    assert result.rate_hz == RATE_HZ / hop


def test_silence_is_finite_and_has_no_onsets():
    result = features(np.zeros(RATE_HZ, np.float32))
    assert not result["rms"].any()
    assert not result["centroid_hz"].any()
    assert not result["onset_strength"].any()
    np.testing.assert_allclose(result["flatness"], 1, rtol=1e-5)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 96000])
def test_a_sine_has_its_level_and_its_frequency_at_any_rate(rate_hz):
    time_s = np.arange(rate_hz) / rate_hz
    result = features(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32), rate_hz=rate_hz)
    inside = slice(len(result.values) // 3, 2 * len(result.values) // 3)
    np.testing.assert_allclose(result["rms"][inside], np.sqrt(1 / 2), rtol=0.02)
    np.testing.assert_allclose(result["centroid_hz"][inside], 1000, rtol=0.02)
    assert (result["flatness"][inside] < 0.01).all()


@given(onset=st.integers(4000, 18000))
def test_an_attack_is_where_the_onset_strength_peaks(onset):
    samples = noise(frames=RATE_HZ, gain=0.001)
    samples[onset:] += noise(frames=RATE_HZ - onset, gain=0.3, seed=1)
    peak = int(features(samples)["onset_strength"].argmax())
    assert abs(peak * 512 - onset) <= 1.5 * 512


def test_a_frame_does_not_depend_on_sound_outside_its_window():
    quiet = noise(frames=3 * RATE_HZ, gain=0.001)
    loud = quiet.copy()
    loud[: RATE_HZ // 2] *= 900
    after = RATE_HZ // 2 // 512 + 4
    np.testing.assert_array_equal(features(quiet).values[after:], features(loud).values[after:])


def test_blocks_leave_no_seams():
    audio, config = (
        Audio(noise(frames=40_000), RATE_HZ),
        FeaturesConfig(hop=16, window=128, mel_bands=8, mfcc=8),
    )
    whole = block_features(audio, config, 0, 1 + 40_000 // 16)
    np.testing.assert_allclose(LibrosaFeatures(config).transform(audio).values, whole, rtol=1e-3, atol=1e-3)


def test_the_number_of_threads_changes_no_bit():
    results = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads, user_api="blas"):
            results.append(features(noise(frames=10 * RATE_HZ)).values.tobytes())
    assert len(set(results)) == 1


def test_stereo_is_refused_with_the_cure():
    with pytest.raises(InputError, match=r"2 channels.*effect/downmix"):
        features(np.zeros((2, 100), np.float32))


def test_more_coefficients_than_bands_are_refused():
    with pytest.raises(ValidationError, match="20 mel_bands give that many at most"):
        FeaturesConfig(mel_bands=20, mfcc=21)
