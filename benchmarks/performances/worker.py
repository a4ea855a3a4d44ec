"""A worker alone: one process that makes sets of clips by turns, and says what each took.

``python -m benchmarks.performances.worker FOLDER SEED TURNS COUNT DURATION_S SOURCE/INSTRUMENT …`` leaves
``turns.json`` in the folder, and the sets in folders beside it.
"""

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ripieno.contracts.context import Context, derive_seed, temporary_folder, use_context
from ripieno.core.threads import ONE_THREAD
from ripieno.registry import Registry

from ..place import Place, python_command
from ..processes import Peak, anonymous_bytes, measure_memory
from .kinds import DATA, Kind

TURNS = "turns.json"
MANIFEST = "dataset_manifest.json"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Turn:
    """One set of clips: where it lies, what it took, and what memory the process then has."""

    folder: str
    cpu_s: float
    wall_s: float
    resident_mb: float


def work(
    place: Place, name: str, kinds: tuple[Kind, ...], *, seed: int, turns: int, count: int, duration_s: float
) -> tuple[list[Turn], Peak]:
    """Sets of `count` clips of each kind, by turns, made in a process of its own that was warmed before."""
    folder = place.room(name)
    numbers = map(str, (seed, turns, count, duration_s))
    command = python_command(
        sys.executable, "-m", __name__, str(folder), *numbers, *(kind.uses for kind in kinds),
        folder=ROOT, site=place.noop, store=place.store,
    )  # fmt: skip
    environment = {**command.environment, **ONE_THREAD, "RIPIENO_DATA": str(DATA)}
    _, peak = measure_memory(replace(command, environment=environment))
    return [Turn(**turn) for turn in json.loads((folder / TURNS).read_text(encoding="utf-8"))], peak


def main() -> None:
    """Warm every kind with a clip, then make the sets."""
    folder, seed, turns, count, duration_s, *names = sys.argv[1:]
    root, registry, made = Path(folder), Registry(), []
    for turn in range(-1, int(turns)):
        for name in names:
            source, instrument = name.split("/")
            clips = 1 if turn < 0 else int(count)
            settings = {"instrument": instrument, "count": clips, "duration_s": float(duration_s)}
            plugin = registry.build(f"data_source/{source}", settings)
            own = derive_seed(int(seed), name, str(turn))
            made.append(_turn(plugin, root / f"{source}-{instrument}-{turn}", seed=own))
    timed = made[len(names) :]
    (root / TURNS).write_text(json.dumps([asdict(turn) for turn in timed]), encoding="utf-8")


def _turn(plugin: Any, folder: Path, *, seed: int) -> Turn:
    folder.mkdir()
    before_s, begun_s = _cpu_s(), time.perf_counter()
    with temporary_folder() as scratch, use_context(Context(scratch, folder, seed=seed)):
        made = plugin.generate()
    cpu_s, wall_s = _cpu_s() - before_s, time.perf_counter() - begun_s
    (folder / MANIFEST).write_text(json.dumps(made.manifest), encoding="utf-8")
    return Turn(str(folder), cpu_s, wall_s, anonymous_bytes(os.getpid()) / 1e6)


def _cpu_s() -> float:
    """Of this process, and of the programs that it has run."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
