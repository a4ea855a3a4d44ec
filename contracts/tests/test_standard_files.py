"""The codecs of the standard files keep the codec's contract, and say what is wrong with a file."""

import json
from pathlib import Path

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, settings

from ripieno.contracts import (
    Activations,
    Beats,
    Bundle,
    Dataset,
    Envelope,
    Features,
    InputError,
    Model,
    Note,
    Performance,
    Scores,
    Sections,
    Stream,
    Text,
    Trajectory,
    codecs,
)
from ripieno.contracts.testing import CodecSuite, digest, overrides

ARRAY = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)


def file(name, content=b"content"):
    path = Path(artifacts.FOLDER.name) / name
    path.write_bytes(content)
    return path


def conformance(codec, artifact):
    return type(f"Test{codec.__name__}", (CodecSuite,), {"plugin": codec, "artifact": lambda self: artifact})


TestBeats = conformance(codecs.BeatsFile, Beats([0.5, 1.25], [0, 1]))
TestLab = conformance(codecs.LabFile, Sections([0, 1.5], [1.5, 9.25], ("intro", "verse with words")))
TestScores = conformance(codecs.ScoresFile, Scores({"si_sdr_db": 12.5}, "the mix"))
TestFeatures = conformance(codecs.FeaturesFile, Features(ARRAY, ("ä", "b"), 43.0, 0.1))
TestActivations = conformance(
    codecs.ActivationsFile, Activations({"beat/down": ARRAY, "x": ARRAY[:, 0]}, 50.0)
)
LOOK = {"palette": ["#102030", "#ffe0a0"], "effects": {"frame_effect/grain": {"amount": 0.5}}, "ä": None}
TestTrajectory = conformance(codecs.TrajectoryFile, Trajectory(ARRAY, 30.0, ("a", "b"), LOOK))
TestCont = conformance(
    codecs.ContFile,
    Performance(
        (Stream("violin", (Note(0.1, 0.5, "sustained", "arco", {"pitch_midi": Envelope([0.1], [69.0])}),)),),
        48000,
        1.0,
    ),
)
TestBundle = conformance(
    codecs.BundleFolder, Bundle({"index.html": file("a.html"), "img/b.png": file("b.png")})
)
TestDataset = conformance(
    codecs.DatasetFolder, Dataset({"x/y.wav": file("c.wav")}, {"examples": ["x/y.wav"]})
)


class TestText(CodecSuite):
    plugin = codecs.TextFile

    def artifact(self):
        return Text("naïve\r\nno last line")

    @overrides("any UTF-8 is text")
    def test_a_file_of_something_else_is_refused_by_name(self):
        with pytest.raises(InputError, match=r"latin\.txt: not UTF-8"):
            self.codec().read(file("latin.txt", b"na\xefve"))


class TestModel(CodecSuite):
    plugin = codecs.ModelFile

    def artifact(self):
        return Model(file("model.onnx"), {"data": "none"}, "contract")

    def same(self, again, artifact):
        known = (again.metadata, again.contract, again.path.read_bytes())
        return known == (artifact.metadata, artifact.contract, artifact.path.read_bytes())

    @overrides("weights are told from other bytes by who runs them; the card beside them is read here")
    def test_a_file_of_something_else_is_refused_by_name(self):
        path = file("faulty.onnx")
        assert not self.codec().read(path).metadata
        file("faulty.json", b"[]")
        with pytest.raises(InputError, match=r"faulty\.json: holds a list, expected a JSON object"):
            self.codec().read(path)


@pytest.mark.parametrize(
    ("codec", "content", "message"),
    [
        ("BeatsFile", "0.5\t1\t2\n", r":1: 3 columns, expected 1 or 2"),
        ("BeatsFile", "\n0.5\n\nx\n", r":4: 'x' is not a number"),
        ("BeatsFile", "2\n1\n", "beat 1 at 1 s is not after beat 0"),
        ("BeatsFile", "1\tnan\n", "a position is a whole number"),
        ("BeatsFile", "1\tinf\n", "a position is a whole number"),
        ("BeatsFile", "1\t1.5\n", "a position is a whole number"),
        ("BeatsFile", "183000\n", "milliseconds"),
        ("LabFile", "0\t1\n", ":1: 2 columns, expected 3"),
        ("LabFile", "1\t0\ta\n", "must end after it starts"),
        ("ScoresFile", "{}", "scores are"),
        ("ScoresFile", "[]", "expected a JSON object"),
        ("ScoresFile", '{"values": {"a": "b"}}', "score a is 'b'"),
        ("ScoresFile", "nonsense", "not JSON"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(codec, content, message, tmp_path):
    path = tmp_path / "faulty.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as refused:
        getattr(codecs, codec)().read(path)
    assert str(path) in str(refused.value)


def test_json_that_is_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"deep\.json: not JSON"):
        codecs.ScoresFile().read(path)


def test_arrays_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    codecs.TrajectoryFile().write(Trajectory(ARRAY, 30.0), path)
    with pytest.raises(InputError, match=r"x\.npz: lacks"):
        codecs.ActivationsFile().read(path)
    np.savez(path, values=np.zeros(3), names=np.array(["a"]), rate_hz=1.0, start_s=0.0)
    with pytest.raises(InputError, match="expected 2 axes"):
        codecs.FeaturesFile().read(path)
    with open(path, "wb") as stream:
        np.save(stream, ARRAY)
    with pytest.raises(InputError, match=r"not an \.npz file"):
        codecs.FeaturesFile().read(path)


def test_a_trajectory_written_before_there_were_looks_is_read(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, coefficients=ARRAY, fps=30.0, names=np.array([], str))
    assert codecs.TrajectoryFile().read(path).look == {}


def test_a_look_that_is_no_json_is_refused_by_name(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, coefficients=ARRAY, fps=30.0, names=np.array([], str), look="{")
    with pytest.raises(InputError, match=r"x\.npz: "):
        codecs.TrajectoryFile().read(path)


@pytest.mark.parametrize("byte", [0, 40, -30])
def test_a_damaged_npz_is_refused_by_name(byte, tmp_path):
    path = tmp_path / "x.npz"
    codecs.FeaturesFile().write(Features(ARRAY, ("a", "b"), 10.0), path)
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: byte or 1])
    with pytest.raises(InputError, match=r"x\.npz"):
        codecs.FeaturesFile().read(path)


@pytest.mark.parametrize("content", ["0.5 1\n1.5\n", "\ufeff0.5\t1\r\n\r\n1.5\t0\r\n"])
def test_beats_of_other_programs_are_read(content, tmp_path):
    path = tmp_path / "x.beats"
    path.write_bytes(content.encode())
    beats = codecs.BeatsFile().read(path)
    assert beats.times_s.tolist() == [0.5, 1.5]
    assert beats.positions.tolist() == [1, 0]


def test_a_label_without_words_is_read_again(tmp_path):
    path = tmp_path / "x.lab"
    codecs.LabFile().write(Sections([0.0], [1.0], ("",)), path)
    assert codecs.LabFile().read(path).labels == ("",)


@settings(max_examples=30, deadline=None)
@given(artifacts.beats())
def test_beats_are_written_to_the_asked_precision(beats):
    path = Path(artifacts.FOLDER.name) / "precise.beats"
    codec = codecs.BeatsFile(codecs.BeatsConfig(decimals=12))
    codec.write(beats, path)
    again = codec.read(path)
    assert np.allclose(again.times_s, beats.times_s, rtol=0, atol=1e-12)
    assert again.positions.tolist() == beats.positions.tolist()


def test_a_folder_of_data_needs_no_manifest(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    assert codecs.DatasetFolder().read(tmp_path).manifest == {}
    (tmp_path / "dataset_manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.json: holds a list"):
        codecs.DatasetFolder().read(tmp_path)


def test_written_json_is_for_people_too(tmp_path):
    path = tmp_path / "scores.json"
    codecs.ScoresFile().write(Scores({"größe": 1.0}), path)
    assert "größe" in path.read_text(encoding="utf-8")
    assert json.loads(path.read_bytes()) == {"values": {"größe": 1.0}, "compared_with": ""}
    assert digest(codecs.ScoresFile().read(path)) == digest(Scores({"größe": 1.0}))
