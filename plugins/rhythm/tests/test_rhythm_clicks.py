import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Audio, Beats
from ripieno.contracts.testing import GeneratorSuite, music
from ripieno_rhythm.clicks import BEAT_HZ, BLOCK, CLICK_S, DOWNBEAT_HZ, ClickTrack, ClickTrackConfig, click


class TestConformance(GeneratorSuite):
    plugin = ClickTrack

    def example(self):
        audio = music(rate_hz=44100, channels=2, frames=100_000)
        return {"beats": Beats(np.arange(0.1, 2, 0.5), np.arange(4) + 1), "audio": audio}


rates_hz = st.sampled_from([8000, 22050, 44100, 48000, 192000])


@st.composite
def tracks(draw):
    """Beats no nearer to each other than a click is long."""
    gaps_s = draw(st.lists(st.floats(CLICK_S + 0.001, 2), max_size=12))
    return Beats(np.cumsum(gaps_s), np.arange(len(gaps_s)) % 3 + 1)


@given(tracks(), rates_hz, st.floats(-40, 0))
def test_each_click_starts_on_the_sample_of_its_beat_with_its_peak(beats, rate_hz, gain_db):
    track = ClickTrack(ClickTrackConfig(rate_hz=rate_hz, gain_db=gain_db)).generate(beats).samples[0]
    expected = np.zeros_like(track)
    for time_s, position in zip(beats.times_s, beats.positions, strict=True):
        sound = click(DOWNBEAT_HZ if position == 1 else BEAT_HZ, rate_hz=rate_hz)
        start = round(time_s * rate_hz)
        expected[start : start + len(sound)] += 10 ** (gain_db / 20) * sound
    np.testing.assert_allclose(track, expected, atol=1e-7)
    starts = np.round(beats.times_s * rate_hz).astype(int)
    np.testing.assert_allclose(track[starts], 10 ** (gain_db / 20), rtol=1e-6)


@given(tracks(), rates_hz)
def test_without_audio_the_track_ends_a_second_after_the_last_beat(beats, rate_hz):
    track = ClickTrack(ClickTrackConfig(rate_hz=rate_hz)).generate(beats)
    assert (track.rate_hz, track.channels) == (rate_hz, 1)
    assert track.duration_s == pytest.approx(
        beats.times_s[-1] + 1 if len(beats.times_s) else 0, abs=1 / rate_hz
    )


@given(
    rate_hz=rates_hz, channels=st.integers(1, 3), frames=st.sampled_from([0, 1, 999, BLOCK - 1, BLOCK + 7])
)
def test_clicks_are_added_to_the_audio_which_keeps_its_format_and_length(rate_hz, channels, frames):
    audio = music(rate_hz=rate_hz, channels=channels, frames=frames)
    quiet = Audio(audio.samples / 4, rate_hz)
    # One across the edge of a block, one cut off by the end, one beyond it.
    beats = Beats(np.array([0, BLOCK - 5, BLOCK + 3 * rate_hz]) / rate_hz)
    mix = ClickTrack(ClickTrackConfig(gain_db=-12)).generate(beats, quiet)
    alone = ClickTrack(ClickTrackConfig(gain_db=-12, rate_hz=rate_hz)).generate(beats)
    assert (mix.format, mix.frames) == (quiet.format, frames)
    np.testing.assert_allclose(mix.samples, quiet.samples + alone.samples[:, :frames], atol=1e-6)


@given(st.floats(0.5, 4), st.floats(-20, 0))
def test_loud_music_and_clicks_together_stay_within_full_scale(level, gain_db):
    samples = level * np.sign(np.sin(np.arange(30_000) / 20 + 1)).astype(np.float32)
    beats = Beats(np.arange(0.05, 0.7, 0.02))
    mix = ClickTrack(ClickTrackConfig(gain_db=gain_db)).generate(beats, Audio(samples, 44100)).samples[0]
    assert np.abs(mix).max() <= 1
    # One gain for all of it: what has no click keeps its shape.
    before = mix[:2205] / samples[:2205]
    np.testing.assert_allclose(before, before[0], rtol=1e-6)


def test_beats_of_unknown_position_sound_as_beats():
    times_s = np.array([0.5])
    unknown, second, first = (
        ClickTrack().generate(Beats(times_s, np.array([position]))).samples for position in (0, 2, 1)
    )
    np.testing.assert_array_equal(unknown, second)
    assert np.abs(first - second).max() > 0.1
