import math
import os
import re
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.ffmpeg import ffmpeg_path, file_url
from ripieno.toolkit.loudness import LoudnessMeter, TruePeakLimiter, k_weighting
from ripieno.toolkit.resampling import polyphase_bank

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_music = pytest.mark.skipif(not (DATA / "music").is_dir(), reason="no music: set RIPIENO_DATA")


def sine(frequency_hz, level_dbfs, seconds, *, rate_hz=48_000, channels=2, phase=0.0):
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * frequency_hz * times_s + phase)
    return np.broadcast_to(wave, (channels, wave.size))


def measured(samples, *, rate_hz=48_000, **options):
    meter = LoudnessMeter(rate_hz, channels=samples.shape[0], **options)
    meter.push(samples)
    return meter


def limited(limiter, samples, sizes=()):
    out, start = [], 0
    for size in sizes:
        out.append(limiter.push(samples[:, start : start + size]))
        start += size
    return np.concatenate([*out, limiter.push(samples[:, start:]), limiter.flush()], axis=1)


# EBU Tech 3341, table 1: stereo sines of 1 kHz, (level in dBFS, seconds) in a row, and the loudness to read.
TECH_3341 = [
    ([(-23, 20)], -23.0),
    ([(-33, 20)], -33.0),
    ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
]

# EBU Tech 3342, table 1: stereo sines of 1 kHz of 20 s each, and the loudness range to read.
TECH_3342 = [
    ([-20, -30], 10.0),
    ([-20, -15], 5.0),
    ([-40, -20], 20.0),
    ([-50, -35, -20, -35, -50], 15.0),
]


@pytest.mark.parametrize(("parts", "expected_lufs"), TECH_3341)
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_the_test_signals_of_the_ebu_read_their_loudness(parts, expected_lufs, rate_hz):
    signal = np.concatenate([sine(1000, level, seconds, rate_hz=rate_hz) for level, seconds in parts], axis=1)
    assert measured(signal, rate_hz=rate_hz).integrated_lufs == pytest.approx(expected_lufs, abs=0.1)


@pytest.mark.parametrize(("levels", "expected_lu"), TECH_3342)
def test_the_test_signals_of_the_ebu_read_their_loudness_range(levels, expected_lu):
    signal = np.concatenate([sine(1000, level, 20) for level in levels], axis=1)
    assert measured(signal).range_lu == pytest.approx(expected_lu, abs=1)


def test_a_surround_sine_reads_its_loudness():
    # Tech 3341, signal 6: -28 dBFS left and right, -24 centre, -30 surround; the LFE does not count.
    levels = [-28, -28, -24, 0, -30, -30]
    signal = np.concatenate([sine(1000, level, 20, channels=1) for level in levels])
    assert measured(signal).integrated_lufs == pytest.approx(-23.0, abs=0.1)


# EBU Tech 3341, signals 15 to 18: sines at a whole part of the rate, at the phase that hides their peak.
@pytest.mark.parametrize(("divisor", "phase_deg"), [(4, 0), (4, 45), (6, 60), (8, 67.5)])
def test_the_true_peak_of_a_sine_is_found_between_its_samples(divisor, phase_deg):
    signal = sine(48_000 / divisor, -6, 1, phase=math.radians(phase_deg))
    faded = signal * np.minimum(1, np.minimum(np.arange(48_000), np.arange(48_000)[::-1]) / 2400)
    assert -6.4 <= measured(faded).true_peak_dbtp <= -5.8


def test_the_weighting_at_48_khz_is_the_table_of_the_standard():
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    high_pass = [1, -2, 1, 1, -1.99004745483398, 0.99007225036621]
    np.testing.assert_allclose(k_weighting(48_000), [shelf, high_pass], rtol=1e-9)


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 44_100, 48_000, 96_000])
def test_the_power_of_noise_is_that_of_the_recursive_filter(rate_hz):
    signal = pytest.importorskip("scipy.signal")
    noise = 0.1 * np.random.default_rng(1).standard_normal((2, rate_hz * 2))
    weighted = signal.sosfilt(k_weighting(rate_hz), noise)
    powers = [
        np.mean(np.square(weighted[:, i * rate_hz // 10 :][:, : 4 * rate_hz // 10]), axis=1)
        for i in range(17)
    ]
    expected_lufs = -0.691 + 10 * np.log10(np.sum(np.mean(powers, axis=0)))
    assert measured(noise, rate_hz=rate_hz).integrated_lufs == pytest.approx(expected_lufs, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=8))
def test_a_measurement_does_not_depend_on_the_blocks(sizes):
    noise = np.random.default_rng(2).standard_normal((2, 40_000)).astype(np.float32)
    meter = LoudnessMeter(44_100, channels=2)
    start = 0
    for size in [*sizes, 40_000]:
        meter.push(noise[:, start : start + size])
        start += size
    whole = measured(noise, rate_hz=44_100)
    assert meter.integrated_lufs == whole.integrated_lufs
    assert meter.true_peak_dbtp == whole.true_peak_dbtp


def test_the_memory_of_a_meter_does_not_grow_with_what_it_hears():
    meter, second = LoudnessMeter(48_000, channels=2), sine(1000, -23, 1)
    meter.push(second)
    tracemalloc.start()
    for _ in range(60):
        meter.push(second)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 6 * second.size * 8


@pytest.mark.parametrize("frames", [0, 1, 10_000])
def test_silence_and_what_is_too_short_have_no_loudness(frames):
    meter = measured(np.zeros((2, frames)))
    assert meter.integrated_lufs == -math.inf and meter.true_peak_dbtp == -math.inf and meter.range_lu == 0


def test_a_single_sample_has_its_own_true_peak():
    assert measured(np.array([[0.5]])).true_peak_dbtp == pytest.approx(20 * math.log10(0.5), abs=1e-9)


def test_channels_without_standard_weights_need_theirs():
    with pytest.raises(InputError, match="give one weight for each"):
        LoudnessMeter(48_000, channels=4)
    mono = measured(sine(1000, -23, 1, channels=1)).integrated_lufs
    signal = sine(1000, -23, 1, channels=4)
    assert measured(signal, weights=(0, 0, 1, 0)).integrated_lufs == pytest.approx(mono)


def ffmpeg_reading(path):
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", "-nostats", "-i", file_url(path)]
    command += ["-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    report = (
        subprocess.run(command, capture_output=True, check=True).stderr.decode("utf-8").split("Summary:")[1]
    )
    return [float(re.search(rf"{name}:\s+(\S+)", report)[1]) for name in ("I", "LRA", "Peak")]


@needs_music
@pytest.mark.parametrize(
    "name", ["brahms_hungarian_dance_5_strings", "kevin_macleod_vibe_ace", "naev_automat"]
)
def test_music_reads_as_in_the_meter_of_ffmpeg(name):
    soundfile = pytest.importorskip("soundfile")
    path = DATA / "music" / f"{name}.ogg"
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    meter = measured(samples.T, rate_hz=rate_hz)
    loudness_lufs, range_lu, peak_dbtp = ffmpeg_reading(path)
    # A mono file counts once, as in BS.1770; FFmpeg does so too.
    assert meter.integrated_lufs == pytest.approx(loudness_lufs, abs=0.1)
    assert meter.range_lu == pytest.approx(range_lu, abs=0.5)
    assert meter.true_peak_dbtp == pytest.approx(peak_dbtp, abs=0.2)


@st.composite
def loud_signals(draw):
    """Noise, square signs, bursts and clicks, each much louder or quieter than its neighbour."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    channels = draw(st.integers(1, 2))
    parts = []
    for kind in draw(
        st.lists(st.sampled_from(["noise", "signs", "silence", "click", "sine"]), min_size=1, max_size=6)
    ):
        frames, gain = draw(st.integers(1, 900)), 10 ** draw(st.floats(-2, 2))
        part = {
            "noise": lambda n: rng.standard_normal((channels, n)),
            "signs": lambda n: rng.choice([-1.0, 1.0], (channels, n)),
            "silence": lambda n: np.zeros((channels, n)),
            "click": lambda n: np.eye(1, n, n // 2).repeat(channels, axis=0),
            "sine": lambda n: np.sin(np.arange(n) * rng.uniform(0, np.pi) + rng.uniform(0, 6))[None].repeat(
                channels, 0
            ),
        }[kind](frames)
        parts.append(gain * part)
    return np.concatenate(parts, axis=1).astype(np.float32)


@settings(deadline=None, max_examples=200)
@given(
    loud_signals(),
    st.sampled_from([22_050, 44_100, 48_000]),
    st.floats(-20, 0),
    st.sampled_from([0.1, 3, 5, 20]),
    st.sampled_from([0.1, 50, 500]),
)
def test_the_true_peak_of_the_output_never_exceeds_the_ceiling(
    signal, rate_hz, ceiling_dbtp, lookahead_ms, release_ms
):
    limiter = TruePeakLimiter(
        rate_hz,
        channels=signal.shape[0],
        ceiling_dbtp=ceiling_dbtp,
        lookahead_ms=lookahead_ms,
        release_ms=release_ms,
    )
    output = limited(limiter, signal)
    assert output.shape == signal.shape and output.dtype == np.float32
    assert measured(output, rate_hz=rate_hz, weights=(1.0,) * signal.shape[0]).true_peak_dbtp <= ceiling_dbtp


@settings(deadline=None)
@given(loud_signals(), st.sampled_from([8000, 44_100, 48_000, 192_000]))
def test_the_true_peak_is_that_of_the_whole_interpolation(signal, rate_hz):
    factor = max(2, math.ceil(192_000 / rate_hz))
    bank = polyphase_bank(from_hz=rate_hz, to_hz=factor * rate_hz)
    padded = np.pad(signal.astype(float), [(0, 0), (bank.shape[1], bank.shape[1])])
    peak = max(np.abs(np.correlate(channel, taps, "valid")).max() for channel in padded for taps in bank)
    expected_dbtp = 20 * math.log10(peak) if peak else -math.inf
    meter = measured(signal, rate_hz=rate_hz, weights=(1.0,) * signal.shape[0])
    assert meter.true_peak_dbtp == pytest.approx(expected_dbtp, abs=1e-5)


@settings(deadline=None)
@given(loud_signals(), st.lists(st.sampled_from([0, 1, 2, 30, 64, 500]), max_size=10))
def test_limited_blocks_of_any_size_are_the_same_bits(signal, sizes):
    limiter = TruePeakLimiter(44_100, channels=signal.shape[0])
    np.testing.assert_array_equal(limited(limiter, signal, sizes), limited(limiter, signal))


@settings(deadline=None)
@given(loud_signals())
def test_what_stays_below_the_ceiling_passes_unchanged(signal):
    peak = 10 ** (measured(signal).true_peak_dbtp / 20)
    quiet = (signal / max(peak, 1e-9) * 0.88).astype(np.float32)
    limiter = TruePeakLimiter(48_000, channels=signal.shape[0], ceiling_dbtp=-1.0)
    np.testing.assert_array_equal(limited(limiter, quiet), quiet)


def test_channels_share_one_gain():
    loud, quiet = sine(997, 6, 0.5, channels=1), sine(440, -40, 0.5, channels=1)
    both = np.concatenate([loud, quiet])
    heard = (np.abs(both) > 1e-3).all(axis=0)
    output = limited(TruePeakLimiter(48_000, channels=2, ceiling_dbtp=-1), both)
    gains = output[:, heard] / both[:, heard]
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-6)


def test_the_gain_falls_before_a_peak_and_comes_back_after_the_release():
    signal = np.full((1, 48_000), 1 / 128)
    signal[0, 10_000] = 2.0
    limiter = TruePeakLimiter(48_000, channels=1, ceiling_dbtp=0, lookahead_ms=5, release_ms=200)
    gain = limited(limiter, signal) / signal
    reach = round(48_000 * 0.0065)
    # The limiter keeps 0.1 dB below its ceiling; the straight line of the release takes 200 ms from 0 to 1.
    lowest = 0.5 * 10 ** (-0.1 / 20)
    back = 10_000 + round((1 - lowest) * 9600) + reach
    assert gain[0, 10_000] == pytest.approx(lowest, abs=2e-3)
    assert np.all(gain[0, : 10_000 - reach] == 1) and np.all(gain[0, back:] == 1)
    assert np.all(np.diff(gain[0, 10_000:back]) >= -1e-6) and np.all(np.diff(gain[0, :10_000]) <= 1e-6)


def test_an_output_is_given_once_its_latency_has_passed():
    limiter = TruePeakLimiter(48_000, channels=1)
    given = sum(limiter.push(np.ones((1, 100))).shape[1] for _ in range(20))
    assert given == 2000 - round(limiter.latency_s * 48_000)


@pytest.mark.parametrize("options", [{"lookahead_ms": 0}, {"release_ms": 0}])
def test_times_of_a_limiter_that_are_not_positive_are_refused(options):
    with pytest.raises(InputError, match="must be positive"):
        TruePeakLimiter(48_000, channels=1, **options)
