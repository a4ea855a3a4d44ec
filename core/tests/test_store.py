"""The store: what goes in comes out, whole or not at all, whoever else writes; and what is swept."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Audio, Bundle, Stems, Text
from ripieno.contracts.errors import DamagedError, InputError, MissingError
from ripieno.core import store as stores
from ripieno.core.scratch import clear, is_alive, new_name
from ripieno.core.store import Record, Store, open_store, sweep, write_atomically

KINDS = {"text": Text, "audio": Audio, "stems": Stems, "bundle": Bundle}
KEY = "ab" + "0" * 62
DAY_S = 86_400


def kept(store, artifact, key=KEY, recipe=None):
    stored = store.put(artifact)
    store.record(key, Record({"": stored}, 1.5, recipe or {}))
    return stored


def only_file(store, digest, suffix):
    return next(path for path in store.object_folder(digest).iterdir() if path.suffix == suffix)


def age(path, seconds):
    then = time.time() - seconds
    for below in (path, *path.rglob("*")):
        os.utime(below, (then, then))


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_is_put_is_got(tmp_path_factory, text):
    store = Store(tmp_path_factory.mktemp("store"))
    stored = store.put(Text(text))
    assert store.get(stored.digest, KINDS.get).text == text
    assert (stored.kind, dict(stored.header), dict(stored.parts)) == ("text", {"kind": "text"}, {})


def test_equal_content_is_one_object(store):
    first, second = store.put(Text("a")), store.put(Text("a"))
    other = store.put(Text("b"))
    assert first == second != other
    assert store.digests() == sorted({first.digest, other.digest})
    assert list((store.folder / "scratch").iterdir()) == []


def test_stems_have_a_digest_each(store):
    rate_hz, ones = 8000, np.ones((1, 10), np.float32)
    first = store.put(Stems({"a": Audio(ones, rate_hz), "b": Audio(ones, rate_hz)}))
    second = store.put(Stems({"a": Audio(ones, rate_hz), "b": Audio(ones * 0.5, rate_hz)}))
    assert first.parts["a"] == second.parts["a"]
    assert first.parts["b"] != second.parts["b"]
    assert store.get(second.digest, KINDS.get)["b"].samples[0, 0] == 0.5


def test_a_record_is_found_while_its_files_are_as_they_were_written(store):
    stored = kept(store, Text("a"), recipe={"x": [1, "é"]})
    found = store.find(KEY)
    assert (found.outputs, found.seconds, found.recipe) == ({"": stored}, 1.5, {"x": [1, "é"]})
    assert store.find("cd" + KEY) is None
    assert store.all_keys() == [KEY]


def test_files_that_were_moved_or_touched_but_are_whole_are_found_and_remembered(store):
    stored = kept(store, Text("a"))
    index = only_file(store, stored.digest, ".json")
    os.utime(index, (1, 1))
    damages = []
    assert store.find(KEY, on_damage=damages.append).outputs == {"": stored}
    assert store.document(KEY)["files"][stored.digest][index.name][1] == 1_000_000_000
    moved = store.folder.rename(store.folder.with_name("moved"))
    assert Store(moved).find(KEY, on_damage=damages.append) is not None
    assert damages == []


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_files_are_told_and_forgotten(store, tmp_path, damage):
    page = tmp_path / "page.html"
    page.write_bytes(b"hello")
    stored = kept(store, Bundle({"page.html": page}))
    file = only_file(store, stored.digest, ".html")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"hel" if damage == "cut" else b"hexlo")
        os.utime(file, (1, 1))
    assert store.verify(stored.digest) == str(file)
    with pytest.raises(DamagedError, match=r"\.html: its bytes are gone or differ"):
        store.get(stored.digest, KINDS.get)
    damages = []
    assert store.find(KEY, on_damage=damages.append) is None
    assert damages == [str(file)]
    assert not store.object_folder(stored.digest).exists()


def test_an_object_that_is_gone_is_not_found_and_no_damage(store):
    stored = kept(store, Text("a"))
    store.drop(stored.digest)
    store.drop(stored.digest)
    damages = []
    assert store.find(KEY, on_damage=damages.append) is None
    assert damages == []
    assert store.verify(stored.digest).endswith("artifact.json")
    with pytest.raises(DamagedError):
        store.get(stored.digest, KINDS.get)


def test_a_record_without_files_is_none(store):
    stored = store.put(Text("a"))
    store.drop(stored.digest)
    store.record(KEY, Record({"": stored}, 1.0, {}))
    assert store.find(KEY) is None


@pytest.mark.parametrize("content", ["", "{", "null", "[]", "{}", '{"outputs": {}}', b"\xff"])
def test_a_key_file_that_cannot_be_read_is_as_if_it_were_not_there(store, content):
    kept(store, Text("a"))
    store.key_file(KEY).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert store.document(KEY) is None
    assert store.find(KEY) is None


def test_an_object_whose_index_is_gone_is_put_anew(store):
    stored = kept(store, Text("a"))
    only_file(store, stored.digest, ".json").unlink()
    assert store.put(Text("a")) == stored
    assert store.verify(stored.digest) is None


def test_many_threads_put_the_same_at_once(store):
    gate = threading.Barrier(8)
    stored, faults = [], []

    def put():
        try:
            gate.wait()
            stored.extend(store.put(Text("x" * 1000)) for _ in range(10))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len({one.digest for one in stored}) == 1
    assert store.verify(stored[0].digest) is None


def test_many_processes_put_and_record_the_same_at_once(store):
    code = (
        "import sys\nfrom pathlib import Path\nfrom ripieno.contracts import Text\n"
        "from ripieno.core.store import Record, Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for n in range(30):\n"
        "    stored = store.put(Text(str(n)))\n"
        "    store.record(f'{n:064}', Record({'': stored}, 0.0, {}))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(store.folder)], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 3
    assert [store.verify(digest) for digest in store.digests()] == [None] * 30
    assert all(store.find(f"{n:064}") is not None for n in range(30))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "old", sync=True)
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line_that_says_which(tmp_path):
    full = r"no space left on device \(\d+ MB free\)\. Make room"
    with pytest.raises(InputError, match=full), stores.full_disk_named(tmp_path):
        raise OSError(28, "No space left on device")
    with pytest.raises(InputError, match=full), stores.full_disk_named(tmp_path):
        raise InputError("words of a plugin") from OSError(28, "No space left on device")
    with pytest.raises(PermissionError), stores.full_disk_named(tmp_path):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(InputError, match="^words of a plugin$"), stores.full_disk_named(tmp_path):
        raise InputError("words of a plugin")


def test_a_full_disk_is_named_where_it_was_met_first(tmp_path):
    (tmp_path / "inner").mkdir()
    outer, inner = (stores.full_disk_named(folder) for folder in (tmp_path, tmp_path / "inner"))
    with pytest.raises(InputError, match=r"inner: no space left on device"), outer, inner:
        raise OSError(28, "No space left on device")


def test_a_folder_that_cannot_be_a_store_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MissingError, match=r"the store .*file cannot be used: .*\. Set RIPIENO_STORE"):
        open_store(tmp_path / "file")
    with pytest.raises(MissingError, match="cannot be used"):
        open_store(tmp_path / "file" / "below")


def test_the_store_is_where_the_environment_says_else_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RIPIENO_STORE", str(tmp_path / "s"))
    assert open_store().folder == stores.default_folder() == tmp_path / "s"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RIPIENO_STORE")
    assert stores.default_folder().name == "ripieno" or sys.platform == "win32"
    monkeypatch.setenv("RIPIENO_STORE", "~/s")
    assert stores.default_folder() in (tmp_path / "s", stores.Path("~/s").expanduser())


def test_checkpoints_are_there_again(store):
    (store.checkpoint(KEY) / "note").touch()
    assert [path.name for path in store.checkpoint(KEY).iterdir()] == ["note"]


def test_a_sweep_removes_what_was_not_used_for_long_and_what_belongs_to_nothing(store):
    old, new, lost = Text("old"), Text("new"), Text("lost")
    stored_old = kept(store, old)
    stored_new = kept(store, new, key="cd" + KEY[2:])
    stored_lost = store.put(lost)
    store.key_file("ef" + KEY[2:]).parent.mkdir()
    store.key_file("ef" + KEY[2:]).write_text("{", encoding="utf-8")
    (store.folder / "scratch" / "left").mkdir()
    store.checkpoint(KEY)
    age(store.folder, 2 * DAY_S)
    store.find("cd" + KEY[2:])
    for name, age_days in (("old", 2), ("new", 1)):
        note = store.folder / "written" / f"{name}.json"
        note.touch()
        age(note, age_days * DAY_S)
    size = sum(
        path.stat().st_size
        for one in (stored_old, stored_lost)
        for path in store.object_folder(one.digest).iterdir()
    )
    swept = sweep(store, older_than_s=1.5 * DAY_S)
    assert (swept.keys, swept.objects, swept.bytes) == (2, 2, size)
    assert store.digests() == [stored_new.digest]
    assert store.find("cd" + KEY[2:]).outputs == {"": stored_new}
    assert [list((store.folder / name).iterdir()) for name in ("scratch", "checkpoints")] == [[], []]
    assert [note.name for note in (store.folder / "written").iterdir()] == ["new.json"]


def test_a_sweep_spares_what_a_run_may_be_about_to_name(store):
    stored = store.put(Text("a"))
    age(store.folder, 2 * DAY_S)
    assert store.put(Text("a")) == stored
    assert sweep(store, older_than_s=10 * DAY_S).objects == 0
    age(store.folder, 2 * DAY_S)
    assert sweep(store, older_than_s=10 * DAY_S).objects == 1


def test_a_sweep_of_everything_leaves_nothing(store):
    kept(store, Text("a"))
    (store.folder / "written" / f"{KEY}.json").touch()
    age(store.folder, 1)
    assert sweep(store, older_than_s=0) == stores.Swept(1, 1, pytest.approx(100, abs=100))
    assert store.digests() == store.all_keys() == list((store.folder / "written").iterdir()) == []


def test_work_of_the_dead_is_cleared_and_of_the_living_is_not(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert is_alive(os.getpid())
    mine = tmp_path / new_name()
    of_the_dead = tmp_path / new_name().replace(f"-{os.getpid()}-", f"-{process.pid}-")
    elsewhere = tmp_path / f".another-host-{process.pid}-12345678"
    for folder in (mine, of_the_dead, elsewhere):
        folder.mkdir()
    clear(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, elsewhere} or is_alive(process.pid)


def test_a_record_is_plain_json(store):
    kept(store, Text("é"), recipe={"deep": {"er": None}})
    document = json.loads(store.key_file(KEY).read_text(encoding="utf-8"))
    assert document["recipe"] == {"deep": {"er": None}}
    shutil.rmtree(store.folder)
