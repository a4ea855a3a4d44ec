"""Recordings of any rate and number of channels, for networks that hear one of each.

Conventions
-----------
Blocks are float32 [..., channels, frames] and follow each other in time. Channels are ordered as in WAV files:
left, right, centre, low frequencies, then the pairs of surround channels.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, AudioFormat, AudioWriter

from .resampling import SoxrResampler

Block = NDArray[np.float32]

_BLOCK_FRAMES = 1 << 14
# L R, L R C, L R C Ls Rs, L R C LFE Ls Rs and L R C LFE with two pairs of surrounds.
_PAIRED = {
    2: ((0, 1),),
    3: ((0, 1), (2,)),
    5: ((0, 1), (2,), (3, 4)),
    6: ((0, 1), (2,), (3,), (4, 5)),
    8: ((0, 1), (2,), (3,), (4, 5), (6, 7)),
}


def audio_at_rate(audio: Audio, rate_hz: int, *, writer: Callable[[AudioFormat], AudioWriter]) -> Audio:
    """The audio at another rate, on disk; itself where it has that rate.

    Parameters
    ----------
    audio : Audio
    rate_hz : int
    writer : callable
        ``context.audio_writer``.
    """
    if audio.rate_hz == rate_hz:
        return audio
    with writer(AudioFormat(rate_hz, audio.channels)) as writing:
        for block in _resampled(audio.blocks(_BLOCK_FRAMES), from_hz=audio.rate_hz, to_hz=rate_hz):
            writing.write(block)
        return writing.close()


def at_rate(blocks: Iterable[Block], *, from_hz: int, to_hz: int, frames: int) -> Iterator[Block]:
    """What was made of a recording at another rate, back at its own.

    Parameters
    ----------
    blocks : iterable of array [..., channels, frames]
        At `from_hz`, of one shape but for the frames.
    from_hz, to_hz : int
    frames : int
        Of the recording: what resampling there and back gives beyond them is cut off.
    """
    for block in blocks if from_hz == to_hz else _resampled(blocks, from_hz=from_hz, to_hz=to_hz):
        own = block[..., :frames]
        frames -= own.shape[-1]
        yield own


def channel_groups(channels: int, *, width: int) -> tuple[tuple[int, ...], ...]:
    """Which channels a network of `width` channels hears together.

    A stereo network hears the pairs of stereo, 3.0, 5.0, 5.1 and 7.1 as such. Every other channel is heard by
    itself, as equal channels.

    Returns
    -------
    tuple of tuple of int
        Groups of `width` channels; together they hold every channel.
    """
    alone = tuple((channel,) for channel in range(channels))
    groups = _PAIRED.get(channels, alone) if width == 2 else alone
    return tuple(group if len(group) == width else group * width for group in groups)


def ungrouped(parts: Sequence[Block], groups: Sequence[Sequence[int]]) -> Block:
    """All channels, of what a network made of each group; the mean where it heard a channel more than once.

    Parameters
    ----------
    parts : sequence of array [..., width, frames]
        One for each group.
    groups : sequence of sequence of int
        As `channel_groups` gives them.

    Returns
    -------
    array [..., channels, frames]
    """
    heard = [
        part if len(set(group)) == len(group) else part.mean(axis=-2, keepdims=True)
        for part, group in zip(parts, groups, strict=True)
    ]
    return np.concatenate(heard, axis=-2)


def _resampled(blocks: Iterable[Block], *, from_hz: int, to_hz: int) -> Iterator[Block]:
    resampler: SoxrResampler | None = None
    shape: tuple[int, ...] = ()
    for block in blocks:
        shape = block.shape[:-1]
        resampler = resampler or SoxrResampler(from_hz, to_hz, channels=math.prod(shape))
        yield resampler.push(block.reshape(math.prod(shape), -1)).reshape(*shape, -1)
    if resampler is not None:
        yield resampler.flush().reshape(*shape, -1)
