"""Networks of the contract that were not trained: of random weights, of one mask, of what is loud."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ripieno_speech_mask.features import BINS, FEATURES

HELD = 2


def random_network(
    path: Path, *, look_ahead_frames: int, hidden: int = 8, layers: int = 2, seed: int = 0
) -> Path:
    """A network that hears the frame before the last, remembers, and masks at random."""
    rng = np.random.default_rng(seed)
    sizes = [FEATURES, *[hidden] * (layers - 1)]
    weights = {"out": rng.normal(0, 1, (hidden, BINS)), "bias": rng.normal(0, 1, BINS)}
    for layer, size in enumerate(sizes, start=1):
        weights[f"w{layer}"] = rng.normal(0, size**-0.5, (1, 3 * hidden, size))
        weights[f"r{layer}"] = rng.normal(0, hidden**-0.5, (1, 3 * hidden, hidden))
    nodes = [
        helper.make_node("Concat", ["conv_state", "features"], ["heard"], axis=1),
        helper.make_node("Slice", ["heard", "minus_held", "end", "frame_axis"], ["next_conv_state"]),
        helper.make_node("Slice", ["heard", "start", "minus_held", "frame_axis"], ["before"]),
        helper.make_node("Add", ["features", "before"], ["both"]),
        helper.make_node("Transpose", ["both"], ["x0"], perm=[1, 0, 2]),
    ]
    for layer in range(1, layers + 1):
        inputs = [f"x{layer - 1}", f"w{layer}", f"r{layer}", "", "", f"gru_state_{layer}"]
        outputs = [f"y{layer}", f"next_gru_state_{layer}"]
        nodes.append(helper.make_node("GRU", inputs, outputs, hidden_size=hidden))
        nodes.append(helper.make_node("Squeeze", [f"y{layer}", "frame_axis"], [f"x{layer}"]))
    nodes += [
        helper.make_node("Transpose", [f"x{layers}"], ["last"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["last", "out"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["level"]),
        helper.make_node("Sigmoid", ["level"], ["mask"]),
    ]
    places = {"minus_held": -HELD, "start": 0, "end": 1 << 30, "frame_axis": 1}
    constants = {name: np.array([place], np.int64) for name, place in places.items()}
    constants |= {name: values.astype(np.float32) for name, values in weights.items()}
    states = {"conv_state": [1, HELD, FEATURES]}
    states |= {f"gru_state_{layer}": [1, 1, hidden] for layer in range(1, layers + 1)}
    return write_network(path, nodes, constants, states, look_ahead_frames=str(look_ahead_frames))


def constant_network(path: Path, mask: float | np.ndarray, *, look_ahead_frames: int) -> Path:
    """A network whose mask is `mask`, a number or one for each bin, at every frame."""
    nodes = [
        helper.make_node("ReduceMean", ["features", "last_axis"], ["mean"]),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "level"], ["mask"]),
    ]
    constants = {
        "last_axis": np.array([2], np.int64),
        "zero": np.zeros((), np.float32),
        "level": np.broadcast_to(np.float32(mask), (1, 1, BINS)).copy(),
    }
    return write_network(path, nodes, constants, {}, look_ahead_frames=str(look_ahead_frames))


def loud_network(path: Path, threshold: float, *, look_ahead_frames: int) -> Path:
    """A network whose mask is 1 where the mean of a frame's features is above a threshold, 0 elsewhere.

    It holds its frames back until what it looks ahead to is there, and then does not look.
    """
    held = {"conv_state": [1, look_ahead_frames, FEATURES]} if look_ahead_frames else {}
    delay = [
        helper.make_node("Concat", ["conv_state", "features"], ["heard"], axis=1),
        helper.make_node("Slice", ["heard", "minus_held", "end", "frame_axis"], ["next_conv_state"]),
        helper.make_node("Slice", ["heard", "start", "minus_held", "frame_axis"], ["own"]),
    ]
    nodes = [
        *(delay if held else [helper.make_node("Identity", ["features"], ["own"])]),
        helper.make_node("ReduceMean", ["own", "last_axis"], ["mean"]),
        helper.make_node("Greater", ["mean", "threshold"], ["is_loud"]),
        helper.make_node("Cast", ["is_loud"], ["loud"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["loud", "ones"], ["mask"]),
    ]
    places = {"last_axis": 2, "minus_held": -look_ahead_frames, "start": 0, "end": 1 << 30, "frame_axis": 1}
    constants = {name: np.array([place], np.int64) for name, place in places.items()}
    constants |= {"threshold": np.float32(threshold), "ones": np.ones((1, 1, BINS), np.float32)}
    return write_network(path, nodes, constants, held, look_ahead_frames=str(look_ahead_frames))


def write_network(path, nodes, constants, states, **metadata: str) -> Path:
    """Write nodes as an ONNX file; metadata that is not named is the contract's."""
    features = {"features": [1, "frames", FEATURES], **states}
    masks = {"mask": [1, "frames", BINS], **{f"next_{name}": shape for name, shape in states.items()}}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()]
        for values in (features, masks)
    )
    initializers = [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "mask", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"contract": "speech-mask-1", **metadata})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
