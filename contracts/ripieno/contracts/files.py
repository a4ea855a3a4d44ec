"""Artifacts that are files: film, picture, data, weights; and the small ones that are words and numbers.

Conventions
-----------
A path in an artifact is a regular file. A verb makes it in its scratch folder; the store moves it in.
Names of a many-file artifact are relative POSIX paths and cannot leave its folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from numbers import Real
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from .artifact import Artifact, require, settle

MANIFEST = "dataset_manifest.json"


def _inside(files: Mapping[str, Path]) -> dict[str, Path]:
    """The files in the order of their names, none of which leads out of their folder."""
    for name in files:
        path = PurePosixPath(name)
        # Windows takes C:x from a folder of another drive.
        leads_out = path.is_absolute() or ".." in path.parts or PureWindowsPath(name).anchor
        is_inside = path.parts and not leads_out and not set(name) & {"\\", "\0"}
        require(is_inside, f"{name!r} is not a relative path inside a folder")
    return {name: Path(files[name]) for name in sorted(files)}


@dataclass(frozen=True, eq=False)
class Video(Artifact):
    """A film.

    Parameters
    ----------
    path : Path
        MP4, WebM or another container.
    width, height : int
        Pixels, > 0.
    fps : float
        Frames a second, > 0.
    duration_s : float
        Length of the picture, >= 0.
    """

    kind = "video"
    path: Path
    width: int
    height: int
    fps: float
    duration_s: float

    def __post_init__(self) -> None:
        settle(self, path=Path(self.path))
        require(self.width > 0 and self.height > 0, f"a film of {self.width} x {self.height} pixels")
        require(0 < self.fps < inf, f"fps is {self.fps}: frames a second must be positive")
        require(0 <= self.duration_s < inf, f"duration_s is {self.duration_s}: a film lasts some seconds")

    def header(self) -> dict[str, Any]:
        """Kind, size, fps and duration_s."""
        parts = {name: value for name, value in self.parts().items() if name != "path"}
        return {"kind": self.kind, **parts}


@dataclass(frozen=True, eq=False)
class Image(Artifact):
    """A picture.

    Parameters
    ----------
    path : Path
        PNG or JPEG.
    width, height : int
        Pixels, > 0.
    """

    kind = "image"
    path: Path
    width: int
    height: int

    def __post_init__(self) -> None:
        settle(self, path=Path(self.path))
        require(self.width > 0 and self.height > 0, f"a picture of {self.width} x {self.height} pixels")


@dataclass(frozen=True, eq=False)
class Dataset(Artifact):
    """Examples to learn from or to test on.

    Parameters
    ----------
    files : mapping of str to Path
        Content by name.
    manifest : mapping of str to JSON
        What each example is: the names of its files, labels, split, seed, licence.
    """

    kind = "dataset"
    files: Mapping[str, Path]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self, files=_inside(self.files), manifest=dict(self.manifest))
        require(MANIFEST not in self.files, f"{MANIFEST} is the manifest's own name in a data set")


@dataclass(frozen=True, eq=False)
class Model(Artifact):
    """Weights and what must be known to run them.

    Parameters
    ----------
    path : Path
        ONNX or safetensors, never a pickle.
    metadata : mapping of str to JSON
        Model card facts: data, seed, metrics, licence.
    contract : str
        Digest of the contract that its tensors keep; empty where there is none.
    """

    kind = "model"
    path: Path
    metadata: Mapping[str, Any] = field(default_factory=dict)
    contract: str = ""

    def __post_init__(self) -> None:
        settle(self, path=Path(self.path), metadata=dict(self.metadata))
        is_model = self.path.suffix in (".onnx", ".safetensors")
        require(is_model, f"{self.path.name}: a model is an .onnx or .safetensors file")


@dataclass(frozen=True, eq=False)
class Bundle(Artifact):
    """Named files that belong together.

    Parameters
    ----------
    files : mapping of str to Path
        Content by name, e.g. ``index.html`` or ``img/cover.png``.
    """

    kind = "bundle"
    files: Mapping[str, Path]

    def __post_init__(self) -> None:
        settle(self, files=_inside(self.files))


@dataclass(frozen=True, eq=False)
class Scores(Artifact):
    """Figures with their names.

    Parameters
    ----------
    values : mapping of str to float
        Unit in the name, e.g. ``si_sdr_db``.
    compared_with : str
        What was the reference; empty where there was none.
    """

    kind = "scores"
    values: Mapping[str, float]
    compared_with: str = ""

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            require(isinstance(value, Real), f"score {name} is {value!r}: a score is a number")
        settle(self, values={name: float(value) for name, value in self.values.items()})


@dataclass(frozen=True, eq=False)
class Text(Artifact):
    """Words.

    Parameters
    ----------
    text : str
        Unicode.
    """

    kind = "text"
    text: str

    def __post_init__(self) -> None:
        require(isinstance(self.text, str), f"text is a {type(self.text).__name__}: words are a str")
