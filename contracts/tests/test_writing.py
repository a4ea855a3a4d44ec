"""Files that are written whole or not at all."""

import os

import pytest

from ripieno.contracts import StepError, atomic_path, write_whole


def test_an_output_takes_its_name_when_it_is_whole(tmp_path):
    target = tmp_path / "new folder" / "out.wav"
    with atomic_path(target) as path:
        assert path.parent == target.parent and path.suffix == ".wav"
        path.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole" and os.listdir(target.parent) == ["out.wav"]


def test_an_output_that_fails_leaves_what_was_there(tmp_path):
    target = tmp_path / "out.wav"
    target.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as path:  # noqa: PT012
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"before" and os.listdir(tmp_path) == ["out.wav"]


def test_a_file_is_written_over(tmp_path):
    write_whole(tmp_path / "new" / "a.txt", b"one")
    write_whole(tmp_path / "new" / "a.txt", b"two")
    assert (tmp_path / "new/a.txt").read_bytes() == b"two" and os.listdir(tmp_path / "new") == ["a.txt"]


def test_a_place_that_takes_no_file_is_told_in_one_line(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StepError, match=r"a\.txt: cannot be written: .*irectory$"):
        write_whole(tmp_path / "a.txt", b"one")
    assert os.listdir(tmp_path) == ["a.txt"]
