"""The files behind an input, each with a key that names it everywhere.

Conventions
-----------
The key of a file is its path below the fixed part of the glob, with ``/`` between folders, in NFC,
without suffix unless two files would be called the same; the key of a plain path is its stem. The label
is the key as a file name: readable, safe on every system, and different for different keys.
"""

import glob
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from ripieno.contracts.errors import InputError, PipelineError

from .pipeline import Input, expanded, is_glob
from .tracklist import ListError, Track, read_list

LONGEST_LABEL_BYTES = 120
_UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One file of an input.

    Parameters
    ----------
    key : str
        Names it among the files of its input.
    path : Path
        Where it is.
    label : str
        The key as a relative file name.
    facts : mapping
        What the ``items`` file says of it, see `ripieno.core.facts`; `art` is the path of the cover.
    settings : mapping of str to mapping
        Settings by step name that hold for this item alone.
    track : Track or None
        Where the ``items`` file says all this.
    """

    key: str
    path: Path
    label: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    track: Track | None = field(default=None, repr=False, compare=False)


def items_of(source: Input) -> tuple[Item, ...]:
    """The files of an input, in order.

    Raises
    ------
    PipelineError
        If no path is given.
    InputError
        If nothing is there, a glob matches nothing, or the ``items`` file is wrong; then a `ListError`.
    """
    if source.items is not None:
        return _listed(source)
    if source.path is None:
        raise PipelineError(f"input {source.name!r} has no path. Give one: --input {source.name}=PATH")
    path = expanded(source.path)
    # A file whose own name holds a bracket or a star is that file.
    if not is_glob(source.path) or os.path.exists(source.folder / path):
        return (_plain(source, source.folder / path),)
    below, paths = _matches(source, path)
    keys = [_nfc(name.with_suffix("").as_posix()) for name in below]
    if len(set(keys)) < len(keys):
        keys = [_nfc(name.as_posix()) for name in below]
    if len(set(keys)) < len(keys):
        raise InputError(
            f"input {source.name!r}: names of files differ in nothing that can be seen. Rename one"
        )
    return tuple(Item(key, path, label) for key, path, label in zip(keys, paths, labels(keys), strict=True))


def _plain(source: Input, path: Path) -> Item:
    if not os.path.exists(path):
        raise InputError(f"input {source.name!r}: no file {path}")
    key = _readable(source, _nfc(path.stem))
    return Item(key, path, labels([key])[0])


def _matches(source: Input, pattern: Path) -> tuple[list[PurePath], list[Path]]:
    """The files that fit, as they stand below the fixed part of the pattern and as they are."""
    fixed = _fixed_part(source.folder, pattern)
    names = glob.glob(str(pattern.relative_to(fixed)), root_dir=source.folder / fixed, recursive=True)
    files = [PurePath(name) for name in names if (source.folder / fixed / name).is_file()]
    if not files:
        raise InputError(f"input {source.name!r}: no file matches {source.folder / pattern}")
    below = sorted(files, key=lambda name: _nfc(_readable(source, name.as_posix())))
    return below, [source.folder / fixed / name for name in below]


def _fixed_part(folder: Path, pattern: Path) -> Path:
    """The folders before the first pattern; one whose own name holds a bracket or a star is that folder."""
    fixed = Path()
    for part in pattern.parts:
        if is_glob(part) and not os.path.exists(folder / fixed / part):
            break
        fixed /= part
    return fixed


def _nfc(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def _readable(source: Input, name: str) -> str:
    try:
        name.encode()
        return name
    except UnicodeEncodeError as error:
        raise InputError(f"input {source.name!r}: the file name {name!a} is not UTF-8. Rename it") from error


def _listed(source: Input) -> tuple[Item, ...]:
    assert source.items is not None
    path = source.folder / expanded(source.items)
    if not os.path.exists(path):
        raise InputError(f"input {source.name!r}: no items file {path}")
    tracks = read_list(path)
    keys = [_key(track) for track in tracks]
    _refuse_namesakes(tracks, keys)
    return tuple(
        Item(key, track.file("src"), label, _facts(track), track.row.get("with", {}), track)
        for key, label, track in zip(keys, labels(keys), tracks, strict=True)
    )


def _key(track: Track) -> str:
    row = track.row
    return _nfc(row.get("id") or PurePath(row["src"]).with_suffix("").as_posix())


def _refuse_namesakes(tracks: Sequence[Track], keys: Sequence[str]) -> None:
    first: dict[str, Track] = {}
    problems = [
        f"{track.at('id' if 'id' in track.row else 'src')}: item {track.number} is called {key!r}, as item "
        f"{first[key].number} is. Give each an `id` of its own"
        for key, track in zip(keys, tracks, strict=True)
        if first.setdefault(key, track) is not track
    ]
    if problems:
        raise ListError("\n".join(problems))


def _facts(track: Track) -> Mapping[str, Any]:
    """What plugins are told of a track; its cover is a file that they can open."""
    facts = {name: value for name, value in track.row.items() if name != "with"}
    if "art" in facts:
        facts["art"] = str(track.file("art").absolute())
    return facts


def labels(keys: Iterable[str]) -> list[str]:
    """A file name for each key.

    What some system cannot store becomes ``_``, and a few hex digits of the key then keep it apart.
    """
    made = []
    seen: set[str] = set()
    for key in keys:
        label = "/".join(_safe(part) for part in key.split("/") if part not in ("", ".", "..")) or "_"
        if label != key or label.casefold() in seen:
            digits = hashlib.sha256(key.encode()).hexdigest()
            marked = (f"{label}~{digits[:count]}" for count in range(6, len(digits) + 1))
            label = next(name for name in marked if name.casefold() not in seen)
        seen.add(label.casefold())
        made.append(label)
    return made


def _safe(part: str) -> str:
    safe = re.sub(r"^[-~]", "_", _UNSAFE.sub("_", part)).rstrip(". ")
    safe = f"_{safe}" if _RESERVED.fullmatch(safe) else safe
    return safe.encode()[:LONGEST_LABEL_BYTES].decode(errors="ignore").rstrip(". ") or "_"
