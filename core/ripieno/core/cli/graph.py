"""``core graph``: a pipeline as a picture."""

from pathlib import Path

import click

from ripieno.contracts.errors import ConfigError
from ripieno.registry import Registry

from .. import manifest
from ..planner import make_plan
from ..store import write_atomically
from .asked import asked


@click.command()
@click.argument("pipeline")
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", help="A file or glob for an input.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    help="By the suffix of --output where not given.",
)
@click.option("--output", type=click.Path(path_type=Path), help="A file; standard output where not given.")
def command(pipeline: str, inputs: tuple[str, ...], form: str | None, output: Path | None) -> None:
    """Draw PIPELINE as it will run, adapters included."""
    from ..graph import mermaid, svg

    if output is not None and output.suffix not in (".svg", ".mmd", ".md", ".txt"):
        raise ConfigError(f"--output {output}: a graph is written as .svg, or as Mermaid in .mmd or .md")
    wanted = asked(pipeline, inputs, ())
    graph = manifest.graph_of(make_plan(wanted, Registry(allow=wanted.allow)))
    as_svg = form == "svg" or (form is None and output is not None and output.suffix == ".svg")
    text = svg(graph) if as_svg else mermaid(graph)
    if output is None:
        click.echo(text)
    else:
        write_atomically(output, text)
        click.echo(output)
