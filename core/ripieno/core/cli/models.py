"""``core models``: weights and assets."""

import sys

import click

from ripieno.contracts.errors import MissingError
from ripieno.registry import Catalogue, CatalogueEntry, Registry
from ripieno.registry.download import terms
from ripieno.registry.known import known
from ripieno.registry.suggest import did_you_mean


@click.group()
def command() -> None:
    """List and fetch weights and assets; nothing else ever downloads."""


@command.command("list")
def list_models() -> None:
    """List what plugins know of, and what is here."""
    entries = Catalogue(Registry()).list()
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
    """Tell all that is known about one."""
    for key, value in _catalogue_with(name).asset(name).model_dump(exclude_defaults=True).items():
        click.echo(f"{key}: {value}")


@command.command()
@click.argument("name")
def get(name: str) -> None:
    """Fetch and verify one; an interrupted download goes on where it stopped."""
    catalogue = _catalogue_with(name)
    if not sys.stderr.isatty():
        click.echo(catalogue.get(name))
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(name, total=None)
        path = catalogue.get(
            name, lambda done, total: progress.update(bar, completed=done, total=total or None)
        )
    click.echo(path)


def _catalogue_with(name: str) -> Catalogue:
    """The catalogue, where it or a distribution that is not installed has the name."""
    registry = Registry()
    names = registry.names("asset")
    if name not in names and f"asset/{name}" not in known():
        raise MissingError(f"no asset {name!r}{did_you_mean(name, names) or '. Run: core models list'}")
    return Catalogue(registry)
