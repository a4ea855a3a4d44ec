"""What a track list may say of a track.

Conventions
-----------
Every field but `src` may be left out or be null. Times are seconds from the beginning of the track's file.
What is not named here is a fact like any other, of any type. A list may be an object with ``tracks`` (or
``items``); its other fields are then those of every track that does not say otherwise.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any

from ripieno.contracts.errors import InputError

LARGEST_SEED = 2**63 - 1
_FASTEST_BPM = 1000
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Field:
    """What a field may be: a test of its value, and the same in words."""

    fits: Callable[[Any], bool]
    expected: str


def check_track(row: Mapping[str, Any], *, where: str) -> None:
    """Refuse what a track list says of a track, but for its files.

    Parameters
    ----------
    row : mapping
        The track, as the list has it.
    where : str
        List and number of the track, for messages.

    Raises
    ------
    InputError
        Naming list, track and field.
    """
    for name, field in FIELDS.items():
        value = row.get(name)
        if value is not None and not field.fits(value):
            raise InputError(f"{where}: `{name}` is {_shown(value)}, expected {field.expected}")


def track_file(row: Mapping[str, Any], name: str, *, folder: Path, where: str) -> Path:
    """The file that a field names.

    Raises
    ------
    InputError
        If it is not there, or outside the folder of the list.
    """
    written = str(row[name])
    file = folder / written
    # `src` may be a folder of stems; a picture may not.
    if not (os.path.isfile if name == "art" else os.path.exists)(file):
        raise InputError(f"{where}: `{name}`: no file {file}")
    if PurePath(written).is_absolute() or not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{where}: `{name}`: {written} lies outside the list's folder")
    return file


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


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


def _are_markers(value: Any) -> bool:
    if not isinstance(value, list) or not all(map(_is_marker, value)):
        return False
    return all(one["at_s"] < two["at_s"] for one, two in pairwise(value))


def _are_settings(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(settings, dict) for settings in value.values())


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
    "markers": Field(
        _are_markers,
        'a list in order of time of {"at_s": seconds, "label": text, "mood": name or number}, '
        "of which `at_s` alone is required",
    ),
    "loop": Field(
        lambda value: isinstance(value, bool) or _is_span(value), "true, false or [start_s, end_s]"
    ),
    "seed": Field(_is_seed, f"a whole number from 0 to {LARGEST_SEED}"),
    "trim": Field(_is_span, "[start_s, end_s] with 0 <= start_s < end_s; null for the end of the file"),
    "with": Field(_are_settings, "{step: {key: value}}"),
}
