"""The envelope of a waveform, for drawing."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError


def peaks(blocks: Iterable[NDArray[Any]], *, length: int, columns: int) -> NDArray[np.float32]:
    """Lowest and highest sample behind each column of a drawing.

    Parameters
    ----------
    blocks : iterable of arrays [channels, frames]
        The signal in any split; it is read once and never held whole.
    length : int
        Frames in all blocks together, >= 0.
    columns : int
        Columns to draw, > 0. Column i covers the frames that lie in [i, i + 1) * length / columns; where
        frames are fewer than columns it repeats the one that it lies in.

    Returns
    -------
    float32 array [2, columns]
        Lowest and highest value over frames and channels; zeros for an empty signal.

    Raises
    ------
    InputError
        If `columns` is not positive, or the blocks do not have `length` frames.
    """
    if columns < 1:
        raise InputError(f"columns is {columns}: it must be positive")
    drawn = min(columns, length)
    envelope = np.stack([np.full(drawn, np.inf, np.float32), np.full(drawn, -np.inf, np.float32)])
    edges = -(-np.arange(drawn + 1) * length // max(drawn, 1))
    start = 0
    for block in blocks:
        stop = start + block.shape[-1]
        if stop > length:
            raise InputError(f"the blocks have more than the {length} frames they were said to have")
        if stop > start:
            _merge(envelope, block, start=start, edges=edges)
        start = stop
    if start != length:
        raise InputError(f"the blocks have {start} frames, not the {length} they were said to have")
    if length == 0:
        return np.zeros((2, columns), np.float32)
    return envelope[:, np.arange(columns) * drawn // columns]


def _merge(envelope: NDArray[Any], block: NDArray[Any], *, start: int, edges: NDArray[Any]) -> None:
    first, last = np.searchsorted(edges, [start, start + block.shape[-1] - 1], side="right") - 1
    cuts = np.maximum(edges[first : last + 1] - start, 0)
    touched = envelope[:, first : last + 1]
    np.minimum(touched[0], np.minimum.reduceat(block.min(axis=0), cuts), out=touched[0])
    np.maximum(touched[1], np.maximum.reduceat(block.max(axis=0), cuts), out=touched[1])
