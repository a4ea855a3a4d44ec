"""What a pipeline costs beside its work: ten steps in a row that do nothing."""

from collections.abc import Callable, Iterator
from itertools import count

from .figures import Bar, Row
from .peers import DVC, KEDRO, SNAKEMAKE, installed, shown
from .place import Place
from .processes import Command, interleaved, measure

RUNS = 5


def rows(place: Place) -> Iterator[Row]:
    """All steps to be done, after the input has changed; then all of them cached."""
    commands = {
        "core": _core(place),
        **{peer.name: make(place) for peer, make in _MAKERS.items() if peer in installed()},
    }
    changed = {name: _changing(command) for name, command in commands.items()}
    # kedro keeps nothing, so it has no second figure.
    unchanged = {name: command for name, command in commands.items() if name != KEDRO.name}
    for what, tried, limit_s in (("done", changed, 0.45), ("cached", unchanged, 0.30)):
        found = interleaved(tried, runs=RUNS)
        core = found.pop("core")
        yield Row(
            f"ten no-op steps, all {what}",
            core.wall_s,
            Bar(limit_s, "s"),
            note=f"CPU {core.cpu_s:.3f} s",
            peers=shown(found),
        )


def _changing(command: Command) -> Command:
    numbers = count()
    start = command.folder / "text0.txt"
    return Command(
        command.arguments,
        command.folder,
        command.environment,
        lambda: start.write_text(f"{next(numbers)}\n", encoding="utf-8"),
    )


def _core(place: Place) -> Command:
    return place.core("run", "pipeline.yaml", "--quiet", folder=place.project("ripieno"), site=place.noop)


def _dvc(place: Place) -> Command:
    folder = place.project("dvc")
    measure(DVC.command("init", "--no-scm", "--quiet", folder=folder))
    return DVC.command("repro", "--quiet", folder=folder)


def _kedro(place: Place) -> Command:
    return KEDRO.command("run", folder=place.project("kedro"))


def _snakemake(place: Place) -> Command:
    return SNAKEMAKE.command("--cores", "1", "--quiet", "all", folder=place.project("snakemake"))


_MAKERS: dict[object, Callable[[Place], Command]] = {DVC: _dvc, KEDRO: _kedro, SNAKEMAKE: _snakemake}
