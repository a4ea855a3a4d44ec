"""Standard files for the artifacts that need no library: text, JSON, tables, folders.

Conventions
-----------
``.beats`` is ``time TAB position`` a line, ``.lab`` is ``start TAB end TAB label``; both UTF-8, seconds.
"""

import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from pydantic import Field

from .artifact import Artifact
from .config import PluginConfig
from .cont import read_cont, write_cont
from .errors import InputError, RipienoError
from .events import Beats, Sections
from .files import MANIFEST, Bundle, Dataset, Model, Scores, Text
from .interfaces import Codec
from .performance import Performance
from .plugin import NoConfig
from .provenance import Licence, Provenance
from .series import Activations, BeatClock, Features, Trajectory
from .slow_state import CONTRACT, SlowState, SlowStates, require_contract

A = TypeVar("A", bound=Artifact)


class BeatsConfig(PluginConfig):
    """Settings of `BeatsFile`."""

    decimals: int = Field(6, ge=0, le=12, description="Digits after the point in times written.")


class BeatsFile(Codec[BeatsConfig]):
    """Beats as ``time TAB position``, one a line; position 0 = unknown."""

    kind, suffixes = Beats, (".beats",)

    def read(self, path: Path) -> Beats:
        rows = _table(path, columns=(1, 2))
        times_s = [_number(path, line, row[0]) for line, row in rows]
        positions = [_number(path, line, row[1]) if len(row) > 1 else 0 for line, row in rows]
        return _made(path, lambda: Beats(np.array(times_s), np.array(positions)))

    def write(self, artifact: Beats, path: Path) -> None:
        digits = self.config.decimals
        rows = zip(artifact.times_s, artifact.positions, strict=True)
        _write(path, "".join(f"{time_s:.{digits}f}\t{position}\n" for time_s, position in rows))


class LabFile(Codec[NoConfig]):
    """Sections as ``start TAB end TAB label``, one a line."""

    kind, suffixes = Sections, (".lab",)

    def read(self, path: Path) -> Sections:
        rows = _table(path, columns=(3,))
        start_s = np.array([_number(path, line, row[0]) for line, row in rows])
        end_s = np.array([_number(path, line, row[1]) for line, row in rows])
        return _made(path, lambda: Sections(start_s, end_s, tuple(row[2] for _, row in rows)))

    def write(self, artifact: Sections, path: Path) -> None:
        rows = zip(artifact.start_s, artifact.end_s, artifact.labels, strict=True)
        lines = (f"{start:.6f}\t{end:.6f}\t{' '.join(label.split())}\n" for start, end, label in rows)
        _write(path, "".join(lines))


class TextFile(Codec[NoConfig]):
    """Text in UTF-8."""

    kind, suffixes = Text, (".txt", ".md")

    def read(self, path: Path) -> Text:
        try:
            return Text(path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 text: {error}") from error

    def write(self, artifact: Text, path: Path) -> None:
        _write(path, artifact.text)


class ScoresFile(Codec[NoConfig]):
    """Scores as JSON: values, and what they were compared with."""

    kind, suffixes = Scores, (".json",)

    def read(self, path: Path) -> Scores:
        document = _object(path)
        if not isinstance(document.get("values"), dict):
            raise InputError(f'{path}: scores are {{"values": {{name: number}}, "compared_with": text}}')
        return _made(path, lambda: Scores(document["values"], str(document.get("compared_with", ""))))

    def write(self, artifact: Scores, path: Path) -> None:
        document = {"values": dict(artifact.values), "compared_with": artifact.compared_with}
        _write_json(path, document)


class ModelFile(Codec[NoConfig]):
    """A model as it is; its metadata as ``.json`` beside it."""

    kind, suffixes = Model, (".onnx", ".safetensors")

    def read(self, path: Path) -> Model:
        beside = path.with_suffix(".json")
        document = _object(beside) if beside.is_file() else {}
        return _made(path, lambda: Model(path, document.get("metadata", {}), document.get("contract", "")))

    def write(self, artifact: Model, path: Path) -> None:
        shutil.copyfile(artifact.path, path)
        document = {"metadata": dict(artifact.metadata), "contract": artifact.contract}
        _write_json(path.with_suffix(".json"), document)


class _Arrays(Codec[NoConfig]):
    """A series as ``.npz``: its parts under their names."""

    suffixes = (".npz",)

    def read(self, path: Path) -> Artifact:
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                parts = {name: arrays[name][()] for name in arrays.files}
        except (OSError, ValueError, EOFError, TypeError, BadZipFile, zlib.error) as error:
            raise InputError(f"{path}: not an .npz file of arrays: {error}") from error
        return _made(path, lambda: self.kind.from_parts(self.nested(parts)))

    def write(self, artifact: Artifact, path: Path) -> None:
        with open(path, "wb") as file:
            np.savez(file, **self.flat(artifact))

    def flat(self, artifact: Artifact) -> dict[str, Any]:
        """Its parts by name, those in a mapping by ``mapping/name``."""
        return _flat(artifact.parts())

    def nested(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """The inverse of `flat`."""
        return _nested(parts)


class FeaturesFile(_Arrays):
    """Features as ``.npz``."""

    kind = Features


class ActivationsFile(_Arrays):
    """Activations as ``.npz``."""

    kind = Activations


class TrajectoryFile(_Arrays):
    """A trajectory as ``.npz``; its look is JSON text in it."""

    kind = Trajectory

    def flat(self, artifact: Artifact) -> dict[str, Any]:
        parts = artifact.parts()
        return {**parts, "look": json.dumps(parts["look"], ensure_ascii=False)}

    def nested(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        return {**parts, "look": json.loads(str(parts.get("look", "{}")))}


class BeatClockFile(_Arrays):
    """A beat clock as ``.npz``."""

    kind = BeatClock


class SlowStatesFile(Codec[NoConfig]):
    """States of the slow clock as lines of JSON: one that names contract and features, then one a frame."""

    kind, suffixes = SlowStates, (".jsonl",)

    def read(self, path: Path) -> SlowStates:
        head, *lines = [_parsed(path, line, row) for line, row in _lines(path)] or [{}]
        return _made(path, lambda: _slow_states(head, lines))

    def write(self, artifact: SlowStates, path: Path) -> None:
        head = {"contract": CONTRACT, "feature_names": list(artifact.feature_names)}
        states = (state.to_json() for state in artifact.states())
        _write(path, "".join(f"{json.dumps(line)}\n" for line in (head, *states)))


def _slow_states(head: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> SlowStates:
    require_contract(head.get("contract"))
    states = [SlowState.from_json(line) for line in lines]
    return SlowStates.from_states(states, feature_names=head.get("feature_names", ()))


class ContFile(Codec[NoConfig]):
    """A performance as a ``.cont`` document, or compressed as ``.cont.gz``."""

    kind, suffixes = Performance, (".cont", ".gz")

    def read(self, path: Path) -> Performance:
        performance = read_cont(path)
        return performance.with_provenance(Provenance(licences=performance.licences))

    def write(self, artifact: Performance, path: Path) -> None:
        write_cont(artifact, path)


class BundleFolder(Codec[NoConfig]):
    """Named files as a folder."""

    kind, suffixes = Bundle, ("",)

    def read(self, path: Path) -> Bundle:
        return Bundle(_files(path))

    def write(self, artifact: Bundle, path: Path) -> None:
        _copy(artifact.files, path)


class DatasetFolder(Codec[NoConfig]):
    """A data set as a folder: its files, and ``dataset_manifest.json``."""

    kind, suffixes = Dataset, ("",)

    def read(self, path: Path) -> Dataset:
        files = _files(path)
        beside = files.pop(MANIFEST, None)
        manifest = _object(beside) if beside else {}
        return Dataset(files, manifest, provenance=Provenance(licences=_licences(manifest)))

    def write(self, artifact: Dataset, path: Path) -> None:
        _copy(artifact.files, path)
        _write_json(path / MANIFEST, dict(artifact.manifest))


def _licences(manifest: Mapping[str, Any]) -> tuple[Licence, ...]:
    """Those that a manifest names as sets of this project do; none of another form."""
    named = manifest.get("licences")
    try:
        return tuple(Licence(**licence) for licence in named or ())
    except TypeError:
        return ()


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not empty, with their numbers."""
    lines = TextFile().read(path).text.removeprefix("\ufeff").splitlines()
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _parsed(path: Path, line: int, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}:{line}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}:{line}: expected an object")
    return value


def _table(path: Path, *, columns: tuple[int, ...]) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, with their line numbers; split at tabs, else at blanks."""
    rows = []
    for line, text in _lines(path):
        row = text.split("\t") if "\t" in text else text.split(maxsplit=max(columns) - 1)
        if len(row) not in columns:
            raise InputError(f"{path}:{line}: {len(row)} columns, expected {' or '.join(map(str, columns))}")
        rows.append((line, row))
    return rows


def _number(path: Path, line: int, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{path}:{line}: {text!r} is not a number") from error


def _object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: holds a {type(document).__name__}, expected a JSON object")
    return document


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    _write(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    # Bytes, so that the file is the same on every platform.
    path.write_bytes(text.encode("utf-8"))


def _made(path: Path, make: Callable[[], A]) -> A:
    try:
        return make()
    except RipienoError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: lacks {error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from error


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _copy(files: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir()
    for name, source in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _flat(parts: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in parts.items():
        is_mapping = isinstance(value, Mapping)
        flat.update({f"{name}/{key}": item for key, item in value.items()} if is_mapping else {name: value})
    return flat


def _nested(parts: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in parts.items():
        first, slash, rest = name.partition("/")
        if slash:
            nested.setdefault(first, {})[rest] = value
        else:
            nested[name] = value
    return nested
