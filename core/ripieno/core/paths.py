"""Paths in settings, made absolute: each is relative to the folder of what it was written in.

Conventions
-----------
A setting is a path where the JSON schema of its plugin says so. Settings that are wrong stay as they are:
checking them says why.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ripieno.contracts.errors import RipienoError
from ripieno.registry import Registry

from .document import Trail
from .items import Item
from .pipeline import Input, Pipeline, Step, expanded

FORMATS = ("path", "file-path", "directory-path")

Schema = Mapping[str, Any]
FolderOf = Callable[[Trail], Path]


def with_absolute_paths(pipeline: Pipeline, registry: Registry) -> Pipeline:
    """The same pipeline, with settings that mean the same from every folder."""
    steps = {
        name: replace(step, settings=_absolute(step.settings, step.uses, registry, step.folder_of))
        for name, step in pipeline.steps.items()
    }
    return replace(pipeline, steps=steps)


def item_with_absolute_paths(
    item: Item, source: Input, steps: Mapping[str, Step], registry: Registry
) -> Item:
    """The same item, the paths in its settings relative to the list that brings them."""
    if not item.settings:
        return item
    folder = (source.folder / expanded(source.items or "")).parent
    settings = dict(item.settings)
    for name in settings.keys() & steps.keys():
        # Which plugins are inside may follow from the step's own settings.
        whole = {**steps[name].settings, **settings[name]}
        found = _absolute(whole, steps[name].uses, registry, lambda _: folder)
        settings[name] = {key: found[key] for key in settings[name]}
    return replace(item, settings=settings)


def _absolute(
    settings: Mapping[str, Any], uses: str, registry: Registry, folder_of: FolderOf, above: Trail = ()
) -> dict[str, Any]:
    """Settings of a plugin that stand at the trail `above`, those of the plugins inside included."""
    made: dict[str, Any] = _copied(settings)
    if not made:
        return made
    with suppress(RipienoError):
        schema = registry.describe(uses).config_schema
        for around, trail, schemas in _walk(made, schema, [*_options(schema, schema)]):
            if _is_path(around[trail[-1]], schemas):
                # Links in the path itself stay: the name that was written may say what the file is.
                folder = folder_of((*above, *trail)).resolve()
                around[trail[-1]] = str(folder / expanded(around[trail[-1]]))
        if not any("PluginRef" in name for name in schema.get("$defs", ())):
            return made
        # Which plugin a bare name means, or settings without a name are for, validation alone knows.
        references = registry.configure(uses, made).references
        for around, trail, _ in _walk(made, schema, []):
            reference, given = references.get(".".join(map(str, trail))), around[trail[-1]]
            if reference and isinstance(given, dict) and "with" in given:
                here = (*above, *trail, "with")
                given["with"] = _absolute(given["with"], reference["uses"], registry, folder_of, here)
    return made


def _walk(
    around: Any, root: Schema, schemas: Sequence[Schema], trail: Trail = ()
) -> Iterator[tuple[Any, Trail, list[Schema]]]:
    """Every value within a value: what it is in, its trail, and the schemas of which it may be."""
    for key, value in _entries(around):
        below = [found for schema in schemas for found in _options(_below(schema, key), root)]
        fitting = [schema for schema in below if _fits(value, schema)]
        yield around, (*trail, key), fitting
        yield from _walk(value, root, fitting, (*trail, key))


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, (list, tuple)) else value


def _options(schema: Schema, root: Schema) -> Iterator[Schema]:
    """A schema, what it refers to, and each that it may be any of."""
    yield schema
    if "$ref" in schema:
        yield from _options(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _options(option, root)


def _below(schema: Schema, key: str | int) -> Schema:
    if isinstance(key, str):
        below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
    else:
        first = schema.get("prefixItems", ())
        below = first[key] if key < len(first) else schema.get("items")
    return below if isinstance(below, Mapping) else {}


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a value may be of a schema, as far as constants tell."""
    if isinstance(value, dict):
        constants = {
            name: one["const"] for name, one in schema.get("properties", {}).items() if "const" in one
        }
        return all(value.get(name, constant) == constant for name, constant in constants.items())
    return schema.get("const", value) == value and value in schema.get("enum", [value])


def _is_path(value: Any, schemas: Sequence[Schema]) -> bool:
    """Whether text can be nothing but a path."""
    texts = [schema for schema in schemas if schema.get("type") == "string"]
    is_text = isinstance(value, (str, PathLike)) and bool(texts)
    return is_text and all(schema.get("format") in FORMATS for schema in texts)
