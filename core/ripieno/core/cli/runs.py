"""``core runs``: what was run, and the store behind it."""

import json
import re
import sys
from pathlib import Path

import click

from ripieno.contracts.errors import ConfigError

from ..manifest import NAME
from ..store import open_store, sweep

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@click.group()
def command() -> None:
    """List runs; verify and clean the store."""


@command.command("list")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Where run folders are.")
def list_runs(runs: Path) -> None:
    """List runs, the newest first."""
    found = sorted(runs.glob(f"*/{NAME}"), reverse=True)
    if not found:
        click.echo(f"no runs in {runs.absolute()}", err=True)
    for path in found:
        document = json.loads(path.read_text(encoding="utf-8"))
        steps = document["steps"]
        cached = sum(1 for step in steps if step["status"] == "cached")
        stopped = any(step["status"] == "waiting" for step in steps)
        verdict = "ok" if document["ok"] else "interrupted" if stopped else "FAILED"
        click.echo(
            f"{path.parent}  {verdict}  {document['seconds']:.1f} s  {len(steps)} tasks, {cached} from the store"
        )


@command.command()
def verify() -> None:
    """Read everything in the store and drop what is damaged."""
    store = open_store()
    digests = store.digests()
    damaged = {digest: path for digest in digests if (path := store.verify(digest))}
    for digest, path in damaged.items():
        store.drop(digest)
        click.echo(f"{path}: damaged; dropped, it is made again when it is needed")
    click.echo(f"{len(digests)} artifacts read, {len(damaged)} damaged")
    sys.exit(1 if damaged else 0)


@command.command()
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    metavar="AGE",
    help="Not used for so long: 12h, 30d, 0s.",
)
def gc(older_than: str) -> None:
    """Remove from the store what was not used for a while."""
    swept = sweep(open_store(), older_than_s=age_s(older_than))
    click.echo(
        f"{swept.keys} results and {swept.objects} artifacts removed, {swept.bytes / 1e6:.1f} MB freed"
    )


def age_s(text: str) -> float:
    """Seconds of ``30d``, ``12h``.

    Raises
    ------
    ConfigError
        If it is not a number and a unit.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if match is None:
        raise ConfigError(f"--older-than {text}: write a number and s, m, h, d or w, e.g. 30d")
    return float(match[1]) * UNITS_S[match[2]]
