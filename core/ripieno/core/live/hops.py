"""Sound of any source in blocks of one length, so that nothing depends on how it came.

Conventions
-----------
A source knows its format before its first sample, and gives blocks [channels, frames] of float32 of any
size, even of no frames.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError, RipienoError
from ripieno.contracts.formats import AudioFormat

HOP_S = 0.01
Samples: TypeAlias = NDArray[np.float32]


class Source(Protocol):
    """Sound that is open for reading."""

    @property
    def kind(self) -> str:
        """``file``, ``stdin``, ``mic`` or ``ws``."""
        ...

    @property
    def format(self) -> AudioFormat:
        """Rate and channels, known before the first sample."""
        ...

    def blocks(self) -> Iterator[Samples]:
        """All of it, in order; may wait."""
        ...


@dataclass(frozen=True, eq=False)
class Hop:
    """What an input hears next.

    Parameters
    ----------
    input : str
        Its name.
    samples : ndarray [channels, frames]
        Finite.
    end_s : float
        Time of its last sample.
    """

    input: str
    samples: Samples
    end_s: float


def in_order(sources: Mapping[str, Source]) -> Iterator[Hop]:
    """The hops of all sources, by input; the source that is furthest behind comes next.

    Raises
    ------
    RipienoError
        What `hops` raises.
    """
    streams = {name: hops(source) for name, source in sources.items()}
    frames = dict.fromkeys(sources, 0)
    reached_s = dict.fromkeys(sources, 0.0)
    while streams:
        name = min(streams, key=reached_s.__getitem__)
        samples = next(streams[name], None)
        if samples is None:
            del streams[name]
            continue
        frames[name] += samples.shape[1]
        reached_s[name] = frames[name] / sources[name].format.rate_hz
        yield Hop(name, samples, reached_s[name])


def hops(source: Source) -> Iterator[Samples]:
    """The sound of a source in blocks of a hundredth of a second, the last one shorter.

    Raises
    ------
    InputError
        If a sample is NaN or infinite, and whatever the source raises; all before that is given first.
    """
    hop = max(1, round(source.format.rate_hz * HOP_S))
    waiting: list[Samples] = []
    count = taken = 0
    problem: RipienoError | None = None
    blocks = source.blocks()
    while True:
        try:
            block = next(blocks, None)
        except RipienoError as error:
            block, problem = None, error
        if block is None:
            break
        waiting.append(block)
        count += block.shape[1]
        if count < hop:
            continue
        joined = np.concatenate(waiting, axis=1) if len(waiting) > 1 else block
        whole = count // hop * hop
        for start in range(0, whole, hop):
            yield _finite(joined[:, start : start + hop], source, taken)
            taken += hop
        waiting, count = [joined[:, whole:]], count - whole
    if count:
        yield _finite(np.concatenate(waiting, axis=1), source, taken)
    if problem is not None:
        raise problem


def _finite(samples: Samples, source: Source, frames_before: int) -> Samples:
    if np.isfinite(samples).all():
        return samples
    frame, channel = np.argwhere(~np.isfinite(samples.T))[0].tolist()
    at = frames_before + frame
    raise InputError(
        f"{source.kind}: sample {at} of channel {channel} ({at / source.format.rate_hz:.3f} s) is "
        f"{samples[channel, frame]}: sound must be finite"
    )
