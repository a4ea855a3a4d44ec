"""What a bag of networks makes of a sound, put together from all their passes over it.

Conventions
-----------
Blocks are float32 [stems, channels, frames], at the networks' rate until `at_rate` brings them to another.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, AudioWriter
from ripieno.toolkit.resampling import SoxrResampler

from .passes import Network, Sound, Sums, separated

Block = NDArray[np.float32]
_BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True)
class Member:
    """A network of a bag.

    Parameters
    ----------
    network : Network
    weights : tuple of float
        Of its stems that are wanted, in the means of the bag.
    starts : tuple of int
        Where each of its passes begins, <= 0.
    """

    network: Network
    weights: tuple[float, ...]
    starts: tuple[int, ...]


def estimates(
    audio: Audio,
    members: Sequence[Member],
    *,
    stems: Sequence[int],
    overlap: float,
    new_file: Callable[[], Path],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Block]:
    """Weighted means of what the networks give, block after block.

    Parameters
    ----------
    audio : Audio
        At the networks' rate, of any number of channels.
    members : sequence of Member
    stems : sequence of int
        Which of the networks' stems.
    overlap : float
        Of neighbouring segments.
    new_file : callable
        Gives paths for what is kept on disk meanwhile.
    progress : callable
        Called with the frames that are done and those of all passes.
    """
    sounds = [Sound.of(audio, group) for group in channel_groups(audio.channels, members[0].network.channels)]
    total = len(sounds) * audio.frames * sum(len(member.starts) for member in members)
    done = 0
    with ExitStack() as files:
        sums = [
            files.enter_context(Sums(new_file(), stems=len(stems), channels=len(sound.channels)))
            for sound in sounds
        ]
        for sound, kept in zip(sounds, sums, strict=True):
            for member in members:
                share = _column(member.weights) / np.float32(len(member.starts))
                for start in member.starts:
                    passing = separated(member.network, sound, start=start, overlap=overlap, stems=stems)
                    for first, block in passing:
                        kept.add(first, share * block)
                        done += block.shape[-1]
                        progress(done, total)
        divisor = _column(np.sum([member.weights for member in members], axis=0))
        for start in range(0, audio.frames, _BLOCK_FRAMES):
            stop = min(start + _BLOCK_FRAMES, audio.frames)
            means = [kept.read(start, stop) / divisor for kept in sums]
            yield _joined(sounds, means, channels=audio.channels)


def channel_groups(channels: int, width: int) -> list[tuple[int, ...]]:
    """Channels `width` at a time, the last one repeated where they do not come out even."""
    firsts = range(0, channels, width)
    return [tuple(min(first + index, channels - 1) for index in range(width)) for first in firsts]


def audio_at_rate(audio: Audio, rate_hz: int, writer: Callable[[], AudioWriter]) -> Audio:
    """The audio at another rate, on disk."""
    if audio.rate_hz == rate_hz:
        return audio
    blocks = (block[None] for block in audio.blocks(_BLOCK_FRAMES))
    with writer() as writing:
        for block in at_rate(blocks, from_hz=audio.rate_hz, to_hz=rate_hz):
            writing.write(block[0])
        return writing.close()


def at_rate(blocks: Iterable[Block], *, from_hz: int, to_hz: int) -> Iterator[Block]:
    """Blocks at another rate."""
    if from_hz == to_hz:
        yield from blocks
        return
    resampler: SoxrResampler | None = None
    shape: tuple[int, ...] = ()
    for block in blocks:
        shape = block.shape[:-1]
        resampler = resampler or SoxrResampler(from_hz, to_hz, channels=shape[0] * shape[1])
        yield resampler.push(block.reshape(shape[0] * shape[1], -1)).reshape(*shape, -1)
    if resampler is not None:
        yield resampler.flush().reshape(*shape, -1)


def cut(blocks: Iterable[Block], frames: int) -> Iterator[Block]:
    """The first `frames` of all."""
    left = frames
    for block in blocks:
        yield block[..., :left]
        left -= min(left, block.shape[-1])


def _joined(sounds: Sequence[Sound], means: Sequence[Block], *, channels: int) -> Block:
    """All channels at the audio's level; where a channel was heard twice, the mean of both."""
    stems, _, frames = means[0].shape
    joined = np.zeros((stems, channels, frames), np.float32)
    for sound, mean in zip(sounds, means, strict=True):
        level = mean * np.float32(sound.deviation) + np.float32(sound.mean)
        for index, channel in enumerate(sound.channels):
            joined[:, channel] += level[:, index] / np.float32(sound.channels.count(channel))
    return joined


def _column(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float32]:
    """One value a stem."""
    return np.asarray(values, np.float32)[:, None, None]
