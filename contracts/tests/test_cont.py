"""Documents of performances: text, versions, and every violation with its place."""

import gzip
import json
from copy import deepcopy
from importlib.resources import files

import artifact_strategies as artifacts
import jsonschema
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import (
    Channel,
    InputError,
    InstrumentProfile,
    Performance,
    cont_text,
    document_in,
    performance_of,
    read_cont,
    validate,
    write_cont,
)

SCHEMA = json.loads(files("ripieno.contracts").joinpath("frozen", "cont.v1.schema.json").read_text("utf-8"))
FLUTE = InstrumentProfile(
    description="One voice.",
    lowest_midi=60,
    highest_midi=96,
    polyphony=1,
    channels={"breath": Channel(unit="ratio", minimum=0, maximum=1)},
    articulations=("sustained", "staccato"),
    modes=("blown",),
)


def note(**changes):
    envelopes = {"pitch_midi": {"interpolation": "linear", "points": [[0.5, 72.0], [0.9, 72.5]]}}
    plain = {"onset_s": 0.5, "offset_s": 1.0, "articulation": "sustained", "mode": "blown"}
    return {**plain, "envelopes": envelopes, **changes}


def document(*notes, **changes):
    streams = [{"instrument": "flute", "notes": list(notes)}]
    return {"ripieno_cont": 1, "rate_hz": 48000, "duration_s": 9.0, "streams": streams, **changes}


def envelope(*points, **changes):
    return {"envelopes": {"pitch_midi": {"interpolation": "linear", "points": list(points), **changes}}}


def found(given, profiles=None):
    return [str(violation) for violation in validate(given, profiles=profiles)]


@settings(max_examples=100, deadline=None)
@given(artifacts.performances)
def test_text_says_a_performance_without_loss_and_always_alike(performance):
    text = cont_text(performance)
    again = performance_of(text)
    assert cont_text(again) == text
    for given_note, read in zip(performance.notes, again.notes, strict=True):
        assert given_note.envelopes.keys() == read.envelopes.keys()
        for name, one in given_note.envelopes.items():
            assert one.times_s.tobytes() == read.envelopes[name].times_s.tobytes()
            assert one.values.tobytes() == read.envelopes[name].values.tobytes()


@settings(max_examples=50, deadline=None)
@given(artifacts.performances)
def test_what_is_written_keeps_the_schema(performance):
    jsonschema.validate(json.loads(cont_text(performance)), SCHEMA)


def test_the_schema_knows_the_words_of_the_code():
    from ripieno.contracts.performance import ARTICULATIONS, FIELD_SOURCES, INTERPOLATIONS

    definitions = SCHEMA["$defs"]
    assert definitions["note"]["properties"]["articulation"]["enum"] == list(ARTICULATIONS)
    assert definitions["envelope"]["properties"]["interpolation"]["enum"] == list(INTERPOLATIONS)
    assert SCHEMA["properties"]["provenance"]["additionalProperties"]["enum"] == list(FIELD_SOURCES)


@pytest.mark.parametrize("name", ["a.cont", "a.cont.gz"])
def test_a_file_is_the_same_bytes_each_time(tmp_path, name):
    performance = performance_of(document(note()))
    write_cont(performance, tmp_path / name)
    once = (tmp_path / name).read_bytes()
    write_cont(read_cont(tmp_path / name), tmp_path / name)
    assert (tmp_path / name).read_bytes() == once
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_diff_of_one_bend_is_one_line():
    before = document(note(), note(onset_s=2.0, offset_s=3.0, **envelope([2.0, 70.0])))
    after = document(note(), note(onset_s=2.0, offset_s=3.0, **envelope([2.0, 70.1])))
    texts = [cont_text(performance_of(one)).splitlines() for one in (before, after)]
    assert sum(one != other for one, other in zip(*texts, strict=True)) == 1


def test_fields_of_a_later_day_are_kept():
    given = document(note(lyric="la"), mood={"blue": [1, 2]})
    given["streams"][0]["seat"] = 3
    again = json.loads(cont_text(performance_of(given)))
    assert again["mood"] == {"blue": [1, 2]}
    assert again["streams"][0]["seat"] == 3
    assert again["streams"][0]["notes"][0]["lyric"] == "la"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "ripieno_cont: None: a document names its version, which is 1"),
        ({"ripieno_cont": 1.0}, "ripieno_cont: 1.0: a document names its version"),
        (
            {"ripieno_cont": 2},
            "ripieno_cont: version 2 of the format; this reads up to 1. Run: pip install -U",
        ),
        ([], "$: [] where an object is expected"),
        (document(rate_hz=0), "$: rate_hz is 0"),
        (document(rate_hz="48k"), "rate_hz: '48k' where a finite number is expected"),
        (document(provenance={"pitch_midi": "guess"}), "$: provenance of pitch_midi is 'guess'"),
        (document(provenance=["x"]), "provenance: ['x'] where an object is expected"),
        (document(masked_outputs=[7]), "masked_outputs[0]: 7 where Unicode text is expected"),
        (document(licences=[{"credit": "me"}]), "licences[0].name: is missing"),
        (document(licences=[{"name": "CC0-1.0", "url": ""}]), "licences[0].url: unknown: a licence has"),
        (document(note(age=float("inf"))), "notes[0].age: holds NaN, infinite numbers"),
        (document(streams=[{"notes": []}]), "streams[0].instrument: is missing"),
        (document(instrument="piano"), "streams[0].instrument: 'flute' plays in a document for 'piano'"),
        (
            document(note(offset_s=None)),
            "streams[0].notes[0].offset_s: None where a finite number is expected",
        ),
        (document(note(onset_s=True)), "streams[0].notes[0].onset_s: True where a finite number is expected"),
        (document(note(onset_s=float("nan"))), "notes[0].onset_s: nan where a finite number"),
        (document(note(offset_s=0.5)), "streams[0].notes[0]: offset_s 0.5 is not after onset_s 0.5"),
        (document(note(offset_s=400000)), "are these milliseconds or samples?"),
        (document(note(offset_s=9.5)), "$: a note ends at 9.5 s, the recording at 9 s"),
        (document(note(articulation="loud")), "streams[0].notes[0]: articulation is 'loud', expected one of"),
        (document(note(masked=["breath"])), "masked names breath, but a masked channel keeps its best"),
        (document(note(), note(onset_s=0.1, envelopes={})), "streams[0]: note 1 begins before the one"),
        (document(note(**envelope([0.4, 1]))), "streams[0].notes[0]: pitch_midi runs from 0.4 to 0.4 s, its"),
        (document(note(**envelope([0.6, 1], [0.5, 2]))), "envelopes.pitch_midi: point 1: 0.5 s stands after"),
        (document(note(**envelope([0.6, 1], [0.6, 2]))), "envelopes.pitch_midi: point 1: 0.6 s stands twice"),
        (
            document(note(**envelope([0.6, float("nan")]))),
            "envelopes.pitch_midi.points[0]: [0.6, nan] is no point",
        ),
        (document(note(**envelope([0.6, 10**400]))), "points[0]: [0.6, 1000"),
        (document(note(**envelope([0.6, 1e13]))), "envelopes.pitch_midi: values beyond 1e+12"),
        (document(note(**envelope([0.6, 440], [0.7, 69]))), "pitch_midi runs from 69 to 440: are these MIDI"),
        (document(duration_s=10**400), "duration_s: 1000"),
        (document(rate_hz=float("inf")), "rate_hz: inf where a finite number"),
        (document(rate_hz=44100.5), "$: rate_hz is 44100.5: a whole number"),
        (document(note(mode="\ud800")), "notes[0].mode: '\\ud800' where Unicode text"),
        (document(note(lyric=["\ud800"])), "notes[0].lyric: holds NaN, infinite numbers or lone surrogates"),
        (document(masked_outputs=["\ud800"]), "masked_outputs[0]: '\\ud800' where Unicode text"),
        (document(provenance={"\ud800": "analysis"}), "provenance: '\\ud800' where a name of Unicode text"),
        (
            document(note(envelopes={"\ud800": {"points": [[0.4, 1]]}})),
            "envelopes: '\\ud800' where a name of Unicode",
        ),
        (document(note(envelopes={"a\nb": []})), "envelopes.a\\nb: [] where an object"),
        (document(note(**envelope())), "envelopes.pitch_midi: an envelope has at least one point"),
        (document(note(**envelope([0.6, "1"]))), "envelopes.pitch_midi.points[0]: [0.6, '1'] is no point"),
        (document(note(**envelope([0.6]))), "envelopes.pitch_midi.points[0]: [0.6] is no point"),
        (document(note(**envelope([0.6, 1], interpolation="spline"))), "interpolation is 'spline'"),
        (
            document(note(**envelope([0.6, 1], unit="Hz"))),
            "envelopes.pitch_midi.unit: unknown: an envelope has",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(given, says):
    assert says in "\n".join(found(given))
    with pytest.raises(InputError):
        performance_of(given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            document(note(), note()),
            "streams[0].notes[1]: begins while 1 sound; the instrument has 1",
        ),
        (document(note(mode="bowed")), "streams[0].notes[0].mode: 'bowed'; it has blown"),
        (document(note(articulation="plucked")), "streams[0].notes[0].articulation: 'plucked'; it has"),
        (document(note(**envelope([0.6, 40]))), "envelopes.pitch_midi: about 40.00; its range is 60 to 96"),
        (
            document(note(envelopes={"bow": {"points": [[0.6, 0]]}})),
            "envelopes.bow: a channel that the profile",
        ),
        (
            document(note(envelopes={"breath": {"points": [[0.6, 2]]}})),
            "breath: runs from 2 to 2; the channel",
        ),
        (document(streams=[{"instrument": "oboe", "notes": []}]), "no profile of 'oboe' is installed"),
    ],
)
def test_what_the_instrument_cannot_play_is_named(given, says):
    assert not [line for line in found(given) if "streams[0].notes" not in line]
    assert says in "\n".join(found(given, {"flute": FLUTE}))


def test_only_channels_of_the_instrument_are_masked_outputs():
    given = document(note(), masked_outputs=["breath", "dynamics_dbfs", "bow"])
    says = "masked_outputs[2]: 'bow' is no channel of its instruments, which have breath, dynamics_dbfs"
    assert [says in line for line in found(given, {"flute": FLUTE})] == [True]
    assert not found(given)


def test_a_masked_channel_may_hold_any_guess():
    guess = {"breath": {"points": [[0.6, 2]]}}
    assert not found(document(note(envelopes=guess, masked=["breath"])), {"flute": FLUTE})


def test_all_faults_are_found_at_once():
    given = document(note(mode=1), note(onset_s="x"), note(**envelope([0.4, 1])), masked_outputs=[1])
    paths = [violation.path for violation in validate(given, profiles={"flute": FLUTE})]
    notes = [f"streams[0].notes[{index}]" for index in range(3)]
    assert paths == ["masked_outputs[0]", f"{notes[0]}.mode", f"{notes[1]}.onset_s", notes[2]]
    with pytest.raises(InputError, match=r"masked_outputs\[0\].* \(and 3 more: core cont validate"):
        performance_of(given)


def test_what_is_no_file_or_no_text_of_a_document_is_refused(tmp_path):
    for path in (tmp_path / "absent.cont", tmp_path / "absent.cont.gz", tmp_path):
        with pytest.raises(InputError, match=f"^{path}: cannot be read: "):
            read_cont(path)
    with pytest.raises(InputError, match="^not JSON: "):
        performance_of("{")


def test_a_rate_is_a_whole_number_however_it_was_written():
    texts = {cont_text(performance_of(document(rate_hz=rate_hz))) for rate_hz in (48000, 48000.0)}
    assert len(texts) == 1


ODDITIES = st.sampled_from(
    (
        *(None, True, 0, -1, 1e308, -1e308, 10**400, float("nan"), float("inf"), 1e-320),
        *("", "\ud800", "\0", "x" * 99),
        *([], [[]], [{}], [[0.5, 60]]),
        *({}, {"": 1}, {"\ud800": 1}, {"notes": 1}, {"points": [[0.6, 1]]}),
    )
).map(deepcopy)


@st.composite
def mutated(draw):
    """A document in which something stands that does not belong there."""
    curve = {"interpolation": "cubic", "points": [[0.5, 60], [0.9, 61]]}
    envelopes = {"pitch_midi": curve, "breath": deepcopy(curve)}
    given = document(
        note(envelopes=envelopes, masked=["breath"], drive_onset_s=0.4),
        provenance={"mode": "annotated"},
        licences=[{"name": "CC0-1.0", "credit": "", "commercial": True, "source": ""}],
        masked_outputs=["x"],
    )
    for _ in range(draw(st.integers(1, 3))):
        here = given
        while isinstance(here, dict | list) and here:
            inside = draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
            if not isinstance(here[inside], dict | list) or draw(st.integers(0, 3)) == 0:
                here[inside] = draw(ODDITIES)
                break
            here = here[inside]
    return given


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_whatever_stands_in_a_document_it_is_read_or_refused(given):
    faults = found(given, {"flute": FLUTE})
    "\n".join(faults).encode()
    try:
        performance = performance_of(given)
    except InputError:
        assert faults
    else:
        assert cont_text(performance_of(cont_text(performance))) == cont_text(performance)
        cont_text(performance).encode()


@pytest.mark.parametrize("cut", [1, 20, -9, -1])
def test_a_cut_gzip_is_refused_by_name(tmp_path, cut):
    path = tmp_path / "cut.cont.gz"
    path.write_bytes(gzip.compress(cont_text(performance_of(document(note()))).encode())[:cut])
    with pytest.raises(InputError, match=r"cut\.cont\.gz: .*gzip"):
        read_cont(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", "[" * 100_000])
def test_what_is_no_document_is_refused_by_name(tmp_path, text):
    path = tmp_path / "no.cont"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"no\.cont: "):
        read_cont(path)


def test_a_gzip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.cont.gz"
    # Gzip members one after the other are one file.
    path.write_bytes(gzip.compress(bytes(1 << 24)) * 33)
    with pytest.raises(InputError, match="more than 512 MiB"):
        document_in(path)


def test_a_document_of_another_instrument_has_none_or_its_own():
    given = document(note())
    assert performance_of(given).instrument == "flute"
    given["streams"].append({"instrument": "oboe", "notes": []})
    assert performance_of(given).instrument == ""
    assert isinstance(performance_of(given), Performance)
