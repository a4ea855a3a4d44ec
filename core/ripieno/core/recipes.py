"""Pipelines by path, by the name of a recipe that a distribution ships, or from an old run's manifest."""

import json
from pathlib import Path

from ripieno.contracts.errors import MissingError, PipelineError
from ripieno.registry import Registry
from ripieno.registry.suggest import did_you_mean

from . import manifest
from .document import Document
from .pipeline import Pipeline


def find_pipeline(name: str, registry: Registry | None = None) -> Pipeline:
    """The pipeline that a user means.

    Parameters
    ----------
    name : str
        A path (with a slash, or ending in .yaml, .yml or .json), else a recipe.

    Raises
    ------
    PipelineError
        If the file is wrong or not there.
    MissingError
        If there is no such recipe.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        raise PipelineError(f"{name} is a folder. Give a pipeline file, or the {manifest.NAME} of a run")
    if path.name == manifest.NAME:
        return from_manifest(path)
    if path.suffix in (".yaml", ".yml") or "/" in name or "\\" in name:
        return Pipeline.load(path)
    registry = registry or Registry()
    names = registry.names("recipe")
    if name not in names:
        listed = ", ".join(names) or "none are installed"
        hint = did_you_mean(name, names)
        raise MissingError(f"no recipe {name!r}. Recipes: {listed}; a file needs its suffix or a slash{hint}")
    return Pipeline.load(registry.load(f"recipe/{name}").path)


def from_manifest(path: Path) -> Pipeline:
    """The pipeline of a run as it was: its file, inputs, settings and seed.

    Raises
    ------
    PipelineError
        If it is no manifest.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        asked = document["pipeline"]
        folder = Path(asked["file"]).parent
        pipeline = Pipeline.of(
            Document(str(path), {**asked["document"], "seed": document["seed"], "name": document["name"]}),
            folder=folder,
        )
        inputs = {name: given["path"] for name, given in asked["inputs"].items() if given["path"]}
        lists = {f"{name}.items": given["items"] for name, given in asked["inputs"].items() if given["items"]}
        settings = {
            f"{step}.{key}": value
            for step, values in asked["settings"].items()
            for key, value in values.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PipelineError(f"{path}: not the manifest of a run: {error}") from error
    return pipeline.with_inputs({**inputs, **lists}).with_settings(settings)
