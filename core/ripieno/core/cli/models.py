"""``core models``: weights and assets."""

import sys

import click

from ripieno.registry import Catalogue, CatalogueEntry, Registry
from ripieno.registry.download import terms


def _catalogue() -> Catalogue:
    return Catalogue(Registry())


@click.group()
def command() -> None:
    """List and fetch weights and assets; nothing else ever downloads."""


@command.command("list")
def list_models() -> None:
    """List what plugins know of, and what is here."""
    entries = _catalogue().list()
    if not entries:
        click.echo("no plugin that is installed names weights or assets", err=True)
    for entry in entries:
        asset = entry.asset
        use = "" if asset.commercial else ", not for commercial use"
        click.echo(f"{entry.name} {asset.version}  {terms(asset)}{use}  {_where(entry)}")


def _where(entry: CatalogueEntry) -> str:
    if not entry.asset.sha256:
        return f"to be got by hand: {entry.asset.url}"
    return "here" if entry.path else f"not here: core models get {entry.name}"


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Tell all about one."""
    for key, value in _catalogue().asset(name).model_dump().items():
        click.echo(f"{key}: {value}")


@command.command()
@click.argument("name")
def get(name: str) -> None:
    """Fetch and verify one; an interrupted download goes on where it stopped."""
    if not sys.stderr.isatty():
        click.echo(_catalogue().get(name))
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(name, total=None)
        path = _catalogue().get(
            name, lambda done, total: progress.update(bar, completed=done, total=total or None)
        )
    click.echo(path)
