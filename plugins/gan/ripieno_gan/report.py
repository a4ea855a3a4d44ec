"""`sink/generator_report`: what a generator draws, to look at, beside what it learnt from."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Bundle, Dataset, Model, PluginConfig, Scores, Sink, write_whole
from ripieno.toolkit.latents import GeneratorCard

from .card import MEANING
from .measuring import LoadedGenerator, real_pictures
from .scores import Pictures, shown

COLUMNS = 8
GRIDS = {
    "data": "Pictures of the kind that it learnt from: those of the validation, where there are any.",
    "bank": "Codes of its bank, each of a picture of the data: what a film shows where one code leads.",
    "mixtures": "Two codes each, one leading here and the other there: what a film shows most of the time.",
    "interpolations": "In each row the way from one code to another.",
    "axes": "In each row a code that is moved along an axis, by two standard deviations to either side.",
}
CURVES = {
    "difference": "Difference between pictures of the validation and how they are given back",
    "kid": "Kernel distance of mixtures to the validation's pictures",
}
STYLE = """
:root { color-scheme: light dark; --paper: #f7f6f2; --ink: #1a1c20; --quiet: #5f646d; --line: #dcd9d0; --way: #0d7c74; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #101114; --ink: #eceae6; --quiet: #9aa0aa; --line: #2b2e34; --way: #3fc1b5; }
}
body {
  margin: 0; padding: 2rem max(1rem, 50vw - 36rem); background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: clamp(1.8rem, 6vw, 2.8rem); line-height: 1.1; letter-spacing: -.02em; margin: 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0; }
p { margin: .3rem 0 1rem; max-width: 65ch; }
p, figcaption, summary, pre, td:last-child { color: var(--quiet); }
table { border-collapse: collapse; margin-top: .8rem; width: 100%; }
th, td {
  padding: .4rem 1.2rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; font-weight: 400;
  vertical-align: top; overflow-wrap: normal;
}
td { font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.wide img { display: block; width: 100%; min-width: 44rem; border-radius: 6px; }
figure { margin: 1rem 0 1.5rem; }
svg { display: block; width: 100%; height: 10rem; border-bottom: 1px solid var(--line); }
polyline { fill: none; stroke: var(--way); stroke-width: 2; vector-effect: non-scaling-stroke; }
details { margin-top: 2.5rem; }
pre { white-space: pre-wrap; font-size: .85rem; }
"""


class GeneratorReportConfig(PluginConfig):
    """Settings of `GeneratorReport`."""

    rows: int = Field(
        4, ge=1, le=16, description="Of each grid of pictures.", json_schema_extra={"unit": "rows"}
    )
    sweeps: int = Field(6, ge=1, le=16, description="Interpolations, and axes that are followed.")


class GeneratorReport(Sink[GeneratorReportConfig]):
    """A page with grids of pictures, interpolations, sweeps along the axes, and figures beside the data's."""

    def publish(self, model: Model, pictures: list[Dataset], *, scores: Scores | None = None) -> Bundle:
        """Write the page.

        Parameters
        ----------
        model : Model
            A generator with a `GeneratorCard`.
        pictures : list of Dataset
            As it was trained on.
        scores : Scores, optional
            Of ``metric/generator``, for the table.

        Raises
        ------
        InputError
            If the model is no generator, or the pictures are of another form.
        """
        generator, folder = LoadedGenerator(model.path), self.context.scratch
        count = COLUMNS * self.config.rows
        grids = {
            "data": real_pictures(pictures, generator, count),
            "bank": generator.draw(_codes(generator, count)),
            "mixtures": generator.draw(generator.mixtures(count)),
            "interpolations": np.concatenate(generator.ways(self.config.sweeps, COLUMNS)),
        }
        if len(generator.card.axes):
            grids["axes"] = generator.draw(_along_axes(generator, self.config.sweeps))
        files = {
            f"{name}.png": _written(folder / f"{name}.png", sheet(drawn, columns=COLUMNS))
            for name, drawn in grids.items()
        }
        figures = scores.values if scores else model.metadata.get("figures", {})
        files["index.html"] = folder / "index.html"
        write_whole(files["index.html"], _page(generator.card, model.metadata, figures, grids).encode())
        return Bundle(files)


def sheet(pictures: Pictures, *, columns: int) -> NDArray[np.uint8]:
    """Pictures side by side, uint8 [height, width, 4], a palette a row; transparent where the last row has none."""
    rgb = shown(pictures, together=columns)
    missing = -len(rgb) % columns
    rgba = np.pad(rgb, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=255)
    rgba = np.pad(rgba, ((0, missing), (0, 0), (0, 0), (0, 0)))
    return np.vstack([np.hstack(list(rgba[at : at + columns])) for at in range(0, len(rgba), columns)])


def _codes(generator: LoadedGenerator, count: int) -> Pictures:
    card = generator.card
    return card.anchors[np.arange(count) % len(card.anchors)].reshape(count, *card.latent_shape)


def _along_axes(generator: LoadedGenerator, count: int) -> Pictures:
    """A code moved along each axis, two deviations to either side."""
    card = generator.card
    moves = np.linspace(-2, 2, COLUMNS, dtype=np.float32)
    rows = [
        card.anchors[at % len(card.anchors)] + moves[:, None] * axis
        for at, axis in enumerate(card.axes[:count])
    ]
    return np.concatenate(rows).reshape(-1, *card.latent_shape).astype(np.float32)


def _written(path: Path, rgba: NDArray[np.uint8]) -> Path:
    import cv2

    write_whole(path, cv2.imencode(".png", rgba[..., [2, 1, 0, 3]])[1].tobytes())
    return path


def _page(
    card: GeneratorCard, metadata: Mapping[str, Any], figures: Mapping[str, float], grids: Iterable[str]
) -> str:
    shown_otherwise = ("history", "anchor_families", "figures")
    facts = {name: value for name, value in metadata.items() if name not in shown_otherwise}
    said = [
        f"Pictures of {card.size[0]} x {card.size[1]} pixels",
        "each row through another palette" if card.output == "fields" else "in colours of its own",
        *([f"after {html.escape(str(facts['step']))} steps of training"] if "step" in facts else []),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>What the generator draws</title><style>{STYLE}</style>"
        f"<h1>What the generator draws</h1><p>{', '.join(said)}.</p>"
        f"{_section('Figures', _table(figures))}"
        f"{''.join(_section(name.capitalize(), _grid(name)) for name in grids)}"
        f"{_section('Training', _curves(metadata.get('history', ())))}"
        f"<details><summary>Settings and data</summary><pre>{html.escape(json.dumps(facts, indent=1))}</pre>"
        "</details></html>"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _grid(name: str) -> str:
    return f'<p>{GRIDS[name]}</p><div class="wide"><img src="{name}.png" alt="{GRIDS[name]}"></div>'


def _table(figures: Mapping[str, float]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(name.replace('_', ' '))}<td>{value:.4g}<td>{MEANING.get(name, '')}</tr>"
        for name, value in figures.items()
    )
    return f"<table>{rows}</table>" if rows else ""


def _curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Difference and kernel distance over the steps, each from its least to its most."""
    return "".join(
        _curve(points, words)
        for name, words in CURVES.items()
        if len(points := [(entry["step"], entry[name]) for entry in history if name in entry]) > 1
    )


def _curve(points: list[tuple[float, float]], words: str) -> str:
    steps, values = np.array(points, float).T
    xs = 1000 * steps / steps.max()
    ys = 190 - 180 * (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return (
        f"<figure><figcaption>{words}: from {values[0]:.4g} to {values[-1]:.4g} at step {steps[-1]:.0f}, "
        f"at least {values.min():.4g}</figcaption>"
        f'<svg viewBox="0 0 1000 200" preserveAspectRatio="none"><polyline points="{way}"/></svg></figure>'
    )
