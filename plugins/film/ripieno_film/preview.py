"""What of a pipeline is changed for a glance at its films."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ripieno.contracts import ConfigError, MissingError

RENDERER = "renderer/latent_film"
CONTROLLER = "controller/latent"
FULL_SIZE = (1920, 1080)
SMALLEST = 16


def preview_settings(
    pipeline: Any,
    *,
    step: str | None,
    part_s: tuple[float, float],
    scale: float,
    preset: str | None,
) -> tuple[str, dict[str, Any]]:
    """The step that renders, and settings for it.

    Parameters
    ----------
    pipeline : object
        As a host loads it: `steps` by name, each with `uses`, `sources` and `settings`.
    step : str or None
        The renderer's, where there are several.
    part_s : tuple of float
        From and to.
    scale : float
        Of width and height, <= 1.
    preset : str or None
        For the controller that steers this film.

    Raises
    ------
    ConfigError
        If there is no such step, or it is not known which.
    """
    films = [name for name, one in pipeline.steps.items() if one.uses == RENDERER]
    if not films:
        raise ConfigError(f"no step of the pipeline uses {RENDERER}: there is no film to look at")
    if step is None and len(films) > 1:
        raise ConfigError(f"the pipeline makes several films. Say which: --step {films[0]}")
    if step is not None and step not in films:
        raise ConfigError(f"--step {step}: no film is made there. There is: {', '.join(films)}")
    name = step or films[0]
    width, height = pipeline.steps[name].settings.get("size", FULL_SIZE)
    size = [max(SMALLEST, round(pixels * scale / 2) * 2) for pixels in (width, height)]
    settings: dict[str, Any] = {f"{name}.part_s": list(part_s), f"{name}.size": size}
    if preset is not None:
        settings[f"{_controller(pipeline, name)}.preset"] = preset
    return name, settings


def split_inputs(given: Sequence[str]) -> dict[str, str]:
    """Paths by the name of the input, of ``NAME=PATH``.

    Raises
    ------
    ConfigError
        If one is of another form.
    """
    for one in given:
        if not one.partition("=")[2]:
            raise ConfigError(f"--input {one}: write NAME=PATH")
    return dict(one.split("=", 1) for one in given)


def films_in(folder: Path, step: str) -> list[Path]:
    """Films that a run of this step has written.

    Raises
    ------
    MissingError
        If the pipeline has no output for it.
    """
    outputs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    films = [folder / one["path"] for one in outputs if one["kind"] == "video" and not one["error"]]
    if not films:
        raise MissingError(f"the pipeline writes no film. Add to its outputs: {step}: {{item}}.mp4")
    return films


def _controller(pipeline: Any, film: str) -> str:
    """The controller that steers a film."""
    source = pipeline.steps[film].sources.get("trajectory")
    if isinstance(source, str) and source in pipeline.steps and pipeline.steps[source].uses == CONTROLLER:
        return source
    raise ConfigError(f"--preset: the trajectory of {film} comes from no {CONTROLLER}")
