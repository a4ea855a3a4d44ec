import json

import pytest
from click.testing import CliRunner
from played import note, performance, rich, vibrato

from ripieno.contracts import InputError, InstrumentProfile, MissingError, read_cont, write_cont
from ripieno.contracts.cont import cont_text
from ripieno_performance.cont_command import cont

VIOLIN = InstrumentProfile(
    description="A violin with one string.",
    lowest_midi=55,
    highest_midi=76,
    polyphony=1,
    channels={"bow_pressure": {"unit": "ratio", "minimum": 0, "maximum": 1}},
    articulations=("sustained", "legato"),
    modes=("arco",),
)


class Shop:
    """A host that knows one instrument."""

    def data(self, uses: str) -> InstrumentProfile:
        if uses == "instrument/violin":
            return VIOLIN
        raise MissingError(f"no plugin {uses}")


def run(*words, code: int = 0) -> str:
    result = CliRunner().invoke(cont, [str(word) for word in words], obj=Shop())
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def changed(folder, *, of=None, **fields):
    """A file of a performance whose first note has other fields."""
    document = json.loads(
        cont_text(of or performance(note(0, 1, 60, mode="arco"), note(1, 1, 62, mode="arco")))
    )
    document["streams"][0]["notes"][0] |= fields
    path = folder / "take.cont"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_valid_file_is_told_and_exits_with_0(tmp_path):
    path = changed(tmp_path)
    assert run("validate", path) == f"{path}: valid\n"


def test_every_violation_of_every_file_is_told_with_its_place_and_exits_with_2(tmp_path):
    path = changed(tmp_path, articulation="waved", onset_s="soon")
    other = tmp_path / "other.cont"
    write_cont(performance(note(0, 2, 60), note(1, 1, 90, mode="pick")), other)
    lines = run("validate", path, other, code=2).splitlines()
    places = [line.split(": ")[:2] for line in lines]
    assert [str(path), "streams[0].notes[0].onset_s"] in places
    assert [str(other), "streams[0].notes[1].mode"] in places
    assert [str(other), "streams[0].notes[1].envelopes.pitch_midi"] in places
    assert any("voices" in line for line in lines)


def test_a_channel_that_the_profile_does_not_have_is_a_violation(tmp_path):
    path = tmp_path / "take.cont"
    write_cont(performance(vibrato(0, 1, 60)), path)
    assert "envelopes.vibrato_rate_hz" in run("validate", path, code=2)
    assert run("validate", "--format-only", path) == f"{path}: valid\n"


@pytest.mark.parametrize("others", [(), (note(0, 1, 60, mode="arco"),)])
def test_an_instrument_without_profile_is_one_violation(others, tmp_path):
    path = tmp_path / "take.cont"
    tune = performance(note(0, 1, 60), instrument="kazoo")
    violins = performance(*others).streams
    both = type(tune)((*violins, *tune.streams), 48000, 2.0)
    write_cont(both, path)
    assert run("validate", path, code=2) == f"{path}: streams[1].instrument: no plugin instrument/kazoo\n"


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08", b"{]", b"[]", b"\xff"])
def test_a_file_that_is_no_document_is_told_beside_the_others(data, tmp_path):
    broken, whole = tmp_path / "broken.cont.gz", changed(tmp_path)
    broken.write_bytes(data)
    first, second = run("validate", broken, whole, code=2).splitlines()
    assert first.startswith(f"{broken}: ")
    assert second == f"{whole}: valid"


def test_a_newer_version_is_a_violation(tmp_path):
    path = tmp_path / "take.cont"
    path.write_text('{"ripieno_cont": 2, "streams": 7}', encoding="utf-8")
    assert "version 2" in run("validate", path, code=2)


@pytest.mark.parametrize("suffix", [".cont", ".cont.gz", ".mid", ".midi", ".jams", ".csv", ".MID"])
def test_a_performance_is_converted_by_the_names_and_back(suffix, tmp_path):
    source, between, target = tmp_path / "a.cont", tmp_path / f"b{suffix}", tmp_path / "c.cont"
    write_cont(rich(), source)
    assert run("convert", source, between) == f"{between}: 33 notes, 17 s\n"
    run("convert", between, target)
    again = read_cont(target)
    assert [stream.instrument for stream in again.streams] == ["violin", "piano"]
    assert [one.articulation for one in again.notes] == [one.articulation for one in rich().notes]
    if suffix.startswith(".cont"):
        assert target.read_bytes() == source.read_bytes()


def test_a_file_that_exists_is_written_over_only_when_asked(tmp_path):
    source, target = tmp_path / "a.cont", tmp_path / "b.csv"
    write_cont(rich(), source)
    target.write_text("precious", encoding="utf-8")
    with pytest.raises(InputError, match="--force"):
        run("convert", source, target)
    assert target.read_text(encoding="utf-8") == "precious"
    run("convert", source, target, "--force")
    assert target.read_text(encoding="utf-8").startswith("stream,")


def test_a_conversion_that_fails_leaves_nothing(tmp_path):
    source, target = tmp_path / "a.csv", tmp_path / "b.mid"
    source.write_text("onset_s,offset_s\n0,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv: streams\[0\]\.notes\[0\]: has no pitch_midi"):
        run("convert", source, target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_other_files_are_refused_by_name_with_what_there_is(tmp_path):
    source = tmp_path / "a.cont"
    write_cont(rich(), source)
    with pytest.raises(InputError, match=r"b\.wav: performances are files of \.cont"):
        run("convert", source, tmp_path / "b.wav")
    with pytest.raises(InputError, match="no such folder"):
        run("convert", source, tmp_path / "nowhere" / "b.mid")


def test_an_instrument_whose_name_is_no_text_is_told_in_one_line(tmp_path):
    path = tmp_path / "take.cont"
    path.write_text(cont_text(rich()).replace('"violin"', '"vio\\nlin\\ud800"'), encoding="utf-8")
    line = run("validate", path, code=2).splitlines()[0]
    assert line == f"{path}: streams[0].instrument: no plugin instrument/vio lin\\ud800"


def test_a_name_may_be_as_long_as_names_of_files_are(tmp_path):
    source, target = tmp_path / "a.cont", tmp_path / ("x" * 245 + ".b.csv")
    write_cont(rich(), source)
    run("convert", source, target)
    assert {path.name for path in tmp_path.iterdir()} == {source.name, target.name}
