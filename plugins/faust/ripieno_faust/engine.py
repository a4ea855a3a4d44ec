"""Faust programs, compiled once a process and played from silence.

Conventions
-----------
Controls reach a program as the channels of a sound, so that they move with every sample: what DawDreamer
calls automation holds a value for a block of them. Each rendering starts with all delays empty.
"""

from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import MissingError, PluginError

from .models import RATE_HZ

CONTROLS = 4
BLOCK = 4096


def render(faust: str, controls: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sound of a program under controls.

    Parameters
    ----------
    faust : str
        A program of four inputs and one output, in one line.
    controls : ndarray [4, frames]
        At 48 kHz.

    Returns
    -------
    ndarray [frames]
        As long as the controls, without latency.

    Raises
    ------
    MissingError
        If DawDreamer is not installed.
    PluginError
        If the program does not compile.
    """
    program = _compiled(faust)
    return program.render(controls)


class _Program:
    """A graph of two nodes: controls, and the program that hears them."""

    def __init__(self, faust: str) -> None:
        try:
            import dawdreamer
        except ImportError as error:
            raise MissingError(
                f"data_source/faust needs DawDreamer ({error}). Run: pip install dawdreamer"
            ) from error
        self._engine: Any = dawdreamer.RenderEngine(RATE_HZ, BLOCK)
        self._controls = self._engine.make_playback_processor("controls", np.zeros((CONTROLS, 1), np.float32))
        string = self._engine.make_faust_processor("string")
        try:
            string.set_dsp_string(faust)
            string.compile()
        except RuntimeError as error:
            raise PluginError(f"Faust refuses a model: {' '.join(str(error).split())}") from error
        self._engine.load_graph([(self._controls, []), (string, ["controls"])])
        self._lock = Lock()

    def render(self, controls: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = controls.shape[1]
        with self._lock:
            self._controls.set_data(controls)
            # Seconds are cut to samples: half a sample more, so that none is lost to rounding.
            self._engine.render((frames + 0.5) / RATE_HZ)
            sound: NDArray[np.float32] = self._engine.get_audio()[0].copy()
        return sound


@cache
def _compiled(faust: str) -> _Program:
    return _Program(faust)
