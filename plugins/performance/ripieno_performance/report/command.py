"""``core data``: what is in a data set."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ripieno.contracts import ConfigError, Host, InputError, Performance, write_whole

if TYPE_CHECKING:
    from .folder import Clip


@click.group()
def data() -> None:
    """Look into data sets."""


@data.command()
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The page.  [default: DIR/report.html]")
@click.pass_context
def report(ctx: click.Context, directories: tuple[Path, ...], output: Path | None) -> None:
    """Draw what is in the data sets DIR: pitches, articulations, what was dropped, and ten clips to hear."""
    if output and len(directories) > 1:
        raise ConfigError(f"--output {output}: names one page, and there are {len(directories)} data sets")
    for directory in directories:
        _report(directory, output or directory / "report.html", ctx.obj)


def _report(directory: Path, output: Path, host: Host | None) -> None:
    from ..show.command import profiles_named
    from .folder import open_folder
    from .page import render
    from .players import choose, picture
    from .tally import Tally

    folder = open_folder(directory)
    tally, problems, readable = Tally(), list(folder.problems), []
    with click.progressbar(folder.clips, label="reading clips", file=sys.stderr, show_pos=True) as clips:
        for clip, performance in _read(clips, problems):
            tally.add(performance)
            readable.append(clip)
    # Read again rather than kept: a set may be larger than memory.
    players = [picture(*found, folder=output.parent) for found in _read(choose(readable), problems)]
    profiles = profiles_named(tally.instruments, host)
    write_whole(output, render(folder, tally, players, problems=problems, profiles=profiles))
    for problem in problems[:10]:
        click.echo(problem, err=True)
    if len(problems) > 10:
        click.echo(f"and {len(problems) - 10} more; all stand in the report", err=True)
    click.echo(output)


def _read(clips: "Iterable[Clip]", problems: list[str]) -> "Iterator[tuple[Clip, Performance]]":
    from ripieno.contracts import read_cont

    for clip in clips:
        try:
            yield clip, read_cont(clip.cont)
        except InputError as error:
            problems.append(str(error))
