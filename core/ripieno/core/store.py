"""The content-addressed store: artifacts under their digests, results of steps under their keys.

Conventions
-----------
::

    objects/ab/abcd…/    an artifact, as `ripieno.contracts.packing` writes it
    keys/ab/abcd….json   a step's result: digests, and size, mtime and inode of every file
    checkpoints/KEY/     what a long step keeps between tries
    written/KEY.json     where an output was written last, and how its files looked then
    running/KEY.json     what is being done in a process that a crash would take with it
    scratch/             work in progress, on the same file system so that a rename moves it

Everything is written under a temporary name and renamed, the key last: a crash at any moment leaves
whole results and scratch, nothing between.
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.contracts.errors import DamagedError, InputError, MissingError
from ripieno.registry.memo import default_folder, write_text

from .scratch import clear, new_name, scratch

if TYPE_CHECKING:
    from ripieno.contracts.artifact import Artifact

FILE_FACTS = ("st_size", "st_mtime_ns", "st_ino")
INDEX = "artifact.json"
DAY_S = 86_400


@dataclass(frozen=True)
class Stored:
    """One artifact in the store.

    Parameters
    ----------
    digest : str
        Of its content.
    kind : str
        Kind of artifact.
    header : mapping
        `Artifact.header`.
    parts : mapping of str to str
        Digests of named parts, for results that are an open set.
    licences : sequence of mapping
        Of what its maker found in data: recordings, samples, documents.
    """

    digest: str
    kind: str
    header: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    licences: Sequence[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """What a step gave.

    Parameters
    ----------
    outputs : mapping of str to Stored
        By name; the only one has the empty name.
    seconds : float
        What it took.
    recipe : mapping
        All that the key was made of.
    """

    outputs: Mapping[str, Stored]
    seconds: float
    recipe: Mapping[str, Any]


class Store:
    """A store in a folder.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("objects", "keys", "written", "checkpoints", "running", "scratch"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def object_folder(self, digest: str) -> Path:
        """Where an artifact is, or would be."""
        return self.folder / "objects" / digest[:2] / digest

    def key_file(self, key: str) -> Path:
        """Where the record of a key is, or would be."""
        return self.folder / "keys" / key[:2] / f"{key}.json"

    def checkpoint(self, key: str) -> Path:
        """The folder that survives a crash of the step with that key."""
        folder = self.folder / "checkpoints" / key
        folder.mkdir(exist_ok=True)
        return folder

    def scratch(self) -> AbstractContextManager[Path]:
        """An empty folder that is removed after the block."""
        return scratch(self.folder / "scratch")

    def clear_scratch(self) -> None:
        """Remove what processes that are dead left."""
        clear(self.folder / "scratch")

    def put(self, artifact: "Artifact", *, movable: Sequence[Path] = ()) -> Stored:
        """Store an artifact; files of it below `movable` are moved instead of copied."""
        from ripieno.contracts.packing import pack, part_digests

        with full_disk_named(self.folder), self.scratch() as folder:
            room = folder / "object"
            room.mkdir()
            packed = pack(artifact, room, movable=movable)
            target = self.object_folder(packed.digest)
            target.parent.mkdir(exist_ok=True)
            parts = part_digests(room) if artifact.kind == "stems" else {}
            _move_folder(room, target)
        return Stored(packed.digest, packed.kind, artifact.header(), parts)

    def get(self, digest: str, kinds: Callable[[str], type["Artifact"]]) -> "Artifact":
        """Read an artifact; `kinds` gives the class of a kind.

        Raises
        ------
        DamagedError
            If bytes that are read differ from their hash.
        """
        from ripieno.contracts.packing import unpack

        try:
            return unpack(self.object_folder(digest), kinds, digest=digest)
        except FileNotFoundError as error:
            raise DamagedError(str(error.filename)) from error

    def record(self, key: str, record: Record) -> None:
        """Publish what a step gave, after its artifacts are stored."""
        document = {
            "outputs": {name: asdict(stored) for name, stored in record.outputs.items()},
            "seconds": record.seconds,
            "recipe": record.recipe,
            "files": {
                stored.digest: file_facts(self.object_folder(stored.digest))
                for stored in record.outputs.values()
            },
        }
        path = self.key_file(key)
        path.parent.mkdir(exist_ok=True)
        with self.scratch() as room:
            write_atomically(path, json.dumps(document, ensure_ascii=False), room=room, sync=True)

    def find(self, key: str, *, on_damage: Callable[[str], None] = lambda path: None) -> Record | None:
        """What a step with this key gave before, if it is all still there as it was written.

        Parameters
        ----------
        key : str
            Of the step.
        on_damage : callable
            Told the path of a file whose bytes are wrong; its object is dropped.
        """
        document = self.document(key)
        if document is None:
            return None
        for digest, facts in document["files"].items():
            if facts and file_facts(self.object_folder(digest)) == facts:
                continue
            if not self._heal(digest, on_damage):
                return None
            # Moved or restored, but whole: remember how it looks now.
            document["files"][digest] = file_facts(self.object_folder(digest))
            with self.scratch() as room:
                write_atomically(self.key_file(key), json.dumps(document, ensure_ascii=False), room=room)
        with suppress(OSError):  # another process swept it, or the store is another user's
            os.utime(self.key_file(key))  # the sweep goes by when a result was last used
        outputs = {name: Stored(**stored) for name, stored in document["outputs"].items()}
        return Record(outputs, document["seconds"], document["recipe"])

    def document(self, key: str) -> dict[str, Any] | None:
        """The JSON of a key, None where there is none that can be read."""
        try:
            document = json.loads(self.key_file(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        fits = isinstance(document, dict) and document.keys() >= {"outputs", "seconds", "recipe", "files"}
        return document if fits else None

    def verify(self, digest: str) -> str | None:
        """Read a whole object: None, or the path of the first file that is damaged."""
        from ripieno.contracts.packing import verify

        try:
            verify(self.object_folder(digest), digest)
            return None
        except DamagedError as error:
            return error.path
        except FileNotFoundError as error:
            return str(error.filename)

    def drop(self, digest: str) -> None:
        """Forget an object; whoever needs it makes it again."""
        folder = self.object_folder(digest)
        aside = self.folder / "scratch" / new_name()
        try:
            os.replace(folder, aside)
        except FileNotFoundError:
            return
        except OSError:
            # Windows: a file of it is open elsewhere. Without its index it is no object any more.
            (folder / INDEX).unlink(missing_ok=True)
            return
        shutil.rmtree(aside, ignore_errors=True)

    def digests(self) -> list[str]:
        """Digests of all objects."""
        return sorted(folder.name for folder in (self.folder / "objects").glob("*/*"))

    def all_keys(self) -> list[str]:
        """All keys."""
        return sorted(path.stem for path in (self.folder / "keys").glob("*/*.json"))

    def _heal(self, digest: str, on_damage: Callable[[str], None]) -> bool:
        damaged = self.verify(digest)
        if damaged is None:
            return True
        if self.object_folder(digest).exists():
            on_damage(damaged)
            self.drop(digest)
        return False


def file_facts(folder: Path) -> dict[str, list[int]]:
    """Size, mtime and inode of each file in a folder; empty where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: [getattr(os.stat(entry.path), fact) for fact in FILE_FACTS]
                for entry in sorted(entries, key=lambda entry: entry.name)
            }
    except FileNotFoundError:
        return {}


def write_atomically(path: Path, text: str, *, room: Path | None = None, sync: bool = False) -> None:
    """Write a small file so that it is there whole or not at all; in `room` first, or beside the path."""
    with full_disk_named(path.parent):
        write_text(path, text, room=room, sync=sync)


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Turn a full disk into one line that says which."""
    try:
        yield
    except _FullDiskError:
        raise
    except (OSError, InputError) as error:
        # A plugin may have put it into words of its own.
        cause = error if isinstance(error, OSError) else error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        free_mb = shutil.disk_usage(folder).free // 1_000_000
        raise _FullDiskError(
            f"{folder}: {os.strerror(number).lower()} ({free_mb} MB free). "
            "Make room (core runs gc) or set RIPIENO_STORE to another disk"
        ) from error


class _FullDiskError(InputError):
    """Says which disk already."""


def _move_folder(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError:
        # Somebody stored the same content before; equal digest, equal bytes.
        if not (target / INDEX).exists():
            shutil.rmtree(target, ignore_errors=True)
            os.rename(source, target)
        os.utime(target)  # a sweep spares what is new: no key may name it yet


def open_store(folder: Path | None = None) -> Store:
    """The store in a folder, by default the user's.

    Raises
    ------
    MissingError
        If the folder cannot be made or written to.
    """
    folder = folder or default_folder()
    try:
        return Store(folder)
    except OSError as error:
        raise MissingError(
            f"the store {folder} cannot be used: {error.strerror}. Set RIPIENO_STORE to a folder you may write to"
        ) from error


@dataclass(frozen=True)
class Swept:
    """What `sweep` removed."""

    keys: int
    objects: int
    bytes: int


def sweep(store: Store, *, older_than_s: float) -> Swept:
    """Remove results that were not used for so long, and what belongs to nothing.

    Objects that no key names are kept for a day, or for `older_than_s` where that is less: a run may be
    about to publish them. Scratch goes with its process; that of other machines is kept for a day.
    """
    now = time.time()
    kept: set[str] = set()
    keys = 0
    for key in store.all_keys():
        document = store.document(key)
        path = store.key_file(key)
        if document is None or now - _mtime_s(path) > older_than_s:
            path.unlink(missing_ok=True)
            keys += 1
        else:
            kept.update(document["files"])
    store.clear_scratch()
    grace_s = min(older_than_s, DAY_S)
    lost = [
        store.object_folder(digest)
        for digest in store.digests()
        if digest not in kept and _age_s(store.object_folder(digest), now) > grace_s
    ]
    left = [
        folder
        for name, kept_s in (("scratch", DAY_S), ("checkpoints", older_than_s))
        for folder in (store.folder / name).iterdir()
        if _age_s(folder, now) > kept_s
    ]
    for note in (store.folder / "written").iterdir():
        if now - _mtime_s(note) > older_than_s:
            note.unlink(missing_ok=True)
    size = sum(_size(folder) for folder in (*lost, *left))
    for folder in (*lost, *left):
        shutil.rmtree(folder, ignore_errors=True)
    return Swept(keys, len(lost), size)


def _age_s(folder: Path, now: float) -> float:
    return now - max(map(_mtime_s, (folder, *folder.rglob("*"))))


def _mtime_s(path: Path) -> float:
    """Of a file that a run may remove meanwhile; then it is as old as can be."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
