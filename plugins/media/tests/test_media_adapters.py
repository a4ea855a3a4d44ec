import numpy as np
import pytest
import soxr
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, PluginError, joined_samples, run_offline
from ripieno_media.adapters import Downmix, DownmixConfig, Resample, ResampleConfig

RATES_HZ = [8000, 16000, 22050, 44100, 48000, 96000, 192000]


def noise(frames=5000, *, channels=2, rate_hz=48000, seed=0):
    return Audio(np.random.default_rng(seed).uniform(-1, 1, (channels, frames)).astype(np.float32), rate_hz)


def resampled(audio, rate_hz, *, streaming):
    return Resample(ResampleConfig(rate_hz=rate_hz, streaming=streaming)).process(audio)


def downmixed(audio, channels):
    return Downmix(DownmixConfig(channels=channels)).process(audio)


@pytest.mark.parametrize("streaming", [True, False])
def test_audio_that_fits_is_passed_on_as_it_is(streaming):
    audio = noise()
    assert resampled(audio, 48000, streaming=streaming) is audio
    assert resampled(audio, 0, streaming=streaming) is audio
    assert downmixed(audio, 2) is audio
    assert downmixed(audio, 0) is audio


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(0, 4000),
    from_hz=st.sampled_from(RATES_HZ),
    to_hz=st.sampled_from(RATES_HZ),
    streaming=st.booleans(),
)
def test_resampling_gives_the_length_rounded_up(frames, from_hz, to_hz, streaming):
    audio = resampled(noise(frames, rate_hz=from_hz), to_hz, streaming=streaming)
    assert (audio.rate_hz, audio.frames) == (to_hz, -(-frames * to_hz // from_hz))


@settings(deadline=None, max_examples=20)
@given(from_hz=st.sampled_from(RATES_HZ), to_hz=st.sampled_from(RATES_HZ), block=st.integers(1, 3000))
def test_the_streaming_resampler_gives_the_same_bits_offline_and_live(from_hz, to_hz, block):
    audio = noise(3000, rate_hz=from_hz)
    plugin = Resample(ResampleConfig(rate_hz=to_hz))
    chunks = run_offline(plugin.stream({"audio": audio.format}), audio, block=block)
    np.testing.assert_array_equal(joined_samples(chunks, channels=2), plugin.process(audio).samples)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 48000), (48000, 22050), (96000, 44100)])
def test_a_tone_stays_where_it_is_in_time(streaming, from_hz, to_hz):
    def tone(rate_hz):
        return 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz)

    audio = resampled(Audio(tone(from_hz), from_hz), to_hz, streaming=streaming)
    middle = slice(to_hz // 4, -to_hz // 4)
    np.testing.assert_allclose(audio.samples[0][middle], tone(to_hz)[middle], atol=1e-3)


def test_without_streaming_it_is_soxr_at_its_best():
    audio = noise(48000)
    expected = soxr.resample(audio.samples.T, 48000, 44100, quality="VHQ").T
    np.testing.assert_array_equal(resampled(audio, 44100, streaming=False).samples, expected)


def test_without_streaming_there_is_no_session():
    with pytest.raises(PluginError, match="streaming: true"):
        Resample(ResampleConfig(rate_hz=16000, streaming=False)).stream({"audio": noise().format})


@given(channels=st.integers(1, 12), frames=st.integers(0, 300))
def test_mono_is_the_mean(channels, frames):
    audio = noise(frames, channels=channels)
    mean = audio.samples.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(downmixed(audio, 1).samples[0], mean, atol=1e-6)


@given(channels=st.integers(1, 12))
def test_mono_is_copied_to_every_channel_and_comes_back_to_the_bit(channels):
    mono = noise(channels=1)
    spread = downmixed(mono, channels)
    for channel in spread.samples:
        np.testing.assert_array_equal(channel, mono.samples[0])
    np.testing.assert_array_equal(downmixed(spread, 1).samples, mono.samples)


def test_surround_becomes_stereo_as_bs775_says():
    left, right, centre, low, left_back, right_back = surround = noise(channels=6).samples.astype(np.float64)
    half = 10 ** (-3.01 / 20)
    stereo = downmixed(Audio(surround, 48000), 2).samples
    np.testing.assert_allclose(stereo[0], left + half * (centre + left_back), atol=1e-4)
    np.testing.assert_allclose(stereo[1], right + half * (centre + right_back), atol=1e-4)
    np.testing.assert_array_equal(
        downmixed(Audio(np.stack([0 * low, 0 * low, 0 * low, low, 0 * low, 0 * low]), 48000), 2).samples, 0
    )


@given(block=st.integers(1, 500), channels=st.integers(1, 8), wanted=st.integers(1, 8))
def test_downmix_does_not_depend_on_blocks(block, channels, wanted):
    audio = noise(1000, channels=channels)
    plugin = Downmix(DownmixConfig(channels=wanted))
    chunks = run_offline(plugin.stream({"audio": audio.format}), audio, block=block)
    np.testing.assert_array_equal(joined_samples(chunks, channels=wanted), plugin.process(audio).samples)
