"""Outputs that were written before: where one still stands as it was written, it is copied.

Conventions
-----------
A file stands as it was written while its size, mtime and inode are the same, as in the store. The record
lies in the store under the output's key; the file itself stays in its run folder.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ripieno.registry.memo import write_text

from .scratch import scratch
from .store import FILE_FACTS, Store

Facts = dict[str, list[int]]


def remember(store: Store, key: str, made: list[Path], header: Mapping[str, Any]) -> None:
    """Note that these files, or folders of files, are what an output of this key looks like."""
    with suppress(OSError):  # without a note it is written anew the next time
        note = {"files": {str(path.absolute()): _facts(path) for path in made}, "header": header}
        write_text(_note(store, key), json.dumps(note, ensure_ascii=False))


def reuse(store: Store, key: str, target: Path, *, room: Path) -> Mapping[str, Any] | None:
    """Copy an output of this key to `target`, through a folder in `room`.

    Returns
    -------
    mapping or None
        The header of what it holds; None where nothing stands as it was written, or it cannot be copied.
    """
    try:
        note = json.loads(_note(store, key).read_text(encoding="utf-8"))
        header: Mapping[str, Any] = note["header"]
        first, *others = map(Path, note["files"])
        if any(_facts(Path(name)) != facts for name, facts in note["files"].items()):
            return None
        with scratch(room) as folder:
            for source in (first, *others):
                (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / source.name)
            made = place(folder, target, asked=first.name)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    remember(store, key, made, header)
    return header


def place(folder: Path, target: Path, *, asked: str) -> list[Path]:
    """Move what a codec made in a folder to where it was asked for; the file asked for first.

    Parameters
    ----------
    folder : Path
        Holds a file or folder of the name `asked`, and maybe files of the same stem beside it.
    target : Path
        Where the one asked for goes; the others go beside it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    made = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.name != asked, path.name)):
        name = target.name if path.name == asked else target.with_suffix(path.suffix).name
        made.append(target.with_name(name))
        os.replace(path, made[-1])
    return made


def _note(store: Store, key: str) -> Path:
    return store.folder / "written" / f"{key}.json"


def _facts(path: Path) -> Facts:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {
        file.relative_to(path).as_posix(): [getattr(file.stat(), fact) for fact in FILE_FACTS]
        for file in files
        if not file.is_dir()
    }
