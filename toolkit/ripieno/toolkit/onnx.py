"""Networks stored as ONNX, run by onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError, MissingError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def onnx_session(path: Path, *, distribution: str, threads: int = 1, gpu: bool = True) -> "InferenceSession":
    """Load a network.

    Its operators run one after the other, so that with one thread what comes out does not depend on how
    busy the machine is.

    Parameters
    ----------
    path : Path
        An ``.onnx`` file.
    distribution : str
        Whose extras ``cpu`` and ``gpu`` bring onnxruntime, for the message where it is missing.
    threads : int
        At work within one operator, > 0.
    gpu : bool
        Whether to compute by CUDA where onnxruntime can; a small network called often is faster without.

    Raises
    ------
    MissingError
        If onnxruntime is not installed.
    InputError
        If the file cannot be loaded.
    """
    try:
        import onnxruntime
    except ImportError as cause:
        raise MissingError(
            f'{distribution} needs onnxruntime. Run: pip install "{distribution}[cpu]" (or [gpu] for CUDA)'
        ) from cause
    options = onnxruntime.SessionOptions()
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider") if gpu else ("CPUExecutionProvider",)
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as cause:
        reason = str(cause).strip().splitlines()[0]
        raise InputError(f"{path}: not a network that onnxruntime can load: {reason}") from cause


def run_network(
    session: "InferenceSession",
    path: Path,
    inputs: Mapping[str, NDArray[np.float32]],
    *,
    outputs: Sequence[str] | None = None,
) -> list[NDArray[Any]]:
    """Run a network once.

    Parameters
    ----------
    session : InferenceSession
        As `onnx_session` gives it.
    path : Path
        Its file, for the message.
    inputs : mapping of str to array
    outputs : sequence of str, optional
        Which, in order; all where not given.

    Raises
    ------
    InputError
        If the network fails on what it is given.
    """
    from onnxruntime import RunOptions

    options = RunOptions()
    # What fails is raised: printed too, it would be said twice.
    options.log_severity_level = 4
    try:
        found: list[NDArray[Any]] = session.run(outputs, dict(inputs), options)
    except Exception as cause:
        reason = str(cause).strip().splitlines()[0]
        shapes = ", ".join(f"{name} {value.shape}" for name, value in inputs.items())
        raise InputError(f"{path}: fails on {shapes}: {reason}") from cause
    return found
