"""How long the planner takes for long pipelines and for many files, and whether twice as many take twice as long."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

from .figures import Bar, Row
from .place import Place
from .processes import Usages, interleaved

RUNS = 3
HEAD = "ripieno: 1\ninputs:\n  text: {kind: text, path: 'texts/*.txt', many: true}\nsteps:\n"


def rows(place: Place) -> Iterator[Row]:
    """``core check`` of a chain of steps, and of two steps over many files."""
    for what, number, limit_s, make in (
        ("a chain of {:,} steps", 1000, 1.0, _chain),
        ("{:,} files through two steps", 10_000, 3.0, _broadcast),
    ):
        found = _checked(place, (1, number, 2 * number), make)
        once, twice = found[number], found[2 * number]
        ratio = (twice.cpu_s - found[1].cpu_s) / (once.cpu_s - found[1].cpu_s)
        yield Row(
            f"core check, {what.format(number)}",
            once.wall_s,
            Bar(limit_s, "s"),
            note=f"CPU {once.cpu_s:.2f} s; twice as many {median(twice.wall_s):.2f} s, ratio {ratio:.2f}",
        )


def _checked(place: Place, numbers: tuple[int, ...], make: Callable[[Path, int], None]) -> dict[int, Usages]:
    commands = {}
    for number in numbers:
        folder = place.room(f"{make.__name__}-{number}")
        (folder / "texts").mkdir()
        make(folder, number)
        commands[str(number)] = place.core("check", "pipeline.yaml", folder=folder, site=place.noop)
    return {int(number): usages for number, usages in interleaved(commands, runs=RUNS).items()}


def _chain(folder: Path, steps: int) -> None:
    _write_texts(folder, 1)
    names = ["text", *(f"step{number}" for number in range(steps))]
    lines = [
        f"  {name}: {{uses: joiner/noop, in: {{text: {before}}}, with: {{number: {number}}}}}\n"
        for number, (before, name) in enumerate(pairwise(names))
    ]
    (folder / "pipeline.yaml").write_text(HEAD + "".join(lines), encoding="utf-8")


def _broadcast(folder: Path, files: int) -> None:
    _write_texts(folder, files)
    steps = "  one: {uses: joiner/noop, in: {text: text}}\n  two: {uses: joiner/noop, in: {text: one}}\n"
    outputs = "outputs:\n  two: two/{item}.txt\n"
    (folder / "pipeline.yaml").write_text(HEAD + steps + outputs, encoding="utf-8")


def _write_texts(folder: Path, number: int) -> None:
    for index in range(number):
        (folder / "texts" / f"{index:06}.txt").write_text(f"{index}\n", encoding="utf-8")
