"""The recordings that mixtures are made of: found in a folder, read, cut, put in a room.

Conventions
-----------
Samples are mono, float64 [frames]; several channels become their mean.
"""

import csv
import glob
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Licence
from ripieno.toolkit.resampling import resample

Samples = NDArray[np.float64]

STEP_S = 0.1
AUDIBLE = 0.1
"""Excerpts have at least this share of the energy of the loudest one."""


def find(folder: Path, patterns: Sequence[str], *, what: str) -> tuple[Path, ...]:
    """The files of a folder that fit any of the patterns, by name.

    Raises
    ------
    InputError
        If a pattern fits no file or one outside the folder, two files have one name, or one is not UTF-8; the
        message says whose setting `what` is.
    """
    found: set[Path] = set()
    for pattern in patterns:
        files = _fitting(folder, pattern)
        if not files:
            cure = f"Set folder (the commands' --data), or {what}"
            raise InputError(f"{what}: no file in {folder} is called {pattern}. {cure}")
        found |= files
    by_name: dict[str, Path] = {}
    for path in sorted(found, key=lambda path: (path.stem, path.as_posix())):
        if not path.is_relative_to(folder):
            raise InputError(
                f"{what}: {path} is not in {folder}. Set folder to one that holds all recordings"
            )
        if any(unicodedata.category(letter) == "Cs" for letter in path.name):
            raise InputError(f"{what}: the file name {path.name!r} is not UTF-8. Rename it")
        if path.stem in by_name:
            raise InputError(f"{what}: {by_name[path.stem]} and {path} have one name. Rename one")
        by_name[path.stem] = path
    return tuple(by_name.values())


def _fitting(folder: Path, pattern: str) -> set[Path]:
    # A file whose own name holds a bracket or a star is that file.
    exact = (folder / pattern).is_file()
    names = [pattern] if exact else glob.glob(pattern, root_dir=folder, recursive=True)
    return {folder / name for name in names if (folder / name).is_file()}


def read(path: Path, *, rate_hz: int) -> Samples:
    """A recording at a rate.

    Raises
    ------
    InputError
        If it cannot be read, is silent, or holds NaN or infinity.
    """
    import soundfile

    try:
        samples, from_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"{path}: cannot be read as sound: {error}") from error
    mono = samples.mean(axis=1)[None]
    if from_hz != rate_hz:
        mono = resample(mono, from_hz=from_hz, to_hz=rate_hz)
    if not np.isfinite(mono).all():
        raise InputError(f"{path}: has samples that are not numbers. Write the file anew, or leave it out")
    if not mono.any():
        raise InputError(f"{path}: is silent, and no level can be set by it. Leave it out")
    return np.asarray(mono[0], np.float64)


def excerpt_start(samples: Samples, frames: int, *, rate_hz: int, rng: np.random.Generator) -> int:
    """Where an excerpt begins, drawn from those that are not much quieter than the loudest; 0 if all fits."""
    if samples.size <= frames:
        return 0
    starts = np.arange(0, samples.size - frames + 1, max(1, round(STEP_S * rate_hz)))
    sums = np.concatenate([[0.0], np.cumsum(np.square(samples))])
    energies = sums[starts + frames] - sums[starts]
    return int(rng.choice(starts[energies >= AUDIBLE * energies.max()]))


def read_room(path: Path, *, rate_hz: int) -> Samples:
    """The response of a room, of unit energy, from its direct path on: sound is not late in it."""
    response = read(path, rate_hz=rate_hz)
    response = response[np.abs(response).argmax() :]
    return np.asarray(response / np.sqrt(np.vdot(response, response)))


def in_room(samples: Samples, response: Samples) -> Samples:
    """Samples as the room lets them be heard, of the length they had."""
    size = 1 << (samples.size + response.size - 2).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: samples.size])


def licences(folder: Path, table: str) -> dict[Path, Licence]:
    """Terms by file, of a table with the columns path, licence and attribution; none where there is no table.

    Raises
    ------
    InputError
        If it is no table, or lacks a column.
    """
    path = folder / table
    if not table or not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not text in UTF-8. Save it as a CSV in UTF-8") from error
    rows = csv.DictReader(io.StringIO(text, newline=""), restval="")
    missing = {"path", "licence", "attribution"} - set(rows.fieldnames or ())
    if missing:
        raise InputError(f"{path}: has no column {', '.join(sorted(missing))}")
    return {folder / row["path"]: _licence(row) for row in rows}


def _licence(row: dict[str, str]) -> Licence:
    commercial = "NC" not in row["licence"].upper().split("-")
    return Licence(row["licence"], row["attribution"], commercial, row.get("source") or "")
