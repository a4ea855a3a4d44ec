import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.resampling import (
    PolyphaseResampler,
    SoxrResampler,
    polyphase_bank,
    resample,
    resampled_frames,
)

RATES = [
    (44_100, 22_050),
    (48_000, 22_050),
    (22_050, 44_100),
    (44_100, 48_000),
    (8000, 44_100),
    (16_000, 16_000),
]
rates = pytest.mark.parametrize(("from_hz", "to_hz"), RATES)


def noise(channels, frames, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


def sine(frequency_hz, rate_hz, frames, start=0):
    return np.sin(2 * np.pi * frequency_hz * (start + np.arange(frames)) / rate_hz)[None]


def in_blocks(resampler, samples, sizes):
    given, start = [], 0
    for size in sizes:
        given.append(resampler.push(samples[:, start : start + size]))
        start += size
    given += [resampler.push(samples[:, start:]), resampler.flush()]
    return np.concatenate(given, axis=1)


def level_db(samples):
    """Level against a full-scale sine, away from the ends."""
    inner = samples[:, samples.shape[1] // 4 : -samples.shape[1] // 4].astype(np.float64)
    return 10 * np.log10(2 * np.mean(np.square(inner)) + 1e-30)


@settings(deadline=None)
@given(
    st.sampled_from(RATES),
    st.sampled_from([PolyphaseResampler, SoxrResampler]),
    st.integers(1, 3),
    st.integers(0, 4000),
    st.lists(st.sampled_from([0, 1, 2, 3, 17, 113, 512, 1500]), max_size=12),
)
def test_any_split_into_blocks_gives_the_same_bits(pair, kind, channels, frames, sizes):
    samples = noise(channels, frames)
    resampler = kind(*pair, channels=channels)
    whole = in_blocks(resampler, samples, [])
    np.testing.assert_array_equal(in_blocks(resampler, samples, sizes), whole)
    assert whole.dtype == np.float32


@settings(deadline=None)
@given(st.sampled_from(RATES), st.integers(0, 3000))
def test_the_length_is_the_duration_at_the_new_rate_rounded_up(pair, frames):
    from_hz, to_hz = pair
    expected = -(-frames * to_hz // from_hz)
    assert resampled_frames(frames, from_hz=from_hz, to_hz=to_hz) == expected
    assert resample(noise(1, frames), from_hz=from_hz, to_hz=to_hz).shape == (1, expected)
    assert in_blocks(PolyphaseResampler(*pair, channels=1), noise(1, frames), []).shape == (1, expected)


@rates
@pytest.mark.parametrize("kind", [PolyphaseResampler, SoxrResampler])
def test_a_sine_in_the_pass_band_stays_where_it_is_in_time(kind, from_hz, to_hz):
    frequency_hz = 0.2 * min(from_hz, to_hz)
    given = in_blocks(kind(from_hz, to_hz, channels=1), sine(frequency_hz, from_hz, from_hz // 4), [])
    expected = sine(frequency_hz, to_hz, given.shape[1])
    inner = slice(given.shape[1] // 4, -given.shape[1] // 4)
    np.testing.assert_allclose(given[:, inner], expected[:, inner], atol=2e-4)


@rates
def test_a_single_sample_is_not_moved(from_hz, to_hz):
    samples = np.zeros((1, from_hz // 2), np.float32)
    samples[0, from_hz // 4] = 1
    given = in_blocks(PolyphaseResampler(from_hz, to_hz, channels=1), samples, [])[0].astype(np.float64)
    centre_s = np.sum(np.arange(given.size) * given) / np.sum(given) / to_hz
    assert centre_s == pytest.approx((from_hz // 4) / from_hz, abs=1e-7)


@pytest.mark.parametrize("from_hz", [44_100, 48_000, 96_000])
def test_the_pass_band_is_flat_within_a_tenth_of_a_decibel_to_10_khz(from_hz):
    for frequency_hz in (50, 1000, 5000, 9000, 9900, 10_000):
        given = in_blocks(
            PolyphaseResampler(from_hz, 22_050, channels=1), sine(frequency_hz, from_hz, from_hz // 2), []
        )
        assert abs(level_db(given)) < 0.1, frequency_hz


@pytest.mark.parametrize("from_hz", [44_100, 48_000, 96_000])
def test_what_would_fold_into_the_pass_band_is_80_db_down(from_hz):
    for frequency_hz in np.arange(12_050, from_hz / 2, 487):
        given = in_blocks(
            PolyphaseResampler(from_hz, 22_050, channels=1), sine(frequency_hz, from_hz, from_hz // 4), []
        )
        assert level_db(given) < -80, frequency_hz


@pytest.mark.parametrize("from_hz", [44_100, 48_000])
def test_the_latency_is_about_a_millisecond_and_no_more_than_said(from_hz):
    resampler = PolyphaseResampler(from_hz, 22_050, channels=1)
    assert resampler.latency_s < 0.0013
    given = 0
    for taken in range(1, 3000):
        given += resampler.push(np.zeros((1, 1))).shape[1]
        # The next output is still to come, so its look-ahead may not be there yet.
        assert given / 22_050 + resampler.latency_s > (taken - 1) / from_hz - 1e-12


@pytest.mark.slow
def test_there_is_no_drift_after_half_an_hour():
    from_hz, to_hz = 48_000, 22_050
    resampler = PolyphaseResampler(from_hz, to_hz, channels=1)
    minutes, given = 30, 0
    for _ in range(minutes * 6 - 1):
        given += resampler.push(np.broadcast_to(np.float32(0), (1, 10 * from_hz))).shape[1]
    start = (minutes * 6 - 1) * 10 * from_hz
    last = resampler.push(sine(997, from_hz, 10 * from_hz, start))
    expected = sine(997, to_hz, last.shape[1], given)
    np.testing.assert_allclose(last[:, 1000:], expected[:, 1000:], atol=1e-3)
    assert given + last.shape[1] + resampler.flush().shape[1] == minutes * 60 * to_hz


def test_equal_rates_pass_through_unchanged():
    samples = noise(2, 1001)
    np.testing.assert_array_equal(
        in_blocks(PolyphaseResampler(48_000, 48_000, channels=2), samples, [5]), samples
    )


def test_the_polyphase_form_is_the_direct_convolution_of_scipy():
    upfirdn = pytest.importorskip("scipy.signal").upfirdn
    bank = polyphase_bank(from_hz=48_000, to_hz=22_050)
    up, down, ahead = 147, 320, bank.shape[1] // 2
    prototype = np.zeros(2 * ahead * up)
    for phase, taps in enumerate(bank):
        for tap, offset in zip(taps, range(1 - ahead, ahead + 1), strict=True):
            prototype[phase - offset * up + ahead * up] = tap
    samples = noise(1, 5000)
    direct = upfirdn(prototype, samples[0].astype(np.float64), up)[ahead * up :: down]
    given = in_blocks(PolyphaseResampler(48_000, 22_050, channels=1), samples, [])[0]
    error = given - direct[: given.size]
    assert 10 * np.log10(np.mean(np.square(error)) / np.mean(np.square(direct))) < -130


@pytest.mark.parametrize("kind", [PolyphaseResampler, SoxrResampler])
def test_reset_forgets_what_was_pushed(kind):
    resampler = kind(48_000, 22_050, channels=1)
    fresh = in_blocks(resampler, noise(1, 900), [])
    resampler.push(noise(1, 777, seed=1))
    resampler.reset()
    np.testing.assert_array_equal(in_blocks(resampler, noise(1, 900), []), fresh)


@pytest.mark.parametrize("kind", [PolyphaseResampler, SoxrResampler])
def test_a_rate_of_nothing_is_refused(kind):
    with pytest.raises(InputError, match="cannot resample from 0 Hz"):
        kind(0, 48_000, channels=1)
