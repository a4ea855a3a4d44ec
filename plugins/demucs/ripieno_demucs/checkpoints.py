"""Networks from files, and pickled ones made safe.

Conventions
-----------
A safetensors file says in its metadata of which class the network is and with which arguments it is built,
as Demucs 4.1 writes it. Only Demucs's own classes are built. A pickle can run any code when it is read: it is
read after an explicit word of trust, and after its checksum, where its name has one.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.contracts import InputError, MissingError, RefusedError, StepError
from ripieno.toolkit.checkpoints import check_digits, name_and_digits

from .models import safetensors_facts

if TYPE_CHECKING:
    from torch.nn import Module

NETWORKS = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")
_QUANTIZERS = ("diffq.diffq.DiffQuantizer", "diffq.uniform.UniformQuantizer")


def load_network(path: Path, *, trust: bool) -> "Module":
    """A network, ready to separate.

    Parameters
    ----------
    path : Path
        A ``.safetensors``, or a pickled ``.th``.
    trust : bool
        Whether a pickle may be read.

    Raises
    ------
    RefusedError
        If it is a pickle without trust; nothing of it was read.
    InputError
        If its checksum is not the one in its name, or it is no network of Demucs.
    MissingError
        If its weights are quantized and diffq is not installed.
    """
    if path.suffix == ".safetensors":
        _check_metadata(path)
        from demucs.hf import load_safetensors_model

        with _reading(path):
            network = load_safetensors_model(path)
        return _ready(path, network)
    return _built(path, unpickled(path, trust=trust))


def convert(path: Path, folder: Path, *, trust: bool) -> Path:
    """Write a pickled network as safetensors, which needs no trust.

    Parameters
    ----------
    path : Path
        A ``.th`` of Demucs.
    folder : Path
        Gets ``SIG.safetensors``; made where it is not there.

    Raises
    ------
    RefusedError, InputError, MissingError
        As `load_network`.
    StepError
        If it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    package = unpickled(path, trust=trust)
    is_quantized = bool(package["state"].get("__quantized"))
    klass = package["klass"]
    arguments = {name: _json(path, package[name]) for name in ("args", "kwargs")}
    # A built network has plain weights, whatever they were packed in.
    built = _built(path, package)
    state = built.state_dict() if is_quantized else package["state"]
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in state.items()}
    target = folder / f"{name_and_digits(path)[0]}.safetensors"
    part = target.with_name(f"{target.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, part, {"klass": f"{klass.__module__}.{klass.__qualname__}", **arguments})
        shutil.copymode(path, part)
        os.replace(part, target)
    except (OSError, SafetensorError) as cause:
        raise StepError(f"{target}: cannot be written: {cause}") from cause
    return target


def check_trust(path: Path, *, trust: bool) -> None:
    """Refuse a pickle that nobody vouches for.

    Raises
    ------
    RefusedError
        Saying what to do.
    """
    if path.suffix == ".safetensors" or trust:
        return
    raise RefusedError(
        f"{path}: a pickled checkpoint can run any code when it is read. If you trust whom it comes from, run: "
        f"core demucs convert --trust {path}, or set trust: true"
    )


def unpickled(path: Path, *, trust: bool) -> dict[str, Any]:
    """What a ``.th`` of Demucs holds: klass, args, kwargs and state.

    Raises
    ------
    RefusedError, InputError
        As `load_network`.
    """
    import torch

    # Such a name needs no trust elsewhere, so it is never read as a pickle, whatever is in it.
    if path.suffix == ".safetensors":
        raise InputError(f"{path}: is no pickle by its name, and a safetensors file needs no conversion")
    check_trust(path, trust=trust)
    check_digits(path)
    with _reading(path):
        package = torch.load(path, map_location="cpu", weights_only=False)
    is_network = isinstance(package, dict) and {"klass", "args", "kwargs", "state"} <= package.keys()
    klass = package["klass"] if is_network else None
    name = f"{getattr(klass, '__module__', '')}.{getattr(klass, '__qualname__', '')}"
    if not is_network or name not in NETWORKS:
        raise InputError(f"{path}: is no network of Demucs. Its files hold klass, args, kwargs and state")
    return dict(package)


def _built(path: Path, package: dict[str, Any]) -> "Module":
    from demucs.states import load_model

    if package["state"].get("__quantized"):
        _require_diffq(path)
    with _reading(path):
        network: Module = load_model({**package, "kwargs": dict(package["kwargs"])})  # type: ignore[no-untyped-call]
    return _ready(path, network)


def _ready(path: Path, network: "Module") -> "Module":
    if not all(weights.isfinite().all() for weights in network.parameters()):
        raise InputError(f"{path}: its weights hold NaN or infinity: it is damaged. Get it again")
    # Demucs's transformer may move its positions by the generator that all of Python shares.
    transformer: Any = getattr(network, "crosstransformer", None)
    if transformer is not None:
        transformer.sin_random_shift = 0
    return network.eval()


def _check_metadata(path: Path) -> None:
    facts = safetensors_facts(path)
    if facts.get("klass") not in NETWORKS:
        raise InputError(
            f"{path}: holds a {facts.get('klass', 'network of no known class')}, not one of {', '.join(NETWORKS)}"
        )
    if "structure" not in facts:
        return
    try:
        named = set(_classes(json.loads(facts["structure"])))
    except (TypeError, ValueError, RecursionError) as cause:
        raise InputError(f"{path}: does not say how its weights are packed: {cause}. Get it again") from cause
    foreign = named - set(_QUANTIZERS)
    if foreign:
        raise InputError(
            f"{path}: its weights name {', '.join(sorted(foreign))}, which is no quantizer of diffq"
        )
    _require_diffq(path)


def _classes(node: Any) -> Iterator[str]:
    """Every class that a description of packed weights names."""
    if isinstance(node, dict):
        if "_class" in node:
            yield str(node["_class"])
        for below in node.values():
            yield from _classes(below)
    elif isinstance(node, list):
        for below in node:
            yield from _classes(below)


def _require_diffq(path: Path) -> None:
    if find_spec("diffq") is None:
        raise MissingError(f'{path}: its weights are quantized. Run: pip install "ripieno-demucs[quantized]"')


def _json(path: Path, value: Any) -> str:
    def encode(other: Any) -> Mapping[str, Any]:
        if isinstance(other, Fraction):
            return {"_type": "fraction", "numerator": other.numerator, "denominator": other.denominator}
        raise InputError(f"{path}: is built with a {type(other).__name__}, which JSON cannot hold")

    return json.dumps(value, default=encode)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of a file that it cannot be loaded, and why; quiet about settings that Demucs has given up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        # What a damaged file makes its readers raise is of no one kind.
        except Exception as cause:
            reason = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
            raise InputError(f"{path}: cannot be loaded: {reason}. Get it again") from cause
