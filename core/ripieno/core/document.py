"""YAML, and so JSON, with the place of every key and value, and nothing that a settings file has no use for.

Conventions
-----------
Scalars follow the YAML 1.2 core schema: ``on`` and ``1_000`` are text, ``1e-3`` is a number. Tags,
anchors, aliases, duplicate keys and numbers that are not finite are refused. A path is a tuple of keys and
indices from the root.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ripieno.contracts.errors import PipelineError

Trail = tuple[str | int, ...]
DEEPEST = 100

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """Plain values and where they stand.

    Parameters
    ----------
    name : str
        File name for messages.
    value : Any
        Dicts, lists and scalars.
    values, keys : mapping of path to Place
        Where the value at a path stands, and where its key does.
    """

    name: str
    value: Any
    values: dict[Trail, Place] = field(default_factory=dict)
    keys: dict[Trail, Place] = field(default_factory=dict)

    def at(self, path: Trail, *, key: bool = False) -> str:
        """``file:line:column`` of a path, or of the nearest place above it that is written down."""
        places = self.keys if key else self.values
        while path and path not in places:
            path, places = path[:-1], self.values
        place = places.get(path, Place(1, 1))
        return f"{self.name}:{place.line}:{place.column}"

    def find(self, path: Trail) -> Any:
        """The value at a path that is there."""
        value = self.value
        for key in path:
            value = value[key]
        return value


def read_document(path: Path) -> Document:
    """Parse a YAML file.

    Raises
    ------
    PipelineError
        If it cannot be read, is not YAML, or uses what is refused; with file:line:column.
    """
    return parse_document(read_text(path), name=str(path))


def read_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    PipelineError
        If it cannot be read, or is none.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path}: not UTF-8 text. Is this the file that was meant?") from error
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read: {error.strerror}") from error


def parse_document(text: str, *, name: str = "pipeline.yaml") -> Document:
    """Parse YAML text; see `read_document`."""
    document = Document(name, None)
    language = "JSON" if name.endswith(".json") else "YAML"
    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        value = _Composer(document, events).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise PipelineError(f"{place}: not {language}: {error.problem or error.context}") from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise PipelineError(f"{name}: not {language}: {' '.join(str(error).split())}") from error
    return Document(name, value, document.values, document.keys)


def parse_value(text: str, *, name: str) -> Any:
    """A value on a command line: a list, a map or quoted text as in a file, else plain with any signs in it.

    Raises
    ------
    PipelineError
        As `parse_document`.
    """
    if text.startswith(("[", "{", '"', "'")):
        return parse_document(text, name=name).value
    try:
        return _plain(text)
    except ValueError as error:
        raise PipelineError(f"{name}: {error}") from error


class _Composer:
    """Builds values from parser events, so that marks, tags and aliases are all still there."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document = document
        self.events = events

    def error(self, event: Any, message: str) -> PipelineError:
        mark = event.start_mark
        return PipelineError(f"{self.document.name}:{mark.line + 1}:{mark.column + 1}: {message}")

    def root(self) -> Any:
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self.node(next(self.events), ())
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.error(event, "a second document: a file holds one")
        return value

    def node(self, event: Any, path: Trail) -> Any:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self.error(event, "anchors and aliases are not allowed: write the value out")
        if getattr(event, "tag", None):
            raise self.error(event, f"the tag {event.tag} is not allowed: values are plain YAML")
        if len(path) > DEEPEST:
            raise self.error(event, f"more than {DEEPEST} levels deep")
        self.document.values[path] = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path)

    def sequence(self, path: Trail) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, (*path, len(items))))
        return items

    def mapping(self, path: Trail) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag or event.anchor:
                raise self.error(event, "a key must be plain text")
            key = event.value
            if key in items:
                raise self.error(event, f'the key "{key}" stands twice')
            if key == "<<" and not event.style:
                raise self.error(event, "merge keys are not allowed: write the values out")
            self.document.keys[(*path, key)] = _place(event)
            items[key] = self.node(next(self.events), (*path, key))
        return items

    def scalar(self, event: Any) -> Any:
        try:
            return event.value if event.style else _plain(event.value)
        except ValueError as error:
            raise self.error(event, str(error)) from error


def _plain(text: str) -> Any:
    """What text without quotes stands for."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        if len(text) > 40:
            raise ValueError("a whole number of more than 40 digits")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    return text


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
