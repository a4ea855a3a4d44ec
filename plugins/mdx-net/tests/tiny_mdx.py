"""Small networks with the shapes of an MDX-Net: one that gives back what it takes, and random ones."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

N_FFT, HOP, BINS, FRAMES = 1024, 256, 512, 32
SIZES = {"n_fft": N_FFT, "hop": HOP}
"""Settings that go with the networks here."""


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def network(
    nodes: list[Any], weights: dict[str, np.ndarray], shape: list[Any], path: Path, *, rank: int = 4
) -> Path:
    """Write a network from input ``mix`` to output ``part``."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape[:rank]) for name in ("mix", "part")
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", values[:1], values[1:], initializers)
    # Old enough for any onnxruntime that is allowed.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


@cache
def gain_network(gain: float = 1.0, *, is_open: bool = False) -> Path:
    """Gives its input times a gain; with `is_open` its file does not say how many bins and frames it takes."""
    shape = ["batch", 4, "bins", "frames"] if is_open else [1, 4, BINS, FRAMES]
    node = helper.make_node("Mul", ["mix", "gain"], ["part"])
    path = Path(_folder().name) / f"gain{gain}{is_open}.onnx"
    return network([node], {"gain": np.array(gain, np.float32)}, shape, path)


@cache
def random_network(seed: int = 0) -> Path:
    """Two convolutions over bins and frames, and something that is not linear between them."""
    rng = np.random.default_rng(seed)
    weights = {
        "first": rng.standard_normal((8, 4, 3, 3)).astype(np.float32) / 6,
        "second": rng.standard_normal((4, 8, 3, 3)).astype(np.float32) / 9,
    }
    nodes = [
        helper.make_node("Conv", ["mix", "first"], ["wide"], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["wide"], ["bent"], alpha=0.5),
        helper.make_node("Conv", ["bent", "second"], ["part"], pads=[1, 1, 1, 1]),
    ]
    return network(nodes, weights, [1, 4, BINS, FRAMES], Path(_folder().name) / f"random{seed}.onnx")
