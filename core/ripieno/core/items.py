"""The files behind an input, each with a key that names it everywhere.

Conventions
-----------
The key of a file is its path below the fixed part of the glob, without suffix, with ``/`` between
folders, in NFC; the key of a plain path is its stem. The label is the key as a file name: readable,
safe on every system, and different for different keys.
"""

import glob
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from ripieno.contracts.errors import InputError, PipelineError

from .pipeline import Input, is_glob

LONGEST_LABEL_BYTES = 120
_UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One file of an input.

    Parameters
    ----------
    key : str
        Names it; empty for the only file of an input that is no list.
    path : Path
        Where it is.
    label : str
        The key as a relative file name.
    facts : mapping
        What the ``items`` file says of it.
    settings : mapping of str to mapping
        Settings by step name that hold for this item alone.
    """

    key: str
    path: Path
    label: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def items_of(source: Input) -> tuple[Item, ...]:
    """The files of an input, in order.

    Raises
    ------
    PipelineError
        If no path is given.
    InputError
        If nothing is there, a glob matches nothing, or the ``items`` file is wrong.
    """
    if source.items is not None:
        return _listed(source)
    if source.path is None:
        raise PipelineError(f"input {source.name!r} has no path. Give one: --input {source.name}=PATH")
    paths = _matches(source)
    keys = _keys(source, paths)
    return tuple(Item(key, path, label) for key, path, label in zip(keys, paths, labels(keys), strict=True))


def _matches(source: Input) -> list[Path]:
    assert source.path is not None
    pattern = source.folder / Path(source.path).expanduser()
    # A file whose own name holds a bracket or a star is that file.
    if not is_glob(source.path) or pattern.exists():
        if not pattern.exists():
            raise InputError(f"input {source.name!r}: no file {pattern}")
        return [pattern]
    # A folder's own stars are literal: only what the user wrote is a pattern.
    root = source.folder if not Path(source.path).expanduser().is_absolute() else Path()
    found = glob.glob(str(Path(source.path).expanduser()), root_dir=root, recursive=True)
    paths = sorted((root / name for name in found if (root / name).is_file()), key=_order)
    if not paths:
        raise InputError(f"input {source.name!r}: no file matches {pattern}")
    return paths


def _order(path: Path) -> str:
    return unicodedata.normalize("NFC", path.as_posix())


def _keys(source: Input, paths: list[Path]) -> list[str]:
    assert source.path is not None
    if not is_glob(source.path) or (len(paths) == 1 and paths[0] == source.folder / source.path):
        return [_nfc(paths[0].stem)]
    fixed = _fixed_part(source.folder / Path(source.path).expanduser()).parts
    below = [PurePath(*path.parts[len(fixed) :]) for path in paths]
    keys = [_nfc(path.with_suffix("").as_posix()) for path in below]
    twice = {key for key, count in Counter(keys).items() if count > 1}
    return [_nfc(path.as_posix()) if key in twice else key for key, path in zip(keys, below, strict=True)]


def _fixed_part(pattern: Path) -> Path:
    """The folders before the first pattern; the last part is never one of them."""
    parts = pattern.parts
    count = next((index for index, part in enumerate(parts) if is_glob(part)), len(parts) - 1)
    return Path(*parts[:count])


def _nfc(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def _listed(source: Input) -> tuple[Item, ...]:
    assert source.items is not None
    path = source.folder / Path(source.items).expanduser()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"input {source.name!r}: items {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if isinstance(rows, dict):
        rows = rows.get("items", rows.get("tracks"))
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f'{path}: expected a list of items, [{{"src": "song.wav", …}}, …]')
    files = [_source_file(path, index, row) for index, row in enumerate(rows)]
    keys = [_nfc(str(row.get("id") or PurePath(row["src"]).with_suffix("").as_posix())) for row in rows]
    for key, count in Counter(keys).items():
        if count > 1:
            raise InputError(f"{path}: {count} items are called {key!r}. Give each an `id` of its own")
    return tuple(
        Item(key, file, label, {k: v for k, v in row.items() if k != "with"}, _settings(path, index, row))
        for index, (key, file, label, row) in enumerate(zip(keys, files, labels(keys), rows, strict=True))
    )


def _source_file(path: Path, index: int, row: Mapping[str, Any]) -> Path:
    name = row.get("src")
    if not isinstance(name, str) or not name:
        raise InputError(f"{path}: item {index + 1} has no `src`: the file, relative to the list")
    file = path.parent / name
    if PurePath(name).is_absolute() or not file.resolve().is_relative_to(path.parent.resolve()):
        raise InputError(f"{path}: item {index + 1}: {name} lies outside the list's folder")
    if not file.exists():
        raise InputError(f"{path}: item {index + 1}: no file {file}")
    return file


def _settings(path: Path, index: int, row: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    settings = row.get("with", {})
    if not isinstance(settings, dict) or not all(isinstance(value, dict) for value in settings.values()):
        raise InputError(f"{path}: item {index + 1}: `with` is {{step: {{key: value}}}}")
    return settings


def labels(keys: Iterable[str]) -> list[str]:
    """A file name for each key.

    What some system cannot store becomes ``_``, and a few hex digits of the key then keep it apart.
    """
    made = []
    seen: set[str] = set()
    for key in keys:
        label = "/".join(_safe(part) for part in key.split("/") if part not in ("", ".", "..")) or "_"
        if label != key or label.casefold() in seen:
            label = f"{label}~{hashlib.sha256(key.encode()).hexdigest()[:6]}"
        seen.add(label.casefold())
        made.append(label)
    return made


def _safe(part: str) -> str:
    safe = _UNSAFE.sub("_", part)
    safe = re.sub(r"^[-~]", "_", safe).rstrip(". ") or "_"
    if _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    return safe.encode()[:LONGEST_LABEL_BYTES].decode(errors="ignore")
