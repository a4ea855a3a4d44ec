"""An artifact as a folder: one ``artifact.json`` and the files it names.

Conventions
-----------
In the JSON, ``{"$array": file}``, ``{"$rows": …}``, ``{"$file": file}`` and ``{"$artifact": kind, …}``
stand for what JSON cannot hold. The digest of an artifact is the SHA-256 of that JSON, in which each
file stands with the SHA-256 of its content: equal content has an equal digest, whoever made it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact
from .errors import DamagedError, PluginError
from .rows import BLOCK_BYTES, MemoryRows, RowsWriter, StoredRows

INDEX = "artifact.json"
FILE_KEYS = ("$array", "$rows", "$file")
ROWS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Packed:
    """A packed artifact.

    Parameters
    ----------
    digest : str
        SHA-256 of its content.
    kind : str
        Kind of artifact.
    files : mapping of str to str
        SHA-256 of each file beside the index, by name.
    """

    digest: str
    kind: str
    files: Mapping[str, str]


def pack(artifact: Artifact, folder: Path, *, movable: Sequence[Path] = ()) -> Packed:
    """Write an artifact into an empty folder.

    Parameters
    ----------
    artifact : Artifact
        Of any kind.
    folder : Path
        Exists and is empty.
    movable : sequence of Path
        Files below these folders need no copy: they are linked where the file system can.

    Raises
    ------
    PluginError
        If a field holds something that cannot be stored, or names a file that is not there.
    """
    packer = _Packer(folder, movable)
    document = {"artifact": packer.value(artifact, "artifact"), "files": packer.files}
    # Not sorted: the order of stems and heads is content too.
    text = json.dumps(document, ensure_ascii=False, indent=1)
    (folder / INDEX).write_bytes(text.encode())
    return Packed(sha256_text(text), artifact.kind, packer.files)


def unpack(folder: Path, kinds: Callable[[str], type[Artifact]], *, digest: str = "") -> Artifact:
    """Read an artifact from its folder; rows of audio stay on disk until they are asked for.

    Parameters
    ----------
    folder : Path
        As `pack` wrote it.
    kinds : callable
        Gives the class of a kind.
    digest : str, optional
        As `pack` gave it; then the index is checked too.

    Raises
    ------
    DamagedError
        If the bytes of the index, an array or a file differ from their hash.
    """
    if digest:
        _check_index(folder, digest)
    document = read_index(folder)
    artifact = _Unpacker(folder, document["files"], kinds).value(document["artifact"])
    assert isinstance(artifact, Artifact)
    return artifact


def read_index(folder: Path) -> dict[str, Any]:
    """The JSON of a packed artifact.

    Raises
    ------
    DamagedError
        If it is not there or not JSON.
    """
    try:
        document: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return document
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise DamagedError(str(folder / INDEX)) from error


def verify(folder: Path, digest: str) -> None:
    """Read everything in the folder of a packed artifact.

    Raises
    ------
    DamagedError
        Naming the first file whose bytes differ from their hash.
    """
    _check_index(folder, digest)
    for name, sha256 in read_index(folder)["files"].items():
        if _file_digest(folder / name) != sha256:
            raise DamagedError(str(folder / name))


def part_digests(folder: Path) -> dict[str, str]:
    """Digests of the named items of a packed artifact, so that a change of one is not a change of all."""
    document = read_index(folder)

    def resolved(value: Any) -> Any:
        """The value with the digest of each file in place of its name, which differs from pack to pack."""
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: document["files"][item] if key in FILE_KEYS else resolved(item)
            for key, item in value.items()
        }

    items = document["artifact"]["parts"]["items"]
    return {name: sha256_text(json.dumps(resolved(item), sort_keys=True)) for name, item in items.items()}


def _check_index(folder: Path, digest: str) -> None:
    if _file_digest(folder / INDEX) != digest:
        raise DamagedError(str(folder / INDEX))


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_digest(path: Path) -> str:
    """Of a file as its suffix asks; empty where there is no file."""
    try:
        return rows_digest(_block_hashes(path)) if path.suffix == ".f32" else sha256_file(path)
    except FileNotFoundError:
        return ""


def rows_digest(hashes: tuple[str, ...]) -> str:
    """Digest of a file of rows: the SHA-256 over its blocks' hashes, so that no byte is hashed twice."""
    return sha256_text("\n".join(hashes))


def _block_hashes(path: Path) -> tuple[str, ...]:
    with open(path, "rb") as file:
        return tuple(hashlib.sha256(block).hexdigest() for block in iter(lambda: file.read(BLOCK_BYTES), b""))


class _Packer:
    def __init__(self, folder: Path, movable: Sequence[Path]) -> None:
        self.folder = folder
        self.movable = tuple(path.resolve() for path in movable)
        self.files: dict[str, str] = {}

    def value(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, Artifact):
            parts = {name: self.value(part, f"{where}.{name}") for name, part in value.parts().items()}
            return {"$artifact": value.kind, "parts": parts}
        if isinstance(value, (MemoryRows, StoredRows)):
            return self.rows(value)
        if isinstance(value, np.ndarray):
            return self.array(value, where)
        if isinstance(value, Path):
            return self.file(value, where)
        if isinstance(value, np.generic):
            return self.value(value.item(), where)
        if isinstance(value, Mapping):
            if any(str(name).startswith("$") for name in value):
                raise PluginError(f"{where} has a name that begins with $, which packing uses itself")
            return {str(name): self.value(item, f"{where}.{name}") for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item, f"{where}[{index}]") for index, item in enumerate(value)]
        raise PluginError(
            f"{where} is a {type(value).__name__}: an artifact holds JSON, arrays, paths, artifacts"
        )

    def name(self, suffix: str) -> Path:
        return self.folder / f"{len(self.files)}{suffix}"

    def array(self, value: NDArray[Any], where: str) -> dict[str, str]:
        if value.dtype.hasobject:
            raise PluginError(f"{where} is an array of objects: an artifact holds arrays of numbers or text")
        path = self.name(".npy")
        np.save(path, np.asarray(value, order="C"), allow_pickle=False)
        self.files[path.name] = sha256_file(path)
        return {"$array": path.name}

    def file(self, source: Path, where: str) -> dict[str, str]:
        if not source.is_file():
            raise PluginError(f"{where} is {source}, which is no file")
        path = self.name(source.suffix.lower())
        if not self.linked(source, path):
            shutil.copyfile(source, path)
        self.files[path.name] = _file_digest(path)
        return {"$file": path.name}

    def rows(self, value: MemoryRows | StoredRows) -> dict[str, Any]:
        path = self.name(".f32")
        if isinstance(value, StoredRows) and self.linked(value.path, path):
            stored = value
        else:
            with RowsWriter(path, channels=value.shape[1]) as writer:
                for start in range(0, value.shape[0], ROWS_AT_ONCE):
                    writer.write(value.read(start, start + ROWS_AT_ONCE))
                stored = writer.close()
        self.files[path.name] = rows_digest(stored.hashes)
        return {"$rows": path.name, "shape": list(stored.shape), "hashes": list(stored.hashes)}

    def linked(self, source: Path, target: Path) -> bool:
        """Whether the file stands at `target` without a copy; the source stays, as two fields may name it."""
        source = source.resolve()
        if not any(source.is_relative_to(folder) for folder in self.movable):
            return False
        try:
            os.link(source, target)
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class _Unpacker:
    folder: Path
    files: Mapping[str, str]
    kinds: Callable[[str], type[Artifact]]

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self.value(item) for item in value)
        if not isinstance(value, dict):
            return value
        if "$artifact" in value:
            parts = {name: self.value(part) for name, part in value["parts"].items()}
            return self.kinds(value["$artifact"]).from_parts(parts)
        if "$rows" in value:
            frames, channels = value["shape"]
            return StoredRows(self.folder / value["$rows"], frames, channels, tuple(value["hashes"]))
        if "$array" in value:
            return np.load(self.file(value["$array"]), allow_pickle=False)
        if "$file" in value:
            return self.file(value["$file"])
        return {name: self.value(item) for name, item in value.items()}

    def file(self, name: str) -> Path:
        path = self.folder / name
        if _file_digest(path) != self.files[name]:
            raise DamagedError(str(path))
        return path
