"""Measures what is asked for and prints the table row by row."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import (
    album_film,
    demucs,
    film,
    imports,
    lines,
    memory,
    planning,
    playing,
    rhythm,
    speech,
    startup,
    steps,
)
from .figures import Row
from .place import Place

BENCHMARKS: dict[str, Callable[[Place], Iterator[Row]]] = {
    "startup": startup.rows,
    "imports": imports.rows,
    "steps": steps.rows,
    "planning": planning.rows,
    "memory": memory.rows,
    "film": film.rows,
    "album-film": album_film.rows,
    "rhythm": rhythm.rows,
    "playing": playing.rows,
    "speech": speech.rows,
    "demucs": demucs.rows,
    "lines": lines.rows,
}
HEADS = ("what", "bar", "measured", "peers", "")
WIDTHS = (44, 12, 40)


def main() -> None:
    """Measure the benchmarks named, or all."""
    parser = ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--markdown", action="store_true", help="as a table in Markdown")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}: there are {', '.join(BENCHMARKS)}")
    show = _markdown if asked.markdown else _plain
    show(HEADS)
    if asked.markdown:
        show(["---"] * len(HEADS))
    with tempfile.TemporaryDirectory(prefix="ripieno-benchmarks-") as folder:
        place = Place(Path(folder))
        for name in asked.names or BENCHMARKS:
            for row in BENCHMARKS[name](place):
                show(row.cells)


def _plain(cells: Sequence[str]) -> None:
    *first, peers, verdict = cells
    line = "  ".join(f"{cell:<{width}}" for cell, width in zip(first, WIDTHS, strict=True))
    print(f"{line}  {verdict:<4}  {peers}".rstrip(), flush=True)


def _markdown(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
