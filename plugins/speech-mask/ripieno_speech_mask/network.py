"""The network that says of each frame and bin how much is speech, and its masks in order.

Conventions
-----------
A network is an ONNX file of the contract ``speech-mask-1``, which its metadata names as ``contract``, with
``look_ahead_frames`` beside. It takes ``features`` float32 [1, frames, 128] and states of fixed shape under
any other names, zero at first. It gives ``mask`` float32 [1, frames, 513], 0 to 1, and the states after,
their names led by ``next_``. The mask that comes with frame t belongs to frame t - look_ahead_frames.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, MissingError
from ripieno.toolkit.onnx import onnx_session, run_network

from .features import BINS, FEATURES, SpeechFeatures

CONTRACT = "speech-mask-1"

_FRAMES_AT_ONCE = 4


class MaskNetwork:
    """A network as its file holds it; what it has heard is with `MaskStream`.

    Parameters
    ----------
    path : Path
        An ``.onnx`` file of the contract.

    Attributes
    ----------
    look_ahead_frames : int
        Frames after its own that a mask waits for, >= 0.

    Raises
    ------
    MissingError
        If the file or onnxruntime is not there.
    InputError
        If the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MissingError(
                f"{path}: no network there. Install ripieno-speech-mask anew, or give a `model`"
            )
        session = onnx_session(path, distribution="ripieno-speech-mask", gpu=False)
        metadata = session.get_modelmeta().custom_metadata_map
        _require(path, metadata.get("contract") == CONTRACT, "its metadata does not name it")
        _require(path, metadata.get("look_ahead_frames", "").isdecimal(), "look_ahead_frames is no count")
        states = {node.name: node for node in session.get_inputs()}
        outputs = {node.name: node for node in session.get_outputs()}
        wanted = {"mask", *(f"next_{name}" for name in states if name != "features")}
        _require(path, "features" in states, f"inputs are {', '.join(states)}, features are not there")
        _require(path, wanted <= outputs.keys(), f"outputs are {', '.join(outputs)}")
        for node in (*states.values(), *(outputs[name] for name in wanted)):
            _require(path, node.type == "tensor(float)", f"{node.name} is {node.type}, not float32")
        _require_frames(path, states.pop("features"), FEATURES)
        _require_frames(path, outputs["mask"], BINS)
        for name, node in states.items():
            is_fixed = all(isinstance(size, int) for size in node.shape)
            _require(path, is_fixed, f"{name} has no fixed shape: {node.shape}")
        self.look_ahead_frames = int(metadata["look_ahead_frames"])
        self._path, self._session = path, session
        self._states = {name: tuple(node.shape) for name, node in states.items()}

    def first_states(self) -> dict[str, NDArray[np.float32]]:
        """States of a network that has heard nothing."""
        return {name: np.zeros(shape, np.float32) for name, shape in self._states.items()}

    def masks(
        self, features: NDArray[np.float32], states: dict[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Masks [n, 513] that come with features [n, 128], and the states after them.

        Raises
        ------
        InputError
            If the network fails, or gives something else.
        """
        inputs = {"features": features[None], **states}
        outputs = ["mask", *(f"next_{name}" for name in states)]
        masks, *after = run_network(self._session, self._path, inputs, outputs=outputs)
        expected = (1, len(features), BINS)
        _require(self._path, masks.shape == expected, f"it gives masks {masks.shape}, not {expected}")
        _require(self._path, bool(np.isfinite(masks).all()), "it gives NaN or infinity")
        return masks[0], dict(zip(states, after, strict=True))


class MaskStream:
    """Masks of frames in order, the same bits however they are split.

    A network that looks ahead computes four frames a call, which costs less than one a call.

    Parameters
    ----------
    network : MaskNetwork

    Attributes
    ----------
    frames_at_once : int
        Frames that are waited for before they are computed.
    """

    def __init__(self, network: MaskNetwork) -> None:
        self.frames_at_once = _FRAMES_AT_ONCE if network.look_ahead_frames else 1
        self._network = network
        self._features = SpeechFeatures()
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._features.reset()
        self._states = self._network.first_states()
        self._waiting = np.zeros((0, FEATURES), np.float32)
        self._early = self._network.look_ahead_frames
        self._owed = 0

    def push(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Masks [n, 513] that are known once the powers [frames, 513] of the next frames are."""
        self._owed += len(power)
        waiting = np.concatenate([self._waiting, self._features.frames(power)])
        stop = len(waiting) - len(waiting) % self.frames_at_once
        starts = range(0, stop, self.frames_at_once)
        computed = [self._compute(waiting[start : start + self.frames_at_once]) for start in starts]
        masks = np.concatenate([np.zeros((0, BINS), np.float32), *computed])[self._early :]
        self._waiting = waiting[stop:]
        self._early = max(0, self._early - stop)
        self._owed -= len(masks)
        return masks

    def flush(self) -> NDArray[np.float32]:
        """The masks of the frames that are left, as if silence followed, and begin anew."""
        owed = self._owed
        silence = np.zeros((self._network.look_ahead_frames + self.frames_at_once - 1, BINS), np.float32)
        rest = self.push(silence)[:owed]
        self.reset()
        return rest

    def _compute(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        masks, self._states = self._network.masks(features, self._states)
        return masks


def _require_frames(path: Path, node: Any, width: int) -> None:
    """Hold a port to [1, any number of frames, width]."""
    is_right = len(node.shape) == 3 and node.shape[0] == 1 and node.shape[2] == width
    _require(path, is_right, f"{node.name} is {node.shape}, not [1, frames, {width}]")
    fixed = f"{node.name} has {node.shape[1]} frames and no other number. Export it with frames left open"
    _require(path, not isinstance(node.shape[1], int), fixed)


def _require(path: Path, holds: bool, fault: str) -> None:
    if not holds:
        raise InputError(f"{path}: not a network of {CONTRACT}: {fault}. Take one of trainer/speech_mask")
