"""How fast pipelines were: apart from their scores, since no two machines agree on it."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from ripieno.contracts import InputError, write_whole

HEAD = "pipeline,real_time_factor"


def write(path: Path, factors: Mapping[str, float]) -> None:
    """Write the real-time factors that are known."""
    rows = [f"{name},{factor:.5f}" for name, factor in sorted(factors.items()) if not math.isnan(factor)]
    write_whole(path, "".join(f"{row}\n" for row in (HEAD, *rows)).encode())


def read(path: Path) -> dict[str, float]:
    """Real-time factors by pipeline; none where there is no such file.

    Raises
    ------
    InputError
        If it is another table.
    """
    if not path.is_file():
        return {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return {row["pipeline"]: float(row["real_time_factor"]) for row in csv.DictReader(file)}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path}: not a table of real-time factors: {error}. Delete it, or run again"
        ) from error
