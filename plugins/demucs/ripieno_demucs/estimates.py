"""What a bag of networks makes of a sound, put together from all their passes over it.

Conventions
-----------
Blocks are float32 [stems, channels, frames], at the networks' rate.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio
from ripieno.toolkit.channels import Block, channel_groups, ungrouped

from .passes import Network, Sound, Sums, separated

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
    groups = channel_groups(audio.channels, width=members[0].network.channels)
    sounds = [Sound.of(audio, group) for group in groups]
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
            means = [
                sound.at_its_level(kept.read(start, stop) / divisor)
                for sound, kept in zip(sounds, sums, strict=True)
            ]
            yield ungrouped(means, groups)


def _column(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float32]:
    """One value a stem."""
    return np.asarray(values, np.float32)[:, None, None]
