"""The page a run leaves behind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_report(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.html`` into a run folder from its manifest."""
