import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Activations, Chunk, ConfigError, Features, InputError, SeriesFormat
from ripieno.contracts.testing import BeatDecoderSuite
from ripieno_beat_decoders.cue_evidence import CUE_NAMES
from ripieno_beat_decoders.forward import BarPointerConfig, BarPointerForward, BarPointerSession

RATE_HZ = 50.0
SETTLED_S = 6.0
"""By then the tempo of a steady pulse is known, and beats are held to their times."""


def bumps(
    beats_s, *, seconds: float, rate_hz: float = RATE_HZ, beats_per_bar: int = 4, first: int = 0
) -> Activations:
    """Activations that rise to 0.8 around every beat; every `beats_per_bar`-th from `first` is a downbeat."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    shapes = 0.8 * np.exp(-0.5 * ((times_s[:, None] - np.asarray(beats_s)) / 0.02) ** 2)
    downbeats = shapes[:, first::beats_per_bar]
    return Activations(
        {"beat": shapes.max(axis=1, initial=0), "downbeat": 0.9 * downbeats.max(axis=1, initial=0)}, rate_hz
    )


def steady(tempo_bpm: float, *, seconds: float = 20.0, first_s: float = 0.3) -> np.ndarray:
    return np.arange(first_s, seconds, 60 / tempo_bpm)


def flat(beat: float, *, seconds: float) -> Activations:
    frames = round(seconds * RATE_HZ)
    return Activations({"beat": np.full(frames, beat), "downbeat": np.full(frames, beat / 4)}, RATE_HZ)


def decode(activations: Activations, *, cues: Features | None = None, **settings):
    return BarPointerForward(BarPointerConfig(**settings)).decode(activations, cues=cues)


def nearest_s(wanted_s, times_s) -> np.ndarray:
    """How far from each time the nearest of others is."""
    return np.abs(np.subtract.outer(wanted_s, times_s)).min(axis=1)


class TestConformance(BeatDecoderSuite):
    plugin = BarPointerForward

    def example(self):
        return {"activations": bumps(steady(120, seconds=8), seconds=8)}


class TestConformanceWithCues(BeatDecoderSuite):
    plugin = BarPointerForward

    def example(self):
        rows = np.random.default_rng(0).uniform(0, 1, (400, len(CUE_NAMES)))
        activations = bumps(steady(120, seconds=8), seconds=8)
        return {"activations": activations, "cues": Features(rows, CUE_NAMES, RATE_HZ)}


@settings(max_examples=25, deadline=None)
@given(st.floats(62, 200), st.floats(0, 0.3))
def test_beats_of_any_steady_tempo_are_found_to_the_frame(tempo_bpm, first_s):
    truth_s = steady(tempo_bpm, first_s=first_s)
    # The prior prefers one octave, the range leaves only this one.
    beats = decode(
        bumps(truth_s, seconds=20), min_bpm=0.75 * tempo_bpm, max_bpm=min(1.4 * tempo_bpm, 215)
    ).beats
    settled = beats.times_s > SETTLED_S
    assert nearest_s(beats.times_s[settled], truth_s).max() <= 1.5 / RATE_HZ
    inside = (truth_s > SETTLED_S) & (truth_s < 19.5)
    assert nearest_s(truth_s[inside], beats.times_s).max() <= 1.5 / RATE_HZ


@pytest.mark.parametrize("rate_hz", [25.0, 43.066, 100.0])
def test_any_rate_of_activations_will_do(rate_hz):
    truth_s = steady(110)
    beats = decode(bumps(truth_s, seconds=20, rate_hz=rate_hz)).beats
    assert nearest_s(truth_s[(truth_s > SETTLED_S) & (truth_s < 19.5)], beats.times_s).max() < 0.04


@pytest.mark.parametrize("metre", [2, 3, 4])
def test_places_in_the_bar_go_round_from_the_downbeat(metre):
    truth_s = steady(120, seconds=30)
    tracked = decode(bumps(truth_s, seconds=30, beats_per_bar=metre, first=1))
    settled = tracked.beats.times_s > 15
    positions = tracked.beats.positions[settled]
    assert (np.diff(positions) % metre == 1 % metre).all()
    downbeats_s = tracked.beats.times_s[settled][positions == 1]
    assert nearest_s(downbeats_s, truth_s[1::metre]).max() <= 1.5 / RATE_HZ
    probabilities = tracked.clock.metre_probabilities
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert tracked.clock.metres[int(probabilities[-1].argmax())] == metre


def test_a_metre_of_five_is_counted_where_it_is_asked_for():
    tracked = decode(bumps(steady(120, seconds=30), seconds=30, beats_per_bar=5), metres=(4, 5))
    assert set(tracked.beats.positions[-10:].tolist()) == {1, 2, 3, 4, 5}


def test_the_clock_agrees_with_the_beats():
    tracked = decode(bumps(steady(100, seconds=30), seconds=30))
    beats, clock = tracked.beats, tracked.clock
    times_s = clock.start_s + np.arange(len(clock.phase)) / clock.rate_hz
    settled = (times_s > SETTLED_S) & (times_s < beats.times_s[-1] - 0.1)
    expected_s = beats.times_s[np.searchsorted(beats.times_s, times_s[settled], side="right")]
    # A frame about a beat may belong to the one before or after it.
    off_s = np.minimum(
        np.abs(clock.next_beat_s[settled] - expected_s),
        np.abs(clock.next_beat_s[settled] - clock.spb_s[settled] - expected_s),
    )
    between = (clock.phase[settled] > 0.1) & (clock.phase[settled] < 0.9)
    assert off_s[between].max() < 0.03
    np.testing.assert_allclose(clock.tempo_bpm[settled], 100, rtol=0.04)
    turned = np.diff(clock.phase[settled].astype(float)) % 1
    assert turned.max() < 0.15, "the phase leaps"


def test_next_beats_are_predicted():
    activations = bumps(steady(100), seconds=20)
    session = BarPointerForward().stream({"activations": activations.format})
    events = session.push(activations=Chunk(20.0, activations.rows)).events
    beats = [event for event in events if event.what == "beat" and event.time_s > SETTLED_S]
    predicted = [event for event in events if event.what == "next_beat"][-len(beats) :]
    for prediction, beat in zip(predicted, beats[1:], strict=False):
        assert prediction.known_s < beat.known_s
        assert abs(prediction.time_s - beat.time_s) < 0.03
        assert prediction.value["position"] == beat.value["position"]


@pytest.mark.parametrize("tempo_bpm", [80, 120, 160])
def test_a_steady_pulse_is_trusted_within_two_and_a_half_seconds(tempo_bpm):
    tracked = decode(bumps(steady(tempo_bpm), seconds=20))
    assert tracked.beats.times_s[tracked.beats.confidence >= 0.5][0] <= 2.5
    assert tracked.clock.confidence[-1] > 0.7


@pytest.mark.parametrize("tempo_bpm", [80, 108, 120, 150])
def test_four_beats_of_silence_are_beaten_through_with_less_confidence(tempo_bpm):
    truth_s = steady(tempo_bpm, seconds=24)
    silent = slice(20, 24)
    heard_s = np.delete(truth_s, silent)
    tracked = decode(bumps(heard_s, seconds=24))
    assert nearest_s(truth_s[silent], tracked.beats.times_s).max() <= 0.04
    before, within = (
        tracked.clock.confidence[int(at_s * RATE_HZ)] for at_s in (truth_s[19], truth_s[23] + 0.1)
    )
    assert within < before


def test_confidence_dies_away_in_a_long_silence_while_beats_go_on():
    heard_s = steady(120, seconds=10)
    tracked = decode(bumps(heard_s, seconds=60))
    assert tracked.clock.confidence[-1] < 0.1
    late_s = tracked.beats.times_s[tracked.beats.times_s > 40]
    assert np.diff(late_s).max() < 60 / 55 * 1.5


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_what_never_changes_has_no_beats(level):
    tracked = decode(flat(level, seconds=600))
    assert len(tracked.beats.times_s) == 0
    assert tracked.clock.confidence.max() < 0.15
    assert np.isfinite(tracked.clock.rows).all()


def test_activations_that_leap_every_frame_are_taken():
    beat = np.tile([0.0, 1.0], 3000)
    tracked = decode(Activations({"beat": beat, "downbeat": beat}, RATE_HZ))
    assert np.isfinite(tracked.clock.rows).all()
    assert (np.diff(tracked.beats.times_s) > 0.1).all()


def test_a_ramp_is_followed():
    tempo_bpm = np.linspace(90, 140, 60)
    truth_s = 0.3 + np.concatenate([[0], np.cumsum(60 / tempo_bpm)])
    beats = decode(bumps(truth_s, seconds=truth_s[-1] + 1)).beats
    found = nearest_s(truth_s[truth_s > SETTLED_S], beats.times_s) < 0.05
    assert found.mean() >= 0.97
    assert 60 / np.diff(beats.times_s[-4:]).mean() == pytest.approx(140, rel=0.04)


def test_a_step_of_tempo_is_followed_within_a_few_beats():
    truth_s = np.concatenate([np.arange(0.3, 15, 0.6), np.arange(15.3, 30, 60 / 132)])
    beats = decode(bumps(truth_s, seconds=30)).beats
    assert nearest_s(truth_s[(truth_s > 20) & (truth_s < 29.5)], beats.times_s).max() < 0.04


def test_the_other_octave_is_named():
    clock = decode(bumps(steady(174), seconds=20)).clock
    np.testing.assert_allclose(clock.other_spb_s[-1], 2 * 60 / 174, rtol=0.05)
    assert (clock.other_probability[-500:] < 0.5).all()
    assert clock.other_probability[-1] > 0


def test_the_expected_tempo_decides_between_octaves():
    activations = bumps(steady(85, seconds=30), seconds=30)
    slow = decode(activations, min_bpm=40, expected_bpm=50, tempo_spread=0.2).clock.tempo_bpm[-1]
    assert slow == pytest.approx(85 / 2, rel=0.05) or slow == pytest.approx(85, rel=0.05)
    assert decode(activations, expected_bpm=85).clock.tempo_bpm[-1] == pytest.approx(85, rel=0.05)


def cued(beats_s, *, seconds: float, beats_per_bar: int, first: int) -> Features:
    """A new chord and a louder bass at every downbeat; the bass sounds on the others, too."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 0.1, (len(times_s), len(CUE_NAMES)))
    bar = np.searchsorted(np.asarray(beats_s)[first::beats_per_bar], times_s, side="right")
    beat = np.searchsorted(beats_s, times_s, side="right") - 1
    for degree in (0, 4, 7):
        rows[np.arange(len(times_s)), (5 * bar + degree) % 12] += 1
    rows[:, 12] = np.where((beat - first) % beats_per_bar == 0, -12, -24) + rng.normal(0, 1, len(times_s))
    return Features(rows, CUE_NAMES, RATE_HZ)


@pytest.mark.parametrize("metre", [3, 4])
def test_cues_place_the_downbeat_where_activations_do_not(metre):
    truth_s = steady(110, seconds=30)
    heard = bumps(truth_s, seconds=30)
    silent = Activations({"beat": heard["beat"], "downbeat": heard["beat"] / 4}, RATE_HZ)
    cues = cued(truth_s, seconds=30, beats_per_bar=metre, first=2)
    beats = decode(silent, cues=cues).beats
    downbeats_s = beats.downbeats_s[beats.downbeats_s > 15]
    assert len(downbeats_s) >= 15 / (metre * 60 / 110) - 2
    assert nearest_s(downbeats_s, truth_s[2::metre]).max() <= 1.5 / RATE_HZ


def test_cues_may_come_after_the_activations():
    truth_s = steady(110, seconds=12)
    activations = bumps(truth_s, seconds=12)
    cues = cued(truth_s, seconds=12, beats_per_bar=4, first=0)
    expected = decode(activations, cues=cues)
    session = BarPointerForward().stream({"activations": activations.format, "cues": cues.format})
    chunks = []
    for start in range(0, 600, 60):
        chunks.append(
            session.push(activations=Chunk((start + 60) / RATE_HZ, activations.rows[start : start + 60]))
        )
        late = max(0, start - 30)
        chunks.append(session.push(cues=Chunk((start + 30) / RATE_HZ, cues.rows[late : start + 30])))
    chunks.append(session.push(cues=Chunk(12.0, cues.rows[570:])))
    rows = np.concatenate([chunk.samples for chunk in chunks if chunk.samples is not None])
    assert rows.tobytes() == expected.clock.rows.tobytes()


def test_activations_that_cues_never_reach_are_decoded_at_the_end():
    activations = bumps(steady(110, seconds=12), seconds=12)
    short = Features(np.zeros((100, len(CUE_NAMES))), CUE_NAMES, RATE_HZ)
    assert len(decode(activations, cues=short).clock.phase) == 600


def test_known_beats_never_lie_further_back_than_the_latency():
    activations = bumps(np.sort(np.random.default_rng(1).uniform(0, 60, 100)), seconds=60)
    beats = decode(activations).beats
    session = BarPointerForward().stream({"activations": activations.format})
    assert (beats.known_s - beats.times_s <= session.latency.total_s + 1e-9).all()
    assert (beats.known_s >= beats.times_s).all()


def test_columns_are_found_by_name():
    heard = bumps(steady(110, seconds=12), seconds=12)
    turned = Activations(
        {"other": np.ones(600), "downbeat": heard["downbeat"], "beat": heard["beat"]}, RATE_HZ
    )
    assert decode(turned).clock.rows.tobytes() == decode(heard).clock.rows.tobytes()


def test_a_start_shifts_beats_and_clock():
    heard = bumps(steady(110, seconds=12), seconds=12)
    shifted = decode(Activations(dict(heard.heads), RATE_HZ, start_s=3.0))
    expected = decode(heard)
    np.testing.assert_allclose(shifted.beats.times_s, expected.beats.times_s + 3, atol=1e-9)
    np.testing.assert_allclose(shifted.clock.next_beat_s, expected.clock.next_beat_s + 3, atol=1e-5)


def test_a_missing_head_is_named():
    with pytest.raises(InputError, match="no head 'downbeat'"):
        decode(Activations({"beat": np.zeros(50)}, RATE_HZ))


def test_cues_of_another_rate_are_refused():
    cues = Features(np.zeros((50, len(CUE_NAMES))), CUE_NAMES, 43.0)
    with pytest.raises(InputError, match="same hop"):
        decode(flat(0.0, seconds=1), cues=cues)


def test_missing_cues_are_named():
    with pytest.raises(InputError, match="bass_db"):
        decode(flat(0.0, seconds=1), cues=Features(np.zeros((50, 12)), CUE_NAMES[:12], RATE_HZ))


def test_nan_in_a_stream_is_refused():
    session = BarPointerForward().stream({"activations": SeriesFormat(RATE_HZ, ("beat", "downbeat"))})
    with pytest.raises(InputError, match="NaN"):
        session.push(activations=Chunk(0.02, np.full((1, 2), np.nan, np.float32)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_bpm": 120, "max_bpm": 100},
        {"metres": ()},
        {"metres": (4, 4)},
        {"metres": (0,)},
        {"metres": (3, 4), "metre_weights": (1.0,)},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="bpm|metre"):
        BarPointerConfig(**wrong)


def test_a_rate_too_low_for_the_fastest_tempo_is_refused():
    with pytest.raises(ConfigError, match="max_bpm"):
        BarPointerSession(BarPointerConfig(), SeriesFormat(10.0, ("beat", "downbeat")))
