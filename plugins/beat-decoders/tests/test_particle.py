import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Activations, Chunk, ConfigError, InputError, SeriesFormat
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import BeatDecoderSuite
from ripieno_beat_decoders.particle import ParticleConfig, ParticleFilter, ParticleSession

RATE_HZ = 50.0
FORMAT = SeriesFormat(RATE_HZ, ("beat", "downbeat"))


def bumps(
    beats_s, *, seconds: float, rate_hz: float = RATE_HZ, beats_per_bar: int = 4, peak: float = 0.75
) -> Activations:
    """Activations that rise to a peak around every beat, as a network's do."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    shapes = peak * np.exp(-0.5 * ((times_s[:, None] - np.asarray(beats_s)) / 0.02) ** 2)
    downbeats = shapes[:, ::beats_per_bar]
    return Activations(
        {"beat": shapes.max(axis=1, initial=0), "downbeat": 0.9 * downbeats.max(axis=1, initial=0)}, rate_hz
    )


def steady(tempo_bpm: float, *, seconds: float = 20.0, first_s: float = 0.3) -> np.ndarray:
    return np.arange(first_s, seconds, 60 / tempo_bpm)


def decode(activations: Activations, *, seed: int = 0, **settings):
    with use_context(new_context(seed=seed)):
        return ParticleFilter(ParticleConfig(**settings)).decode(activations)


class TestConformance(BeatDecoderSuite):
    plugin = ParticleFilter

    def example(self):
        return {"activations": bumps(steady(120, seconds=8), seconds=8)}


@settings(max_examples=25)
@given(tempo_bpm=st.floats(75, 150), first_s=st.floats(0.1, 0.9), seed=st.integers(0, 1000))
def test_beats_fall_on_a_steady_beat_within_two_frames(tempo_bpm, first_s, seed):
    truth_s = steady(tempo_bpm, first_s=first_s)
    # No other tempo in range explains the beats as well.
    tempi = {"min_bpm": 0.75 * tempo_bpm, "max_bpm": 1.4 * tempo_bpm, "expected_bpm": tempo_bpm}
    tracked = decode(bumps(truth_s, seconds=20), seed=seed, **tempi)
    late = truth_s[(truth_s > 8) & (truth_s < 19.5)]
    distance_s = np.abs(np.subtract.outer(late, tracked.beats.times_s)).min(axis=1)
    assert (distance_s <= 2 / RATE_HZ).all()


@pytest.mark.parametrize("metre", [2, 3, 4])
def test_positions_go_round_the_bar(metre):
    truth_s = steady(120, seconds=30)
    tracked = decode(bumps(truth_s, seconds=30, beats_per_bar=metre), max_bpm=190)
    late = tracked.beats.times_s > 15
    positions = tracked.beats.positions[late]
    nearest = np.abs(np.subtract.outer(tracked.beats.times_s[late], truth_s)).argmin(axis=1)
    assert (positions == nearest % metre + 1).mean() > 0.9
    assert tracked.clock.metre_probabilities[-1].argmax() == (2, 3, 4).index(metre)


def test_a_break_of_four_beats_is_beaten_through_with_falling_confidence():
    truth_s = steady(120, seconds=24)
    is_break = (truth_s > 12) & (truth_s < 14)
    tracked = decode(bumps(truth_s[~is_break], seconds=24, beats_per_bar=1), min_bpm=70, max_bpm=180)
    distance_s = np.abs(np.subtract.outer(truth_s[is_break], tracked.beats.times_s)).min(axis=1)
    assert (distance_s <= 0.04).all()
    confidence = tracked.clock.confidence
    before, after = confidence[round(11.9 * RATE_HZ)], confidence[round(14 * RATE_HZ)]
    assert before >= 0.5
    assert after < before


def test_the_next_beat_is_foretold():
    activations = bumps(steady(100), seconds=20)
    with use_context(new_context()):
        session = ParticleFilter(ParticleConfig(min_bpm=70, max_bpm=150)).stream({"activations": FORMAT})
    chunk = session.push(activations=Chunk(20.0, activations.rows))
    beats_s = np.array([event.time_s for event in chunk.events if event.what == "beat"])
    told = [event for event in chunk.events if event.what == "next_beat" and 8 < event.known_s < 19]
    distance_s = [np.abs(beats_s - event.time_s).min() for event in told]
    assert max(distance_s) <= 0.04
    assert all(event.time_s > event.known_s for event in told)


@pytest.mark.parametrize("level", [0.0, 1e-3, 0.3])
def test_silence_has_no_beats(level):
    flat = np.full(1500, level, np.float32)
    tracked = decode(Activations({"beat": flat, "downbeat": flat / 2}, RATE_HZ))
    assert not len(tracked.beats.times_s)
    assert len(tracked.clock.phase) == 1500


def test_long_silence_after_music_ends_in_confidence_near_0_and_beats_go_on():
    tracked = decode(bumps(steady(120, seconds=10), seconds=40))
    assert tracked.clock.confidence[-1] < 0.05
    assert (tracked.beats.times_s > 35).sum() >= 3


@pytest.mark.parametrize("kind", ["zeros", "ones", "alternating", "half"])
def test_what_is_no_music_gives_a_clock_all_the_same(kind):
    frames = 3000
    values = {
        "zeros": np.zeros(frames),
        "ones": np.ones(frames),
        "alternating": np.arange(frames) % 2.0,
        "half": np.full(frames, 0.5),
    }[kind]
    clock = decode(Activations({"beat": values, "downbeat": values}, RATE_HZ)).clock
    assert np.isfinite(clock.rows).all()
    assert (clock.next_beat_s >= clock.times_s - 1e-6).all()


def test_the_seed_decides_and_nothing_else():
    activations = bumps(steady(97), seconds=10)
    same, again, other = (decode(activations, seed=seed).clock.rows for seed in (5, 5, 6))
    np.testing.assert_array_equal(same, again)
    assert (same != other).any()


def test_twice_the_tempo_is_named_as_the_other_octave_where_both_are_heard():
    tracked = decode(bumps(steady(80, seconds=30), seconds=30), seed=2)
    clock = tracked.clock
    octave = np.abs(np.log2(clock.other_spb_s / clock.spb_s))
    np.testing.assert_allclose(octave, 1, atol=0.05)
    assert ((clock.other_probability >= 0) & (clock.other_probability <= 1)).all()


def test_another_rate_of_frames_gives_the_same_beats():
    truth_s = steady(110)
    at_100_hz = decode(bumps(truth_s, seconds=20, rate_hz=100), min_bpm=70, max_bpm=160)
    late = truth_s[(truth_s > 8) & (truth_s < 19.5)]
    distance_s = np.abs(np.subtract.outer(late, at_100_hz.beats.times_s)).min(axis=1)
    assert (distance_s <= 0.04).all()


def test_a_series_that_starts_later_is_beaten_later():
    activations = bumps(steady(120, seconds=8), seconds=8)
    later = Activations(dict(activations.heads), RATE_HZ, start_s=100.0)
    here, there = decode(activations).beats, decode(later).beats
    np.testing.assert_allclose(there.times_s, here.times_s + 100, atol=1e-9)


@pytest.mark.parametrize("head", ["beat", "downbeat"])
def test_a_missing_head_is_named(head):
    heads = {name: np.zeros(10) for name in ("beat", "downbeat") if name != head}
    with pytest.raises(InputError, match=f"no head '{head}'"):
        decode(Activations(heads, RATE_HZ))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(value):
    session = ParticleSession(ParticleConfig(), FORMAT, seed=0)
    with pytest.raises(InputError, match="finite"):
        session.push(activations=Chunk(0.02, np.full((1, 2), value, np.float32)))


def test_too_few_frames_a_beat_are_refused_with_the_fastest_tempo():
    with pytest.raises(ConfigError, match="BPM"):
        decode(Activations({"beat": np.zeros(10), "downbeat": np.zeros(10)}, 10.0))


@pytest.mark.parametrize(
    "settings", [{"min_bpm": 200, "max_bpm": 100}, {"metres": (0, 4)}, {"metres": (4, 4)}]
)
def test_settings_that_contradict_are_refused(settings):
    with pytest.raises(ValueError, match=r"max_bpm|metres"):
        ParticleConfig(**settings)


def test_memory_stays_the_same_for_as_long_as_it_runs():
    import tracemalloc

    session = ParticleSession(ParticleConfig(), FORMAT, seed=0)
    rows = bumps(steady(120, seconds=20), seconds=20).rows

    def play() -> int:
        session.push(activations=Chunk(0.0, rows))
        return tracemalloc.get_traced_memory()[0]

    play()
    tracemalloc.start()
    try:
        first = play()
        assert max(play() for _ in range(3)) <= first + 20_000
    finally:
        tracemalloc.stop()
