"""What is known of a plugin without importing it: its descriptor, as JSON.

Conventions
-----------
`describe` and `configure` run where the plugin can be imported; their results are plain JSON values
that planning reads from a cache. They depend on the plugin's code and the given settings only.
"""

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from .config import message_of, references
from .errors import ConfigError, PluginError
from .interfaces import INTERFACES, Augmenter, Codec, FrameDecoder, FrameEffect
from .plugin import Plugin
from .ports import check_interface, signature

FLAGS = ("random", "reproducible", "causal", "whole_file", "parallel", "partial", "reads_history")


def describe(plugin: type[Plugin[Any]]) -> dict[str, Any]:
    """The descriptor of a plugin class.

    Returns
    -------
    dict
        interface, prefix, summary, description, ports, kind, fields, config_schema, accepts, the honest
        flags, resources, binaries, licences; kind and suffixes of a codec.

    Raises
    ------
    PluginError
        If its ports, config or flags do not keep the contract.
    """
    name = f"{plugin.__module__}.{plugin.__qualname__}"
    interface = next((base for base in plugin.__mro__ if base in INTERFACES), None)
    if interface is None:
        raise PluginError(f"{name} derives from no interface of ripieno.contracts")
    if plugin.__abstractmethods__:
        raise PluginError(f"{name} does not define {', '.join(sorted(plugin.__abstractmethods__))}")
    documentation = inspect.cleandoc(vars(plugin).get("__doc__") or "")
    if not documentation:
        raise PluginError(f"{name} has no docstring")
    return {
        "interface": interface.__name__,
        "prefix": plugin.prefix,
        "verb": plugin.verb,
        "summary": documentation.splitlines()[0],
        "description": documentation,
        "config_schema": plugin.config_class().model_json_schema(by_alias=True),
        "accepts": {port: asdict(spec) for port, spec in plugin.accepts.items()},
        **{flag: getattr(plugin, flag) for flag in FLAGS},
        "resources": asdict(plugin.resources),
        "binaries": [asdict(binary) for binary in plugin.binaries],
        "licences": [asdict(licence) for licence in plugin.licences],
        **_shape(plugin, interface),
    }


def _shape(plugin: type[Plugin[Any]], interface: type[Plugin[Any]]) -> dict[str, Any]:
    if issubclass(plugin, Codec):
        return {"ports": [], "fields": [], "kind": plugin.kind.kind, "suffixes": list(plugin.suffixes)}
    # These take arrays and examples: they are used by others, not wired.
    if issubclass(plugin, (FrameEffect, Augmenter, FrameDecoder)):
        return {"ports": [], "fields": [], "kind": ""}
    shape = signature(plugin)
    check_interface(plugin, interface)
    ports = [port.name for port in shape.ports]
    for name in plugin.accepts:
        if name not in ports:
            where = f"{plugin.__qualname__}.accepts"
            raise PluginError(f"{where} names {name!r}, which is no port: {', '.join(ports)}")
    return {
        "ports": [asdict(port) for port in shape.ports],
        "kind": shape.kind,
        "fields": [list(field) for field in shape.fields],
    }


def configure(plugin: type[Plugin[Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings completed by defaults, and what follows from them.

    Returns
    -------
    dict
        config (canonical JSON), outputs (names of an open set), assets (paths), licences (of what the
        settings name), written_as (suffixes), references (place → uses and with).

    Raises
    ------
    ConfigError
        With one line for each problem, ``place: message``, joined by newlines.
    """
    config = validated(plugin, settings)
    return {
        "config": config.model_dump(mode="json", by_alias=True),
        "outputs": list(plugin.output_names(config)),
        "assets": [str(path) for path in plugin.assets(config)],
        "licences": [asdict(licence) for licence in plugin.terms(config)],
        "written_as": list(plugin.written_as(config)),
        "references": {
            place: {"uses": reference.uses, "with": dict(reference.settings)}
            for place, reference in references(config).items()
        },
    }


def validated(plugin: type[Plugin[Any]], settings: Mapping[str, Any]) -> Any:
    """The config object of a plugin.

    Raises
    ------
    ConfigError
        As `configure` does.
    """
    try:
        return plugin.config_class().model_validate(dict(settings))
    except ValidationError as error:
        lines = (
            f"{'.'.join(str(part) for part in problem['loc'])}: {_message(problem)}"
            for problem in error.errors()
        )
        raise ConfigError("\n".join(lines)) from error


def _message(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown setting"
    given = problem["input"]
    shown = f", got {given!r}" if isinstance(given, (str, int, float, bool, list)) else ""
    return f"{message_of(problem)}{shown}"
