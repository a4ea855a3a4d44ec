"""Checkpoints read without running anything that is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.contracts.errors import InputError, MissingError
from ripieno.toolkit.checkpoints import check_digits

from .network import check_weights

if TYPE_CHECKING:
    from torch import Tensor


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
        If torch is not installed.
    InputError
        If its bytes are not those that its name promises, it holds more than tensors, or another network.
    """
    check_digits(path)
    weights = _tensors(path)
    check_weights(weights, str(path))
    return weights


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
        isinstance(name, str) and isinstance(value, torch.Tensor) and _is_plain(value)
        for name, value in found.items()
    )
    if not is_state:
        raise InputError(f"{path}: holds no weights by name. Use a published .th, or a .safetensors")
    damaged = [name for name, value in found.items() if not value.isfinite().all()]
    if damaged:
        raise InputError(f"{path}: {damaged[0]} holds NaN or infinity: it is damaged. Get it again")
    return {name: value.float() for name, value in found.items()}


def _is_plain(value: "Tensor") -> bool:
    """Whether it holds a real number for each of its places, in memory."""
    import torch

    return value.is_floating_point() and value.layout == torch.strided and value.device.type == "cpu"
