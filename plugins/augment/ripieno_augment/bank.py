"""Noises and room responses in a folder, each with its licence.

Conventions
-----------
A bank is a folder with ``dataset_manifest.json``: what ``data_source/asset_bank`` gives, or one written by
hand for recordings of one's own::

    {"assets": [{"name": "hall", "file": "hall.wav", "kind": "room", "licence": "CC-BY-4.0",
                 "credit": "A. Author", "commercial": true}]}

``commercial`` says whether commercial use is allowed; where it is absent, it is not. ``source``, ``sha256``
(checked when the file is used) and a room's ``direct_path_s`` (else it is looked for in the response) may be
there; anything more is a remark. Of a file with several channels the first is used.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ripieno.contracts import ConfigError, InputError, Licence, PluginConfig
from ripieno.contracts.config import message_of
from ripieno.contracts.files import MANIFEST

from .rooms import Response, find_direct_path, of_unit_energy

LONGEST_ROOM_S = 10.0

Kind = Literal["noise", "room"]


class BankConfig(PluginConfig):
    """Settings of augmenters that take sounds from a bank."""

    bank: Path | None = Field(
        None, description="Folder of a bank of assets; without one, they are made from what is drawn."
    )
    commercial_ok: bool = Field(
        True, description="Take only those assets of the bank that may be used commercially."
    )


class BankEntry(BaseModel):
    """What a bank says of one asset."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1)]
    file: str
    kind: Kind
    licence: Annotated[str, Field(min_length=1)]
    credit: str = ""
    commercial: bool = False
    source: str = ""
    sha256: str = ""
    direct_path_s: Annotated[float, Field(ge=0)] | None = None

    @property
    def terms(self) -> Licence:
        """Its licence, as everything made with it carries it."""
        return Licence(self.licence, self.credit, self.commercial, self.source)


@dataclass(frozen=True, eq=False)
class AssetBank:
    """The assets of a folder whose licences allow the use.

    Parameters
    ----------
    folder : Path
    entries : tuple of BankEntry
        In the order of the manifest.
    refused : int
        How many were left out for their licence.
    """

    folder: Path
    entries: tuple[BankEntry, ...]
    refused: int = 0

    @classmethod
    def read(cls, folder: Path, *, commercial_ok: bool = True) -> Self:
        """The bank in a folder.

        Parameters
        ----------
        folder : Path
        commercial_ok : bool
            Whether to leave out what may not be used commercially.

        Raises
        ------
        InputError
            If there is no manifest, it does not fit, a name stands twice, or a file is absent or lies outside
            the folder.
        """
        entries = _entries(folder / MANIFEST)
        counts = Counter(entry.name for entry in entries)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise InputError(f"{folder / MANIFEST}: {twice!r} stands twice: a name is of one asset")
        for entry in entries:
            _require_inside(folder, entry)
        allowed = tuple(entry for entry in entries if entry.commercial or not commercial_ok)
        return cls(folder, allowed, len(entries) - len(allowed))

    def of_kind(self, kind: Kind) -> tuple[BankEntry, ...]:
        """Those of one kind, at least one.

        Raises
        ------
        ConfigError
            If there is none.
        """
        found = tuple(entry for entry in self.entries if entry.kind == kind)
        if found:
            return found
        refused = f"; licences exclude {self.refused} of its assets: commercial_ok: false takes them"
        raise ConfigError(f"bank: {self.folder} has no {kind} to use{refused if self.refused else ''}")

    def named(self, name: str) -> BankEntry:
        """The asset of this name.

        Raises
        ------
        InputError
            If the bank has none.
        """
        found = next((entry for entry in self.entries if entry.name == name), None)
        if found is None:
            raise InputError(f"{self.folder} has no asset {name!r} that may be used")
        return found

    def room(self, name: str, *, rate_hz: int) -> Response:
        """A room's response at a rate, of unit energy."""
        entry = self.named(name)
        return _room(str(self._file(entry)), rate_hz, entry.direct_path_s)

    def noise(self, name: str, *, rate_hz: int, start: float, frames: int) -> NDArray[np.float32]:
        """Frames of a noise that begin at `start`, a share of its length, and go on at its beginning."""
        import soundfile

        from ripieno.toolkit.resampling import resample

        with _opened(self._file(self.named(name))) as file:
            wanted = -(-frames * file.samplerate // rate_hz)
            if not file.frames:
                return np.zeros(frames, np.float32)
            file.seek(min(int(start * file.frames), file.frames - 1))
            parts, have = [], 0
            try:
                while have < wanted:
                    part = file.read(wanted - have, dtype="float32", always_2d=True)[:, 0]
                    parts.append(part)
                    have += part.size
                    file.seek(0)
            except soundfile.LibsndfileError as error:
                raise InputError(f"{file.name}: {error}") from error
            rate_of_file_hz = file.samplerate
        samples = np.concatenate([np.zeros(0, np.float32), *parts])
        if rate_of_file_hz != rate_hz:
            samples = resample(samples[None], from_hz=rate_of_file_hz, to_hz=rate_hz)[0]
        return samples[:frames]

    def _file(self, entry: BankEntry) -> Path:
        path = self.folder / entry.file
        if entry.sha256 and _sha256(str(path), path.stat().st_mtime_ns) != entry.sha256:
            raise InputError(f"{path}: is not the file whose sha256 the bank names")
        return path


def bank_of(config: BankConfig) -> AssetBank | None:
    """The bank that settings name, as its folder has it now; None where they name none."""
    if config.bank is None:
        return None
    manifest = config.bank / MANIFEST
    changed_ns = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _read(config.bank, config.commercial_ok, changed_ns)


def required_bank(config: BankConfig, name: str) -> AssetBank:
    """The bank in which a draw found the asset `name`.

    Raises
    ------
    ConfigError
        If the settings name none.
    """
    bank = bank_of(config)
    if bank is None:
        raise ConfigError(f"bank: the asset {name!r} was drawn from one. Set bank to its folder")
    return bank


def bank_files(config: BankConfig, kind: Kind) -> tuple[Path, ...]:
    """The files that an augmenter may read: the manifest of its bank and all assets of a kind."""
    bank = bank_of(config)
    if bank is None:
        return ()
    return (bank.folder / MANIFEST, *(bank.folder / entry.file for entry in bank.of_kind(kind)))


@lru_cache(maxsize=8)
def _read(folder: Path, commercial_ok: bool, _changed_ns: int) -> AssetBank:
    return AssetBank.read(folder, commercial_ok=commercial_ok)


def _entries(manifest: Path) -> tuple[BankEntry, ...]:
    try:
        document: Any = json.loads(manifest.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{manifest.parent}: no bank of assets: it has no {MANIFEST}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{manifest}: not JSON: {error}") from error
    if not isinstance(document, dict) or "assets" not in document:
        raise InputError(f'{manifest}: a bank is {{"assets": […]}}, this is something else')
    try:
        return tuple(TypeAdapter(list[BankEntry]).validate_python(document["assets"]))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{manifest}: assets.{place}: {message_of(first)}") from error


def _require_inside(folder: Path, entry: BankEntry) -> None:
    path = folder / entry.file
    leads_out = (
        not entry.file
        or "\0" in entry.file
        or PurePosixPath(entry.file).is_absolute()
        or PureWindowsPath(entry.file).anchor
        or not path.resolve().is_relative_to(folder.resolve())
    )
    if leads_out:
        raise InputError(f"{folder / MANIFEST}: {entry.name}: {entry.file!r} is no file inside the folder")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file, though the bank names it")


@lru_cache(maxsize=64)
def _room(path: str, rate_hz: int, direct_path_s: float | None) -> Response:
    from ripieno.toolkit.resampling import resample

    with _opened(Path(path)) as file:
        frames = min(file.frames, round(LONGEST_ROOM_S * file.samplerate))
        samples = file.read(frames, dtype="float32", always_2d=True)[:, :1].T
        if file.samplerate != rate_hz:
            samples = resample(samples, from_hz=file.samplerate, to_hz=rate_hz)
    if not samples.any():
        raise InputError(f"{path}: a silent response is of no room")
    if direct_path_s is None:
        direct_path_s = find_direct_path(samples[0], rate_hz=rate_hz)
    return Response(of_unit_energy(samples[0]), direct_path_s)


def _opened(path: Path) -> Any:
    import soundfile

    try:
        return soundfile.SoundFile(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"{path}: cannot be read as sound: {error}") from error


@lru_cache(maxsize=4096)
def _sha256(path: str, _mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
