import csv

import pytest
from hypothesis import given, settings
from played import note, performance, performances, rich, vibrato

from ripieno.contracts import InputError, Performance
from ripieno.contracts.testing import CodecSuite
from ripieno_performance.table import PerformanceTable, TableConfig


def kept(artifact: Performance) -> Performance:
    """What a table keeps: players that play, and their notes without fields of a later version."""
    streams = [type(stream)(stream.instrument, stream.notes) for stream in artifact.streams if stream.notes]
    facts = {} if streams else {"rate_hz": 48000, "duration_s": 0.0}
    bare = Performance(
        tuple(streams), **({"rate_hz": artifact.rate_hz, "duration_s": artifact.duration_s} | facts)
    )
    return bare.with_notes(lambda one: type(one)(**{**vars(one), "extra": {}}))


class TestConformance(CodecSuite):
    plugin = PerformanceTable

    def artifact(self):
        return rich()

    def same(self, again, artifact):
        return plain(again) == plain(kept(artifact))


class TestConformanceWithoutNotes(CodecSuite):
    plugin = PerformanceTable

    def artifact(self):
        return Performance((), 48000, 0.0)


def plain(artifact: Performance):
    """All of a performance, with numbers as numbers."""
    notes = [
        [
            stream.instrument,
            one.onset_s,
            one.offset_s,
            one.drive_onset_s,
            one.articulation,
            one.mode,
            one.masked,
            {
                name: (envelope.times_s.tolist(), envelope.values.tolist(), line(envelope))
                for name, envelope in one.envelopes.items()
            },
        ]
        for stream in artifact.streams
        for one in stream.notes
    ]
    return artifact.rate_hz, artifact.duration_s, notes


def line(envelope) -> str:
    return envelope.interpolation


@settings(max_examples=40)
@given(performances)
def test_a_round_trip_keeps_every_number_to_the_bit(tmp_path_factory, artifact):
    path = tmp_path_factory.mktemp("table") / "take.csv"
    PerformanceTable().write(artifact, path)
    assert plain(PerformanceTable().read(path)) == plain(kept(artifact))


def written(folder, *notes) -> list[dict]:
    path = folder / "take.csv"
    PerformanceTable().write(performance(*notes), path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_reads_as_a_note(tmp_path):
    (row,) = written(tmp_path, note(0.5, 1.25, 69, "legato", mode="arco", masked=("dynamics_dbfs",)))
    assert row == {
        "stream": "0",
        "instrument": "violin",
        "note": "0",
        "onset_s": "0.5",
        "offset_s": "1.75",
        "drive_onset_s": "",
        "articulation": "legato",
        "mode": "arco",
        "masked": "dynamics_dbfs",
        "pitch_midi": "69.0",
        "pitch_midi_curve": "",
        "dynamics_dbfs": "-20.0",
        "dynamics_dbfs_curve": "",
        "rate_hz": "48000",
        "duration_s": "2.75",
    }


def test_what_moves_has_its_middle_and_its_curve(tmp_path):
    (row,) = written(tmp_path, vibrato(0, 1, 69))
    assert float(row["pitch_midi"]) == pytest.approx(69, abs=0.05)
    interpolation, first, *_ = row["pitch_midi_curve"].split()
    assert (interpolation, first) == ("linear", "0.0:69.0")


def read(text: str, folder, **settings) -> Performance:
    path = folder / "foreign.csv"
    path.write_text(text, encoding="utf-8")
    return PerformanceTable(TableConfig(**settings)).read(path)


def test_a_table_of_times_and_pitches_is_enough(tmp_path):
    found = read("onset_s,offset_s,pitch_midi\n2,3,60.5\n1,2.5,\n", tmp_path, rate_hz=8000)
    assert [(one.onset_s, one.offset_s, one.articulation) for one in found.notes] == [
        (1, 2.5, "sustained"),
        (2, 3, "sustained"),
    ]
    assert [list(one.envelopes) for one in found.notes] == [[], ["pitch_midi"]]
    assert (found.instrument, found.rate_hz, found.duration_s) == ("unknown", 8000, 3)


def test_players_are_told_apart_by_stream_else_by_instrument(tmp_path):
    rows = "1,2,viola\n1,2,violin\n3,4,viola\n"
    found = read(f"onset_s,offset_s,instrument\n{rows}", tmp_path)
    assert [(stream.instrument, len(stream.notes)) for stream in found.streams] == [
        ("viola", 2),
        ("violin", 1),
    ]


def test_a_curve_counts_before_the_value_in_the_middle(tmp_path):
    (one,) = read("onset_s,offset_s,bow,bow_curve\n0,1,7,step 0:1 0.5:2\n", tmp_path).notes
    assert one.envelopes["bow"].interpolation == "step"
    assert one.envelopes["bow"].values.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no columns onset_s and offset_s"),
        ("time,pitch\n1,2\n", "no columns onset_s and offset_s"),
        ("onset_s,offset_s\n1\n", "line 2: offset_s is ''"),
        ("onset_s,offset_s\n1,2\nsoon,2\n", "line 3: onset_s is 'soon', expected a number"),
        ("onset_s,offset_s\n1,2,3\n", "line 2: more cells than columns"),
        ("onset_s,offset_s\n2,1\n", "not after"),
        ("onset_s,offset_s,bow\n1,2,nan\n", "nan"),
        ("onset_s,offset_s,bow_curve\n1,2,linear 1:2 1:3\n", "twice"),
        ("onset_s,offset_s,bow_curve\n1,2,linear 1\n", "line 2: bow_curve is ''"),
        ("onset_s,offset_s,bow_curve\n1,2,round 1:1\n", "interpolation"),
        ("onset_s,offset_s,rate_hz\n1,2,0.5\n", "rate_hz"),
        ('onset_s,offset_s\n"1,2\n', "not a table"),
    ],
)
def test_a_table_without_usable_notes_is_refused_by_name_and_fault(text, fault, tmp_path):
    with pytest.raises(InputError, match=rf"(?s)foreign\.csv: .*{fault}"):
        read(text, tmp_path)
