"""``core gan``: the card of a trained generator, and its figures."""

import json
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output otherwise."
)


@click.group()
def gan() -> None:
    """Work with trained generators."""


@gan.command()
@click.argument("model", type=FILE)
@click.option("--scores", type=FILE, help="Figures, as metric/generator and `core gan measure` write them.")
@OUTPUT
def card(model: Path, scores: Path | None, output: Path | None) -> None:
    """Write the card of MODEL, an .onnx file of trainer/gan, in Markdown."""
    from ripieno.contracts.codecs import ScoresFile

    from .card import card_of

    figures = None if scores is None else ScoresFile().read(scores).values
    _write(card_of(model, figures=figures), output)


@gan.command()
@click.argument("model", type=FILE)
@click.argument("pictures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@OUTPUT
def measure(model: Path, pictures: Path, output: Path | None) -> None:
    """Measure MODEL beside the validation's PICTURES, a data set's folder, and write the figures as JSON."""
    from ripieno.contracts import Model
    from ripieno.contracts.codecs import DatasetFolder

    from .measuring import GeneratorScores

    found = GeneratorScores().measure(Model(model), [DatasetFolder().read(pictures)])
    document = {"values": dict(found.values), "compared_with": found.compared_with}
    _write(json.dumps(document, indent=1) + "\n", output)


def _write(text: str, output: Path | None) -> None:
    from ripieno.contracts import write_whole

    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text.encode())
