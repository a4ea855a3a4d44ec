import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ripieno.registry import FileDigests

HOUR_NS = 3600 * 10**9


def large(text: str) -> str:
    """Different text, of a file that is worth remembering."""
    return text.ljust(1 << 16)


def aged(path: Path, text: str) -> Path:
    """A large file that was written an hour ago."""
    path.write_text(large(text), encoding="utf-8")
    then = time.time_ns() - HOUR_NS
    os.utime(path, ns=(then, then))
    return path


def sha256(text: str) -> str:
    return hashlib.sha256(large(text).encode()).hexdigest()


def memory(cache: Path) -> list[Path]:
    """The files in which digests are remembered."""
    return sorted(path for path in (cache / "digests").rglob("*") if path.is_file())


def test_a_digest_is_the_sha256_of_the_bytes_and_is_remembered(tmp_path: Path) -> None:
    path = aged(tmp_path / "a", "one")
    assert FileDigests(tmp_path / "cache").digest(path) == sha256("one")
    (file,) = memory(tmp_path / "cache")
    status = path.stat()
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "stamp": {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "inode": status.st_ino},
        "sha256": sha256("one"),
    }


def test_a_small_file_is_read_every_time(tmp_path: Path) -> None:
    path = aged(tmp_path / "a", "one")
    os.truncate(path, (1 << 16) - 1)
    stamp = path.stat().st_mtime_ns - HOUR_NS
    os.utime(path, ns=(stamp, stamp))
    known = FileDigests(tmp_path / "cache")
    assert known.digest(path) == hashlib.sha256(large("one").encode()[:-1]).hexdigest()
    path.write_text(large("two")[:-1], encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert known.digest(path) == hashlib.sha256(large("two").encode()[:-1]).hexdigest()
    assert memory(tmp_path / "cache") == []


def test_a_file_is_remembered_once_however_often_it_changes(tmp_path: Path) -> None:
    known = FileDigests(tmp_path / "cache")
    for text in ("one", "two", "three"):
        assert known.digest(aged(tmp_path / "a", text)) == sha256(text)
    assert len(memory(tmp_path / "cache")) == 1


def test_what_is_remembered_is_not_read_again(tmp_path: Path) -> None:
    path = aged(tmp_path / "a", "one")
    first = FileDigests(tmp_path / "cache")
    first.digest(path)
    stamp = path.stat().st_mtime_ns
    path.write_text(large("two"), encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    # Same size, time and inode: only a second reading could tell.
    assert first.digest(path) == FileDigests(tmp_path / "cache").digest(path) == sha256("one")


def test_a_file_that_just_changed_is_read_every_time(tmp_path: Path) -> None:
    known = FileDigests(tmp_path / "cache")
    path = tmp_path / "a"
    path.write_text(large("one"), encoding="utf-8")
    stamp = path.stat().st_mtime_ns
    assert known.digest(path) == sha256("one")
    path.write_text(large("two"), encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert known.digest(path) == sha256("two")
    assert memory(tmp_path / "cache") == []


def test_another_size_or_time_or_file_is_read(tmp_path: Path) -> None:
    known = FileDigests(tmp_path / "cache")
    path = aged(tmp_path / "a", "one")
    known.digest(path)
    stamp = path.stat().st_mtime_ns
    path.write_text(large("three") + "!", encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))
    assert known.digest(path) == hashlib.sha256(f"{large('three')}!".encode()).hexdigest()
    os.replace(aged(tmp_path / "b", "other"), path)
    assert known.digest(path) == sha256("other")
    with pytest.raises(FileNotFoundError):
        known.digest(tmp_path / "gone")


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"3", b'["a", 1]', b'{"stamp": 1}', b"\xff\x00", b"[" * 100_000]
)
def test_a_damaged_memory_is_as_if_it_were_not_there(tmp_path: Path, damage: bytes) -> None:
    path = aged(tmp_path / "a", "one")
    FileDigests(tmp_path / "cache").digest(path)
    (file,) = memory(tmp_path / "cache")
    file.write_bytes(damage)
    assert FileDigests(tmp_path / "cache").digest(path) == sha256("one")
    assert json.loads(file.read_bytes())["sha256"] == sha256("one")


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    assert FileDigests(tmp_path / "cache").digest(aged(tmp_path / "a", "one")) == sha256("one")


def test_several_processes_remember_at_once(tmp_path: Path) -> None:
    paths = [aged(tmp_path / f"{number}.txt", str(number)) for number in range(60)]
    code = (
        "import sys\nfrom pathlib import Path\nfrom ripieno.registry import FileDigests\n"
        "digests = FileDigests(Path(sys.argv[1]))\n"
        "for path in sys.argv[2:]: digests.digest(Path(path))\n"
    )
    # Shares that overlap: two processes may write what is remembered of one file at the same time.
    shares = [[str(path) for path in paths[start : start + 40]] for start in (0, 10, 20)]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "cache"), *share]) for share in shares
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(memory(tmp_path / "cache")) == len(paths)
    known = FileDigests(tmp_path / "cache")
    assert [known.digest(path) for path in paths] == [sha256(path.stem) for path in paths]
