"""What a track list may say of a track.

Conventions
-----------
Times are seconds from the beginning of the track's file. Every field may be null. What is not named here is a fact
like any other, of any type; but a name that is nearly that of a field that is not there is taken for a slip.
"""

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .document import Document, Trail

LARGEST_SEED = 2**63 - 1
_FASTEST_BPM = 1000
_LONGEST_SHOWN = 60
_ALIKE = 0.8


@dataclass(frozen=True)
class Field:
    """What a field may be: a test of its value, and the same in words."""

    fits: Callable[[Any], bool]
    expected: str


def field_problems(
    document: Document, trail: Trail, facts: Mapping[str, Any], *, who: str, is_common: bool = False
) -> Iterator[str]:
    """What is wrong with the facts that stand at a place of a list, one line each.

    Parameters
    ----------
    document : Document
        The list.
    trail : tuple
        Where in it the facts stand.
    facts : mapping
        By name of the field.
    who : str
        What they are of, for messages.
    is_common : bool
        Whether they are said of all tracks, each of which has a `src` of its own.
    """
    yield from _slips(document, trail, facts, FIELDS.keys() - ({"src"} if is_common else ()), who=who)
    for name, value in facts.items():
        field = FIELDS.get(name)
        if field is None or value is None:
            continue
        if not field.fits(value):
            place = document.at((*trail, name))
            yield f"{place}: {who}: `{name}` is {shown(value)}, expected {field.expected}"
        elif name == "markers":
            yield from _marker_problems(document, (*trail, name), value, who=who)


# Thousands of tracks of one list say the same.
@lru_cache(maxsize=256)
def meant(name: str, fields: frozenset[str]) -> str:
    """The field of which a name is a slip, empty where it is none: ``titel``, ``Title``, ``titles``.

    It is stricter than a hint needs to be, since a fact may have any name.
    """
    from difflib import SequenceMatcher

    word = name.casefold()

    def alike(field: str) -> float:
        return 1.0 if sorted(word) == sorted(field) else SequenceMatcher(None, word, field).ratio()

    best = max(sorted(fields), key=alike, default="")
    return best if best and alike(best) >= _ALIKE else ""


def shown(value: Any) -> str:
    """A value as the list has it, in a few words."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _slips(
    document: Document, trail: Trail, facts: Mapping[str, Any], fields: Collection[str], *, who: str
) -> Iterator[str]:
    for name in facts:
        field = "" if name in fields else meant(name, frozenset(fields).difference(facts))
        if field:
            place = document.at((*trail, name), key=True)
            yield f'{place}: {who}: unknown field "{name}". Did you mean "{field}"?'


def _marker_problems(document: Document, trail: Trail, markers: list[Any], *, who: str) -> Iterator[str]:
    before_s = -math.inf
    for index, marker in enumerate(markers):
        here, called = (*trail, index), f"{who}: `markers[{index}]`"
        if not _is_marker(marker):
            yield f"{document.at(here)}: {called} is {shown(marker)}, expected {_MARKER}"
            continue
        yield from _slips(document, here, marker, ("at_s", "label", "mood"), who=called)
        if marker["at_s"] <= before_s:
            place = document.at((*here, "at_s"))
            yield f"{place}: {called} is at {marker['at_s']:g} s, the one before at {before_s:g}: put them in order"
        before_s = marker["at_s"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_span(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not _is_time(value[0]):
        return False
    return value[1] is None or (_is_time(value[1]) and value[1] > value[0])


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEED


def _is_marker(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_time(value.get("at_s")):
        return False
    label, mood = value.get("label"), value.get("mood")
    is_mood = mood is None or _is_name(mood) or _is_seed(mood)
    return is_mood and (label is None or _is_text(label))


def _are_settings(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(settings, dict) for settings in value.values())


_MARKER = '{"at_s": seconds, "label": text, "mood": name or number}, of which `at_s` alone is required'
FIELDS: Mapping[str, Field] = {
    "src": Field(_is_name, "the file, relative to the list"),
    "id": Field(_is_name, "a name of its own"),
    "title": Field(_is_text, "text"),
    "artist": Field(_is_text, "text"),
    "album": Field(_is_text, "text"),
    "about": Field(_is_text, "text"),
    "bpm": Field(
        lambda value: _is_number(value) and 0 < value <= _FASTEST_BPM,
        f"beats a minute, above 0 and up to {_FASTEST_BPM}",
    ),
    "key": Field(_is_text, 'text, such as "A minor"'),
    "art": Field(_is_name, "a picture, relative to the list"),
    "markers": Field(lambda value: isinstance(value, list), f"a list of {_MARKER}"),
    "loop": Field(
        lambda value: isinstance(value, bool) or _is_span(value), "true, false or [start_s, end_s]"
    ),
    "seed": Field(_is_seed, f"a whole number from 0 to {LARGEST_SEED}"),
    "trim": Field(_is_span, "[start_s, end_s] with 0 <= start_s < end_s; null for the end of the file"),
    "with": Field(_are_settings, "{step: {key: value}}"),
}
