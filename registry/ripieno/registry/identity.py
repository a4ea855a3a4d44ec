"""What a plugin's code is, for cache keys: its files, its dependencies, its programs."""

import hashlib
import os
from itertools import accumulate
from pathlib import Path

from .digests import FileDigests


def code_root(module: str) -> Path:
    """The folder of a module's package, or the file of one without; nothing of it is imported.

    Raises
    ------
    ModuleNotFoundError
        If it is not there.
    """
    from importlib.util import find_spec

    names = list(accumulate(module.split("."), "{}.{}".format))
    # Looking for a dotted name imports its parents: only namespace packages here, which have no code.
    for name in names:
        spec = find_spec(name)
        if spec is None:
            break
        if spec.origin and spec.has_location:
            in_package = "." in name or spec.submodule_search_locations is not None
            return Path(spec.origin).parent if in_package else Path(spec.origin)
    raise ModuleNotFoundError(f"No module named {names[0]!r}", name=names[0])


def code_hash(root: Path, digests: FileDigests) -> str:
    """SHA-256 over the names and digests of all files of a package but compiled Python.

    Parameters
    ----------
    root : Path
        A package's folder or a module's file.
    digests : FileDigests
        What remembers the digests of files that did not change.
    """
    whole = hashlib.sha256()
    for path in sorted(_files(root)):
        name = path.relative_to(root).as_posix()
        whole.update(f"{name}\0{digests.digest(path)}\n".encode())
    return whole.hexdigest()


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [Path(folder, name) for name in names if not name.endswith((".pyc", ".pyo"))]
    return found
