"""BeatNet's network, frame after frame, its memory kept here and not in the network."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.onnx import onnx_session

Weights = Literal[1, 2, 3]

_FOLDER = Path(__file__).parent / "weights"
_STATE_SHAPE = (2, 1, 150)


class BeatNetwork:
    """Probabilities of beat, downbeat and neither for each frame of features, in order.

    A frame costs about 65 microseconds alone and 25 among many on one thread of a CPU, most of it the two
    recurrent layers; it is too little work for an accelerator.

    Parameters
    ----------
    weights : int
        Which of the published sets, 1 to 3.

    Raises
    ------
    MissingError
        If onnxruntime is not installed.
    """

    def __init__(self, weights: Weights = 1) -> None:
        self._run = onnx_session(weights_path(weights), distribution="ripieno-beatnet", gpu=False).run
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, as new."""
        self._h = self._c = np.zeros(_STATE_SHAPE, np.float32)

    def frames(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [n, 3] of (beat that is no downbeat, downbeat, neither) for features [n, 272].

        onnxruntime computes each frame as if it came alone: the bits are the same however they are split.
        """
        if not len(features):
            return np.zeros((0, 3), np.float32)
        inputs = {"features": features, "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._run(None, inputs)
        return probabilities  # type: ignore[no-any-return]


def weights_path(weights: Weights) -> Path:
    """The file of one of the published sets of weights."""
    return _FOLDER / f"beatnet_{weights}.onnx"
