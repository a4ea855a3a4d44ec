"""The JSON schema of pipeline files, the settings and ports of installed plugins included."""

import copy
from typing import Any

from ripieno.contracts.errors import RipienoError
from ripieno.registry import Descriptor, Registry

from .pipeline import schema
from .planner import NOT_STEPS


def pipeline_schema(registry: Registry) -> dict[str, Any]:
    """The schema; a plugin that cannot be described is left out of it."""
    document = copy.deepcopy(schema())
    step = document["properties"]["steps"]["additionalProperties"]
    found = list(_steps(registry))
    step["properties"]["uses"]["enum"] = [uses for uses, _ in found]
    step["allOf"] = [_rule(document, uses, descriptor) for uses, descriptor in found]
    inputs = document["properties"]["inputs"]["additionalProperties"]
    inputs["properties"]["kind"]["enum"] = list(registry.names("artifact"))
    return document


def _steps(registry: Registry) -> list[tuple[str, Descriptor]]:
    found = []
    for entry in registry.entries():
        if entry.prefix in NOT_STEPS:
            continue
        try:
            descriptor = registry.describe(entry.uses)
        except RipienoError:
            continue
        if descriptor.verb:
            found.append((entry.uses, descriptor))
    return found


def _rule(document: dict[str, Any], uses: str, descriptor: Descriptor) -> dict[str, Any]:
    settings = copy.deepcopy(dict(descriptor.config_schema))
    # Definitions inside a plugin's schema are named from its root: they move to ours, under its name.
    definitions = settings.pop("$defs", {})
    place = uses.replace("/", ".")
    moved = {f"#/$defs/{name}": f"#/$defs/{place}.{name}" for name in definitions}
    for name, definition in definitions.items():
        document.setdefault("$defs", {})[f"{place}.{name}"] = _renamed(definition, moved)
    ports = {
        port.name: {"description": port.kind if port.required else f"{port.kind}, optional"}
        for port in descriptor.ports
    }
    then: dict[str, Any] = {
        "properties": {
            "uses": {"description": descriptor.summary},
            "with": _renamed(settings, moved),
            "in": {"properties": ports, "additionalProperties": False},
        }
    }
    return {"if": {"properties": {"uses": {"const": uses}}}, "then": then}


def _renamed(value: Any, moved: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: moved.get(item, item) if key == "$ref" else _renamed(item, moved)
            for key, item in value.items()
        }
    return [_renamed(item, moved) for item in value] if isinstance(value, list) else value
