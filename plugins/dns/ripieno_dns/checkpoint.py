"""Checkpoints read without running anything that is in them."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.contracts.errors import InputError, MissingError

from .network import check_weights

if TYPE_CHECKING:
    from torch import Tensor

_DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[a-z]+$")


def read_weights(path: Path) -> dict[str, "Tensor"]:
    """Weights of a causal Demucs.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or what torch wrote, of which nothing but tensors is unpickled. Where the name ends
        in digits of a SHA-256, as those of the published checkpoints do, the bytes must have it.

    Raises
    ------
    MissingError
        If there is no file, or torch is not installed.
    InputError
        If its bytes are not those that its name promises, it holds more than tensors, or another network.
    """
    require_file(path)
    _check_digest(path)
    weights = _tensors(path)
    check_weights(weights, str(path))
    return weights


def require_file(path: Path) -> None:
    """Refuse a path with no file at it.

    Raises
    ------
    MissingError
        Saying what should be there, and where it comes from.
    """
    if path.is_file():
        return
    said = "is a folder, weights are one file" if path.is_dir() else "no such file"
    raise MissingError(
        f"{path}: {said}, such as dns64-a7761ff99a7d5bb6.th (134 MB, CC-BY-NC-4.0). "
        "For its address run: core models show denoiser_dns64"
    )


def _check_digest(path: Path) -> None:
    named = _DIGEST_IN_NAME.search(path.name)
    if named is None:
        return
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(named[1]):
        raise InputError(
            f"{path}: its SHA-256 begins {digest[: len(named[1])]}, not {named[1]} as its name says: "
            "it is damaged or another file. Fetch it again"
        )


def _tensors(path: Path) -> dict[str, "Tensor"]:
    try:
        import torch
        from safetensors.torch import load_file
    except ImportError as cause:
        raise MissingError(
            "effect/dns needs torch and safetensors. Run: pip install torch safetensors"
        ) from cause
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as cause:
        raise InputError(
            f"{path}: not a checkpoint of tensors alone, so nothing in it is read ({type(cause).__name__}). "
            "Use a published .th, or a .safetensors"
        ) from cause
    is_state = isinstance(found, Mapping) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    )
    if not is_state:
        raise InputError(f"{path}: holds no weights by name. Use a published .th, or a .safetensors")
    return {name: value.float() for name, value in found.items()}
