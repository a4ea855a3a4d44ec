"""Pairs of sound and label that lie in files: found in data sets, read as examples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ripieno.contracts import Audio, Dataset, Example, InputError, read_cont
from ripieno.contracts.codecs import DatasetFolder

PAIRS_VERSION = 1


@dataclass(frozen=True)
class Pair:
    """A clip of a data set.

    Parameters
    ----------
    name, split : str
        As the manifest says.
    audio, cont : str
        Paths of its files.
    """

    name: str
    split: str
    audio: str
    cont: str

    def read(self) -> Example:
        """Its sound and how it was played.

        Raises
        ------
        InputError
            If a file cannot be read.
        """
        import soundfile

        try:
            samples, rate_hz = soundfile.read(self.audio, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise InputError(f"{self.audio}: cannot be read as sound: {error}") from error
        return Example(Audio(samples.T, rate_hz), read_cont(Path(self.cont)))


def clips_in(dataset: Dataset, *, where: str) -> list[dict[str, Any]]:
    """What the manifest of a set of pairs says of each clip.

    Parameters
    ----------
    dataset : Dataset
    where : str
        Names the set in messages.

    Raises
    ------
    InputError
        If it is no set of pairs, or a file that it names is not there.
    """
    version = dataset.manifest.get("ripieno_pairs")
    if version != PAIRS_VERSION:
        raise InputError(
            f"{where}: not a set of pairs: ripieno_pairs is {version!r} in its manifest, not {PAIRS_VERSION}"
        )
    clips: list[dict[str, Any]] = list(dataset.manifest.get("clips", ()))
    for clip in clips:
        for part in ("audio", "cont"):
            if clip.get(part) not in dataset.files:
                raise InputError(
                    f"{where}: {clip.get('name')}: its {part} {clip.get(part)!r} is not in the set"
                )
    return clips


def pair_of(clip: Mapping[str, Any], dataset: Dataset, *, name: str) -> Pair:
    """The files of a clip."""
    files = dataset.files
    return Pair(name, str(clip["split"]), str(files[clip["audio"]]), str(files[clip["cont"]]))


def pairs_in_folder(folder: Path) -> tuple[Pair, ...]:
    """The pairs of a data set that was written to a folder.

    Raises
    ------
    InputError
        As `clips_in`, or if it is no folder.
    """
    dataset = DatasetFolder().read(folder)
    clips = clips_in(dataset, where=str(folder))
    return tuple(pair_of(clip, dataset, name=clip["name"]) for clip in clips)


def write_pairs(pairs: tuple[Pair, ...], path: Path) -> None:
    """Write pairs as JSON, for `read_pairs` in a worker."""
    path.write_text(json.dumps([vars(pair) for pair in pairs]), encoding="utf-8")


def read_pairs(path: Path) -> tuple[Pair, ...]:
    """The pairs that `write_pairs` wrote."""
    return tuple(Pair(**pair) for pair in json.loads(path.read_text(encoding="utf-8")))
