"""Beats as JAMS, the JSON annotated music specification.

Conventions
-----------
Written is one annotation of schema 0.3: namespace ``beat_position`` where the place of every beat in its
bar is known, ``beat`` elsewhere (value = position, null where it is unknown). Floats are written in full.
When beats were known has no place in the schema; it stands in the annotation's sandbox.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.contracts import Beats, Codec, InputError, NoConfig, RipienoError

JAMS_VERSION = "0.3.5"
NAMESPACES = ("beat_position", "beat")
# The schema asks for the note that a beat is, which beats alone do not tell.
BEAT_UNITS = 4
FIELDS = ("time", "value", "confidence")


class JamsFile(Codec[NoConfig]):
    """Beats as ``.jams``; of a file with several annotations the first of beat positions, else of beats.

    References
    ----------
    Humphrey et al.: JAMS: a JSON annotated music specification for reproducible MIR research. ISMIR 2014.
    """

    kind, suffixes = Beats, (".jams",)

    def read(self, path: Path) -> Beats:
        try:
            return beats_of(json.loads(path.read_text(encoding="utf-8")))
        except RipienoError as error:
            raise InputError(f"{path}: {error}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path}: not a JAMS file: {error}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: not as the JAMS schema has it: {error!r}") from error

    def write(self, artifact: Beats, path: Path) -> None:
        text = json.dumps(document_of(artifact), indent=1, allow_nan=False)
        # Bytes, so that the file is the same on every platform.
        path.write_bytes((text + "\n").encode("utf-8"))


def document_of(beats: Beats) -> dict[str, Any]:
    """The JAMS document of beats."""
    has_positions = len(beats.positions) > 0 and bool(beats.positions.all())
    values = bar_places(beats) if has_positions else [int(position) or None for position in beats.positions]
    observations = [
        {"time": time_s, "duration": 0.0, "value": value, "confidence": confidence}
        for time_s, value, confidence in zip(
            beats.times_s.tolist(), values, beats.confidence.tolist(), strict=True
        )
    ]
    was_known_at_once = np.array_equal(beats.known_s, beats.times_s)
    annotation = {
        "namespace": "beat_position" if has_positions else "beat",
        "annotation_metadata": {"annotation_tools": "Ripieno"},
        "data": observations,
        "sandbox": {} if was_known_at_once else {"known_s": beats.known_s.tolist()},
    }
    # Readers want a duration; that of the last beat is all that beats tell.
    metadata = {"jams_version": JAMS_VERSION, "duration": float(beats.times_s.max(initial=0))}
    return {"file_metadata": metadata, "annotations": [annotation], "sandbox": {}}


def bar_places(beats: Beats) -> list[dict[str, int]]:
    """Values of the ``beat_position`` namespace.

    A bar that a downbeat ends has as many beats as its last position says; the first and the last bar,
    which may be cut off, have as many as the bar beside them, if that is more.
    """
    positions = beats.positions
    measures = np.cumsum(positions == 1)
    lengths = np.zeros(measures[-1] + 1, np.int64)
    np.maximum.at(lengths, measures, positions)
    if len(lengths) > 2:
        lengths[0], lengths[-1] = max(lengths[:2]), max(lengths[-2:])
    return [
        {
            "position": position,
            "measure": measure,
            "num_beats": int(lengths[measure]),
            "beat_units": BEAT_UNITS,
        }
        for position, measure in zip(positions.tolist(), measures.tolist(), strict=True)
    ]


def beats_of(document: Any) -> Beats:
    """The beats of a JAMS document; a confidence that is not given is 1.

    Raises
    ------
    InputError
        If it has no annotation of beats, or one that makes no beats.
    """
    annotation = find_annotation(document["annotations"])
    data = annotation["data"]
    # The schema allows a dense series too: one list a field.
    columns = data if isinstance(data, Mapping) else {name: [row[name] for row in data] for name in FIELDS}
    times_s, values, confidence = (columns[name] for name in FIELDS)
    return Beats(
        np.array(times_s, float),
        np.array([position_of(value) for value in values]),
        np.array([1.0 if given is None else given for given in confidence], float),
        (annotation.get("sandbox") or {}).get("known_s"),
    )


def find_annotation(annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """The first annotation of beat positions, else of beats.

    Raises
    ------
    InputError
        If there is none.
    """
    given = [annotation["namespace"] for annotation in annotations]
    for namespace in NAMESPACES:
        if namespace in given:
            return annotations[given.index(namespace)]
    there = f"there are {', '.join(map(str, given))}" if given else "there are no annotations"
    raise InputError(f"no annotation of namespace {' or '.join(NAMESPACES)}: {there}")


def position_of(value: Any) -> int:
    """Place in the bar that an observation's value tells; 0 where it tells none, as between two beats."""
    position = value["position"] if isinstance(value, Mapping) else value
    if position is None:
        return 0
    return int(position) if position >= 1 and position == int(position) else 0
