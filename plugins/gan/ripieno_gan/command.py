"""``core gan``: the card of a trained generator, and its entry of the catalogue."""

import json
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def gan() -> None:
    """Work with trained generators."""


@gan.command()
@click.argument("model", type=FILE)
@click.option("--scores", type=FILE, help="JSON of metric/generator, as a run writes it.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output otherwise."
)
def card(model: Path, scores: Path | None, output: Path | None) -> None:
    """Write the card of MODEL, an .onnx file of trainer/gan, in Markdown."""
    from .card import card_of

    text = card_of(model, figures=_figures(scores))
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")


@gan.command()
@click.argument("model", type=FILE)
@click.argument("pictures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output otherwise."
)
def measure(model: Path, pictures: Path, output: Path | None) -> None:
    """Measure MODEL beside the validation's PICTURES, a data set's folder, and write the figures as JSON."""
    from ripieno.contracts import Dataset, Model
    from ripieno.contracts.files import MANIFEST

    from .measuring import GeneratorScores

    files = {path.name: path for path in sorted(pictures.iterdir()) if path.name != MANIFEST}
    data = Dataset(files, json.loads((pictures / MANIFEST).read_text(encoding="utf-8")))
    values = GeneratorScores().measure(Model(model), [data]).values
    text = json.dumps(dict(values), indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")


def _figures(scores: Path | None) -> dict[str, Any]:
    if scores is None:
        return {}
    found: dict[str, Any] = json.loads(scores.read_text(encoding="utf-8"))
    return dict(found.get("values", found))
