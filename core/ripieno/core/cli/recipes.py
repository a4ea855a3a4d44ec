"""``core recipes``: pipelines that came with plugins."""

import sys

import click

from ripieno.contracts.errors import RipienoError
from ripieno.registry import Registry

from ..recipes import find_pipeline


@click.command()
def command() -> None:
    """List recipes with their inputs: core run NAME --input song=my.mp3."""
    registry = Registry()
    names = registry.names("recipe")
    if not names:
        click.echo('no recipes are installed. Run: pip install "ripieno[film]"', err=True)
    failed = False
    for name in names:
        try:
            pipeline = find_pipeline(name, registry)
        except RipienoError as error:
            click.echo(str(error), err=True)
            failed = True
            continue
        click.echo(f"{name}  {pipeline.description}".rstrip())
        for given in pipeline.inputs.values():
            need = f"default {given.path}" if given.path else "needed"
            click.echo(f"  --input {given.name}=PATH  {given.kind}, {need}. {given.description}".rstrip())
    sys.exit(1 if failed else 0)
