"""PANNs' CNN14 from its checkpoint to ONNX: ``python -m ripieno_speech_metrics.cnn14 CHECKPOINT.pth TO.onnx``.

Conventions
-----------
The front end is left out: the network begins with the log-mel spectrogram (`ripieno_speech_metrics.log_mel`).
The checkpoint is read as tensors only, so nothing in it is executed.

References
----------
Kong, Cao, Iqbal, Wang, Wang, Plumbley: PANNs: large-scale pretrained audio neural networks for audio pattern
recognition. IEEE/ACM TASLP 28, 2020.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, MissingError, RipienoError, StepError

from .log_mel import BANDS

BLOCKS = 6
_NEEDS = 'converting needs torch and onnx. Run: pip install "ripieno-speech-metrics[convert]"'

Weights = Mapping[str, NDArray[np.float32]]


def convert(checkpoint: Path, target: Path) -> None:
    """Write the ONNX file of a checkpoint.

    Raises
    ------
    MissingError
        If torch or onnx is not installed.
    InputError
        If the file is not a checkpoint of CNN14.
    """
    save_onnx(read_weights(checkpoint), target, name=str(checkpoint))


def read_weights(checkpoint: Path) -> dict[str, NDArray[np.float32]]:
    """Tensors of a checkpoint by name.

    Raises
    ------
    MissingError
        If torch is not installed, or there is no such file.
    InputError
        If the file is not a checkpoint, or holds anything but tensors and plain values.
    """
    try:
        import torch
    except ImportError as cause:
        raise MissingError(_NEEDS) from cause
    if not checkpoint.is_file():
        raise MissingError(f"{checkpoint}: no such file")
    try:
        document = torch.load(checkpoint, map_location="cpu", weights_only=True)
    # What torch raises for what is no checkpoint has no narrower class.
    except Exception as cause:
        # Its message advises to read the file unsafely.
        raise InputError(
            f"{checkpoint}: not a checkpoint of tensors: damaged, another kind of file, or one that would run code"
        ) from cause
    tensors = document.get("model", document) if isinstance(document, dict) else {}
    return {name: value.float().numpy() for name, value in tensors.items() if isinstance(value, torch.Tensor)}


def save_onnx(weights: Weights, target: Path, *, name: str = "weights") -> None:
    """Write the network with these weights.

    Parameters
    ----------
    weights : mapping of str to float32 array
        By the names of the checkpoint; those of the front end are passed over.
    target : Path
        The file to make.
    name : str
        Of the checkpoint, for messages.

    Raises
    ------
    MissingError
        If onnx is not installed.
    InputError
        If weights are missing.
    StepError
        If the file cannot be written.
    """
    try:
        import onnx
    except ImportError as cause:
        raise MissingError(_NEEDS) from cause
    graph = _Graph(weights, name)
    graph.add_network()
    taken = onnx.helper.make_tensor_value_info("log_mel", onnx.TensorProto.FLOAT, [1, 1, "frames", BANDS])
    given = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [1, "classes"])
    built = onnx.helper.make_graph(graph.nodes, "cnn14", [taken], [given], initializer=graph.constants)
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(built, opset_imports=opset, ir_version=9, producer_name="ripieno")
    onnx.checker.check_model(model)
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_bytes(model.SerializeToString())
        os.replace(part, target)
    except OSError as cause:
        raise StepError(f"{target}: cannot be written: {cause.strerror}") from cause


class _Graph:
    """The nodes of the network in order, and its weights."""

    def __init__(self, weights: Weights, name: str) -> None:
        self._weights, self._name = weights, name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add_network(self) -> None:
        flow = self._add("Transpose", "log_mel", perm=[0, 3, 2, 1])
        flow = self._normalize(flow, "bn0")
        flow = self._add("Transpose", flow, perm=[0, 3, 2, 1])
        for block in range(1, BLOCKS + 1):
            for half in (1, 2):
                flow = self._add(
                    "Conv", flow, self._weight(f"conv_block{block}.conv{half}.weight"), pads=[1, 1, 1, 1]
                )
                flow = self._add("Relu", self._normalize(flow, f"conv_block{block}.bn{half}"))
            if block < BLOCKS:
                flow = self._add("AveragePool", flow, kernel_shape=[2, 2], strides=[2, 2])
        flow = self._add("ReduceMean", flow, self._constant("bands", np.array([3])), keepdims=0)
        time = self._constant("time", np.array([2]))
        loudest = self._add("ReduceMax", flow, time, keepdims=0)
        flow = self._add("Add", loudest, self._add("ReduceMean", flow, time, keepdims=0))
        flow = self._add("Relu", self._linear(flow, "fc1"))
        self._add("Sigmoid", self._linear(flow, "fc_audioset"), output="probabilities")

    def _normalize(self, flow: str, name: str) -> str:
        parts = ("weight", "bias", "running_mean", "running_var")
        return self._add("BatchNormalization", flow, *(self._weight(f"{name}.{part}") for part in parts))

    def _linear(self, flow: str, name: str) -> str:
        return self._add("Gemm", flow, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"), transB=1)

    def _weight(self, name: str) -> str:
        if name not in self._weights:
            raise InputError(f"{self._name}: not a checkpoint of CNN14: it has no {name}")
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        import onnx

        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [output], **attributes))
        return output


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="PANNs' CNN14 from its checkpoint to ONNX.")
    parser.add_argument("checkpoint", type=Path, help="Cnn14_mAP=0.431.pth")
    parser.add_argument("target", type=Path, help="the .onnx file to make")
    given = parser.parse_args(arguments)
    try:
        convert(given.checkpoint, given.target)
    except RipienoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
