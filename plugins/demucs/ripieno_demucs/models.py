"""What a model is made of: known from names and files, before any network is loaded.

Conventions
-----------
A *signature* names one network; a *bag* is a model of one or several networks, whose stems are weighted
means of theirs. The zoo is what the installed demucs lists. A network's file is ``SIG.safetensors``, or
``SIG-DIGITS.th``, where DIGITS are the first ones of the file's SHA-256, or ``SIG.th``.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ripieno.contracts import InputError, MissingError
from ripieno.toolkit.checkpoints import name_and_digits

FOUR_STEMS = ("drums", "bass", "other", "vocals")
SIX_STEMS = (*FOUR_STEMS, "guitar", "piano")
_OF_SIX_STEMS = ("htdemucs_6s", "5c90dfd2")
SHORTEST_S, LONGEST_S = 0.1, 3600.0
"""What a network may be asked to see at a time."""
_HEADER_LIMIT_BYTES = 100_000_000


@dataclass(frozen=True)
class Bag:
    """A model.

    Parameters
    ----------
    signatures : tuple of str
        Of its networks.
    weights : tuple of tuple of float
        [network][stem]; empty for a plain mean.
    segment_s : float or None
        Length of what its networks see at a time; their own where None.
    """

    signatures: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...] = ()
    segment_s: float | None = None

    def weight(self, network: int, stem: int) -> float:
        """Of a network's stem in the mean."""
        return self.weights[network][stem] if self.weights else 1.0

    def members(self, stems: tuple[int, ...]) -> tuple[int, ...]:
        """The networks that any of these stems comes from."""
        networks = range(len(self.signatures))
        return tuple(one for one in networks if any(self.weight(one, stem) for stem in stems))


def check_weights(bag: Bag, stems: tuple[str, ...]) -> None:
    """Refuse weights that leave a stem without a network.

    Raises
    ------
    InputError
        Naming it, or saying that their number is not that of the stems.
    """
    if not bag.weights:
        return
    if any(len(row) != len(stems) for row in bag.weights):
        raise InputError(
            f"weights of {', '.join(bag.signatures)}: each row needs one for each of {', '.join(stems)}"
        )
    for stem, column in zip(stems, zip(*bag.weights, strict=True), strict=True):
        if min(column) < 0 or not 0 < sum(column) < math.inf:
            raise InputError(
                f"weights of {', '.join(bag.signatures)}: {stem} needs some above 0, none below and none infinite"
            )


def zoo_bag(model: str) -> Bag | None:
    """A bag of the zoo, or one network of it by its signature; None where the zoo has no such model."""
    if model in _zoo_signatures():
        return Bag((model,))
    path = _zoo_folder() / f"{model}.yaml"
    return _read_bag(path) if model in zoo_models() else None


@cache
def zoo_models() -> tuple[str, ...]:
    """Names of the zoo's bags, sorted."""
    return tuple(sorted(path.stem for path in _zoo_folder().glob("*.yaml")))


def zoo_stems(model: str) -> tuple[str, ...]:
    """Stems of a model of the zoo, in the order of its networks."""
    return SIX_STEMS if model in _OF_SIX_STEMS else FOUR_STEMS


def bag_in(folder: Path, model: str) -> Bag:
    """A model whose files are in a folder; a definition there goes before the zoo's.

    Raises
    ------
    MissingError
        If the folder has no such model; the message says what it has.
    InputError
        If its definition is none.
    """
    definition = folder / f"{model}.yaml"
    if definition.is_file():
        return _read_bag(definition)
    if _files(folder, model):
        return Bag((model,))
    bag = zoo_bag(model)
    if bag is None:
        raise _missing(folder, model)
    return bag


def checkpoint_in(folder: Path, signature: str) -> Path:
    """The file of a network, safetensors before a pickle.

    Raises
    ------
    MissingError
        If there is none.
    InputError
        If there are several pickles of it.
    """
    files = _files(folder, signature)
    if not files:
        raise _missing(folder, signature)
    if len(files) > 1 and files[0].suffix == ".th":
        names = ", ".join(path.name for path in files)
        raise InputError(f"{folder}: {names} are all of one network. Delete all but one")
    return files[0]


def stems_in(path: Path) -> tuple[str, ...]:
    """Stems of a network as its safetensors file says, without loading it.

    Raises
    ------
    InputError
        If it is no such file, or does not say.
    """
    facts = safetensors_facts(path)
    try:
        args, kwargs = json.loads(facts["args"]), json.loads(facts["kwargs"])
        return tuple(str(name) for name in (kwargs["sources"] if "sources" in kwargs else args[0]))
    except (KeyError, IndexError, TypeError, ValueError) as cause:
        raise InputError(f"{path}: does not say which stems it gives: it is no network of Demucs") from cause


def safetensors_facts(path: Path) -> Mapping[str, str]:
    """Metadata of a safetensors file, read without any library.

    Raises
    ------
    InputError
        If the file is something else.
    """
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _HEADER_LIMIT_BYTES:
                raise ValueError(f"a header of {length} bytes")
            facts = json.loads(file.read(length)).get("__metadata__", {})
    except (OSError, struct.error, ValueError, AttributeError, RecursionError) as cause:
        raise InputError(f"{path}: is no safetensors file: {cause}. Get it again") from cause
    return facts if isinstance(facts, dict) else {}


def _missing(folder: Path, name: str) -> MissingError:
    """Of a model or a network that a folder does not have; says what it has."""
    files = (path for path in folder.iterdir() if path.suffix in (".yaml", ".safetensors", ".th"))
    known = ", ".join(sorted({name_and_digits(path)[0] for path in files if path.is_file()}))
    if not known:
        return MissingError(
            f"{folder}: no checkpoint in this folder. Put {name}'s (.safetensors, or .th) there, or leave `folder` "
            "out for those of the catalogue"
        )
    return MissingError(
        f"{folder}: no {name} here, only {known}. Put its checkpoint (.safetensors, or .th) there, or name another "
        "`model`"
    )


def _files(folder: Path, signature: str) -> list[Path]:
    """Files of a network, the preferred one first."""
    if not folder.is_dir():
        raise MissingError(f"{folder}: is no folder. `folder` names the one that holds the model's files")
    pickles = (path for path in folder.glob("*.th") if signature in (path.stem, name_and_digits(path)[0]))
    return [path for path in (folder / f"{signature}.safetensors", *sorted(pickles)) if path.is_file()]


def _read_bag(path: Path) -> Bag:
    import yaml

    try:
        facts: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(facts["models"], list):
            raise TypeError("models is a list")
        signatures = tuple(str(name) for name in facts["models"])
        weights = tuple(tuple(map(float, row)) for row in facts.get("weights") or ())
        segment_s = None if facts.get("segment") is None else float(facts["segment"])
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as cause:
        raise InputError(
            f"{path}: is no bag of models: it needs `models`, and may have weights and segment"
        ) from cause
    if not signatures or (weights and len(weights) != len(signatures)):
        raise InputError(f"{path}: has {len(signatures)} models and {len(weights)} rows of weights")
    if segment_s is not None and not SHORTEST_S <= segment_s <= LONGEST_S:
        raise InputError(f"{path}: segment is {segment_s:g} s. It is {SHORTEST_S:g} to {LONGEST_S:g} s")
    return Bag(signatures, weights, segment_s)


@cache
def _zoo_folder() -> Path:
    spec = find_spec("demucs")
    if spec is None or not spec.submodule_search_locations:
        raise MissingError('separator/demucs needs demucs. Run: pip install "demucs>=4.1"')
    return Path(spec.submodule_search_locations[0]) / "remote"


@cache
def _zoo_signatures() -> frozenset[str]:
    lines = (_zoo_folder() / "files.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().partition("-")[0] for line in lines if line.strip().endswith(".th"))
