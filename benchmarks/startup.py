"""How long the command takes to say a word, with 200 distributions of plugins installed."""

from collections.abc import Iterator

from .figures import Bar, Row
from .peers import installed, shown
from .place import DUMMIES, Place
from .processes import interleaved

RUNS = 11


def rows(place: Place) -> Iterator[Row]:
    """``--help``, ``--version`` and ``plugins list``."""
    folder = place.room("startup")
    for option in ("--help", "--version"):
        peers = {peer.name: peer.command(option, folder=folder) for peer in installed()}
        ours = place.core(option, folder=folder, site=place.dummies)
        found = interleaved({"core": ours, **peers}, runs=RUNS)
        core = found.pop("core")
        yield Row(
            f"core {option}, {DUMMIES} plugins",
            core.wall_s,
            Bar(0.10, "s"),
            note=f"CPU {core.cpu_s:.3f} s",
            peers=shown(found),
        )
    ours = place.core("plugins", "list", folder=folder, site=place.dummies)
    core = interleaved({"core": ours}, runs=RUNS)["core"]
    yield Row(
        f"core plugins list, {DUMMIES} plugins", core.wall_s, Bar(0.25, "s"), note=f"CPU {core.cpu_s:.3f} s"
    )
