import warnings
from dataclasses import replace

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from played import constant, note, performance, vibrato

from ripieno.contracts import Envelope, Note, Performance, Stream
from ripieno.contracts.testing import MetricSuite
from ripieno_performance.agreement import NoteSet, macro_f1, matched
from ripieno_performance.metric import PerformanceScores, PerformanceScoresConfig

NOTES = "onset_50ms_pitch_50cents"
OFFSETS = f"{NOTES}_offset_20percent"


class TestConformance(MetricSuite):
    plugin = PerformanceScores

    def example(self):
        return {"reference": scale(), "estimated": scale(late_s=0.02, sharp_cents=10)}


def scale(*, late_s: float = 0.0, sharp_cents: float = 0.0, count: int = 8, **more) -> Performance:
    played = (
        note(0.5 * index + late_s, 0.4, 60 + index + sharp_cents / 100, **more) for index in range(count)
    )
    return performance(*played, duration_s=0.5 * count + 1)


def scores(reference: Performance, estimated: Performance, **changed) -> dict[str, float]:
    return dict(PerformanceScores(PerformanceScoresConfig(**changed)).measure(reference, estimated).values)


@st.composite
def takes(draw):
    """Notes of several voices, and what a poor transcriber would make of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(0, 25))
    onsets_s, lengths_s = rng.uniform(0, draw(st.sampled_from([2, 20])), count), rng.uniform(0.05, 1, count)
    pitches = rng.integers(40, 80, count).astype(float)
    truth = [note(*row) for row in zip(onsets_s, lengths_s, pitches, strict=True)]
    heard = rng.random(count) > 0.2
    onsets_s = np.abs(onsets_s + draw(st.floats(0, 0.06)) * rng.standard_normal(count))
    lengths_s = lengths_s * rng.uniform(0.7, 1.3, count)
    pitches = pitches + draw(st.floats(0, 0.6)) * rng.standard_normal(count)
    found = [note(*row) for row in zip(onsets_s[heard], lengths_s[heard], pitches[heard], strict=True)]
    found += [
        note(*row) for row in zip(rng.uniform(0, 20, 3), [0.3] * 3, rng.uniform(40, 80, 3), strict=True)
    ]
    return performance(*truth, duration_s=30), performance(*found, duration_s=30)


def as_mir_eval_has_it(artifact: Performance):
    intervals_s = np.array([(one.onset_s, one.offset_s) for one in artifact.notes]).reshape(-1, 2)
    midi = np.array([one.envelopes["pitch_midi"].values[0] for one in artifact.notes])
    return intervals_s, mir_eval.util.midi_to_hz(midi)


@settings(max_examples=40)
@given(takes())
def test_notes_are_counted_as_mir_eval_counts_them(pair):
    reference, estimated = pair
    values = scores(reference, estimated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tolerance, ratio in ((NOTES, None), (OFFSETS, 0.2)):
            expected = mir_eval.transcription.precision_recall_f1_overlap(
                *as_mir_eval_has_it(reference), *as_mir_eval_has_it(estimated), offset_ratio=ratio
            )
            figures = [values[f"note_{name}_{tolerance}"] for name in ("precision", "recall", "f1")]
            np.testing.assert_allclose(figures, expected[:3], atol=1e-12)


@settings(max_examples=20)
@given(takes())
def test_notes_of_one_voice_have_the_raw_pitch_accuracy_of_mir_eval(pair):
    # One after the other, so that both sides have one voice.
    reference, estimated = (without_overlaps(artifact) for artifact in pair)
    values = scores(reference, estimated)
    times_s = np.arange(3000) / 100
    tracks = [track(artifact, times_s) for artifact in (reference, estimated)]
    if not tracks[0].any():
        assert "raw_pitch_accuracy_50cents" not in values
        return
    frequencies_hz, voicing = zip(*(mir_eval.melody.freq_to_voicing(one) for one in tracks), strict=True)
    cents = [mir_eval.melody.hz2cents(one) for one in frequencies_hz]
    for tolerance in (50, 25, 10):
        expected = mir_eval.melody.raw_pitch_accuracy(
            voicing[0], cents[0], voicing[1], cents[1], cent_tolerance=tolerance
        )
        assert values[f"raw_pitch_accuracy_{tolerance}cents"] == pytest.approx(expected, abs=1e-12)


def without_overlaps(artifact: Performance) -> Performance:
    kept: list[Note] = []
    for one in artifact.notes:
        if not kept or kept[-1].offset_s <= one.onset_s:
            kept.append(one)
    return performance(*kept, duration_s=30)


def track(artifact: Performance, times_s: np.ndarray) -> np.ndarray:
    frequencies_hz = np.zeros(times_s.size)
    for one in artifact.notes:
        inside = (times_s >= one.onset_s) & (times_s < one.offset_s)
        frequencies_hz[inside] = mir_eval.util.midi_to_hz(one.envelopes["pitch_midi"].at(times_s[inside]))
    return frequencies_hz


def test_the_same_performance_agrees_in_all():
    reference = performance(*(vibrato(index, 0.8, 60 + index) for index in range(5)))
    values = scores(reference, reference)
    agreed = {name: value for name, value in values.items() if not name.startswith("envelope_error")}
    assert agreed == pytest.approx(dict.fromkeys(agreed, 1.0))
    errors = {name: value for name, value in values.items() if name.startswith("envelope_error")}
    assert errors == dict.fromkeys(errors, 0.0)
    # The bow's pressure is masked in these notes.
    assert errors.keys() == {
        f"envelope_error_{name}_{NOTES}" for name in ("pitch_cents", "dynamics_dbfs", "vibrato_rate_hz")
    }


@given(st.floats(-49, 49), st.floats(-6, 6))
def test_errors_of_curves_are_what_was_added_in_their_units(sharp_cents, louder_db):
    louder = scale(sharp_cents=sharp_cents).with_notes(
        lambda one: replace(
            one, envelopes={**one.envelopes, "dynamics_dbfs": constant(-20 + louder_db, one.onset_s)}
        )
    )
    values = scores(scale(), louder)
    assert values[f"envelope_error_pitch_cents_{NOTES}"] == pytest.approx(abs(sharp_cents), abs=1e-6)
    assert values[f"envelope_error_dynamics_dbfs_{NOTES}"] == pytest.approx(abs(louder_db))


def test_curves_are_compared_where_both_notes_sound():
    reference = performance(note(0, 1, 60, channels={"bow": 0.0}))
    late = Envelope(np.array([0.02, 0.5, 1.02]), np.array([0.0, 1.0, 1.0]), "step")
    estimated = performance(
        replace(note(0.02, 1, 60), envelopes={"pitch_midi": constant(60, 0.02), "bow": late})
    )
    # Of the frames from 0.02 s to 0.99 s, those from 0.5 s on are wrong by 1.
    assert scores(reference, estimated)[f"envelope_error_bow_{NOTES}"] == pytest.approx(50 / 98)


@pytest.mark.parametrize(
    ("cents", "shares"), [(5, (1, 1, 1)), (20, (1, 1, 0)), (40, (1, 0, 0)), (60, (0, 0, 0))]
)
def test_pitch_is_accurate_within_50_25_and_10_cents(cents, shares):
    values = scores(scale(), scale(sharp_cents=cents))
    assert tuple(values[f"raw_pitch_accuracy_{limit}cents"] for limit in (50, 25, 10)) == shares


def test_each_pitch_of_a_chord_must_be_found():
    chord = performance(note(0, 1, 60), note(0, 1, 64), note(0, 1, 67), duration_s=2)
    two = performance(note(0, 1, 60), note(0, 1, 67), note(0, 1, 67.1), duration_s=2)
    assert scores(chord, two)["raw_pitch_accuracy_50cents"] == pytest.approx(2 / 3)


def test_what_the_reference_masks_is_not_scored():
    first, *others = scale().notes
    wrong = replace(first, masked=("pitch_midi",))
    reference = performance(wrong, *others, duration_s=5)
    heard_otherwise = performance(note(first.onset_s, 0.4, 90), *others, duration_s=5)
    for estimated in (heard_otherwise, performance(*others, duration_s=5), scale()):
        values = scores(reference, estimated)
        assert values[f"note_f1_{NOTES}"] == values[f"note_f1_{OFFSETS}"] == 1
        assert values["raw_pitch_accuracy_10cents"] == 1
        assert values[f"envelope_error_pitch_cents_{NOTES}"] == 0
    measured = PerformanceScores().measure(reference, scale())
    assert measured.compared_with == "7 notes of the reference, and 1 whose pitch is masked"


def test_a_masked_note_excuses_one_note_and_no_more():
    first, *others = scale().notes
    reference = performance(replace(first, masked=("pitch_midi",)), *others, duration_s=5)
    twice = performance(note(0, 0.4, 90), note(0.01, 0.4, 91), *others, duration_s=5)
    assert scores(reference, twice)[f"note_precision_{NOTES}"] == pytest.approx(7 / 8)


def test_masks_of_the_estimate_win_nothing():
    masked = scale(sharp_cents=200).with_notes(lambda one: replace(one, masked=("pitch_midi",)))
    assert scores(scale(), masked)[f"note_f1_{NOTES}"] == 0


def test_what_the_reference_says_nothing_of_has_no_figure():
    silent = replace(scale(), masked_outputs=("dynamics_dbfs", "articulation"))
    values = scores(silent, scale())
    assert not [name for name in values if "dynamics" in name or "articulation" in name]


def test_articulation_is_scored_by_the_mean_of_the_words():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn knows the macro F1")
    rng = np.random.default_rng(3)
    words = np.array(["sustained", "legato", "staccato", "plucked"])
    truth, found = words[rng.integers(0, 4, 200)], words[rng.integers(0, 3, 200)]
    expected = metrics.f1_score(truth, found, average="macro")
    assert macro_f1(list(zip(truth, found, strict=True))) == pytest.approx(expected)
    reference = performance(*(note(0.2 * place, 0.1, 60, word) for place, word in enumerate(truth)))
    estimated = performance(*(note(0.2 * place, 0.1, 60, word) for place, word in enumerate(found)))
    values = scores(reference, estimated)
    assert values[f"articulation_macro_f1_{NOTES}"] == pytest.approx(expected)


def test_players_are_one_set_of_notes():
    ours, theirs = scale().notes[::2], scale().notes[1::2]
    duo = Performance((Stream("violin", ours), Stream("viola", theirs)), 48000, 5.0)
    assert scores(scale(), duo)[f"note_f1_{NOTES}"] == 1


def test_tolerances_are_what_the_settings_say_and_stand_in_the_names():
    late = scale(late_s=0.03, sharp_cents=30)
    assert scores(scale(), late)[f"note_f1_{NOTES}"] == 1
    values = scores(scale(), late, onset_tolerance_s=0.02)
    assert values["note_f1_onset_20ms_pitch_50cents"] == 0
    values = scores(scale(), late, pitch_tolerance_cents=25)
    assert values["note_f1_onset_50ms_pitch_25cents"] == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", ["reference", "estimated", "both"])
def test_without_notes_agreement_is_0_and_what_cannot_be_measured_is_left_out(side):
    nothing = performance(duration_s=5.0)
    reference = nothing if side != "estimated" else scale()
    estimated = nothing if side != "reference" else scale()
    values = scores(reference, estimated)
    assert values[f"note_f1_{NOTES}"] == values[f"note_f1_{OFFSETS}"] == 0
    assert ("raw_pitch_accuracy_50cents" in values) == (side == "estimated")
    assert not [name for name in values if name.startswith(("envelope", "articulation"))]


def test_notes_without_pitch_match_none():
    bare = performance(*(replace(one, envelopes={}) for one in scale().notes), duration_s=5)
    assert scores(scale(), bare)[f"note_f1_{NOTES}"] == 0
    assert scores(bare, scale())[f"note_recall_{NOTES}"] == 0


@settings(max_examples=30)
@given(takes())
def test_matching_between_pauses_is_matching_all_at_once(pair):
    reference, estimated = (NoteSet.of(artifact.notes) for artifact in pair)
    tolerances = {"onset_tolerance_s": 0.05, "pitch_tolerance_cents": 50.0, "offset_ratio": None}
    pairs = matched(reference, estimated, **tolerances)
    at_once = mir_eval.transcription.match_notes(
        reference.intervals_s,
        reference.pitches_hz,
        estimated.intervals_s,
        estimated.pitches_hz,
        offset_ratio=None,
    )
    assert len(pairs) == len(at_once)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
