"""SFZ files, and the copy of them that is played."""

from pathlib import Path

import pytest
import tiny_sfz
from hypothesis import given, strategies as st

from ripieno.contracts import InputError
from ripieno_sfizz.sfz import read_sfz
from ripieno_sfizz.staging import TURNS, stage, takes_turn


@pytest.fixture
def written(tmp_path):
    def write(text: str, **others: str) -> Path:
        (tmp_path / "a.wav").write_bytes(b"")
        (tmp_path / "b c.wav").write_bytes(b"")
        for name, content in others.items():
            (tmp_path / f"{name}.sfz").write_text(content, encoding="utf-8")
        path = tmp_path / "main.sfz"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_region_has_what_its_headers_say_unless_it_says_otherwise(written):
    path = written(
        "<global> volume=1 pan=2 <master> volume=3\n<group>lokey=c4 hikey=e4 volume=4 <region>sample=a.wav\n"
        "<region> sample=b c.wav volume=5 // sample=lost.wav\n/* <region> sample=lost.wav\n*/"
        "<master> <region> sample=a.wav key=7"
    )
    first, second, third = read_sfz(path).regions
    assert [region.number("volume", 0) for region in (first, second, third)] == [4, 5, 1]
    assert [list(region.keys) for region in (first, third)] == [[60, 61, 62, 63, 64], [7]]
    assert second.sample == path.with_name("b c.wav")
    assert third.number("pan", 0) == 2


def test_includes_stand_in_their_place_and_names_are_replaced_the_longest_first(written):
    path = written(
        "#define $K 60\n#define $KEY 62\n"
        '<group> lokey=$K hikey=$KEY #include "more.sfz"\n<region> sample=a.wav key=$KEY',
        more="<region> sample=a.wav\n<group> volume=9",
    )
    first, second = read_sfz(path).regions
    assert (list(first.keys), list(second.keys)) == ([60, 61, 62], [62])
    assert second.number("volume", 0) == 9


def test_paths_may_be_written_for_windows(written, tmp_path):
    (tmp_path / "Solo Violin").mkdir()
    (tmp_path / "Solo Violin" / "a.wav").write_bytes(b"")
    region = "<region> sample=a.wav\r\n"
    text = f"<control> default_path=Solo Violin\\\r\n{region}<control> default_path=\r\n{region}"
    samples = [region.sample for region in read_sfz(written(text)).regions]
    assert samples == [tmp_path / "Solo Violin" / "a.wav", tmp_path / "a.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<region>\nsample=lost.wav", "main.sfz:2: sample=lost.wav: there is no"),
        ("<region>\n\nsample=../a.wav", "main.sfz:3: sample of ../a.wav leads out of the library's folder"),
        ("<region> sample=C:\\a.wav", "main.sfz:1: sample of C:.a.wav leads out"),
        ("<region> sample=/etc/passwd", "main.sfz:1: sample of /etc/passwd leads out"),
        ('<region> sample=a.wav\n#include "../x.sfz"', "main.sfz:2: #include of ../x.sfz leads out"),
        ('#include "lost.sfz"', "main.sfz:1: #include of lost.sfz: no such file"),
        ('#include "main.sfz"', "main.sfz:1: #include of main.sfz goes round in a circle"),
        ('#include "more.sfz"', "more.sfz:1: sample=gone.wav: there is no"),
        ("volume=1\n<region> sample=a.wav", "main.sfz:1: volume= stands before the first header"),
        ("<region> sample=a.wav lokey=soft", "main.sfz:1: lokey=soft is not a number"),
        ("Once upon a time", "main.sfz: no <region>: this is no SFZ file"),
        ("RIFF\0WAVE", "main.sfz: not text"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(written, text, message):
    path = written(text, more="<region> sample=gone.wav")
    with pytest.raises(InputError, match=message) as caught:
        [region.keys for region in read_sfz(path).regions]
    assert "\n" not in str(caught.value)


def test_a_sample_that_links_out_of_the_folder_is_refused(written, tmp_path):
    path = written("<region> sample=link.wav")
    inside = tmp_path / "library"
    inside.mkdir()
    try:
        (inside / "link.wav").symlink_to(tmp_path / "a.wav")
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(InputError, match="leads out"):
        read_sfz(path.rename(inside / "main.sfz")).regions  # noqa: B018


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="lost.sfz: cannot be read"):
        read_sfz(tmp_path / "lost.sfz")


def test_the_copy_has_the_hint_and_the_samples_and_the_library_stays_as_it_is(tmp_path):
    folder = tiny_sfz.folder()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    staged = stage(read_sfz(folder / "tiny.sfz"), tmp_path, gain_db=3, pitch_bend_cents=700)
    again = read_sfz(staged.path)
    opcodes = {opcode.name: opcode.value for opcode in again.headers[0].opcodes}
    assert (again.headers[0].name, opcodes["hint_ram_based"]) == ("control", "1")
    original = read_sfz(folder / "tiny.sfz").regions
    assert [region.sample.read_bytes() for region in again.regions] == [
        region.sample.read_bytes() for region in original
    ]
    assert {region.number("bend_up", 0) for region in again.regions} == {700}
    assert {region.number("volume", 0) for region in again.regions} == {3}
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_left_to_chance_in_the_copy(tmp_path, written):
    path = written(
        "<region> sample=a.wav pitch_random=50 lorand=0.5 seq_length=3 seq_position=2 delay_random=1"
    )
    (tmp_path / "copy").mkdir()
    copy = read_sfz(stage(read_sfz(path), tmp_path / "copy").path)
    names = {opcode.name for header in copy.headers for opcode in header.opcodes}
    assert not {name for name in names if "random" in name or "rand" in name or name.startswith("seq")}


@given(st.integers(1, 9), st.integers(0, TURNS - 1))
def test_each_turn_of_a_round_robin_plays_once(length, turn):
    from ripieno_sfizz.sfz import Opcode, Place, Region

    place = Place(Path("x"), 1)

    def region(**opcodes: str) -> Region:
        return Region({name: Opcode(name, value, place) for name, value in opcodes.items()}, None, 0)

    counted = [region(seq_length=str(length), seq_position=str(at + 1)) for at in range(length)]
    drawn = [region(lorand=str(at / length), hirand=str((at + 1) / length)) for at in range(length)]
    assert sum(takes_turn(one, turn) for one in counted) == 1
    assert sum(takes_turn(one, turn) for one in drawn) == 1


def test_controllers_that_the_library_uses_are_left_to_it(written, tmp_path):
    path = written("<region> sample=a.wav locc119=3 volume_oncc118=2")
    (tmp_path / "copy").mkdir()
    assert not set(stage(read_sfz(path), tmp_path / "copy").turn_controllers) & {118, 119, 64, 7}
