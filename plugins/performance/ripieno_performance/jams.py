"""Performances as JAMS, the JSON annotated music specification.

Conventions
-----------
Each player is two annotations of schema 0.3: ``note_hz``, whose value is the middle of the note's pitch, and
``pitch_contour``, dense, whose index is the place of the note. Times are exact. What JAMS has no field for
stands in sandboxes as the `.cont` document has it: in that of a ``note_hz`` annotation the player's notes
but for times and pitch, in that of the file the document's own fields.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Codec, InputError, Performance, PluginConfig, Stream, performance_of
from ripieno.contracts.performance import PITCH

from .curves import sample_times
from .documents import Json, document_of, linear, reading, without

JAMS_VERSION = "0.3.5"
NOTES, CONTOUR = ("note_hz", "note_midi"), "pitch_contour"
OURS = "ripieno_cont"
TICK_S = 1e-6
PITCH_TOLERANCE = 0.001
# GuitarSet names strings by their numbers, low E first.
GUITAR_STRINGS = {"0", "1", "2", "3", "4", "5"}

Floats = NDArray[np.float64]


class JamsConfig(PluginConfig):
    """Settings of `PerformanceJams`."""

    rate_hz: int = Field(
        44100,
        ge=1,
        description="Sample rate of the recording, for files that do not tell it.",
        json_schema_extra={"unit": "Hz"},
    )
    instrument: str = Field("unknown", description="Profile of the player, for files that do not tell it.")


class PerformanceJams(Codec[JamsConfig]):
    """A performance as ``.jams``; of a file by others its notes, with their contours where there are some.

    References
    ----------
    Humphrey et al.: JAMS: a JSON annotated music specification for reproducible MIR research. ISMIR 2014.
    Xi et al.: GuitarSet: a dataset for guitar transcription. ISMIR 2018.
    """

    kind, suffixes = Performance, (".jams",)

    def read(self, path: Path) -> Performance:
        with reading(path, "a JAMS file"):
            document = json.loads(path.read_text(encoding="utf-8"))
            annotations = document["annotations"]
            ours = (document.get("sandbox") or {}).get(OURS)
            if ours is not None:
                return performance_of({**ours, "streams": own_streams(annotations)})
            stream = stream_of(annotations, instrument=self.config.instrument)
            ends_s = [note["offset_s"] for note in stream["notes"]]
            duration_s = document.get("file_metadata", {}).get("duration") or 0.0
            head = {"ripieno_cont": 1, "rate_hz": self.config.rate_hz}
            sources = dict.fromkeys((PITCH, "onset_s", "offset_s"), "annotated")
            return performance_of(
                {
                    **head,
                    "duration_s": max(duration_s, *ends_s, 0.0),
                    "provenance": sources,
                    "streams": [stream],
                }
            )

    def write(self, artifact: Performance, path: Path) -> None:
        text = json.dumps(jams_of(artifact), allow_nan=False)
        # Bytes, so that the file is the same on every platform.
        path.write_bytes((text + "\n").encode("utf-8"))


def jams_of(performance: Performance) -> Json:
    """The JAMS document of a performance.

    Raises
    ------
    InputError
        If a note has no pitch.
    """
    document = document_of(performance)
    annotations = []
    for stream, said in zip(performance.streams, document["streams"], strict=True):
        annotations += [_note_annotation(stream, said), _contour_annotation(stream)]
    metadata = {"jams_version": JAMS_VERSION, "duration": performance.duration_s}
    sandbox = {OURS: without(document, "streams")}
    return {"file_metadata": metadata, "annotations": annotations, "sandbox": sandbox}


def _note_annotation(stream: Stream, said: Json) -> Json:
    data, words = [], []
    for index, (note, fields) in enumerate(zip(stream.notes, said["notes"], strict=True)):
        if PITCH not in note.envelopes:
            raise InputError(
                f"{stream.instrument}: notes[{index}] has no {PITCH}: a note in JAMS has a pitch"
            )
        pitch_midi = note.envelopes[PITCH].at(np.linspace(note.onset_s, note.offset_s, 101))
        middle_hz = float(hz_of(np.median(pitch_midi)))
        # The end is what JAMS' duration cannot give to the last bit.
        rest = without(fields, "onset_s", "envelopes")
        words.append({**rest, "envelopes": without(fields["envelopes"], PITCH)})
        data.append(
            {"time": note.onset_s, "duration": note.duration_s, "value": middle_hz, "confidence": None}
        )
    return _annotation("note_hz", data, {OURS: {**said, "notes": words}})


def _contour_annotation(stream: Stream) -> Json:
    times_s: list[float] = []
    values: list[Json] = []
    for index, note in enumerate(stream.notes):
        envelope = note.envelopes[PITCH]
        sampled_s = sample_times(
            envelope, start_s=note.onset_s, end_s=note.offset_s, tick_s=TICK_S, tolerance=PITCH_TOLERANCE
        )
        times_s += sampled_s.tolist()
        frequencies_hz = hz_of(envelope.at(sampled_s)).tolist()
        values += [{"index": index, "frequency": one_hz, "voiced": True} for one_hz in frequencies_hz]
    nothing = [None] * len(times_s)
    data = {"time": times_s, "duration": [0.0] * len(times_s), "value": values, "confidence": nothing}
    return _annotation(CONTOUR, data, {})


def _annotation(namespace: str, data: Any, sandbox: Json) -> Json:
    metadata = {"annotation_tools": "Ripieno"}
    return {"namespace": namespace, "annotation_metadata": metadata, "data": data, "sandbox": sandbox}


def own_streams(annotations: Iterable[Json]) -> list[Json]:
    """Players as they were written: each ``note_hz`` annotation with the contours that follow it.

    Raises
    ------
    InputError
        If an annotation was changed, so that its notes are not those of its sandbox.
    """
    streams: list[Json] = []
    for annotation in annotations:
        said = (annotation.get("sandbox") or {}).get(OURS)
        if annotation["namespace"] == "note_hz" and said is not None:
            rows = annotation["data"]
            if len(rows) != len(said["notes"]):
                raise InputError(
                    f"{len(rows)} notes, whose sandbox tells of {len(said['notes'])}: was one changed?"
                )
            notes = [
                {**words, "onset_s": row["time"]} for row, words in zip(rows, said["notes"], strict=True)
            ]
            streams.append({**said, "notes": notes})
        elif annotation["namespace"] == CONTOUR and streams:
            for index, times_s, pitch_midi in contours_of(annotation):
                streams[-1]["notes"][index]["envelopes"][PITCH] = linear(times_s, pitch_midi)
    return streams


def stream_of(annotations: Iterable[Json], *, instrument: str) -> Json:
    """One player of a file by others.

    Annotations of notes that name different sources, as GuitarSet names strings, are all of this player; of
    those that name the same the first is. Without any, each contour is a note.

    Raises
    ------
    InputError
        If there are neither notes nor contours.
    """
    by_source: dict[str, dict[str, Json]] = {}
    for annotation in annotations:
        if annotation["namespace"] in (*NOTES, CONTOUR):
            source = str((annotation.get("annotation_metadata") or {}).get("data_source", ""))
            by_source.setdefault(source, {}).setdefault(annotation["namespace"], annotation)
    if not by_source:
        raise InputError(f"no annotation of namespace {', '.join(NOTES)} or {CONTOUR}")
    is_guitar = set(by_source) == GUITAR_STRINGS
    articulation = "plucked" if is_guitar else "sustained"
    notes = [note for found in by_source.values() for note in _notes_of(found, articulation)]
    notes.sort(key=lambda note: note["onset_s"])
    return {"instrument": "acoustic_guitar" if is_guitar else instrument, "notes": notes}


def _notes_of(annotations: Mapping[str, Json], articulation: str) -> list[Json]:
    contours = list(contours_of(annotations[CONTOUR])) if CONTOUR in annotations else []
    namespace = next((name for name in NOTES if name in annotations), None)
    if namespace is None:
        lasting = [contour for contour in contours if len(contour[1]) > 1]
        return [
            _note(times_s[0], times_s[-1], linear(times_s, pitch_midi), articulation)
            for _, times_s, pitch_midi in lasting
        ]
    notes = []
    for row in _rows(annotations[namespace]):
        onset_s, offset_s = row["time"], row["time"] + row["duration"]
        pitch_midi = row["value"] if namespace == "note_midi" else float(midi_of(row["value"]))
        pitch = _contour_within(contours, onset_s, offset_s, pitch_midi)
        notes.append(_note(onset_s, offset_s, pitch, articulation))
    return notes


def _note(onset_s: float, offset_s: float, pitch: Json, articulation: str) -> Json:
    times = {"onset_s": float(onset_s), "offset_s": float(offset_s)}
    return {**times, "articulation": articulation, "envelopes": {PITCH: pitch}}


def _contour_within(
    contours: Iterable[tuple[int, Floats, Floats]], onset_s: float, offset_s: float, pitch_midi: float
) -> Json:
    """The contour that lies in a note for the longest time, nearest in pitch of several; else its one pitch."""
    found = []
    for _, times_s, values in contours:
        if times_s[0] <= offset_s and times_s[-1] >= onset_s:
            inside = (times_s >= onset_s) & (times_s <= offset_s)
            if inside.any():
                distance = abs(float(np.median(values[inside])) - pitch_midi)
                found.append((-np.ptp(times_s[inside]), distance, linear(times_s[inside], values[inside])))
    nothing = linear(np.array([onset_s]), np.array([pitch_midi]))
    return min(found, key=lambda contour: contour[:2])[2] if found else nothing


def contours_of(annotation: Json) -> Iterable[tuple[int, Floats, Floats]]:
    """Index, times_s [points] and pitch as MIDI numbers [points] of each contour, its unvoiced points left out."""
    points: dict[int, dict[float, float]] = {}
    for row in _rows(annotation):
        value = row["value"]
        if value["voiced"] and value["frequency"] > 0:
            points.setdefault(value["index"], {})[row["time"]] = value["frequency"]
    for index, contour in points.items():
        times_s = np.array(sorted(contour), np.float64)
        frequencies_hz = np.array([contour[time_s] for time_s in sorted(contour)], np.float64)
        yield index, times_s, midi_of(frequencies_hz)


def _rows(annotation: Json) -> list[Json]:
    """Observations, which the schema allows as a dense series too: one list a field."""
    data = annotation["data"]
    if not isinstance(data, Mapping):
        return list(data)
    columns = (data[name] for name in ("time", "duration", "value"))
    return [
        {"time": time, "duration": duration, "value": value}
        for time, duration, value in zip(*columns, strict=True)
    ]


def hz_of(pitch_midi: Any) -> Any:
    """Frequency of a MIDI number."""
    return 440 * 2.0 ** ((pitch_midi - 69) / 12)


def midi_of(frequency_hz: Any) -> Any:
    """MIDI number of a frequency > 0.

    Raises
    ------
    InputError
        If a frequency is 0 or less.
    """
    if not np.all(np.asarray(frequency_hz) > 0):
        raise InputError("a note of 0 Hz or less")
    return 69 + 12 * np.log2(np.asarray(frequency_hz) / 440)
