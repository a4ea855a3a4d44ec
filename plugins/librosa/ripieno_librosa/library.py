"""librosa, compiled by one process at a time."""

import os
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType

# What these import is compiled as they are imported, and kept beside them for the next process.
COMPILED = "librosa.beat", "librosa.core.constantq", "librosa.feature.spectral"


def load_librosa() -> ModuleType:
    """librosa with its compiled functions.

    Two processes that fill Numba's cache at once can leave a function there that crashes every process after
    them (https://github.com/numba/numba/issues/10128), so each waits for the one before it.
    """
    from filelock import FileLock

    # Windows gives each user a folder of their own; elsewhere users share one.
    user = os.getuid() if hasattr(os, "getuid") else ""
    with FileLock(Path(gettempdir()) / f"ripieno-librosa-{user}.lock"):
        for name in COMPILED:
            import_module(name)
    return import_module("librosa")
