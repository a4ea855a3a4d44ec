"""The clips of a set, as its manifest lists them, or as they lie in its folder.

Conventions
-----------
A set is reported as it is found: what is missing or broken is a line of text among `problems`, and the
rest is shown. The manifest is that of a set of pairs, ``dataset_manifest.json``; keys that it lacks are
taken as unknown.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ripieno.contracts import InputError, Licence

from ..show.sound import find_sound, stem_of

MANIFEST = "dataset_manifest.json"
SUFFIXES = (".cont", ".cont.gz")


@dataclass(frozen=True)
class Clip:
    """A recording and its label.

    Parameters
    ----------
    name, split : str
        ``split`` is empty where it is not known.
    seed : int
        0 where it is not known.
    cont : Path
    audio : Path, optional
    """

    name: str
    cont: Path
    audio: Path | None = None
    split: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Folder:
    """A set of clips.

    Parameters
    ----------
    path : Path
    clips : tuple of Clip
    source : str
        The plugin that made it; empty where that is not known.
    seed : int, optional
    versions, settings : mapping of str to JSON
    licences : tuple of Licence
    dropped : Counter
        Attempts that did not pass, by reason.
    attempts_dropped : int
    masked : Counter
        Notes that could not be confirmed, by reason.
    problems : tuple of str
        What could not be read.
    """

    path: Path
    clips: tuple[Clip, ...]
    source: str = ""
    seed: int | None = None
    versions: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    licences: tuple[Licence, ...] = ()
    dropped: Counter[str] = field(default_factory=Counter)
    attempts_dropped: int = 0
    masked: Counter[str] = field(default_factory=Counter)
    problems: tuple[str, ...] = ()


def open_folder(path: Path) -> Folder:
    """The set in a folder.

    Raises
    ------
    InputError
        If it is no folder, or holds neither a manifest nor a ``.cont`` file.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; core data report wants the folder of a data set")
    manifest, problems = _manifest(path)
    clips = list(_clips(manifest, path, problems))
    if not clips and manifest.get("clips") != []:
        clips = [_found(cont, path) for cont in sorted(path.rglob("*")) if cont.name.endswith(SUFFIXES)]
    if not clips and not manifest:
        raise InputError(f"{path}: neither a {MANIFEST} nor a .cont file in it")
    dropped = _rows(manifest, "dropped")
    return Folder(
        path,
        tuple(clips),
        source=str(manifest.get("source", "")),
        seed=_whole(manifest.get("seed"), None),
        versions=_mapping(manifest.get("versions")),
        settings=_mapping(manifest.get("settings")),
        licences=tuple(licence for row in _rows(manifest, "licences") if (licence := _licence(row))),
        dropped=Counter(reason for row in dropped for reason in _reasons(row.get("faults"))),
        attempts_dropped=len(dropped),
        masked=Counter(
            reason
            for row in _rows(manifest, "clips")
            for fault in _texts(row.get("note_faults"))
            for reason in _reasons([fault])
        ),
        problems=tuple(problems),
    )


def reason_of(fault: str) -> str:
    """A fault without the numbers and places that only one clip has.

    ``note at 3.214 s: sounds +31 cents from the plan`` is ``sounds … cents from the plan``.
    """
    words = re.split(": |, ", re.sub(r"^note at [^:]*: ", "", fault))[0]
    words = re.sub(r"[-+\N{MINUS SIGN}]?\d[\d.]*", "…", words)
    return re.sub("^(… |of )+", "", words).strip() or "no reason given"


def _manifest(path: Path) -> tuple[Mapping[str, Any], list[str]]:
    file = path / MANIFEST
    if not file.exists():
        return {}, [f"{MANIFEST}: not here; the .cont files of the folder are shown"]
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [f"{MANIFEST}: cannot be read ({error}); the .cont files of the folder are shown"]
    if not isinstance(manifest, dict):
        return {}, [f"{MANIFEST}: not a JSON object; the .cont files of the folder are shown"]
    return manifest, []


def _clips(manifest: Mapping[str, Any], path: Path, problems: list[str]) -> Iterable[Clip]:
    for number, row in enumerate(_rows(manifest, "clips")):
        name = str(row.get("name", f"clip {number}"))
        cont, audio = row.get("cont"), row.get("audio")
        if not _is_inside(cont):
            problems.append(
                f"{name}: {MANIFEST} names {cont!r} as its .cont, which is no file of this folder"
            )
            continue
        sound = path / str(audio) if _is_inside(audio) else None
        if audio is not None and (sound is None or not sound.is_file()):
            problems.append(f"{name}: its recording {audio!r} is missing")
            sound = None
        yield Clip(name, path / str(cont), sound, str(row.get("split", "")), _whole(row.get("seed"), 0) or 0)


def _found(cont: Path, path: Path) -> Clip:
    name = cont.relative_to(path).with_name(stem_of(cont)).as_posix()
    return Clip(name, cont, find_sound(cont))


def _is_inside(name: object) -> bool:
    if not isinstance(name, str) or not name or "\0" in name:
        return False
    return not (
        PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in PurePosixPath(name).parts
    )


def _rows(manifest: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = manifest.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []


def _reasons(faults: object) -> set[str]:
    return {reason_of(fault) for fault in _texts(faults)} or {"no reason given"}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _licence(row: Mapping[str, Any]) -> Licence | None:
    if not isinstance(row.get("name"), str):
        return None
    words = {key: str(row[key]) for key in ("credit", "source") if isinstance(row.get(key), str)}
    return Licence(row["name"], commercial=row.get("commercial") is not False, **words)
