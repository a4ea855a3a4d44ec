import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, InputError
from ripieno.contracts.testing import BeatTrackerSuite
from ripieno_librosa.beats import RATE_HZ, BeatsConfig, LibrosaBeats


class TestConformance(BeatTrackerSuite):
    plugin = LibrosaBeats


def click_track(*, tempo_bpm: float, seconds: float, first_s: float = 0.3) -> tuple[Audio, np.ndarray]:
    clicks_s = np.arange(first_s, seconds - 0.05, 60 / tempo_bpm)
    samples = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    click = np.exp(-np.arange(800) / 100) * np.sin(2 * np.pi * 1500 * np.arange(800) / RATE_HZ)
    for start in np.round(clicks_s * RATE_HZ).astype(int):
        samples[start : start + 800] += click[: len(samples) - start]
    return Audio(samples.astype(np.float32), RATE_HZ), clicks_s


@settings(max_examples=12)
@given(tempo_bpm=st.floats(80, 160), first_s=st.floats(0.1, 0.6))
def test_beats_fall_on_the_clicks_of_a_click_track(tempo_bpm, first_s):
    audio, clicks_s = click_track(tempo_bpm=tempo_bpm, seconds=15, first_s=first_s)
    tracked = LibrosaBeats(BeatsConfig(start_bpm=tempo_bpm)).track(audio)
    # Within two beats of an end there is little to lean on.
    distance_s = np.abs(np.subtract.outer(clicks_s[2:-2], tracked.beats.times_s)).min(axis=1)
    assert (distance_s < 0.04).all()
    assert np.median(np.diff(tracked.beats.times_s)) == pytest.approx(60 / tempo_bpm, rel=0.03)
    assert np.median(tracked.clock.tempo_bpm) == pytest.approx(tempo_bpm, rel=0.03)


def test_beats_lie_within_the_audio_and_say_how_sure_they_are():
    audio, _ = click_track(tempo_bpm=120, seconds=10.01)
    beats = LibrosaBeats().track(audio).beats
    assert (beats.times_s < audio.duration_s).all()
    assert beats.confidence.max() == 1
    assert not beats.positions.any()


def test_the_clock_covers_the_audio():
    audio, _ = click_track(tempo_bpm=120, seconds=10)
    clock = LibrosaBeats(BeatsConfig(clock_rate_hz=25)).track(audio).clock
    assert (clock.rate_hz, len(clock.phase)) == (25, 250)


@pytest.mark.parametrize("seconds", [0.0, 1 / RATE_HZ, 0.5, 0.99])
def test_less_than_a_second_has_no_beats(seconds):
    audio, _ = click_track(tempo_bpm=120, seconds=seconds, first_s=0.0)
    assert not len(LibrosaBeats().track(audio).beats.times_s)


@given(frames=st.integers(RATE_HZ, RATE_HZ + 5000))
def test_a_second_is_enough_to_look_for_them(frames):
    audio, _ = click_track(tempo_bpm=120, seconds=1.5, first_s=0.0)
    LibrosaBeats().track(Audio(audio.samples[:, :frames], RATE_HZ))


@pytest.mark.parametrize(
    ("channels", "rate_hz", "cure"), [(2, RATE_HZ, "effect/downmix"), (1, 44100, "effect/resample")]
)
def test_other_formats_are_refused_with_the_cure(channels, rate_hz, cure):
    with pytest.raises(InputError, match=cure):
        LibrosaBeats().track(Audio(np.zeros((channels, 100), np.float32), rate_hz))
