"""Pictures as files of a data set, and back.

Conventions
-----------
A picture is ``NAME.png``, 8 bits, in one of two forms: ``fields``, whose red is the index and whose green is the
shade (blue is empty), and ``rgb``, whose colours are colours. ``NAME.json``, its entry in the manifest, is written
last: a picture that has one is finished, whatever happens to the process.

``dataset_manifest.json`` has ``source``, ``settings``, ``seed``, ``licences``, ``counts`` and ``pictures``, each with
``name``, ``picture`` (its file), ``form``, ``family``, ``split`` (``train`` or ``validation``), ``seed``, ``size``
and ``sha256``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Dataset, InputError, Licence, Provenance, derive_seed, write_whole
from ripieno.contracts.packing import sha256_file

Form = Literal["fields", "rgb"]
Entry = dict[str, Any]

CHANNELS: dict[str, int] = {"fields": 2, "rgb": 3}
TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Listed:
    """A picture of a data set.

    Parameters
    ----------
    path : Path
        PNG.
    form : str
        ``fields`` or ``rgb``.
    family : str
        What kind of picture it is.
    """

    path: Path
    form: str
    family: str


def keep(folder: Path, pixels: NDArray[np.uint8], *, name: str, facts: Mapping[str, Any]) -> Entry:
    """Write a picture and then its entry.

    Parameters
    ----------
    folder : Path
    pixels : ndarray [h, w, 2 or 3]
        uint8: index and shade, or red, green and blue.
    name : str
        Of the files, without suffix.
    facts : mapping of str to JSON
        What its source says of it: ``family``, ``split``, ``seed`` and whatever else.

    Returns
    -------
    dict
        The entry for the manifest.
    """
    import cv2

    form = "fields" if pixels.shape[2] == CHANNELS["fields"] else "rgb"
    blue = pixels[..., 2] if form == "rgb" else np.zeros_like(pixels[..., 0])
    png = cv2.imencode(
        ".png", np.dstack([blue, pixels[..., 1], pixels[..., 0]]), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )[1]
    path = folder / f"{name}.png"
    write_whole(path, png.tobytes())
    entry = {
        "name": name,
        "picture": path.name,
        "form": form,
        "size": [pixels.shape[1], pixels.shape[0]],
        "sha256": sha256_file(path),
        **facts,
    }
    write_whole(folder / f"{name}.json", json.dumps(entry).encode())
    return entry


def kept(folder: Path, name: str) -> Entry | None:
    """The entry of a finished picture whose file is whole; None where it is still to be made."""
    try:
        entry: Entry = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        whole = sha256_file(folder / entry["picture"]) == entry["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return entry if whole else None


def split_of(seed: int, *, validation_share: float) -> str:
    """In which split a picture of this seed is."""
    drawn = derive_seed(seed, "split") % 1_000_000 / 1_000_000
    return VALIDATION if drawn < validation_share else TRAIN


def gathered(
    folder: Path,
    entries: Sequence[Entry],
    *,
    source: str,
    settings: Mapping[str, Any],
    seed: int,
    licences: Iterable[Licence],
) -> Dataset:
    """The pictures of a folder and their entries as a data set."""
    terms = tuple(licences)
    counts = Counter(str(entry["split"]) for entry in entries)
    families = Counter(str(entry["family"]) for entry in entries)
    manifest = {
        "source": source,
        "versions": {"ripieno-gan": version("ripieno-gan")},
        "settings": dict(settings),
        "seed": seed,
        "licences": [asdict(licence) for licence in terms],
        "counts": {"pictures": len(entries), **counts, "families": dict(families)},
        "pictures": list(entries),
    }
    files = {file: folder / file for entry in entries for file in (entry["picture"], f"{entry['name']}.json")}
    return Dataset(files, manifest, provenance=Provenance(licences=terms))


def listed(datasets: Iterable[Dataset], *, split: str | None = None) -> list[Listed]:
    """The pictures of data sets, in their order.

    Raises
    ------
    InputError
        If a manifest lists no pictures, or a file that is not there.
    """
    found = []
    for data in datasets:
        entries = data.manifest.get("pictures")
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise InputError(
                'a data set without "pictures" in its manifest: give one that data_source/abstract or sd15 made'
            )
        for entry in entries:
            if not isinstance(entry, Mapping):
                raise InputError(
                    f"the manifest lists {entry!r}, which says nothing of a picture: make it again"
                )
            if split is not None and entry.get("split", TRAIN) != split:
                continue
            file = str(entry.get("picture"))
            if file not in data.files:
                raise InputError(f"the manifest lists {file}, which is not in the data set: make it again")
            found.append(Listed(data.files[file], entry.get("form", "rgb"), str(entry.get("family", ""))))
    return found


def read(path: Path, *, channels: int) -> NDArray[np.uint8]:
    """A picture: uint8 [h, w, channels], index and shade or red, green and blue.

    Raises
    ------
    InputError
        If it is no picture.
    """
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise InputError(f"{path}: not a picture that can be read: make the data set again")
    return np.ascontiguousarray(pixels[..., ::-1][..., :channels])


def fitted(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of a picture, as much of it as has the form of `size`, brought to `size`: width and height."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(width / size[0], height / size[1])
    wide, high = (max(1, round(side * scale)) for side in size)
    left, top = (width - wide) // 2, (height - high) // 2
    middle = pixels[top : top + high, left : left + wide]
    if (wide, high) == size:
        return middle
    way = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(middle, size, interpolation=way), np.uint8)


def require_known(families: Sequence[str], known: Iterable[str]) -> None:
    """Refuse a family that there is none of.

    Raises
    ------
    ValueError
        With what may have been meant.
    """
    names = list(known)
    for name in families:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            meant = f'Did you mean "{close[0]}"?' if close else f"There are {', '.join(names)}"
            raise ValueError(f'no family "{name}". {meant}')
