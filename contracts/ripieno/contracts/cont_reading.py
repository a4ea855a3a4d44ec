"""Reading a ``.cont`` document piece by piece, so that every fault in it is found with its place."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from .errors import InputError
from .instrument import InstrumentProfile
from .performance import DYNAMICS, PITCH, Envelope, Note, Performance, Stream
from .provenance import Licence
from .suitability import unsuitable

VERSION = 1

T = TypeVar("T")
_NEEDED: Any = object()
_LICENCE = ("name", "credit", "source")


@dataclass(frozen=True)
class Violation:
    """What is wrong in a document.

    Parameters
    ----------
    path : str
        Where.
    message : str
        What, and what is allowed.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class DocumentReader:
    """One pass through a document, which builds what it can and notes what is wrong.

    Parameters
    ----------
    profiles : mapping of str to InstrumentProfile
        What instruments can play; not looked at where there are none.
    """

    def __init__(self, profiles: Mapping[str, InstrumentProfile]) -> None:
        self.profiles = profiles
        self.found: list[Violation] = []

    def document(self, value: Any) -> Performance | None:
        """The performance; None where anything is wrong."""
        at = _Place(self, "", value)
        if not self._is_readable(at):
            return None
        instrument = at.take("instrument", _is_text, "")
        facts = {
            "rate_hz": at.take("rate_hz", _is_number),
            "duration_s": at.take("duration_s", _is_number),
            "field_provenance": at.texts_by_name("provenance"),
            "masked_outputs": at.texts("masked_outputs"),
            "licences": [self._licence(one) for one in at.items("licences")],
        }
        self._masks_what_there_is(at, facts["masked_outputs"])
        streams = tuple(self._stream(one, instrument) for one in at.items("streams", needed=True))
        extra = at.rest()
        return at.made(lambda: Performance(streams, **facts, extra=extra))

    def _is_readable(self, at: "_Place") -> bool:
        """Whether this is a document of a version that can be read."""
        if not at.is_object:
            return False
        at.taken.add("ripieno_cont")
        version = at.value.get("ripieno_cont")
        if type(version) is not int or version < 1:
            at.fault("ripieno_cont", f"{_shown(version)}: a document names its version, which is {VERSION}")
            return False
        if version > VERSION:
            cure = "Run: pip install -U ripieno-contracts"
            at.fault(
                "ripieno_cont", f"version {_shown(version)} of the format; this reads up to {VERSION}. {cure}"
            )
            return False
        return True

    def _licence(self, at: "_Place") -> Any:
        words = {name: at.take(name, _is_text, "" if name != "name" else _NEEDED) for name in _LICENCE}
        commercial = at.take("commercial", _is_flag, True)
        at.refuse_rest("a licence")
        return at.made(lambda: Licence(**words, commercial=commercial))

    def _stream(self, at: "_Place", document: str) -> Any:
        instrument = at.take("instrument", _is_text)
        if instrument and document and instrument != document:
            at.fault("instrument", f"{instrument!r} plays in a document for {document!r}")
        read = [(place, self._note(place)) for place in at.items("notes", needed=True)]
        places, notes = [place for place, _ in read], tuple(note for _, note in read)
        if instrument and self.profiles:
            self._suits(instrument, at, places, notes)
        extra = at.rest()
        return at.made(lambda: Stream(instrument, notes, extra))

    def _masks_what_there_is(self, at: "_Place", masked_outputs: Sequence[str]) -> None:
        """Note outputs that no instrument of the document has."""
        profiles = [self.profiles[name] for name in _instruments(at.value) if name in self.profiles]
        known = {PITCH, DYNAMICS, *(name for profile in profiles for name in profile.channels)}
        for index, name in enumerate(masked_outputs if profiles else ()):
            if isinstance(name, str) and name not in known:
                message = f"{name!r} is no channel of its instruments, which have {', '.join(sorted(known))}"
                at.fault(f"masked_outputs[{index}]", message)

    def _suits(self, instrument: str, at: "_Place", places: Sequence["_Place"], notes: Any) -> None:
        """Note what the instrument cannot play."""
        profile = self.profiles.get(instrument)
        if profile is None:
            known = ", ".join(sorted(self.profiles))
            at.fault("instrument", f"no profile of {instrument!r} is installed; there are {known}")
            return
        for index, field, message in unsuitable(notes, profile):
            places[index].fault(field, message)

    def _note(self, at: "_Place") -> Any:
        facts = {
            "onset_s": at.take("onset_s", _is_number),
            "offset_s": at.take("offset_s", _is_number),
            "drive_onset_s": at.take("drive_onset_s", _is_number, None),
            "articulation": at.take("articulation", _is_text),
            "mode": at.take("mode", _is_text, ""),
            "masked": at.texts("masked"),
            "envelopes": {place.name: self._envelope(place) for place in at.named("envelopes")},
        }
        extra = at.rest()
        return at.made(lambda: Note(**facts, extra=extra))

    def _envelope(self, at: "_Place") -> Any:
        interpolation, points = at.take("interpolation", _is_text, "linear"), at.take("points", _is_list)
        at.refuse_rest("an envelope")
        for index, point in enumerate(points or ()):
            if not _is_point(point):
                at.fault(f"points[{index}]", f"{_shown(point)} is no point, which is [time_s, value]")

        def make() -> Envelope:
            times_s, values = np.array(points, np.float64).reshape(-1, 2).T
            return Envelope(times_s, values, interpolation)

        return at.made(make)


class _Place:
    """An object in a document, what was taken out of it, and where faults in it are noted."""

    def __init__(self, reading: DocumentReader, path: str, value: Any, name: str = "") -> None:
        self.found = reading.found
        self.reading = reading
        self.before = len(self.found)
        self.path = path
        self.name = name
        self.is_object = isinstance(value, Mapping)
        self.value: Mapping[str, Any] = value if self.is_object else {}
        self.taken: set[str] = set()
        if not self.is_object:
            self.fault("", f"{_shown(value)} where an object is expected")
        for key in self.value:
            if not _is_text(key):
                self.fault("", f"{_shown(key)} where a name of Unicode text is expected")

    def below(self, name: str) -> str:
        shown = name if name.isprintable() else name.encode("unicode_escape").decode()
        return ".".join(part for part in (self.path, shown) if part)

    def fault(self, name: str, message: str) -> None:
        """Note a fault of a field; of the object itself where the name is empty."""
        self.found.append(Violation(self.below(name) or "$", message))

    def made(self, make: Callable[[], T]) -> T | None:
        """What `make` gives; None where the object has faults, of which a refusal is one."""
        if len(self.found) > self.before:
            return None
        try:
            return make()
        except InputError as error:
            self.fault("", str(error))
            return None

    def take(self, name: str, fits: Callable[[Any], bool], default: Any = _NEEDED) -> Any:
        """A field; None, and a fault, where it is missing or of another type."""
        self.taken.add(name)
        if name not in self.value:
            if default is _NEEDED and self.is_object:
                self.fault(name, "is missing")
            return None if default is _NEEDED else default
        value = self.value[name]
        if not fits(value):
            self.fault(name, f"{_shown(value)} where {_NAMES[fits]} is expected")
            return None
        return value

    def items(self, name: str, *, needed: bool = False) -> Iterator["_Place"]:
        """The objects of a list, each to be read before the next."""
        values = self.take(name, _is_list, _NEEDED if needed else []) or []
        for index, value in enumerate(values):
            yield self._inner(f"{name}[{index}]", value)

    def named(self, name: str) -> Iterator["_Place"]:
        """The objects of an object, each to be read before the next."""
        inner = self._inner(name, self.value.get(name, {}))
        self.taken.add(name)
        for key, value in inner.value.items():
            yield inner._inner(key, value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of words."""
        values = self.take(name, _is_list, []) or []
        for index, value in enumerate(values):
            if not _is_text(value):
                self.fault(f"{name}[{index}]", f"{_shown(value)} where {_NAMES[_is_text]} is expected")
        return tuple(values)

    def texts_by_name(self, name: str) -> dict[str, str]:
        """An object of words."""
        inner = self._inner(name, self.value.get(name, {}))
        self.taken.add(name)
        return {key: inner.take(key, _is_text) for key in inner.value}

    def rest(self) -> dict[str, Any]:
        """What was not taken: fields of a later version, which are kept."""
        rest = {name: value for name, value in self.value.items() if name not in self.taken}
        for name, value in rest.items():
            if not _is_json(value):
                self.fault(
                    name, "holds NaN, infinite numbers or lone surrogates, which JSON in UTF-8 has not"
                )
        return rest

    def refuse_rest(self, what: str) -> None:
        """Note fields that this object cannot have."""
        for name in self.rest():
            self.fault(name, f"unknown: {what} has {', '.join(sorted(self.taken))}")

    def _inner(self, name: str, value: Any) -> "_Place":
        return _Place(self.reading, self.below(name), value, name)


def _is_number(value: Any) -> bool:
    """Whether a float can hold it, as it can neither NaN nor some integers; in Python true is a number too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_text(value: Any) -> bool:
    """Whether UTF-8 can hold it; JSON can also name halves of surrogate pairs."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _instruments(document: Mapping[str, Any]) -> list[str]:
    """Names of the instruments, where streams are such as to have one."""
    streams = document.get("streams")
    given = streams if isinstance(streams, list) else []
    names = [stream.get("instrument") for stream in given if isinstance(stream, Mapping)]
    return [name for name in names if isinstance(name, str)]


def _is_json(value: Any) -> bool:
    try:
        return _is_text(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except ValueError:
        return False


_NAMES: Mapping[Callable[[Any], bool], str] = {
    _is_number: "a finite number",
    _is_text: "Unicode text",
    _is_flag: "true or false",
    _is_list: "a list",
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
