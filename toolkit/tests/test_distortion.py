import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import InputError
from ripieno.toolkit.distortion import (
    ResidualMusicMeter,
    SiSdrMeter,
    residual_music_db,
    si_sdr_db,
)
from ripieno.toolkit.framing import istft, stft

RATE_HZ = 16_000


def noise(seed: int, *, channels: int = 1, seconds: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE_HZ)))


def orthogonal(noise: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Zero-mean noise, orthogonal to the zero-mean reference and of its energy, channel by channel."""
    noise, reference = (signal - signal.mean(axis=1, keepdims=True) for signal in (noise, reference))
    along = (noise * reference).sum(axis=1, keepdims=True) / (reference**2).sum(axis=1, keepdims=True)
    noise = noise - along * reference
    return noise * np.sqrt((reference**2).sum(axis=1, keepdims=True) / (noise**2).sum(axis=1, keepdims=True))


def bursts(seed: int) -> np.ndarray:
    """Noise that comes and goes, like syllables."""
    return noise(seed) * (np.sin(np.arange(2 * RATE_HZ) * 2 * np.pi * 3 / RATE_HZ + seed) > 0)


class TestSiSdr:
    @given(st.floats(-40, 60), st.floats(1e-3, 1e3), st.floats(-1, 1))
    def test_orthogonal_noise_counts_by_its_energy_whatever_gain_and_offset(self, snr_db, gain, offset):
        reference = noise(1)
        estimate = reference + 10 ** (-snr_db / 20) * orthogonal(noise(2), reference)
        assert si_sdr_db(gain * estimate + gain * offset, reference - offset) == pytest.approx(
            snr_db, abs=1e-6
        )

    def test_it_is_the_formula_of_the_paper(self):
        reference, estimate = noise(1)[0], noise(1)[0] + 0.3 * noise(2)[0] + 0.1 * np.roll(noise(1)[0], 7)
        reference, estimate = reference - reference.mean(), estimate - estimate.mean()
        target = (estimate @ reference) / (reference @ reference) * reference
        expected = 10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target)))
        assert si_sdr_db(estimate, reference) == pytest.approx(expected, abs=1e-9)

    def test_channels_count_alike_and_those_with_a_silent_reference_not_at_all(self):
        reference = noise(1, channels=3)
        estimate = reference + orthogonal(noise(2, channels=3), reference) * [[0.1], [0.01], [1.0]]
        reference[2] = 0
        assert si_sdr_db(estimate, reference) == pytest.approx((20 + 40) / 2, abs=1e-6)

    def test_the_extremes_have_no_finite_ratio(self):
        reference = noise(1)
        assert si_sdr_db(0.3 * reference, reference) == math.inf
        assert si_sdr_db(np.zeros_like(reference), reference) == -math.inf
        assert math.isnan(si_sdr_db(reference, np.zeros_like(reference)))
        assert math.isnan(si_sdr_db(reference, np.full_like(reference, 0.5)))
        assert math.isnan(si_sdr_db(np.zeros((1, 0)), np.zeros((1, 0))))

    @given(st.lists(st.integers(0, 2 * RATE_HZ), max_size=6))
    def test_any_split_into_blocks_measures_the_same(self, cuts):
        estimate, reference = noise(1, channels=2) + 0.2 * noise(2, channels=2), noise(1, channels=2)
        meter = SiSdrMeter(channels=2)
        blocks = (np.split(signal, sorted(cuts), axis=1) for signal in (estimate, reference))
        for pair in zip(*blocks, strict=True):
            meter.push(*pair)
        assert meter.db == pytest.approx(si_sdr_db(estimate, reference), abs=1e-9)

    def test_signals_of_different_shapes_are_refused(self):
        with pytest.raises(InputError, match="differ in channels or length"):
            si_sdr_db(np.zeros(100), np.zeros(99))
        with pytest.raises(InputError, match="differ in channels or length"):
            si_sdr_db(np.zeros((1, 100)), np.zeros((2, 100)))


def left(estimate: np.ndarray, speech: np.ndarray, music: np.ndarray) -> float:
    return residual_music_db(estimate, speech=speech, music=music, rate_hz=RATE_HZ)


class TestResidualMusic:
    @given(st.floats(-20, 20), st.floats(-40, 10), st.floats(1e-3, 1e3))
    def test_music_turned_down_reads_what_it_was_turned_down(self, snr_db, left_db, gain):
        speech, music = bursts(1), 10 ** (-snr_db / 20) * noise(2)
        estimate = gain * (speech + 10 ** (left_db / 20) * music)
        assert left(estimate, speech, music) == pytest.approx(left_db, abs=0.01)

    def test_the_mix_is_at_zero_also_through_a_filter_and_a_slow_gain(self):
        speech, music = noise(1), noise(2)
        mix = speech + music
        assert left(mix, speech, music) == pytest.approx(0, abs=1e-6)
        smoothed = np.array([np.convolve(mix[0], [0.2, 0.5, 0.2, 0.1], "same")])
        assert left(smoothed, speech, music) == pytest.approx(0, abs=0.1)
        fade = np.linspace(1, 0.1, mix.shape[1])
        assert left(fade * mix, speech, music) == pytest.approx(0, abs=0.1)

    def test_it_finds_most_of_what_a_mask_lets_through(self):
        speech, music = bursts(1), bursts(4)
        transforms = [stft(signal, window=512, hop=128) for signal in (speech, music)]
        powers = [np.abs(transform) ** 2 for transform in transforms]
        mask = powers[0] / (powers[0] + powers[1])
        masked = [istft(mask * part, window=512, hop=128, length=speech.shape[1]) for part in transforms]
        true_db = 10 * np.log10(np.sum(masked[1] ** 2) / np.sum(masked[0] ** 2))
        true_db -= 10 * np.log10(np.sum(music**2) / np.sum(speech**2))
        assert true_db - 4 < left(masked[0] + masked[1], speech, music) < true_db + 1

    def test_noise_of_neither_hardly_counts(self):
        speech, music = noise(1), noise(2)
        assert left(speech + noise(3), speech, music) < -6
        assert left(speech + 0.1 * noise(3), speech, music) < -26

    def test_the_extremes(self):
        speech, music = noise(1), noise(2)
        silence = np.zeros_like(speech)
        assert left(speech, speech, music) < -100
        assert left(music, speech, music) > 100
        assert math.isnan(left(silence, speech, music))
        assert math.isnan(left(speech, speech, silence))
        assert left(0.1 * music, silence, music) == pytest.approx(-20, abs=1e-3)
        assert left(silence, silence, music) == -math.inf

    @pytest.mark.parametrize("left_db", [0, -20])
    def test_an_offset_is_no_music(self, left_db):
        speech, music = 0.1 * bursts(1), 0.1 * noise(2)
        estimate = speech + 10 ** (left_db / 20) * music
        assert left(estimate + 0.1, speech, music) == pytest.approx(left_db, abs=0.5)

    def test_a_dead_channel_changes_nothing(self):
        speech, music = noise(1), noise(2)
        estimate = speech + 0.1 * music
        silence = np.zeros_like(speech)
        stereo = [np.concatenate([signal, silence]) for signal in (estimate, speech, music)]
        assert left(*stereo) == pytest.approx(left(estimate, speech, music), abs=1e-9)

    @given(st.lists(st.integers(0, 2 * RATE_HZ), max_size=6))
    def test_any_split_into_blocks_measures_the_same(self, cuts):
        speech, music = noise(1), noise(2)
        signals = speech + 0.2 * music, speech, music
        meter = ResidualMusicMeter(RATE_HZ, channels=1)
        for estimate, *truth in zip(
            *(np.split(signal, sorted(cuts), axis=1) for signal in signals), strict=True
        ):
            meter.push(estimate, speech=truth[0], music=truth[1])
        assert meter.db == left(*signals)

    @pytest.mark.parametrize("rate_hz", [8000, 11_025, 44_100, 192_000])
    @pytest.mark.parametrize("frames", [1, 400, 9001])
    def test_every_rate_and_length_is_measured(self, rate_hz, frames):
        rng = np.random.default_rng(0)
        speech, music = rng.standard_normal((2, 2, frames))
        measured = residual_music_db(speech + 0.1 * music, speech=speech, music=music, rate_hz=rate_hz)
        assert math.isfinite(measured)

    def test_signals_of_different_lengths_and_rates_too_low_are_refused(self):
        with pytest.raises(InputError, match="differ in channels or length"):
            left(np.zeros(100), np.zeros(100), np.zeros(90))
        with pytest.raises(InputError, match="resample"):
            ResidualMusicMeter(500, channels=1)
