import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Beats, InputError
from ripieno.contracts.testing import CodecSuite
from ripieno_rhythm.jams import JamsFile


def beats(*, positions=(4, 1, 2, 3, 1, 2), known_after_s: float = 0.1) -> Beats:
    times_s = np.cumsum(np.full(len(positions), 1 / 3))
    confidence = np.linspace(0.1, 1, len(positions)) ** 2
    return Beats(times_s, np.array(positions, int), confidence, times_s + known_after_s)


class TestConformance(CodecSuite):
    plugin = JamsFile

    def artifact(self):
        return beats()


class TestConformanceWithoutPositions(CodecSuite):
    plugin = JamsFile

    def artifact(self):
        return beats(positions=(0, 0, 1, 2), known_after_s=0)


class TestConformanceWithoutBeats(CodecSuite):
    plugin = JamsFile

    def artifact(self):
        return Beats(np.zeros(0))


@st.composite
def any_beats(draw):
    times_s = sorted(draw(st.sets(st.floats(0, 10_000), max_size=20)))
    count = len(times_s)
    positions = draw(st.lists(st.integers(draw(st.integers(0, 1)), 7), min_size=count, max_size=count))
    confidence = draw(st.lists(st.floats(0, 1, width=32), min_size=count, max_size=count))
    return Beats(np.array(times_s), np.array(positions, int), np.array(confidence, np.float32))


@given(any_beats())
def test_every_number_is_kept_to_the_bit(tmp_path_factory, given_beats):
    path = tmp_path_factory.mktemp("jams") / "track.jams"
    JamsFile().write(given_beats, path)
    again = JamsFile().read(path)
    for name, part in given_beats.parts().items():
        assert getattr(again, name).tobytes() == part.tobytes(), name


@given(any_beats())
def test_the_document_keeps_the_schema(tmp_path_factory, given_beats):
    jams = pytest.importorskip("jams", reason="the jams package judges schemas")
    path = tmp_path_factory.mktemp("jams") / "track.jams"
    JamsFile().write(given_beats, path)
    document = jams.load(str(path), validate=True, strict=True)
    (annotation,) = document.annotations
    assert [observation.time for observation in annotation.data] == given_beats.times_s.tolist()


def annotation_of(artifact: Beats, folder) -> dict:
    path = folder / "track.jams"
    JamsFile().write(artifact, path)
    (annotation,) = json.loads(path.read_text(encoding="utf-8"))["annotations"]
    return annotation


def test_known_positions_are_written_as_beat_position_with_bars(tmp_path):
    annotation = annotation_of(beats(positions=(3, 4, 1, 2, 3, 4, 1, 2, 3, 1, 2)), tmp_path)
    values = [row["value"] for row in annotation["data"]]
    assert annotation["namespace"] == "beat_position"
    assert [value["position"] for value in values] == [3, 4, 1, 2, 3, 4, 1, 2, 3, 1, 2]
    assert [value["measure"] for value in values] == [0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3]
    assert [value["num_beats"] for value in values] == [4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3]


def test_bars_that_are_cut_off_are_as_long_as_those_beside_them(tmp_path):
    annotation = annotation_of(beats(positions=(2, 1, 2, 3, 1)), tmp_path)
    assert [row["value"]["num_beats"] for row in annotation["data"]] == [3] * 5


def test_unknown_positions_are_written_as_null(tmp_path):
    annotation = annotation_of(beats(positions=(0, 1, 2)), tmp_path)
    assert annotation["namespace"] == "beat"
    assert [row["value"] for row in annotation["data"]] == [None, 1, 2]


def read(document, folder) -> Beats:
    path = folder / "foreign.jams"
    path.write_text(json.dumps(document), encoding="utf-8")
    return JamsFile().read(path)


def observation(time_s: float, value, confidence=None) -> dict:
    return {"time": time_s, "duration": 0, "value": value, "confidence": confidence}


def foreign(namespace: str, data) -> dict:
    return {"namespace": namespace, "annotation_metadata": {}, "data": data}


def test_beats_of_others_are_read_with_values_1_to_n_and_without_confidence(tmp_path):
    data = [observation(0.5, 1), observation(1.0, 2.0, 0.5), observation(1.5, None), observation(1.75, 2.5)]
    found = read({"annotations": [foreign("beat", data)]}, tmp_path)
    assert found.times_s.tolist() == [0.5, 1.0, 1.5, 1.75]
    assert found.positions.tolist() == [1, 2, 0, 0]
    assert found.confidence.tolist() == [1, 0.5, 1, 1]
    assert found.known_s.tolist() == found.times_s.tolist()


def test_a_dense_series_is_read_too(tmp_path):
    data = {"time": [1, 2], "duration": [0, 0], "value": [1, 2], "confidence": [1, 0.25]}
    found = read({"annotations": [foreign("beat", data)]}, tmp_path)
    assert (found.times_s.tolist(), found.positions.tolist()) == ([1, 2], [1, 2])


def test_beat_positions_are_preferred_to_beats_and_other_annotations_are_passed_over(tmp_path):
    place = {"position": 3, "measure": 0, "num_beats": 4, "beat_units": 4}
    annotations = [
        foreign("chord", [observation(0, "C:maj")]),
        foreign("beat", [observation(7, 1)]),
        foreign("beat_position", [observation(8, place)]),
    ]
    found = read({"annotations": annotations}, tmp_path)
    assert (found.times_s.tolist(), found.positions.tolist()) == ([8], [3])


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"annotations": []}, "no annotations"),
        ({"annotations": [foreign("chord", [])]}, "there are chord"),
        ({}, "annotations"),
        ([], "JAMS"),
        ({"annotations": [foreign("beat", [{"time": 1}])]}, "value"),
        ({"annotations": [foreign("beat", [observation(2, 1), observation(1, 2)])]}, "not after"),
        ({"annotations": [foreign("beat", [observation("soon", 1)])]}, "soon"),
        ({"annotations": [foreign("beat", [observation(1, 1, 2.0)])]}, "confidence"),
        ({"annotations": [foreign("beat", [observation(1, "one")])]}, "schema"),
        ({"annotations": 3}, "schema"),
    ],
)
def test_a_document_without_usable_beats_is_refused_by_name_and_fault(document, fault, tmp_path):
    with pytest.raises(InputError, match=rf"(?s)foreign\.jams: .*{fault}"):
        read(document, tmp_path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"absent\.jams"):
        JamsFile().read(tmp_path / "absent.jams")
