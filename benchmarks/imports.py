"""What ``import ripieno.contracts`` adds to a bare interpreter."""

import sys
from collections.abc import Iterator
from statistics import median

from .figures import Bar, Row
from .place import Place
from .processes import Command, interleaved

RUNS = 21


def rows(place: Place) -> Iterator[Row]:
    """The difference of the medians."""
    commands = {
        what: Command((sys.executable, "-c", code), place.folder)
        for what, code in (("bare", "pass"), ("contracts", "import ripieno.contracts"))
    }
    found = interleaved(commands, runs=RUNS)
    bare, contracts = found["bare"], found["contracts"]
    added_ms = 1000 * (median(contracts.wall_s) - median(bare.wall_s))
    cpu_ms = 1000 * (contracts.cpu_s - bare.cpu_s)
    bare_ms = 1000 * median(bare.wall_s)
    yield Row(
        "import ripieno.contracts",
        [added_ms],
        Bar(20, "ms"),
        note=f"CPU {cpu_ms:.1f} ms, over {bare_ms:.0f} ms of bare Python",
    )
