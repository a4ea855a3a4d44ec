"""``core schema``: what an editor needs to complete pipeline files."""

import json
from pathlib import Path

import click

from ripieno.registry import Registry

from ..schema import pipeline_schema
from ..store import write_atomically


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="A file; standard output where not given.")
def command(output: Path | None) -> None:
    """Write the JSON schema of pipeline files, with the settings of every installed plugin."""
    text = json.dumps(pipeline_schema(Registry()), indent=1, ensure_ascii=False)
    if output is None:
        click.echo(text)
    else:
        write_atomically(output, text + "\n")
        click.echo(output)
