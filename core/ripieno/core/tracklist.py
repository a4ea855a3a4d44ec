"""Track lists: which files there are, in which order, and what is said of each.

Conventions
-----------
A list is JSON or YAML: a list of tracks, or an object with ``tracks`` (or ``items``), whose other fields are then
those of every track that does not say otherwise. What may be said stands in `facts`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ripieno.contracts.errors import InputError, PipelineError

from .document import Document, Trail, parse_document, read_text
from .facts import FIELDS, field_problems, shown

ROWS = ("items", "tracks")
_EXAMPLE = '{"src": "song.wav", …}'
_ESCAPE = re.compile(r"\\u(d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\.", re.IGNORECASE | re.DOTALL)


class ListError(InputError):
    """A track list is wrong; the message has one line for each problem, with file, line and column."""


@dataclass(frozen=True)
class Track:
    """A track of a list.

    Parameters
    ----------
    document : Document
        The list.
    number : int
        From 1.
    trail : tuple
        Where it stands in the list.
    """

    document: Document
    number: int
    trail: Trail

    @property
    def row(self) -> dict[str, Any]:
        """What is said of it and of all tracks, without what is left open."""
        said = {**_common(self.document), **self.document.find(self.trail)}
        return {name: value for name, value in said.items() if value is not None or name not in FIELDS}

    def at(self, name: str, *below: str | int, key: bool = False) -> str:
        """``file:line:column`` of what is said of it under a name, or below that."""
        above = self.trail if name in self.document.find(self.trail) else ()
        return self.document.at((*above, name, *below), key=key)

    def file(self, name: str) -> Path:
        """The file that a field names."""
        return Path(self.document.name).parent / str(self.row[name])


def read_list(path: Path) -> list[Track]:
    """Read a track list.

    Raises
    ------
    ListError
        If it cannot be read, is neither JSON nor YAML, no list, or says what cannot be said of a track.
    """
    try:
        document = parse_document(_whole_characters(read_text(path)), name=str(path))
    except PipelineError as error:
        raise ListError(str(error)) from error
    tracks = [Track(document, number, trail) for number, trail in enumerate(_trails(document), 1)]
    found = list(_problems(document, tracks))
    if found:
        raise ListError("\n".join(found))
    return tracks


def _whole_characters(text: str) -> str:
    """The text without halves: JSON writes a character beyond 16 bits as two escapes, YAML as one."""

    def whole(escape: re.Match[str]) -> str:
        # All escapes are matched, so that none begins in the middle of another.
        if not escape[1]:
            return escape[0]
        character = json.loads(f'"{escape[0]}"')
        return rf"\U{ord(character):08x}"

    return _ESCAPE.sub(whole, text)


def _trails(document: Document) -> list[Trail]:
    """Where each track stands."""
    value = document.value
    name = next((name for name in ROWS if name in value), "") if isinstance(value, dict) else ""
    above: Trail = (name,) if name else ()
    rows = document.find(above)
    if not isinstance(rows, list) or not rows:
        example = f'{{"tracks": [{_EXAMPLE}, …]}}'
        raise ListError(f"{document.at(above)}: expected a list of items, one at least: {example}")
    return [(*above, index) for index in range(len(rows))]


def _common(document: Document) -> Mapping[str, Any]:
    """What is said of all tracks."""
    value = document.value
    return {name: fact for name, fact in value.items() if name not in ROWS} if isinstance(value, dict) else {}


def _problems(document: Document, tracks: list[Track]) -> Iterator[str]:
    yield from field_problems(document, (), _common(document), who="all items", is_common=True)
    for track in tracks:
        own, who = document.find(track.trail), f"item {track.number}"
        if not isinstance(own, dict):
            yield f"{document.at(track.trail)}: {who} is {shown(own)}, expected {_EXAMPLE}"
            continue
        wrong = list(field_problems(document, track.trail, own, who=who))
        yield from wrong or _file_problems(track, who=who)


def _file_problems(track: Track, *, who: str) -> Iterator[str]:
    row = track.row
    if "src" not in row:
        yield f"{track.document.at(track.trail)}: {who} has no `src`: the file, relative to the list"
    for name in ("src", "art"):
        wrong = _file_problem(track, name) if name in row else ""
        if wrong:
            yield f"{track.at(name)}: {who}: `{name}`: {wrong}"


def _file_problem(track: Track, name: str) -> str:
    """What is wrong with a file that is named; empty where nothing is."""
    file, written = track.file(name), track.row[name]
    # `src` may be a folder of stems; a picture may not.
    if not (os.path.isfile if name == "art" else os.path.exists)(file):
        return f"no file {file}"
    folder = Path(track.document.name).parent
    if PurePath(written).is_absolute() or not file.resolve().is_relative_to(folder.resolve()):
        return f"{written} lies outside the list's folder. Put it there"
    return ""
