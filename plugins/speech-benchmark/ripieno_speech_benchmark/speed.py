"""How fast pipelines were: apart from their scores, since no two machines agree on it."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from .scores import write_text

HEAD = "pipeline,real_time_factor"


def write(path: Path, factors: Mapping[str, float]) -> None:
    """Write the real-time factors that are known."""
    rows = [f"{name},{factor:.5f}" for name, factor in sorted(factors.items()) if not math.isnan(factor)]
    write_text(path, "".join(f"{row}\n" for row in (HEAD, *rows)))


def read(path: Path) -> dict[str, float]:
    """Real-time factors by pipeline; none where there is no such file."""
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        return {row["pipeline"]: float(row["real_time_factor"]) for row in csv.DictReader(file)}
