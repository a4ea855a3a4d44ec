"""A trained network as an ONNX file that runs frame by frame, and its weights taken back from one."""

import io
from pathlib import Path

import torch
from torch import Tensor

from ripieno.contracts import InputError

from ..features import FEATURES
from ..network import CONTRACT
from .network import MaskNetwork


def export(network: MaskNetwork, path: Path) -> None:
    """Write the network: `features` and states in, `mask` and the states after, led by ``next_``, out."""
    import onnx

    network = network.eval()
    states = network.states(1)
    names = [f"state_{index}" for index in range(len(states))]
    buffer = io.BytesIO()
    torch.onnx.export(
        network,
        (torch.zeros(1, 1, FEATURES), *states),
        buffer,
        input_names=["features", *names],
        output_names=["mask", *(f"next_{name}" for name in names)],
        dynamic_axes={"features": {1: "frames"}, "mask": {1: "frames"}},
        opset_version=17,
        dynamo=False,
        # Folded, the weights would lose the names by which `weights_of` finds them.
        do_constant_folding=False,
    )
    model = onnx.load_model_from_string(buffer.getvalue())
    facts = {"contract": CONTRACT, "look_ahead_frames": str(network.look_ahead)}
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, path)


def weights_of(path: Path, network: MaskNetwork) -> dict[str, Tensor]:
    """The weights of a file that `export` wrote, under the names that the network has for them.

    Raises
    ------
    InputError
        If the file holds another network.
    """
    import onnx

    kept = {weight.name: onnx.numpy_helper.to_array(weight) for weight in onnx.load(path).graph.initializer}
    wanted = network.state_dict()
    if any(name not in kept or kept[name].shape != tuple(weight.shape) for name, weight in wanted.items()):
        raise InputError(
            f"{path}: not the weights of this network: give a model that trainer/speech_mask made"
        )
    return {name: torch.tensor(kept[name]) for name in wanted}
