"""Make the ONNX files of ripieno-beatnet again, byte for byte, from the wheel that BeatNet was published in.

pip download --no-deps BeatNet==1.1.3
pip install torch==2.13.0 onnx==1.23.2
python convert_weights.py BeatNet-1.1.3-py3-none-any.whl
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WHEEL_SHA256 = "1ecfa17bdcbe899975a88bdb6efebd6970d846a4f3b6cfd5c6f320647c641c7e"
WEIGHTS = Path(__file__).parent / "ripieno_beatnet" / "weights"
FEATURES, CELLS, LAYERS = 272, 150, 2
CREDIT = (
    "BeatNet, weight set {number}, by M. Heydari, F. Cwitkowitz and Z. Duan (BeatNet: CRNN and particle "
    "filtering for online joint beat, downbeat and meter tracking, ISMIR 2021), from the Python package "
    "BeatNet 1.1.3. Licence: Creative Commons Attribution 4.0 International (CC BY 4.0). Changed by the "
    "Ripieno developers: converted from PyTorch to ONNX, the recurrent state made an input and an output."
)

Arrays = dict[str, NDArray[np.float32]]


def main(wheel: Path) -> None:
    """Write one ONNX file for each set of weights in the wheel, and print its digest."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{wheel} is not the published BeatNet-1.1.3-py3-none-any.whl: its SHA-256 differs")
    for number in (1, 2, 3):
        made = model(published(wheel, number), CREDIT.format(number=number)).SerializeToString(
            deterministic=True
        )
        (WEIGHTS / f"beatnet_{number}.onnx").write_bytes(made)
        print(hashlib.sha256(made).hexdigest(), f"beatnet_{number}.onnx")


def published(wheel: Path, number: int) -> Arrays:
    """The arrays of a set of weights, under PyTorch's names."""
    with zipfile.ZipFile(wheel) as archive:
        stored = archive.read(f"BeatNet/models/model_{number}_weights.pt")
    tensors = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def model(weights: Arrays, doc: str) -> onnx.ModelProto:
    """Frames [n, 272] and the state [2, 1, 150] in; probabilities [n, 3] and the state after them out."""
    state: list[int | str] = [LAYERS, 1, CELLS]
    graph = helper.make_graph(
        nodes(),
        "beatnet",
        inputs=[value("features", ["frames", FEATURES]), value("h", state), value("c", state)],
        outputs=[value("probabilities", ["frames", 3]), value("h_after", state), value("c_after", state)],
        initializer=[numpy_helper.from_array(array, name) for name, array in constants(weights).items()],
    )
    made = helper.make_model(
        graph,
        producer_name="ripieno-beatnet",
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        doc_string=doc,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def nodes() -> list[onnx.NodeProto]:
    """The layers, in order."""
    node = helper.make_node
    made = [
        node("Unsqueeze", ["features", "one"], ["row"]),
        node("Conv", ["row", "conv.w", "conv.b"], ["convolved"]),
        node("Relu", ["convolved"], ["rectified"]),
        node("MaxPool", ["rectified"], ["pooled"], kernel_shape=[2], strides=[2]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "dense.w", "dense.b"], ["dense"], transB=1),
        node("Unsqueeze", ["dense", "one"], ["x0"]),
        node("Split", ["h"], ["h0", "h1"], axis=0),
        node("Split", ["c"], ["c0", "c1"], axis=0),
    ]
    for layer in range(LAYERS):
        arrays = [f"lstm{layer}.{name}" for name in "wrb"]
        given = [f"x{layer}", *arrays, "", f"h{layer}", f"c{layer}"]
        after = [f"y{layer}", f"h{layer}_after", f"c{layer}_after"]
        made.append(node("LSTM", given, after, hidden_size=CELLS))
        made.append(node("Squeeze", [f"y{layer}", "one"], [f"x{layer + 1}"]))
    return [
        *made,
        node("Concat", ["h0_after", "h1_after"], ["h_after"], axis=0),
        node("Concat", ["c0_after", "c1_after"], ["c_after"], axis=0),
        node("Squeeze", ["x2", "one"], ["last"]),
        node("Gemm", ["last", "output.w", "output.b"], ["logits"], transB=1),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]


def constants(weights: Arrays) -> dict[str, NDArray[np.generic]]:
    """What the layers hold, under the names that `nodes` gives."""
    made: dict[str, NDArray[np.generic]] = {
        "one": np.array([1]),
        "conv.w": weights["conv1.weight"],
        "conv.b": weights["conv1.bias"],
        "dense.w": weights["linear0.weight"],
        "dense.b": weights["linear0.bias"],
        "output.w": weights["linear.weight"],
        "output.b": weights["linear.bias"],
    }
    for layer in range(LAYERS):
        biases = [weights[f"lstm.bias_{side}_l{layer}"] for side in ("ih", "hh")]
        made[f"lstm{layer}.w"] = gates(weights[f"lstm.weight_ih_l{layer}"])[None]
        made[f"lstm{layer}.r"] = gates(weights[f"lstm.weight_hh_l{layer}"])[None]
        made[f"lstm{layer}.b"] = np.concatenate([gates(bias) for bias in biases])[None]
    return made


def gates(stacked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in ONNX's order (input, output, forget, cell) from PyTorch's (input, forget, cell, output)."""
    i, f, c, o = np.split(stacked, 4)
    return np.concatenate([i, o, f, c])


def value(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
