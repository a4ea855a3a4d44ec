"""`sink/generator_report`: what a generator draws, to look at, beside what it learnt from."""

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Bundle, Dataset, Model, PluginConfig, Scores, Sink, write_whole

from .measuring import LoadedGenerator, real_pictures
from .scores import Pictures, shown

COLUMNS = 8


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
            "interpolations": generator.ways(self.config.sweeps, COLUMNS).reshape(-1, *_shape(generator)),
            "axes": generator.draw(_along_axes(generator, self.config.sweeps)),
        }
        files = {}
        for name, drawn in grids.items():
            files[f"{name}.png"] = _written(folder / f"{name}.png", sheet(drawn, columns=COLUMNS))
        figures = scores.values if scores else model.metadata.get("figures", {})
        page = _page(model, figures, list(grids))
        write_whole(folder / "index.html", page.encode())
        return Bundle({**files, "index.html": folder / "index.html"})


def sheet(pictures: Pictures, *, columns: int) -> NDArray[np.uint8]:
    """Pictures in colour side by side, uint8 [height, width, 3]; black where the last row has none."""
    rgb = shown(pictures)
    missing = -len(rgb) % columns
    rgb = np.concatenate([rgb, np.zeros((missing, *rgb.shape[1:]), np.uint8)])
    return np.vstack([np.hstack(list(rgb[at : at + columns])) for at in range(0, len(rgb), columns)])


def _shape(generator: LoadedGenerator) -> tuple[int, int, int]:
    width, height = generator.card.size
    return (2 if generator.card.output == "fields" else 3, height, width)


def _codes(generator: LoadedGenerator, count: int) -> Pictures:
    card = generator.card
    return card.anchors[np.arange(count) % len(card.anchors)].reshape(count, *card.latent_shape)


def _along_axes(generator: LoadedGenerator, count: int) -> Pictures:
    """One code moved along each axis, two deviations to either side."""
    card = generator.card
    moves = np.linspace(-2, 2, COLUMNS, dtype=np.float32)
    axes = card.axes[np.arange(count) % max(len(card.axes), 1)]
    rows = [card.anchors[at % len(card.anchors)] + moves[:, None] * axis for at, axis in enumerate(axes)]
    return np.concatenate(rows).reshape(-1, *card.latent_shape).astype(np.float32)


def _written(path: Path, rgb: NDArray[np.uint8]) -> Path:
    import cv2

    write_whole(path, cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())
    return path


def _page(model: Model, figures: Mapping[str, float], grids: list[str]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{value:.4g}</td></tr>"
        for name, value in sorted(figures.items())
    )
    pictures = "".join(
        f'<h2>{name.capitalize()}</h2><img src="{name}.png" alt="{name} of the generator">' for name in grids
    )
    history = model.metadata.get("history", [])
    facts = {
        name: value for name, value in model.metadata.items() if name not in ("history", "anchor_families")
    }
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Generator</title><style>'
        "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;"
        "background:#111;color:#eee}img{width:100%}th{text-align:left;padding-right:2rem}"
        "pre{white-space:pre-wrap;color:#bbb}svg{width:100%;background:#1b1b1b}</style><h1>Generator</h1>"
        f"<table>{rows}</table>{pictures}<h2>Training</h2>{_curve(history)}"
        f"<pre>{html.escape(json.dumps(facts, indent=1))}</pre></html>"
    )


def _curve(history: list[Mapping[str, Any]]) -> str:
    """Difference and kernel distance over the steps, each between its own least and most."""
    lines: list[str] = []
    for name, colour in (("difference", "#ff9f43"), ("kid", "#54a0ff")):
        points = [(entry["step"], entry[name]) for entry in history if name in entry]
        if len(points) < 2:
            continue
        steps, values = np.array(points, float).T
        xs = 1000 * steps / steps.max()
        ys = 190 - 180 * (values - values.min()) / max(float(np.ptp(values)), 1e-9)
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        lines.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="10" y="{20 + 20 * len(lines)}" fill="{colour}">{name}: {values[-1]:.4g} in the end</text>'
        )
    return f'<svg viewBox="0 0 1000 200">{"".join(lines)}</svg>' if lines else ""
