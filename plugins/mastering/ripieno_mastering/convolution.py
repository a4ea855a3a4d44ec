"""Filters without phase, by convolution with a symmetrical kernel over sound of any length.

Conventions
-----------
A kernel is float64 [2 * reach + 1], its centre at `reach`; sample n of the output is sample n of the input.
Before its beginning and after its end sound is taken to stay at its first and last sample, so that an offset
makes no thump there.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio

Kernel = NDArray[np.float64]
Read = Callable[[int, int], NDArray[np.float64]]
BLOCK_FRAMES = 1 << 16
# What is left off a kernel, summed, is 140 dB below the largest gain.
NEGLIGIBLE = 1e-7


def zero_phase_kernel(gains_at: Callable[[int], NDArray[np.float64]]) -> Kernel:
    """The kernel of a gain over frequency.

    Parameters
    ----------
    gains_at : callable
        Gives the gains [points // 2 + 1] from 0 to half the rate, smooth, for any even number of points.
    """
    points = 1 << 12
    while True:
        gains = gains_at(points)
        half = np.fft.irfft(gains, points)[: points // 2]
        tails = 2 * np.cumsum(np.abs(half[::-1]))[::-1]
        # Well within the half: what lies beyond has wrapped round into it.
        reach = int(np.argmax(tails <= NEGLIGIBLE * gains.max()))
        if 0 < reach <= points // 4:
            return np.concatenate([half[reach - 1 : 0 : -1], half[:reach]])
        points *= 2


def low_pass_kernel(rate_hz: int, *, crossover_hz: float, transition_hz: float) -> Kernel:
    """An ideal low-pass under a Gaussian: a gain of one half at the crossover, monotonic, without ripple.

    Parameters
    ----------
    crossover_hz : float
        At half the rate or above everything passes.
    transition_hz : float
        From a gain of 0.9 to one of 0.1.
    """
    if crossover_hz >= rate_hz / 2:
        return np.ones(1)
    # The 10th and the 90th percentile of a normal distribution lie 2.563 standard deviations apart.
    width = 2 * np.pi * transition_hz / 2.563 / rate_hz
    reach = int(np.sqrt(-2 * np.log(NEGLIGIBLE)) / width)
    places = np.arange(-reach, reach + 1)
    ratio = 2 * crossover_hz / rate_hz
    return np.asarray(ratio * np.sinc(ratio * places) * np.exp(-np.square(width * places) / 2))


def convolved(read: Read, kernel: Kernel, *, length: int) -> Iterator[NDArray[np.float64]]:
    """Blocks [channels, frames], one after the other, of sound convolved with a kernel.

    Parameters
    ----------
    read : callable
        Gives samples [channels, stop - start] for any start and stop, before and after the sound too.
    length : int
        Samples of the sound, and of all blocks.
    """
    reach = len(kernel) // 2
    size = 1 << (max(BLOCK_FRAMES, 4 * len(kernel)) - 1).bit_length()
    block = size - 2 * reach
    response = np.fft.rfft(kernel, size)
    for start in range(0, length, block):
        stop = min(start + block, length)
        spectrum = np.fft.rfft(read(start - reach, stop + reach), size)
        yield np.fft.irfft(spectrum * response, size)[:, 2 * reach : 2 * reach + stop - start]


def read_held(audio: Audio, start: int, stop: int) -> NDArray[np.float64]:
    """Samples [channels, stop - start], the first and last one held where there are none."""
    around = (max(0, -start), max(0, stop - audio.frames))
    inside = audio.read(max(0, start), min(stop, audio.frames))
    return np.pad(np.asarray(inside, np.float64), [(0, 0), around], mode="edge")
