"""Performances as a table: a row for each note, in one CSV file.

Conventions
-----------
A channel has a column of its name with its middle value, for people and spreadsheets, and where it moves a
second one, ``NAME_curve``, with all of it: the interpolation, then ``time:value`` a breakpoint. The curve counts
where there is one; without it the channel is the one value. Numbers are written in full. A table does not hold
provenance, licences, and fields of a later version.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ripieno.contracts import Codec, Envelope, InputError, Note, Performance, PluginConfig, performance_of
from ripieno.contracts.artifact import require
from ripieno.contracts.performance import DYNAMICS, PITCH

from .documents import Json, reading

CURVE = "_curve"
LONGEST_CELL = 1 << 26
NUMBERS = ("rate_hz", "duration_s")
NEEDED = ("onset_s", "offset_s")
FIELDS = (
    "stream",
    "instrument",
    "note",
    "onset_s",
    "offset_s",
    "drive_onset_s",
    "articulation",
    "mode",
    "masked",
)


class TableConfig(PluginConfig):
    """Settings of `PerformanceTable`."""

    rate_hz: int = Field(
        48000,
        ge=1,
        description="Sample rate of the recording, for tables that do not tell it.",
        json_schema_extra={"unit": "Hz"},
    )


class PerformanceTable(Codec[TableConfig]):
    """A performance as ``.csv``, notes as rows; only `onset_s` and `offset_s` are needed in tables by others."""

    kind, suffixes = Performance, (".csv",)

    def read(self, path: Path) -> Performance:
        # A curve is one cell, which may be longer than the csv module expects.
        csv.field_size_limit(LONGEST_CELL)
        with reading(path, "a table of notes"), path.open(encoding="utf-8-sig", newline="") as file:
            try:
                table = csv.DictReader(file, strict=True)
                require(set(NEEDED) <= set(table.fieldnames or ()), f"no columns {' and '.join(NEEDED)}")
                rows = list(table)
            except csv.Error as error:
                raise InputError(f"not a table: {error}") from error
            return performance_of(document_of_rows(rows, rate_hz=self.config.rate_hz))

    def write(self, artifact: Performance, path: Path) -> None:
        names = {name for note in artifact.notes for name in note.envelopes}
        channels = [
            *(name for name in (PITCH, DYNAMICS) if name in names),
            *sorted(names - {PITCH, DYNAMICS}),
        ]
        columns = [column for name in channels for column in (name, name + CURVE)]
        text = io.StringIO()
        table = csv.DictWriter(text, (*FIELDS, *columns, *NUMBERS), lineterminator="\n")
        table.writeheader()
        for number, stream in enumerate(artifact.streams):
            for place, note in enumerate(stream.notes):
                facts = {"stream": number, "instrument": stream.instrument, "note": place}
                length = {"rate_hz": artifact.rate_hz, "duration_s": artifact.duration_s}
                table.writerow(facts | _cells(note) | length)
        # Bytes, so that the file is the same on every platform.
        path.write_bytes(text.getvalue().encode("utf-8"))


def _cells(note: Note) -> Json:
    cells: Json = {
        "onset_s": note.onset_s,
        "offset_s": note.offset_s,
        "drive_onset_s": "" if note.drive_onset_s is None else note.drive_onset_s,
        "articulation": note.articulation,
        "mode": note.mode,
        "masked": " ".join(note.masked),
    }
    for name, envelope in note.envelopes.items():
        middle = np.median(envelope.at(np.linspace(note.onset_s, note.offset_s, 101)))
        is_at_onset = envelope.times_s.tolist() == [note.onset_s] and envelope.interpolation == "linear"
        cells |= {name: float(middle), name + CURVE: "" if is_at_onset else _curve_text(envelope)}
    return cells


def _curve_text(envelope: Envelope) -> str:
    points = zip(envelope.times_s.tolist(), envelope.values.tolist(), strict=True)
    return " ".join([envelope.interpolation, *(f"{time_s!r}:{value!r}" for time_s, value in points)])


def document_of_rows(rows: Sequence[Mapping[str, Any]], *, rate_hz: int) -> Json:
    """The `.cont` document of rows by column name.

    Raises
    ------
    InputError
        If a column is missing or a cell is no number.
    """
    streams: dict[str, Json] = {}
    for line, row in enumerate(rows, start=2):
        require(None not in row, f"line {line}: more cells than columns")
        cells = _Cells(line, {name: (cell or "").strip() for name, cell in row.items()})
        instrument = cells.text.get("instrument") or "unknown"
        stream = streams.setdefault(
            cells.text.get("stream") or instrument, {"instrument": instrument, "notes": []}
        )
        stream["notes"].append(cells.note())
    for stream in streams.values():
        stream["notes"].sort(key=lambda note: note["onset_s"])
    first = _Cells(2, dict(rows[0]) if rows else {})
    ends_s = [note["offset_s"] for stream in streams.values() for note in stream["notes"]]
    return {
        "ripieno_cont": 1,
        "rate_hz": _whole(first.number("rate_hz")) if first.text.get("rate_hz") else rate_hz,
        "duration_s": first.number("duration_s")
        if first.text.get("duration_s")
        else max(ends_s, default=0.0),
        "streams": list(streams.values()),
    }


def _whole(number: float) -> float:
    return int(number) if number.is_integer() else number


class _Cells:
    """The cells of a row by column."""

    def __init__(self, line: int, text: Mapping[str, str]) -> None:
        self.line = line
        self.text = text

    def number(self, name: str) -> float:
        return self._float(name, self.text.get(name, ""))

    def note(self) -> Json:
        onset_s = self.number("onset_s")
        channels = [name for name in self.text if name not in (*FIELDS, *NUMBERS)]
        names = dict.fromkeys(name.removesuffix(CURVE) for name in channels)
        envelopes = {name: envelope for name in names if (envelope := self._envelope(name, onset_s))}
        drive = {"drive_onset_s": self.number("drive_onset_s")} if self.text.get("drive_onset_s") else {}
        return {
            "onset_s": onset_s,
            "offset_s": self.number("offset_s"),
            **drive,
            "articulation": self.text.get("articulation") or "sustained",
            "mode": self.text.get("mode", ""),
            "masked": self.text.get("masked", "").split(),
            "envelopes": envelopes,
        }

    def _envelope(self, name: str, onset_s: float) -> Json | None:
        if curve := self.text.get(name + CURVE):
            interpolation, *points = curve.split()
            pairs = [point.partition(":")[::2] for point in points]
            numbers = [[self._float(name + CURVE, number) for number in pair] for pair in pairs]
            return {"interpolation": interpolation, "points": numbers}
        if self.text.get(name):
            return {"interpolation": "linear", "points": [[onset_s, self.number(name)]]}
        return None

    def _float(self, name: str, cell: str) -> float:
        try:
            return float(cell)
        except ValueError as error:
            raise InputError(f"line {self.line}: {name} is {cell!r}, expected a number") from error
