"""Performances as ``.cont`` documents: canonical JSON text, gzip where the name ends in ``.gz``.

Conventions
-----------
``frozen/cont.v1.schema.json`` is the schema, ``docs/cont.md`` the specification. A reader knows versions
up to its own and refuses a later one by number; the number rises only where the meaning of a field
changes. Fields that a reader does not know are kept and written back. A path names a place in a document
as ``streams[0].notes[12].envelopes.pitch_midi``; the document itself is ``$``.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .cont_reading import VERSION, DocumentReader, Violation
from .errors import InputError
from .instrument import InstrumentProfile
from .performance import Envelope, Note, Performance, Stream
from .writing import atomic_path

# Hours of dense playing; a gzip that holds more is a bomb.
LARGEST_BYTES = 1 << 29


def read_cont(path: Path | str) -> Performance:
    """The performance in a ``.cont`` or ``.cont.gz`` file.

    Raises
    ------
    InputError
        If it is not there, truncated, no JSON, or breaks the specification; the message names the place.
    """
    document = document_in(path)
    try:
        return performance_of(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_cont(performance: Performance, path: Path | str) -> None:
    """Write the canonical text, compressed where the name ends in ``.gz``; the same bytes each time."""
    path, data = Path(path), cont_text(performance).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    with atomic_path(path) as part:
        part.write_bytes(data)


def document_in(path: Path | str) -> Mapping[str, Any]:
    """The JSON object in a ``.cont`` or ``.cont.gz`` file, as it stands.

    Raises
    ------
    InputError
        If it is not there, truncated, or no JSON object.
    """
    try:
        with gzip.open(path, "rb") if Path(path).suffix == ".gz" else open(path, "rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise InputError(f"more than {LARGEST_BYTES >> 20} MiB of text")
        return _parsed(data.decode("utf-8-sig"))
    except EOFError as error:
        raise InputError(f"{path}: the gzip is cut off before its end; copy the file again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file: {error}") from error
    except UnicodeDecodeError as error:
        other = "not UTF-8 text, so no .cont document; core cont convert reads MIDI, JAMS and CSV"
        raise InputError(f"{path}: {other}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _parsed(text: str) -> dict[str, Any]:
    """The JSON object that a text is.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"holds a {type(document).__name__}, expected a JSON object")
    return document


def performance_of(document: Mapping[str, Any] | str) -> Performance:
    """The performance that a document or its text says.

    Raises
    ------
    InputError
        If the text is no JSON; else with the first violation, and the number of the others.
    """
    reading = DocumentReader({})
    performance = reading.document(_parsed(document) if isinstance(document, str) else document)
    if reading.found or performance is None:
        others = len(reading.found) - 1
        more = f" (and {others} more: core cont validate lists them)" if others else ""
        raise InputError(f"{reading.found[0]}{more}")
    return performance


def validate(
    document: Mapping[str, Any], *, profiles: Mapping[str, InstrumentProfile] | None = None
) -> tuple[Violation, ...]:
    """Everything that is wrong with a document.

    Parameters
    ----------
    document : mapping
        As `document_in` reads it.
    profiles : mapping of str to InstrumentProfile, optional
        Instruments by name. Where given, notes must be such as their instrument can play.

    Returns
    -------
    tuple of Violation
        In the order of the document; none where it is valid.
    """
    reading = DocumentReader(profiles or {})
    reading.document(document)
    return tuple(reading.found)


def cont_text(performance: Performance) -> str:
    """The canonical text: keys in the order of the specification, a line for each envelope, so that a diff reads."""
    head: dict[str, Any] = {"ripieno_cont": VERSION}
    if performance.instrument:
        head["instrument"] = performance.instrument
    head |= {
        "rate_hz": performance.rate_hz,
        "duration_s": performance.duration_s,
        "provenance": dict(sorted(performance.field_provenance.items())),
        "masked_outputs": list(performance.masked_outputs),
        "licences": [asdict(licence) for licence in performance.licences],
        **_sorted(performance.extra),
    }
    lines = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    streams = _block([_stream_text(stream) for stream in performance.streams], "[]", "  ")
    lines.append(f'"streams": {streams}')
    return _block(lines, "{}", "") + "\n"


def _stream_text(stream: Stream) -> str:
    notes = _block([_note_text(note) for note in stream.notes], "[]", "    ")
    head = {"instrument": stream.instrument, **_sorted(stream.extra)}
    return _json(head)[:-1] + f', "notes": {notes}' + "}"


def _note_text(note: Note) -> str:
    head: dict[str, Any] = {"onset_s": note.onset_s, "offset_s": note.offset_s}
    if note.drive_onset_s is not None:
        head["drive_onset_s"] = note.drive_onset_s
    head |= {"articulation": note.articulation, "mode": note.mode}
    if note.masked:
        head["masked"] = note.masked
    head |= _sorted(note.extra)
    envelopes = [f"{_json(name)}: {_envelope_text(item)}" for name, item in sorted(note.envelopes.items())]
    return _json(head)[:-1] + f', "envelopes": {_block(envelopes, "{}", "      ")}' + "}"


def _envelope_text(envelope: Envelope) -> str:
    points = np.stack([envelope.times_s, envelope.values], axis=1).tolist()
    return _json({"interpolation": envelope.interpolation, "points": points})


def _block(lines: Sequence[str], brackets: str, indent: str) -> str:
    """Lines within brackets, one below the other."""
    if not lines:
        return brackets
    inner = f",\n{indent}  ".join(lines)
    return f"{brackets[0]}\n{indent}  {inner}\n{indent}{brackets[1]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _sorted(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: extra[name] for name in sorted(extra)}
