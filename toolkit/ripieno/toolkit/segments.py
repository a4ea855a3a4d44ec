"""Segments of a long sound put together again, in memory that does not grow with the sound."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]


def overlap_add(segments: Iterable[Block], *, taper: Block, hop: int) -> Iterator[Block]:
    """Weighted means of segments that lie over each other.

    Parameters
    ----------
    segments : iterable of float32 array [..., frames]
        Each begins `hop` frames after the one before. They are of one shape, and as long as the taper, but
        for those that the end of the sound cuts short.
    taper : float32 array [frames]
        Weights of a segment's frames, > 0; their scale does not matter.
    hop : int
        Frames, 1 to those of the taper.

    Yields
    ------
    float32 array [..., frames]
        `hop` frames after each segment, and the rest after the last one.
    """
    summed: Block | None = None
    weight = np.zeros(len(taper), np.float32)
    rest = 0
    for segment in segments:
        frames = segment.shape[-1]
        if summed is None:
            summed = np.zeros((*segment.shape[:-1], len(taper)), np.float32)
        summed[..., :frames] += taper[:frames] * segment
        weight[:frames] += taper[:frames]
        ready = min(hop, frames)
        yield summed[..., :ready] / weight[:ready]
        summed, weight, rest = _moved(summed, hop), _moved(weight, hop), frames - ready
    if summed is not None and rest:
        yield summed[..., :rest] / weight[:rest]


def _moved(values: Block, frames: int) -> Block:
    """The values from `frames` on, zeros behind."""
    gap = np.zeros((*values.shape[:-1], frames), np.float32)
    return np.concatenate([values[..., frames:], gap], axis=-1)
