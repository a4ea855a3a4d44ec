import math
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio
from ripieno.toolkit.ffmpeg import ffmpeg_path, file_url
from ripieno.toolkit.loudness import LoudnessMeter
from ripieno_media.codecs import AudioFile
from ripieno_media.loudness import Loudness, LoudnessConfig

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
SPEECH = sorted((DATA / "speech").glob("*")) if (DATA / "speech").is_dir() else []


def measured(audio):
    meter = LoudnessMeter(audio.rate_hz, channels=audio.channels)
    meter.push(audio.samples)
    return meter.integrated_lufs, meter.true_peak_dbtp


def tone(*, peak_db, seconds=3.0, rate_hz=48000, channels=2, frequency_hz=997):
    wave = np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)
    return Audio(np.tile(10 ** (peak_db / 20) * wave, (channels, 1)), rate_hz)


def clicks(rate_hz=44100):
    samples = 0.003 * np.random.default_rng(0).standard_normal((2, 4 * rate_hz))
    samples[:, :: rate_hz // 3] = 0.9
    return Audio(samples, rate_hz)


@settings(deadline=None, max_examples=12)
@given(
    peak_db=st.floats(-40, 6),
    target_lufs=st.floats(-30, -10),
    rate_hz=st.sampled_from([8000, 44100, 48000, 96000]),
    channels=st.sampled_from([1, 2, 6]),
)
def test_a_steady_tone_reaches_the_target(peak_db, target_lufs, rate_hz, channels):
    audio = tone(peak_db=peak_db, rate_hz=rate_hz, channels=channels)
    config = LoudnessConfig(target_lufs=target_lufs, ceiling_dbtp=0, max_gain_db=60)
    loudness_lufs, _ = measured(Loudness(config).process(audio))
    assert loudness_lufs == pytest.approx(target_lufs, abs=0.1)


def test_a_stereo_tone_at_the_standard_frequency_gets_the_gain_of_the_formula():
    # EBU Tech 3341: a stereo sine of 1 kHz has as many LUFS as its peak has dBFS.
    audio = tone(peak_db=-23, frequency_hz=1000)
    gained = Loudness(LoudnessConfig(target_lufs=-18)).process(audio)
    ratio = np.abs(gained.samples).max() / np.abs(audio.samples).max()
    assert 20 * math.log10(ratio) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("ceiling_dbtp", [-0.1, -1.0, -6.0])
@pytest.mark.parametrize("target_lufs", [-5, -16, -30])
def test_the_true_peak_never_passes_the_ceiling(ceiling_dbtp, target_lufs):
    config = LoudnessConfig(target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp)
    result = Loudness(config).process(clicks())
    assert measured(result)[1] <= ceiling_dbtp
    assert result.frames == clicks().frames


def test_what_is_too_short_for_a_loudness_is_still_limited():
    audio = tone(peak_db=3, seconds=0.1)
    assert measured(Loudness().process(audio))[1] <= -1


def test_silence_and_what_needs_no_change_are_passed_on_as_they_are():
    silence = Audio(np.zeros((2, 96000)), 48000)
    assert Loudness().process(silence) is silence
    empty = Audio(np.zeros((2, 0)), 48000)
    assert Loudness().process(empty) is empty


def test_gain_is_not_more_than_its_limit():
    audio = tone(peak_db=-60)
    gained = Loudness(LoudnessConfig(max_gain_db=6)).process(audio)
    np.testing.assert_allclose(gained.samples, audio.samples * 10 ** (6 / 20), rtol=1e-6)


def talk(*, rate_hz=16000, channels=1, seconds=3.0, seed=0):
    """Syllables of noise, each beginning with a plosive: peaks 29 dB above the loudness."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    since_s = time_s % 0.31
    envelope = np.exp(-since_s * 12) + 8 * np.exp(-since_s * 800)
    samples = 0.04 * envelope * rng.standard_normal((channels, time_s.size)) * (time_s % 2 < 1.6)
    return Audio(samples, rate_hz)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "target_lufs"),
    [(8000, 1, -16), (16000, 2, -23), (16000, 2, -16), (48000, 6, -16), (192000, 1, -16)],
)
def test_speech_with_strong_peaks_reaches_the_target_through_the_limiter(rate_hz, channels, target_lufs):
    audio = talk(rate_hz=rate_hz, channels=channels)
    result = Loudness(LoudnessConfig(target_lufs=target_lufs)).process(audio)
    loudness_lufs, peak_dbtp = measured(result)
    assert loudness_lufs == pytest.approx(target_lufs, abs=0.1)
    assert peak_dbtp <= -1
    assert result.header() == audio.header()


def test_the_limiter_is_at_work_in_that_signal():
    loudness_lufs, peak_dbtp = measured(talk())
    assert peak_dbtp + (-16 - loudness_lufs) > 3


@pytest.mark.skipif(not SPEECH, reason="no speech: set RIPIENO_DATA")
@pytest.mark.parametrize("path", SPEECH, ids=lambda path: path.stem)
def test_recorded_speech_is_at_the_target_by_the_meter_of_ffmpeg(tmp_path, path):
    target = tmp_path / "loud.wav"
    AudioFile().write(Loudness().process(AudioFile().read(path)), target)
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", "-nostats", "-i", file_url(target)]
    command += ["-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    report = subprocess.run(command, capture_output=True, check=True).stderr.decode().split("Summary:")[1]
    loudness_lufs, peak_dbtp = (float(re.search(rf"{name}:\s+(\S+)", report)[1]) for name in ("I", "Peak"))
    assert loudness_lufs == pytest.approx(-16, abs=0.1)
    assert peak_dbtp <= -1


def test_a_target_beyond_the_limiter_is_given_up_at_its_bound():
    # A click a second in silence: no drive makes it loud, and none without end is tried.
    samples = np.zeros((1, 5 * 16000))
    samples[0, ::16000] = 0.9
    result = Loudness(LoudnessConfig(target_lufs=-5)).process(Audio(samples, 16000))
    assert measured(result)[1] <= -1
    assert np.abs(result.samples[0, 8000:8100]).max() == 0


@pytest.mark.parametrize("frames", [0, 1, 800, 7000])
def test_a_short_file_is_limited_and_keeps_its_length(frames):
    result = Loudness().process(Audio(np.full((2, frames), 0.99), 16000))
    assert result.frames == frames and measured(result)[1] <= -1


def test_an_offset_and_a_dead_channel_do_not_move_the_target():
    samples = np.concatenate([talk().samples + 0.003, np.zeros((1, talk().frames))])
    loudness_lufs, peak_dbtp = measured(Loudness().process(Audio(samples, 16000)))
    assert loudness_lufs == pytest.approx(-16, abs=0.1) and peak_dbtp <= -1
