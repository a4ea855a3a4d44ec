import mir_eval
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Beats, InputError
from ripieno.contracts.testing import MetricSuite
from ripieno_rhythm.metric import BeatScores, BeatScoresConfig


class TestConformance(MetricSuite):
    plugin = BeatScores

    def example(self):
        return {"beats": found_late(steady(120), late_s=0.01), "reference": steady(120)}


def steady(tempo_bpm: float, *, until_s: float = 60.0, beats_per_bar: int = 4, first_s: float = 0.5) -> Beats:
    times_s = np.arange(first_s, until_s, 60 / tempo_bpm)
    return Beats(times_s, np.arange(len(times_s)) % beats_per_bar + 1)


def found_late(beats: Beats, *, late_s: float, known_after_s: float = 0.0) -> Beats:
    times_s = beats.times_s + late_s
    return Beats(times_s, beats.positions, known_s=times_s + known_after_s)


def scores(beats: Beats, reference: Beats, **settings) -> dict[str, float]:
    return dict(BeatScores(BeatScoresConfig(**settings)).measure(beats, reference).values)


@st.composite
def jittered(draw):
    """A track and what a poor tracker would make of it: jitter, beats left out, beats too many."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    reference = steady(draw(st.floats(50, 220)), beats_per_bar=draw(st.integers(2, 5)))
    times_s = reference.times_s + draw(st.floats(0, 0.08)) * rng.standard_normal(len(reference.times_s))
    kept = rng.random(len(times_s)) > draw(st.floats(0, 0.5))
    extra_s = rng.uniform(0, 60, draw(st.integers(0, 30)))
    times_s, first = np.unique(np.abs(np.concatenate([times_s[kept], extra_s])), return_index=True)
    positions = np.concatenate([reference.positions[kept], np.ones(len(extra_s), int)])
    return Beats(times_s, positions[first]), reference


@given(jittered())
def test_agreement_is_that_of_mir_eval(tracks):
    beats, reference = tracks
    values = scores(beats, reference)
    truth, found = mir_eval.beat.trim_beats(reference.times_s), mir_eval.beat.trim_beats(beats.times_s)
    expected = mir_eval.beat.evaluate(reference.times_s, beats.times_s)
    names = {
        "f_measure": "F-measure",
        "cmlc": "Correct Metric Level Continuous",
        "cmlt": "Correct Metric Level Total",
        "amlc": "Any Metric Level Continuous",
        "amlt": "Any Metric Level Total",
        "cemgil": "Cemgil",
        "information_gain": "Information gain",
    }
    for ours, theirs in names.items():
        assert values[ours] == pytest.approx(expected[theirs], abs=1e-12), ours
    downbeats = mir_eval.beat.f_measure(
        mir_eval.beat.trim_beats(reference.downbeats_s), mir_eval.beat.trim_beats(beats.downbeats_s)
    )
    assert values["downbeat_f_measure"] == pytest.approx(downbeats, abs=1e-12)
    assert values["f_measure"] == pytest.approx(mir_eval.beat.f_measure(truth, found), abs=1e-12)


@given(st.floats(0, 0.02), st.floats(0.001, 0.3))
def test_offset_and_latency_are_what_was_added(late_s, known_after_s):
    reference = steady(100)
    values = scores(found_late(reference, late_s=late_s, known_after_s=known_after_s), reference)
    assert values["offset_ms"] == pytest.approx(1000 * late_s, abs=1e-6)
    assert values["latency_ms"] == pytest.approx(1000 * known_after_s, abs=1e-6)


def test_beats_before_their_reference_have_a_negative_offset():
    reference = steady(100)
    early = Beats(reference.times_s - 0.03)
    assert scores(early, reference)["offset_ms"] == pytest.approx(-30)


@given(st.floats(60, 200), st.floats(0.8, 1.25))
def test_tempo_error_is_the_ratio_of_the_tempi(tempo_bpm, ratio):
    values = scores(steady(tempo_bpm * ratio), steady(tempo_bpm))
    assert values["tempo_error_percent"] == pytest.approx(100 * abs(ratio - 1), abs=1e-6)


def test_tempo_error_follows_a_tempo_that_changes_and_forgives_rounding_to_frames():
    times_s = np.cumsum(60 / np.linspace(90, 140, 120))
    rounded = Beats(np.round(times_s * 50) / 50)
    # Two roundings of half a frame in four beats of 0.43 s or more.
    assert scores(rounded, Beats(times_s))["tempo_error_percent"] <= 100 * 0.02 / (4 * 60 / 140)
    assert scores(steady(115), Beats(times_s))["tempo_error_percent"] > 5


def test_twice_the_tempo_is_right_at_another_level_and_wrong_by_100_percent():
    values = scores(steady(200, first_s=5, until_s=59.1), steady(100, first_s=5, until_s=59.1))
    assert (values["amlt"], values["cmlt"]) == (1, 0)
    assert values["tempo_error_percent"] == pytest.approx(100)


def test_the_same_beats_agree_in_all():
    values = scores(found_late(steady(120), late_s=0, known_after_s=0.1), steady(120))
    agreed = {name: value for name, value in values.items() if not name.endswith(("_ms", "_percent"))}
    assert agreed == pytest.approx(dict.fromkeys(agreed, 1.0))
    assert values["offset_ms"] == values["tempo_error_percent"] == 0


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("side", ["beats", "reference", "both"])
@pytest.mark.filterwarnings("error")
def test_too_few_beats_score_0_and_leave_out_what_cannot_be_measured(count, side):
    few = Beats(np.full(count, 20.0), np.ones(count), known_s=np.full(count, 20.1))
    beats = few if side != "reference" else found_late(steady(120), late_s=0, known_after_s=0.1)
    reference = few if side != "beats" else steady(120)
    values = scores(beats, reference)
    assert values["cmlt"] == values["amlt"] == values["information_gain"] == 0
    assert 0 <= values["f_measure"] <= 1
    assert "tempo_error_percent" not in values
    assert ("latency_ms" in values) == bool(len(beats.times_s))
    assert ("offset_ms" in values) == bool(count)
    assert ("downbeat_f_measure" in values) == bool(len(reference.times_s))


def test_the_start_is_left_out_as_far_as_the_settings_say():
    reference, wrong_start = steady(120), steady(120)
    times_s = wrong_start.times_s.copy()
    times_s[times_s < 5] += 0.2
    late = Beats(times_s, wrong_start.positions)
    assert scores(late, reference)["f_measure"] == 1
    assert scores(late, reference, trim_s=0)["f_measure"] < 1


def test_the_window_is_what_the_settings_say():
    late = found_late(steady(120), late_s=0.06)
    assert scores(late, steady(120))["f_measure"] == 1
    assert scores(late, steady(120), window_s=0.05)["f_measure"] == 0


def test_a_reference_without_downbeats_has_no_downbeat_figure():
    reference = Beats(steady(120).times_s)
    assert "downbeat_f_measure" not in scores(steady(120), reference)


def test_beats_without_positions_have_no_downbeat_figure():
    found = Beats(steady(120).times_s)
    assert scores(found, steady(120)).keys() == scores(steady(120), found).keys()
    assert "downbeat_f_measure" not in scores(found, steady(120))


def test_beats_that_were_not_tracked_live_have_no_latency():
    values = scores(steady(120), steady(120))
    live = scores(found_late(steady(120), late_s=0, known_after_s=0.1), steady(120))
    assert live.keys() - values.keys() == {"latency_ms"}


def test_it_says_what_it_compared_with():
    compared = BeatScores().measure(steady(120), steady(120)).compared_with
    assert compared == "110 beats and 27 downbeats of the reference from 5 s on"


def test_times_beyond_what_mir_eval_takes_are_refused():
    beats = Beats(np.array([10.0, 40000.0]))
    with pytest.raises(InputError, match="mir_eval"):
        scores(beats, beats)
