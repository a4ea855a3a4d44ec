"""Trained networks as ONNX files that are small, and their weights taken back from them."""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ripieno.contracts import InputError

if TYPE_CHECKING:
    import onnx

OPSET = 18
SMALLEST = 64
"""Values of a tensor below which half precision saves nothing."""


def export(
    network: nn.Module,
    path: Path,
    *,
    example: Tensor,
    inputs: Sequence[str],
    outputs: Sequence[str],
    facts: Mapping[str, str],
) -> None:
    """Write a network whose number of pictures is free.

    Weights are rounded to half precision in place first, so that what is written is what torch computes with; they
    are stored so, and a Cast expands each before it is used: onnxruntime does that once, when it loads.

    Parameters
    ----------
    network : Module
        In float32.
    path : Path
        ``.onnx``.
    example : Tensor [n, ...]
        An input.
    inputs, outputs : sequence of str
        Their names.
    facts : mapping of str to str
        For the file's metadata.
    """
    import onnx

    network = network.eval()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.numel() >= SMALLEST:
                weight.copy_(weight.half().float())
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Of a network without branches the old exporter's trace is the whole; the new one needs another package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            buffer,  # type: ignore[arg-type] # it takes a file too
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "n"} for name in (*inputs, *outputs)},
            opset_version=OPSET,
            dynamo=False,
            # Folded, the weights would lose the names by which `weights_of` finds them.
            do_constant_folding=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    _halve(model)
    onnx.helper.set_model_props(model, dict(facts))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _halve(model: "onnx.ModelProto") -> None:
    import onnx

    graph, casts = model.graph, []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != "float32" or values.size < SMALLEST:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def weights_of(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """The weights of a file that `export` wrote, under the names that the network has for them.

    Stages that the file lacks, and its head where the network goes on after it, keep what the network has: so a
    generator of 512 pixels begins with one of 256.

    Raises
    ------
    InputError
        If the file holds another network.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError as error:
        raise InputError(f"{path}: not an ONNX file: give a model that trainer/gan made") from error
    stored: dict[str, Any] = {
        weight.name.removesuffix(".half"): onnx.numpy_helper.to_array(weight) for weight in graph.initializer
    }
    wanted = network.state_dict()
    fitting = {name for name in wanted if name in stored and stored[name].shape == tuple(wanted[name].shape)}
    others = [name for name in wanted if name not in fitting]
    goes_on = all(name.startswith(("head.", "stages.", "cuts.")) for name in others)
    is_whole = stored.keys() <= wanted.keys() and any(name.startswith("stages.0.") for name in fitting)
    if not goes_on or not is_whole:
        raise InputError(f"{path}: not the weights of this network: give a model that trainer/gan made")
    return {name: torch.tensor(stored[name]).float() if name in fitting else wanted[name] for name in wanted}
