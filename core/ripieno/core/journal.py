"""Notes of what is being done in the main process, for the next run to find after a crash."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from .scratch import is_alive
from .store import Store, write_atomically


@contextmanager
def noted(store: Store, key: str, what: str) -> Iterator[None]:
    """Keep a note of `what` in the store for as long as the block lasts."""
    path = store.folder / "running" / f"{key}.json"
    write_atomically(path, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "what": what}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def crashed(store: Store) -> list[str]:
    """What processes of this machine that are dead were doing; told once."""
    found = []
    for path in (store.folder / "running").glob("*.json"):
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            pid, host, what = note["pid"], note["host"], note["what"]
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if host == socket.gethostname() and not is_alive(pid):
            path.unlink(missing_ok=True)
            found.append(what)
    return found
