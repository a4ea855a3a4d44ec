"""Files that are written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import StepError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same suffixes, that takes its name when the block succeeds.

    The folder is made where it is missing; a block that raises leaves neither file behind.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{secrets.token_hex(8)}{''.join(target.suffixes)}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises
    ------
    StepError
        If the file system refuses.
    """
    try:
        with atomic_path(path) as part:
            part.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StepError(f"{os.fspath(path)}: cannot be written: {reason}") from error
