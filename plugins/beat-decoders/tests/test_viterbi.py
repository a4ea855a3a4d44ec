import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Activations, ConfigError, Features, InputError
from ripieno.contracts.testing import BeatDecoderSuite
from ripieno_beat_decoders.config import BarPointerConfig
from ripieno_beat_decoders.cue_evidence import CUE_NAMES
from ripieno_beat_decoders.viterbi import BarPointerViterbi

RATE_HZ = 50.0


def bumps(
    beats_s,
    *,
    seconds: float,
    rate_hz: float = RATE_HZ,
    beats_per_bar: int = 4,
    first: int = 0,
    peak: float = 0.75,
) -> Activations:
    """Activations that rise to a peak around every beat; every `beats_per_bar`-th from `first` is a downbeat."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    shapes = peak * np.exp(-0.5 * ((times_s[:, None] - np.asarray(beats_s)) / 0.02) ** 2)
    downbeats = shapes[:, first::beats_per_bar]
    return Activations(
        {"beat": shapes.max(axis=1, initial=0), "downbeat": 0.9 * downbeats.max(axis=1, initial=0)}, rate_hz
    )


def steady(tempo_bpm: float, *, seconds: float = 20.0, first_s: float = 0.3) -> np.ndarray:
    return np.arange(first_s, seconds, 60 / tempo_bpm)


def decode(activations: Activations, *, cues: Features | None = None, **settings):
    return BarPointerViterbi(BarPointerConfig(**settings)).decode(activations, cues=cues)


def distances_s(truth_s, beats) -> np.ndarray:
    return np.abs(np.subtract.outer(truth_s, beats.times_s)).min(axis=1)


class TestConformance(BeatDecoderSuite):
    plugin = BarPointerViterbi

    def example(self):
        return {"activations": bumps(steady(120, seconds=8), seconds=8)}


class TestConformanceWithCues(BeatDecoderSuite):
    plugin = BarPointerViterbi

    def example(self):
        rows = np.random.default_rng(0).uniform(0, 1, (400, len(CUE_NAMES)))
        activations = bumps(steady(120, seconds=8), seconds=8)
        return {"activations": activations, "cues": Features(rows, CUE_NAMES, RATE_HZ)}


tempi_bpm = st.floats(58, 205)


@settings(max_examples=30)
@given(tempi_bpm, st.floats(0.0, 0.9), st.sampled_from([50.0, 86.13, 100.0]))
def test_every_beat_of_a_steady_tempo_is_found_between_frames(tempo_bpm, first_s, rate_hz):
    truth_s = steady(tempo_bpm, first_s=first_s, seconds=12)
    activations = bumps(truth_s, seconds=12, rate_hz=rate_hz)
    tracked = decode(
        activations,
        min_bpm=0.75 * tempo_bpm,
        max_bpm=1.4 * tempo_bpm,
        expected_bpm=tempo_bpm,
        tempo_spread=0.3,
    )
    inside = (truth_s > 0.06) & (truth_s < 11.9)
    assert (distances_s(truth_s[inside], tracked.beats) < 0.25 / rate_hz + 0.001).all()
    assert abs(len(tracked.beats.times_s) - len(truth_s)) <= 1


@pytest.mark.parametrize("metre", [2, 3, 4, 5, 7])
@pytest.mark.parametrize("first", [0, 1])
def test_downbeats_and_metre_are_those_of_the_activations(metre, first):
    truth_s = steady(120)
    activations = bumps(truth_s, seconds=20, beats_per_bar=metre, first=first)
    tracked = decode(activations, metres=(2, 3, 4, 5, 7), min_bpm=80, max_bpm=180)
    assert (distances_s(truth_s[first::metre], tracked.beats) < 0.02).all()
    np.testing.assert_allclose(tracked.beats.downbeats_s, truth_s[first::metre], atol=0.02)
    assert (tracked.clock.metre_probabilities[:, (2, 3, 4, 5, 7).index(metre)] == 1).all()


@given(st.floats(70, 100), st.floats(1.1, 1.5))
@settings(max_examples=15)
def test_a_ramp_is_followed(tempo_bpm, growth):
    spb_s = 60 / np.linspace(tempo_bpm, growth * tempo_bpm, 50)
    truth_s = 0.3 + np.cumsum(spb_s)
    tracked = decode(bumps(truth_s, seconds=truth_s[-1] + 0.5), min_bpm=60, max_bpm=170)
    assert (distances_s(truth_s, tracked.beats) < 0.02).all()


def test_a_break_is_beaten_through_with_falling_confidence():
    truth_s = steady(120, seconds=24)
    is_break = (truth_s > 12) & (truth_s < 14)
    tracked = decode(bumps(truth_s[~is_break], seconds=24, beats_per_bar=1))
    assert (distances_s(truth_s[is_break], tracked.beats) <= 0.04).all()
    in_break = (tracked.beats.times_s > 12.6) & (tracked.beats.times_s < 13.4)
    assert tracked.beats.confidence[in_break].max() < 0.6 * tracked.beats.confidence[5]
    assert tracked.beats.confidence[5] > 0.5


def test_beats_begin_with_the_music_and_go_on_after_it_without_confidence():
    truth_s = steady(120, first_s=10.3, seconds=20)
    tracked = decode(bumps(truth_s, seconds=40))
    assert tracked.beats.times_s[0] == pytest.approx(10.3, abs=0.02)
    assert (tracked.beats.times_s > 35).sum() >= 4
    assert tracked.clock.confidence[-1] < 0.05
    assert tracked.clock.confidence[0] < 0.05


@pytest.mark.parametrize("level", [0.0, 1e-3, 0.3, 1.0])
def test_silence_and_drone_have_no_beats(level):
    flat = np.full(1500, level, np.float32)
    tracked = decode(Activations({"beat": flat, "downbeat": flat / 2}, RATE_HZ))
    assert not len(tracked.beats.times_s)
    assert len(tracked.clock.phase) == 1500


@given(st.integers(0, 2**32), st.integers(0, 400))
@settings(max_examples=20)
def test_the_clock_agrees_with_the_beats(seed, frames):
    rng = np.random.default_rng(seed)
    beat = rng.uniform(0, 1, frames).astype(np.float32)
    tracked = decode(Activations({"beat": beat, "downbeat": beat * rng.uniform(0, 1, frames)}, RATE_HZ))
    clock, beats = tracked.clock, tracked.beats
    assert len(clock.phase) == frames
    assert (clock.next_beat_s > clock.times_s).all()
    np.testing.assert_allclose(clock.next_beat_s, clock.times_s + (1 - clock.phase) * clock.spb_s, atol=1e-5)
    for time_s, position, confidence in zip(beats.times_s, beats.positions, beats.confidence, strict=True):
        frame = int(np.ceil(time_s * RATE_HZ - 1e-9))
        if frame < frames:
            assert clock.phase[frame] * clock.spb_s[frame] == pytest.approx(
                frame / RATE_HZ - time_s, abs=1e-5
            )
            assert clock.downbeat_probability[frame] == (position == 1)
            assert clock.confidence[frame] == confidence


def test_all_is_known_at_the_end():
    tracked = decode(bumps(steady(100), seconds=20))
    assert (tracked.beats.known_s == 20).all()


def test_twice_the_tempo_is_named_where_something_is_heard_half_way():
    truth_s = steady(80, seconds=30)
    loud, soft = bumps(truth_s, seconds=30), bumps(truth_s + 60 / 160, seconds=30, peak=0.3)
    both = Activations({"beat": loud["beat"] + soft["beat"], "downbeat": loud["downbeat"]}, RATE_HZ)
    alone, with_offbeats = decode(loud, max_bpm=170), decode(both, max_bpm=170)
    np.testing.assert_allclose(with_offbeats.clock.spb_s.mean(), 0.75, rtol=0.02)
    np.testing.assert_allclose(with_offbeats.clock.other_spb_s, with_offbeats.clock.spb_s / 2)
    middle = len(loud["beat"]) // 2
    # Of 0.75 on the beat and 0.3 half-way, the latter is this part.
    assert with_offbeats.clock.other_probability[middle] == pytest.approx(0.3 / 1.05, abs=0.03)
    assert alone.clock.other_probability[middle] < 0.05


def test_half_the_tempo_is_named_where_every_other_beat_is_weak():
    truth_s = steady(150, seconds=30)
    strong, weak = bumps(truth_s[::2], seconds=30), bumps(truth_s[1::2], seconds=30, peak=0.4)
    both = Activations({"beat": strong["beat"] + weak["beat"], "downbeat": strong["downbeat"] * 0}, RATE_HZ)
    clock = decode(both, min_bpm=60, expected_bpm=150, tempo_spread=0.3).clock
    middle = len(clock.phase) // 2
    assert clock.spb_s[middle] == pytest.approx(0.4, rel=0.05)
    assert clock.other_spb_s[middle] == pytest.approx(0.8, rel=0.05)
    # Half of what the strong ones have more: (0.75 - 0.4) / 2 of (0.75 + 0.4) / 2, and that beside 1.
    swing = (0.75 - 0.4) / (0.75 + 0.4)
    assert clock.other_probability[middle] == pytest.approx(swing / (1 + swing), abs=0.03)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_cues_place_the_downbeat_where_activations_do_not(at):
    truth_s = steady(120, seconds=30)
    activations = bumps(truth_s, seconds=30)
    unknown = Activations({"beat": activations["beat"], "downbeat": activations["beat"] / 3}, RATE_HZ)
    times_s = np.arange(1500) / RATE_HZ
    bar = np.clip((np.searchsorted(truth_s, times_s + 0.02, side="right") - 1 - at) // 3, 0, None)
    beat = np.searchsorted(truth_s, times_s + 0.02, side="right") - 1
    rows = np.zeros((1500, len(CUE_NAMES)), np.float32)
    rows[np.arange(1500), bar * 5 % 12] = 1
    rows[:, 12] = np.where((beat - at) % 3 == 0, -20, -35)
    tracked = decode(unknown, cues=Features(rows, CUE_NAMES, RATE_HZ), min_bpm=80, max_bpm=180)
    expected_s = truth_s[at::3]
    late = expected_s[expected_s > 5]
    assert (np.abs(np.subtract.outer(late, tracked.beats.downbeats_s)).min(axis=1) < 0.02).all()
    assert tracked.clock.metre_probabilities[-1].argmax() == 1


def test_cues_that_end_early_are_taken():
    activations = bumps(steady(120), seconds=20)
    for frames in (0, 1, 500, 2000):
        rows = np.zeros((frames, len(CUE_NAMES)), np.float32)
        tracked = decode(activations, cues=Features(rows, CUE_NAMES, RATE_HZ))
        assert len(tracked.clock.phase) == 1000


def test_cues_of_other_frames_or_without_chroma_are_refused():
    activations = bumps(steady(120, seconds=4), seconds=4)
    rows = np.zeros((400, len(CUE_NAMES)), np.float32)
    with pytest.raises(InputError, match="same hop"):
        decode(activations, cues=Features(rows, CUE_NAMES, 100.0))
    with pytest.raises(InputError, match="chroma_11"):
        decode(activations, cues=Features(rows[:, :3], ("chroma_0", "chroma_1", "bass_db"), RATE_HZ))


def test_a_series_that_starts_later_is_beaten_later():
    activations = bumps(steady(120, seconds=8), seconds=8)
    later = Activations(dict(activations.heads), RATE_HZ, start_s=100.0)
    here, there = decode(activations), decode(later)
    np.testing.assert_allclose(there.beats.times_s, here.beats.times_s + 100, atol=1e-9)
    np.testing.assert_allclose(there.clock.next_beat_s, here.clock.next_beat_s + 100, atol=1e-9)


@pytest.mark.parametrize("frames", [0, 1, 2, 13, 56])
def test_a_few_frames_are_taken(frames):
    beat = np.zeros(frames, np.float32)
    beat[::25] = 0.9
    tracked = decode(Activations({"beat": beat, "downbeat": beat / 2}, RATE_HZ))
    assert len(tracked.clock.phase) == frames
    assert (tracked.beats.times_s <= frames / RATE_HZ).all()


@pytest.mark.parametrize("head", ["beat", "downbeat"])
def test_a_missing_head_is_named(head):
    heads = {name: np.zeros(10) for name in ("beat", "downbeat") if name != head}
    with pytest.raises(InputError, match=f"no head '{head}'"):
        decode(Activations(heads, RATE_HZ))


def test_too_few_frames_a_beat_are_refused_with_the_fastest_tempo():
    with pytest.raises(ConfigError, match="BPM"):
        decode(Activations({"beat": np.zeros(10), "downbeat": np.zeros(10)}, 10.0))


@given(st.floats(60, 110))
@settings(max_examples=10)
def test_the_tempo_range_decides_between_octaves(tempo_bpm):
    truth_s = steady(2 * tempo_bpm, seconds=20)
    # Every other beat is weaker, so that both octaves can be counted.
    strong, weak = bumps(truth_s[::2], seconds=20), bumps(truth_s[1::2], seconds=20, peak=0.3)
    both = Activations({"beat": strong["beat"] + weak["beat"], "downbeat": 0 * weak["beat"]}, RATE_HZ)
    clock = decode(both, min_bpm=0.8 * tempo_bpm, max_bpm=1.4 * tempo_bpm).clock
    assert np.median(clock.tempo_bpm) == pytest.approx(tempo_bpm, rel=0.03)
    clock = decode(both, min_bpm=1.6 * tempo_bpm, max_bpm=2.6 * tempo_bpm).clock
    assert np.median(clock.tempo_bpm) == pytest.approx(2 * tempo_bpm, rel=0.03)
