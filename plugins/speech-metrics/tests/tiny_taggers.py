"""Taggers small enough to be made in a test."""

from pathlib import Path

import numpy as np
import onnx

from ripieno_speech_metrics.log_mel import BANDS
from ripieno_speech_metrics.tagging import CLASSES, MUSIC

WIDTHS = (1, 2, 3, 4, 3, 5, 6)


def write_level_tagger(
    path: Path, *, classes: int = CLASSES, bands: int = BANDS, port: str = "log_mel"
) -> Path:
    """A tagger that takes for the probability of music the sigmoid of a tenth of the mean level in dB."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weight = np.zeros((classes, 1), np.float32)
    weight[MUSIC % classes] = 0.1
    constants = [
        numpy_helper.from_array(np.array([2, 3]), "axes"),
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.zeros(classes, np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("ReduceMean", [port, "axes"], ["level"], keepdims=0),
        helper.make_node("Gemm", ["level", "weight", "bias"], ["logits"], transB=1),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    taken = helper.make_tensor_value_info(port, onnx.TensorProto.FLOAT, [1, 1, "frames", bands])
    given = helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [1, classes])
    graph = helper.make_graph(nodes, "level", [taken], [given], initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def narrow_cnn14() -> dict[str, np.ndarray]:
    """Random weights with the names and kinds of the checkpoint's, and far fewer channels."""
    rng = np.random.default_rng(0)
    weights = _normalization("bn0", BANDS, rng)
    for block in range(1, 7):
        before, after = WIDTHS[block - 1], WIDTHS[block]
        for half, taken in ((1, before), (2, after)):
            name = f"conv_block{block}"
            weights[f"{name}.conv{half}.weight"] = rng.standard_normal((after, taken, 3, 3)) / taken**0.5
            weights |= _normalization(f"{name}.bn{half}", after, rng)
    for name, (given, taken) in {"fc1": (7, WIDTHS[-1]), "fc_audioset": (CLASSES, 7)}.items():
        weights[f"{name}.weight"] = rng.standard_normal((given, taken))
        weights[f"{name}.bias"] = rng.standard_normal(given)
    return {name: values.astype(np.float32) for name, values in weights.items()}


def _normalization(name: str, width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        f"{name}.weight": rng.uniform(0.5, 1.5, width),
        f"{name}.bias": rng.standard_normal(width),
        f"{name}.running_mean": rng.standard_normal(width),
        f"{name}.running_var": rng.uniform(0.5, 1.5, width),
    }
