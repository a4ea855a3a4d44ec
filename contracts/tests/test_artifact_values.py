"""An artifact refuses what it cannot mean, and says which unit was probably mistaken."""

from pathlib import Path

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import (
    Activations,
    Audio,
    AudioFormat,
    AudioSpec,
    BeatClock,
    Beats,
    Bundle,
    Dataset,
    Features,
    Image,
    InputError,
    Licence,
    Model,
    Provenance,
    Scores,
    Sections,
    Stems,
    Text,
    Trajectory,
    Video,
)

ONE = np.zeros((1, 1), np.float32)


def clock(**changes):
    parts = {
        "spb_s": [0.5],
        "phase": [0.0],
        "next_beat_s": [0.5],
        "metre_probabilities": [[0.25, 0.75]],
        "metres": (3, 4),
        "rate_hz": 10.0,
    }
    return BeatClock(**{**parts, **changes})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Audio(np.zeros(3, np.int16), 8000), "samples are int16.*int16 by 32768"),
        (lambda: Audio(np.zeros((1, 1, 1)), 8000), r"shape \(1, 1, 1\), expected \[channels, frames\]"),
        (lambda: Audio(np.zeros((0, 9)), 8000), r"shape \(0, 9\)"),
        (
            lambda: Audio(np.zeros((65, 2)), 8000),
            r"shape \(65, 2\): 65 channels are more than the 64 .* give samples\.T$",
        ),
        (lambda: Audio(np.zeros(3), 0), "rate_hz is 0"),
        (lambda: Audio(np.zeros(3), 44.1), "rate_hz is 44.1: a sample rate is a positive whole number"),
        (lambda: Audio(np.array([[0, np.nan], [0, 0]]), 8000), "sample 1 of channel 0 is nan"),
        (lambda: Audio(np.array([[0, 0], [-np.inf, 0]]), 8000), "sample 0 of channel 1 is -inf"),
        (lambda: Audio(np.array([np.inf, -np.inf]), 8000), "sample 0 of channel 0 is inf"),
        (lambda: Stems({"a": Audio(ONE, 8000), "b": Audio(ONE, 9000)}), "stems differ in rate or length"),
        (lambda: Stems({"a": Audio(ONE, 8000), "b": Audio(np.zeros(2), 8000)}), "stems differ"),
        (lambda: Stems({"../a": Audio(ONE, 8000)}), "no name of a stem"),
        (lambda: Stems({"": Audio(ONE, 8000)}), "'' is no name of a stem"),
        (lambda: Stems({"C:a": Audio(ONE, 8000)}), "'C:a' is no name of a stem"),
        (lambda: Stems({"a\n": Audio(ONE, 8000)}), r"'a\\n' is no name of a stem"),
        (lambda: Features(np.zeros(3), ("a",), 1.0), "expected 2 axes, the first of them frames"),
        (lambda: Features(ONE * np.nan, ("a",), 1.0), "values holds NaN"),
        (lambda: Features(ONE, (), 1.0), "0 names for 1 dimensions"),
        (lambda: Features(ONE, ("a",), 0), "rate_hz is 0: frames a second"),
        (lambda: Features(ONE, ("a",), float("inf")), "rate_hz is inf"),
        (lambda: Features(ONE, ("a",), "10"), "rate_hz is 10: frames a second"),
        (lambda: Features(ONE, ("a",), 1.0, np.nan), "start_s is nan: it is seconds"),
        (lambda: Activations({"a": [0]}, 1.0, None), "start_s is None: it is seconds"),
        (lambda: Activations({"a": 0.5}, 1.0), "expected 1 axes, the first of them frames"),
        (lambda: Features(ONE, ("flux",), 1.0)["fluxx"], "no feature 'fluxx': there are flux"),
        (lambda: Activations({"a": [np.inf]}, 1.0), "head a holds NaN"),
        (lambda: Activations({"a": [0], "b": [0, 0]}, 1.0), "heads differ in frames: {'a': 1, 'b': 2}"),
        (lambda: Activations({"a": [0]}, -1.0), "rate_hz is -1"),
        (lambda: clock(rate_hz=0), "rate_hz is 0: frames a second must be positive"),
        (lambda: clock(spb_s=[0]), "spb_s must be positive: it is seconds per beat"),
        (lambda: clock(phase=[1]), r"phase must lie in \[0, 1\)"),
        (lambda: clock(phase=[0, 0]), "differ in frames"),
        (lambda: clock(metres=(3,)), "the series of a beat clock differ in frames"),
        (lambda: clock(next_beat_s=[np.nan]), "next_beat_s holds NaN"),
        (lambda: clock(metre_probabilities=[[0.9, 0.9]]), "sum to 1"),
        (lambda: clock(metre_probabilities=[[-1, 2]]), "must sum to 1"),
        (lambda: Trajectory(ONE, 0), "fps is 0"),
        (lambda: Trajectory(ONE, 30, ("a", "b")), "2 names for 1 dimensions"),
        (lambda: Trajectory(ONE, 30, look=["drift"]), "look is a list, expected a mapping"),
        (
            lambda: Trajectory(ONE, 30, look={"a": [1, ONE]}),
            r"look\.a\[1\] is a ndarray, which is no JSON value",
        ),
        (lambda: Trajectory(ONE, 30, look={"a": np.inf}), r"look\.a is inf: JSON has no such number"),
        (lambda: Trajectory(ONE, 30, look={"a": {1: 2}}), r"look\.a has the name 1: names are text"),
        (lambda: Trajectory(ONE, 30, look={"$array": "0.npy"}), r"the name '\$array'"),
        (lambda: Beats([1000.0, 183000.0]), "times_s runs to 183000: are these milliseconds or samples"),
        (lambda: Beats([[1.0]]), r"times_s has shape \(1, 1\), expected one axis"),
        (lambda: Beats([np.nan]), "times_s holds NaN"),
        (lambda: Beats([-1.0]), "times_s holds -1: times are seconds from the start"),
        (lambda: Beats([1.0, 2.0, 1.5]), "beat 2 at 1.5 s is not after beat 1 at 2 s"),
        (lambda: Beats([1.0, 1.0]), "beat 1 at 1 s is not after beat 0"),
        (lambda: Beats([1.0], [1, 2]), "1 beats, 2 positions, 1 confidences"),
        (lambda: Beats([1.0], [-1]), "1 for the downbeat, 0 for unknown"),
        (lambda: Beats([1.0], [1.5]), "a position is a whole number"),
        (lambda: Beats([1.0], [1], [1.1]), r"confidence must lie in \[0, 1\]"),
        (lambda: Beats([1.0], [1], [np.nan]), "confidence must lie"),
        (lambda: Sections([0.0], [0.0], ("a",)), "must end after it starts"),
        (lambda: Sections([0.0, 1.0], [1.5, 2.0], ("a", "b")), "overlap or are out of order"),
        (lambda: Sections([0.0], [1.0], ()), "1 starts, 1 ends, 0 labels"),
        (lambda: Video(Path("a.mp4"), 0, 10, 30.0, 1.0), "a film of 0 x 10 pixels"),
        (lambda: Video(Path("a.mp4"), 10, 10, 0.0, 1.0), "fps is 0.0"),
        (lambda: Video(Path("a.mp4"), 10, 10, np.nan, 1.0), "fps is nan"),
        (lambda: Video(Path("a.mp4"), 10, 10, 25.0, -1.0), "duration_s is -1.0: a film lasts"),
        (lambda: Image(Path("a.png"), 10, -1), "a picture of 10 x -1 pixels"),
        (lambda: Model(Path("a.pkl")), "a.pkl: a model is an .onnx or .safetensors file"),
        (
            lambda: Dataset({"dataset_manifest.json": Path("a")}),
            "dataset_manifest.json is the manifest's own name",
        ),
        (lambda: Scores({"f": "high"}), "score f is 'high': a score is a number"),
        (lambda: Text(b"words"), "text is a bytes: words are a str"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../b", "", ".", "a\\b", "C:b", "C:/b", "a\0b"]
)
@pytest.mark.parametrize("kind", [Bundle, Dataset])
def test_names_of_files_stay_inside_their_folder(kind, name):
    with pytest.raises(InputError, match="not a relative path inside a folder"):
        kind({name: Path("x")})


@pytest.mark.parametrize("kind", sorted(artifacts.BY_KIND))
def test_the_arrays_of_an_artifact_are_read_only(kind):
    def arrays(value):
        if isinstance(value, np.ndarray):
            yield value
        for item in getattr(value, "values", lambda: ())() if isinstance(value, dict) else ():
            yield from arrays(item)

    @given(artifacts.BY_KIND[kind])
    def check(artifact):
        for array in arrays(artifact.parts()):
            assert not array.flags.writeable

    check()


def test_an_artifact_leaves_the_given_array_writable():
    given_times = np.array([0.5, 1.0])
    Beats(given_times)
    given_times[0] = 0.25


def test_an_artifact_keeps_what_it_was_checked_with():
    stems, heads, scores, facts = {"a": Audio(ONE, 8000)}, {"a": [0.0]}, {"f": 1.0}, {"seed": 1}
    made = (
        Stems(stems),
        Activations(heads, 1.0),
        Scores(scores),
        Dataset({}, facts),
        Model(Path("m.onnx"), facts),
    )
    for given_mapping in (stems, heads, scores, facts):
        given_mapping["../b"] = "not checked"
    kept = [list(mapping) for one in made for mapping in one.parts().values() if isinstance(mapping, dict)]
    assert kept == [["a"], ["a"], ["f"], [], ["seed"], ["seed"]]


@given(artifacts.audio())
def test_mono_may_be_given_without_its_axis(audio):
    for channel in audio.samples:
        assert np.array_equal(Audio(channel, 8000).samples, channel[None])


def test_audio_tells_its_length_and_format():
    audio = Audio(np.zeros((2, 4410)), np.int64(44100))
    assert (audio.frames, audio.channels, audio.duration_s) == (4410, 2, 0.1)
    assert audio.format == AudioFormat(44100, 2)
    assert repr(audio) == "Audio(44100 Hz, 2 channels, 0.100 s)"
    assert AudioSpec().fits(audio.format)
    assert AudioSpec(44100, 2).fits(audio.format)
    assert not AudioSpec(48000).fits(audio.format)
    assert not AudioSpec(channels=1).fits(audio.format)


def test_provenance_joins_licences_without_repeating_them():
    first, second = Licence("CC0-1.0"), Licence("CC-BY-4.0", "A. Author")
    joined = Provenance("step", (first,)).joined(
        (Provenance("x", (second, first)), Provenance("y", (second,)))
    )
    assert joined == Provenance("step", (first, second))
    audio = Audio(np.zeros(3), 8000).with_provenance(joined)
    assert audio.provenance is joined
    assert audio.frames == 3


def test_sound_as_soundfile_reads_it_must_be_transposed():
    frames_first = np.zeros((96_000, 2), np.float32)
    with pytest.raises(InputError, match="samples.T"):
        Audio(frames_first, 48_000)
    assert Audio(frames_first.T, 48_000).channels == 2
    assert Audio(np.zeros((64, 1)), 48_000).channels == 64


def test_series_know_their_times_and_names():
    features = Features(np.arange(6).reshape(3, 2), ("a", "b"), 10.0, 0.05)
    assert features.times_s == pytest.approx([0.05, 0.15, 0.25])
    assert features["b"].tolist() == [1, 3, 5]
    assert Activations({"beat": [0.5]}, 10.0)["beat"].tolist() == [0.5]
    assert Beats([0.5, 1.0, 1.5], [4, 1, 2]).downbeats_s.tolist() == [1.0]
    assert clock().tempo_bpm.tolist() == [120.0]
    stems = Stems({"b": Audio(ONE, 8000), "a": Audio(ONE, 8000)})
    assert stems.names == ("b", "a")
    assert stems["a"].frames == 1


def test_stems_are_iterated_by_name():
    stems = Stems({"b": Audio(ONE, 8000), "a": Audio(ONE, 8000)})
    assert (list(stems), len(stems)) == (["b", "a"], 2)
    assert "a" in stems and "c" not in stems
    assert len(Stems({})) == 0


@given(artifacts.beats(), st.floats(5, 100), st.floats(0, 8))
def test_a_clock_runs_from_beat_to_beat(beats, rate_hz, duration_s):
    made = BeatClock.from_beats(beats, rate_hz=rate_hz, duration_s=duration_s)
    count = len(made.phase)
    assert (count - 1) / rate_hz < duration_s + 1e-6
    assert count / rate_hz > duration_s - 1e-6
    times_s = np.arange(count) / rate_hz
    left_s = made.next_beat_s - times_s
    assert (left_s > -1e-6).all()
    assert (left_s <= made.spb_s * (1 + 1e-5) + 1e-6).all()
    # What is left of the beat and its phase are two views of one thing.
    turns = left_s / made.spb_s + made.phase
    assert np.abs(turns - np.round(turns)).max(initial=0) < 1e-3
    inside = (times_s >= beats.times_s[0]) & (times_s < beats.times_s[-1]) if len(beats.times_s) > 1 else []
    following = beats.times_s[np.searchsorted(beats.times_s, times_s[inside], side="right")] if count else []
    assert np.allclose(made.next_beat_s[inside], following) if len(beats.times_s) > 1 else True


def test_without_two_beats_a_clock_ticks_at_120_bpm():
    assert set(BeatClock.from_beats(Beats([]), rate_hz=10, duration_s=1).tempo_bpm) == {120.0}
    one = BeatClock.from_beats(Beats([0.25]), rate_hz=4, duration_s=1)
    assert one.phase.tolist() == [0.5, 0.0, 0.5, 0.0]
    assert one.next_beat_s.tolist() == [0.25, 0.75, 0.75, 1.25]
