import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ripieno.registry import FileDigests, digests

HOUR_NS = 3600 * 10**9


def aged(path: Path, text: str) -> Path:
    """A file that was written an hour ago."""
    path.write_text(text, encoding="utf-8")
    then = time.time_ns() - HOUR_NS
    os.utime(path, ns=(then, then))
    return path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def remembered(cache: Path) -> list[list[object]]:
    path = cache / "digests.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def test_a_digest_is_the_sha256_of_the_bytes_and_is_remembered(tmp_path: Path) -> None:
    path = aged(tmp_path / "a", "one")
    assert FileDigests(tmp_path / "cache").digest(path) == sha256("one")
    status = path.stat()
    ((place, stamp, digest),) = remembered(tmp_path / "cache")
    assert (place, digest) == (str(path), sha256("one"))
    assert stamp == [status.st_size, status.st_mtime_ns, status.st_ino]


def test_what_is_remembered_is_not_read_again(tmp_path: Path) -> None:
    path = aged(tmp_path / "a", "one")
    first = FileDigests(tmp_path / "cache")
    first.digest(path)
    stamp = path.stat().st_mtime_ns
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    # Same size, time and inode: only a second reading could tell.
    assert first.digest(path) == FileDigests(tmp_path / "cache").digest(path) == sha256("one")


def test_a_file_that_just_changed_is_read_every_time(tmp_path: Path) -> None:
    known = FileDigests(tmp_path / "cache")
    path = tmp_path / "a"
    path.write_text("one", encoding="utf-8")
    stamp = path.stat().st_mtime_ns
    assert known.digest(path) == sha256("one")
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert known.digest(path) == sha256("two")
    assert remembered(tmp_path / "cache") == []


def test_another_size_or_time_or_file_is_read(tmp_path: Path) -> None:
    known = FileDigests(tmp_path / "cache")
    path = aged(tmp_path / "a", "one")
    known.digest(path)
    stamp = path.stat().st_mtime_ns
    path.write_text("three", encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert known.digest(path) == sha256("three")
    os.replace(aged(tmp_path / "b", "other"), path)
    assert known.digest(path) == sha256("other")
    with pytest.raises(FileNotFoundError):
        known.digest(tmp_path / "gone")


@pytest.mark.parametrize("damage", ["{", "3\n", '["a", 1]\n', '["a", ["x"], "y"]\n', "\udc80\x00\n"])
def test_a_damaged_line_is_as_if_it_were_not_there(tmp_path: Path, damage: str) -> None:
    one, two = aged(tmp_path / "a", "one"), aged(tmp_path / "b", "two")
    FileDigests(tmp_path / "cache").digest(one)
    with open(tmp_path / "cache" / "digests.jsonl", "ab") as file:
        file.write(damage.encode(errors="surrogateescape"))
    known = FileDigests(tmp_path / "cache")
    assert (known.digest(one), known.digest(two)) == (sha256("one"), sha256("two"))


def test_several_processes_remember_at_once(tmp_path: Path) -> None:
    paths = [aged(tmp_path / f"{number}.txt", str(number)) for number in range(60)]
    code = (
        "import sys\nfrom pathlib import Path\nfrom ripieno.registry import FileDigests\n"
        "digests = FileDigests(Path(sys.argv[1]))\n"
        "for path in sys.argv[2:]: digests.digest(Path(path))\n"
    )
    shares = [[str(path) for path in paths[start::3]] for start in range(3)]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "cache"), *share]) for share in shares
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert {line[0]: line[2] for line in remembered(tmp_path / "cache")} == {
        str(path): sha256(path.stem) for path in paths
    }


def test_the_memory_keeps_the_newest_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_MOST_LINES", 3)
    paths = [aged(tmp_path / str(number), str(number)) for number in range(5)]
    known = FileDigests(tmp_path / "cache")
    for path in paths:
        known.digest(path)
    assert len(remembered(tmp_path / "cache")) == 5
    FileDigests(tmp_path / "cache").digest(paths[-1])
    assert [line[0] for line in remembered(tmp_path / "cache")] == [str(path) for path in paths[2:]]
