"""The page a run leaves behind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "report.html"


def write_report(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.html`` into a run folder from its manifest: one file, that asks for nothing outside it.

    Parameters
    ----------
    manifest : mapping
        See `ripieno.core.manifest.describe`.
    folder : Path
        The run folder, with the outputs in it.
    """
    from ..store import write_atomically
    from .page import render

    write_atomically(folder / NAME, render(manifest, folder))
