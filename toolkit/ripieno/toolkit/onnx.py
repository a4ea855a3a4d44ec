"""Networks stored as ONNX, run by onnxruntime."""

from pathlib import Path
from typing import TYPE_CHECKING

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
