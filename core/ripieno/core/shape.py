"""Checks a document against the part of JSON Schema that our own schemas use.

The schema file stands for validation, for editors and for the reference page, so that they cannot
disagree. Known keywords: type, enum, minimum, exclusiveMinimum, minLength, minProperties, required,
properties, propertyNames (pattern), additionalProperties, items, anyOf.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ripieno.registry.suggest import did_you_mean

from .document import Document, Trail

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def problems(document: Document, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong, one line each with its place; empty where nothing is."""
    return list(_check(document, schema, document.value, ()))


def _check(document: Document, schema: Mapping[str, Any], value: Any, path: Trail) -> Iterator[str]:
    if "anyOf" in schema:
        fitting = [option for option in schema["anyOf"] if _is(value, option["type"])]
        if not fitting:
            yield f"{document.at(path)}: {_name(path)} is {_shown(value)}, expected {_expected(schema['anyOf'])}"
        for option in fitting[:1]:
            yield from _check(document, option, value, path)
        return
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{document.at(path)}: {_name(path)} is {_shown(value)}, expected {_NAMES[schema['type']]}"
        return
    yield from _limits(document, schema, value, path)
    if isinstance(value, dict):
        yield from _check_map(document, schema, value, path)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _check(document, schema["items"], item, (*path, index))


def _check_map(
    document: Document, schema: Mapping[str, Any], value: dict[str, Any], path: Trail
) -> Iterator[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    # A key that is misspelled is said to be unknown; that it is missing too would be noise.
    misspelled = others is False and not known.keys() >= value.keys()
    for name in schema.get("required", ()):
        if name not in value and not misspelled:
            yield f"{document.at(path)}: {_name(path)} lacks {name}: {known[name]['description']}"
    names = schema.get("propertyNames")
    for name, item in value.items():
        here = (*path, name)
        if names and not re.fullmatch(names["pattern"], name):
            yield f'{document.at(here, key=True)}: "{name}": {names["description"]}'
        if name in known:
            yield from _check(document, known[name], item, here)
        elif others is False:
            allowed = f"{_name(path)} takes {', '.join(known)}"
            place = document.at(here, key=True)
            yield f'{place}: unknown key "{name}". {allowed}{did_you_mean(name, tuple(known))}'
        elif isinstance(others, Mapping):
            yield from _check(document, others, item, here)


def _limits(document: Document, schema: Mapping[str, Any], value: Any, path: Trail) -> Iterator[str]:
    here = f"{document.at(path)}: {_name(path)} is {_shown(value)}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{here}, expected {' or '.join(str(option) for option in schema['enum'])}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{here}, expected at least {schema['minimum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{here}, expected more than {schema['exclusiveMinimum']}"
    if len(value) < schema.get("minLength", 0) if isinstance(value, str) else False:
        yield f"{here}, expected text"
    if len(value) < schema.get("minProperties", 0) if isinstance(value, dict) else False:
        yield f"{document.at(path)}: {_name(path)} is empty"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _expected(options: list[Mapping[str, Any]]) -> str:
    return " or ".join(_NAMES[option["type"]] for option in options)


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, (dict, list)):
        return _NAMES["object" if isinstance(value, dict) else "array"]
    return (
        f'"{value}"'
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _name(path: Trail) -> str:
    """How a message calls the value at a path: ``step "film"``, ``inputs.song.path``, ``the pipeline``."""
    if not path:
        return "the pipeline"
    if len(path) == 2 and path[0] in ("inputs", "steps", "outputs"):
        return f'{str(path[0])[:-1]} "{path[1]}"'
    return ".".join(str(part) for part in path)
