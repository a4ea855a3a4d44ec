"""Files that are written whole or not at all."""

import os
from pathlib import Path

from ripieno.contracts import StepError


def write(path: Path, content: bytes) -> None:
    """Write a file, and make its folder where there is none.

    Raises
    ------
    StepError
        If the file system refuses.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise StepError(f"{path}: cannot be written: {error.strerror}") from error
