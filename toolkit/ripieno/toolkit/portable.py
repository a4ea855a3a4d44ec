"""A built plugin as JSON and back, so that a job of `Context.map` can use it in another process."""

import importlib
import json
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any

from ripieno.contracts.config import PluginConfig, references
from ripieno.contracts.plugin import Plugin


def to_json(plugin: Plugin[Any], *, config: PluginConfig | None = None) -> dict[str, Any]:
    """Class and settings of a plugin, and of those inside it.

    Parameters
    ----------
    config : PluginConfig, optional
        Settings that it shall have instead of its own; plugins in it are taken from its own.
    """
    return {
        "module": type(plugin).__module__,
        "class": type(plugin).__qualname__,
        "settings": (config or plugin.config).model_dump(mode="json", by_alias=True),
        "inside": {
            place: to_json(reference.plugin) for place, reference in references(plugin.config).items()
        },
    }


def from_json(document: Mapping[str, Any]) -> Any:
    """The plugin; the same object for the same document, so that it keeps what it has loaded."""
    return _built(json.dumps(document, sort_keys=True))


@lru_cache(maxsize=8)
def _built(text: str) -> Any:
    return _build(json.loads(text))


def _build(document: Mapping[str, Any]) -> Any:
    kind = attrgetter(document["class"])(importlib.import_module(document["module"]))
    config = kind.config_class().model_validate(document["settings"])
    for place, reference in references(config).items():
        reference.bind(_build(document["inside"][place]))
    return kind(config)
