import json

import numpy as np
import pytest
from hypothesis import given, settings
from played import DATA, farthest, note, performance, performances, rich, vibrato

from ripieno.contracts import InputError, Note, Performance
from ripieno.contracts.testing import CodecSuite
from ripieno_performance.jams import JamsConfig, PerformanceJams

GUITARSET = DATA / "annotation-only" / "guitarset" / "03_BN3-119-G_solo.jams"


def same(again: Performance, artifact: Performance) -> bool:
    """Whether all was kept: pitch to a fifth of a cent, all else exactly."""
    for name in ("rate_hz", "duration_s", "field_provenance", "masked_outputs", "licences", "extra"):
        assert getattr(again, name) == getattr(artifact, name), name
    for stream, given_stream in zip(again.streams, artifact.streams, strict=True):
        assert (stream.instrument, stream.extra) == (given_stream.instrument, given_stream.extra)
        for other, one in zip(stream.notes, given_stream.notes, strict=True):
            for name in ("onset_s", "offset_s", "drive_onset_s", "articulation", "mode", "masked", "extra"):
                assert getattr(other, name) == getattr(one, name), name
            assert other.envelopes.keys() == one.envelopes.keys()
            for channel in one.envelopes:
                assert farthest(one, other, channel) < 0.002 * (channel == "pitch_midi") + 1e-9
    return True


class TestConformance(CodecSuite):
    plugin = PerformanceJams

    def artifact(self):
        return rich()

    def same(self, again, artifact):
        return same(again, artifact)


class TestConformanceWithoutPlayers(CodecSuite):
    plugin = PerformanceJams

    def artifact(self):
        return Performance((), 44100, 0.0)


def there_and_back(artifact: Performance, folder) -> Performance:
    path = folder / "take.jams"
    PerformanceJams().write(artifact, path)
    return PerformanceJams().read(path)


@settings(max_examples=30)
@given(performances)
def test_a_round_trip_keeps_pitch_within_a_fifth_of_a_cent_and_all_else_exactly(tmp_path_factory, artifact):
    assert same(there_and_back(artifact, tmp_path_factory.mktemp("jams")), artifact)


@pytest.mark.filterwarnings("ignore:Passing a schema:DeprecationWarning")
def test_the_document_keeps_the_schema_and_others_read_notes_and_contours(tmp_path):
    jams = pytest.importorskip("jams", reason="the jams package judges schemas")
    path = tmp_path / "take.jams"
    PerformanceJams().write(performance(note(0.5, 1, 69), vibrato(1, 2, 60)), path)
    document = jams.load(str(path), validate=True, strict=True)
    (notes,), (contour,) = document.search(namespace="note_hz"), document.search(namespace="pitch_contour")
    assert [row.time for row in notes.data] == [0.5, 1.0]
    assert [row.value for row in notes.data] == pytest.approx([440, 440 * 2 ** (-9 / 12)], rel=0.01)
    times_s = np.array([row.time for row in contour.data if row.value["index"] == 1])
    found = np.array([row.value["frequency"] for row in contour.data if row.value["index"] == 1])
    np.testing.assert_allclose(
        69 + 12 * np.log2(found / 440), 60 + 0.6 * np.sin(12 * np.pi * (times_s - 1)), atol=0.004
    )


@pytest.mark.skipif(not GUITARSET.is_file(), reason="no annotations: set RIPIENO_DATA")
def test_the_strings_of_guitarset_are_one_player():
    document = json.loads(GUITARSET.read_text(encoding="utf-8"))
    rows = [row for one in document["annotations"] if one["namespace"] == "note_midi" for row in one["data"]]
    found = PerformanceJams().read(GUITARSET)
    (stream,) = found.streams
    assert (stream.instrument, found.duration_s) == ("acoustic_guitar", document["file_metadata"]["duration"])
    assert sorted((one.onset_s, round(middle(one))) for one in stream.notes) == sorted(
        (row["time"], round(row["value"])) for row in rows
    )
    assert {one.articulation for one in stream.notes} == {"plucked"}
    assert found.field_provenance["pitch_midi"] == "annotated"
    # Those with a contour sound as it says.
    contours = [one["data"] for one in document["annotations"] if one["namespace"] == "pitch_contour"]
    (contour,) = [data for data in contours if data["time"]]
    curves = [one.envelopes["pitch_midi"] for one in stream.notes]
    curves = [curve for curve in curves if curve.times_s.size > 1]
    assert sum(curve.times_s.size for curve in curves) == pytest.approx(len(contour["time"]), abs=6)
    first = 69 + 12 * np.log2(contour["value"][0]["frequency"] / 440)
    assert curves[0].values[0] == pytest.approx(first)


def middle(one: Note) -> float:
    return float(np.median(one.envelopes["pitch_midi"].values))


def read(annotations, folder, *, settings=None, **document) -> Performance:
    path = folder / "foreign.jams"
    path.write_text(json.dumps({"annotations": annotations, **document}), encoding="utf-8")
    return PerformanceJams(settings or JamsConfig()).read(path)


def notes_in(namespace: str, *rows, source: str = "") -> dict:
    data = [{"time": t, "duration": d, "value": v, "confidence": None} for t, d, v in rows]
    return {"namespace": namespace, "annotation_metadata": {"data_source": source}, "data": data}


def contour(*rows, source: str = "") -> dict:
    value = [{"index": index, "frequency": hz, "voiced": hz > 0} for _, index, hz in rows]
    nothing = [0.0] * len(rows)
    times_s = [time_s for time_s, _, _ in rows]
    data = {"time": times_s, "duration": nothing, "value": value, "confidence": nothing}
    return {"namespace": "pitch_contour", "annotation_metadata": {"data_source": source}, "data": data}


@pytest.mark.parametrize(("namespace", "value"), [("note_hz", 220.0), ("note_midi", 57)])
def test_notes_of_others_have_the_pitch_that_they_name(namespace, value, tmp_path):
    found = read([notes_in(namespace, (1, 0.5, value))], tmp_path, settings=JamsConfig(instrument="viola"))
    (one,) = found.notes
    assert (one.onset_s, one.offset_s, middle(one)) == (1, 1.5, pytest.approx(57))
    assert (found.instrument, found.rate_hz, found.duration_s) == ("viola", 44100, 1.5)


def test_of_annotations_of_one_source_the_first_counts(tmp_path):
    found = read([notes_in("note_hz", (1, 1, 440)), notes_in("note_hz", (2, 1, 220))], tmp_path)
    assert [one.onset_s for one in found.notes] == [1]


def test_each_note_takes_the_contour_that_lies_in_it(tmp_path):
    rows = [(1.0, 4, 440), (1.2, 4, 445), (1.1, 9, 220), (1.3, 9, 222), (1.4, 9, 0), (9, 1, 880)]
    notes = notes_in("note_hz", (1.05, 1, 221), (1, 1, 441), (5, 1, 660))
    found = read([notes, contour(*rows)], tmp_path).notes
    assert [one.envelopes["pitch_midi"].times_s.tolist() for one in found] == [[1, 1.2], [1.1, 1.3], [5]]


def test_without_notes_each_contour_is_one(tmp_path):
    found = read(
        [contour((2, 1, 440), (2.5, 1, 440), (1, 0, 220), (1.5, 0, 220), (9, 3, 100))], tmp_path
    ).notes
    assert [(one.onset_s, one.offset_s, middle(one)) for one in found] == [(1, 1.5, 57), (2, 2.5, 69)]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"annotations": []}, "no annotation of namespace"),
        ({"annotations": [{"namespace": "chord", "data": []}]}, "no annotation of namespace"),
        ({}, "annotations"),
        ([], "JAMS"),
        ({"annotations": [notes_in("note_hz", (1, 1, 0))]}, "0 Hz"),
        ({"annotations": [notes_in("note_hz", (1, 0, 440))]}, "not after"),
        ({"annotations": [notes_in("note_hz", (1, 1, "a"))]}, "JAMS"),
        ({"annotations": [notes_in("note_hz", ("soon", 1, 440))]}, "JAMS"),
        ({"annotations": [{"namespace": "note_hz", "data": [{"time": 1}]}]}, "duration"),
        ({"annotations": 3}, "JAMS"),
    ],
)
def test_a_document_without_usable_notes_is_refused_by_name_and_fault(document, fault, tmp_path):
    path = tmp_path / "foreign.jams"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=rf"(?s)foreign\.jams: .*{fault}"):
        PerformanceJams().read(path)


def test_an_annotation_that_was_changed_without_its_sandbox_is_refused(tmp_path):
    path = tmp_path / "take.jams"
    PerformanceJams().write(performance(note(0, 1, 60), note(1, 1, 62)), path)
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["annotations"][0]["data"][0]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="1 notes, whose sandbox tells of 2"):
        PerformanceJams().read(path)


def test_a_note_without_pitch_is_refused_by_place(tmp_path):
    with pytest.raises(InputError, match=r"notes\[0\] has no pitch_midi"):
        PerformanceJams().write(performance(Note(0, 1, "sustained")), tmp_path / "take.jams")
