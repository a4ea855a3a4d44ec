"""Work in progress: folders named after the process that makes them, gone when it is done or dead.

Conventions
-----------
A name is ``.HOST-PID-RANDOM``: a store may be shared by several machines, and only this one knows which
of its processes live.
"""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """An empty folder in `parent` that is removed after the block."""
    folder = parent / new_name()
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_name() -> str:
    """A name that nothing has yet, and that says whose it is."""
    return f".{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"


def clear(parent: Path) -> None:
    """Remove from a folder what processes that are dead left there."""
    for path in parent.glob(f".{socket.gethostname()}-*-*"):
        pid = path.name.rsplit("-", 2)[1]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    if sys.platform == "win32":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_ended(pid)


def _is_ended(pid: int) -> bool:
    """Whether a process only waits, as a zombie, for its parent to ask; told by Linux alone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


def _is_alive_on_windows(pid: int) -> bool:
    # There, os.kill(pid, 0) is no question but Ctrl-C.
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active
