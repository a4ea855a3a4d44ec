"""Sound to speech, block by block: the spectra of all channels under the masks of a network.

Conventions
-----------
Samples are [channels, frames]. A frame comes every 16 samples per kilohertz, the rate taken in whole
kilohertz, and its window is four times as long: 16 and 64 ms, so that a network of 16 kHz hears any rate as it
is. At 44 100 Hz and its kin time and frequency are off by 0.2 %, a twenty-fifth of a semitone, and nothing is
resampled.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import AudioFormat, Latency
from ripieno.toolkit.spectra import Analysis, Synthesis

from .features import BINS, HOP, tapers
from .network import MaskNetwork, MaskStream

_BLOCK = 1 << 16
# Nothing is heard as louder: its square, summed over bands and channels, is still a float32.
_LOUDEST = np.float32(1e16)


class SpeechStream:
    """Speech of sound that arrives in blocks of any size, the same bits however it is split.

    One mask serves all channels, so that nothing moves in the stereo image. A network that does not look
    ahead is heard through tapers of low delay.

    Parameters
    ----------
    network : MaskNetwork
    format : AudioFormat
        Any rate and channels.

    Attributes
    ----------
    latency : Latency
        The window of the synthesis, what the network looks ahead, and the frames computed at once.
    """

    def __init__(self, network: MaskNetwork, format: AudioFormat) -> None:
        self._hop = hop = hop_of(format.rate_hz)
        self._shape = format.channels, 2 * hop + 1
        ahead = network.look_ahead_frames
        analysis, synthesis = tapers(ahead > 0, hop=hop)
        self._analysis = Analysis(analysis, hop=hop, channels=format.channels)
        self._synthesis = Synthesis(synthesis, hop=hop, channels=format.channels)
        self._masks = MaskStream(network)
        waits = self._synthesis.delay, ahead * hop, self._masks.frames_at_once * hop
        self.latency = Latency(*(samples / format.rate_hz for samples in waits))
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._analysis.reset()
        self._synthesis.reset()
        self._masks.reset()
        self._waiting: deque[NDArray[np.complex64]] = deque()
        self._samples = 0

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Speech [channels, n] that is known with the next samples [channels, frames]."""
        self._samples += samples.shape[1]
        starts = range(0, max(1, samples.shape[1]), _BLOCK)
        spectra = (self._analysis.push(samples[:, start : start + _BLOCK]) for start in starts)
        return np.concatenate([self._synthesis.push(self._masked(block)) for block in spectra], axis=1)

    def flush(self) -> NDArray[np.float32]:
        """The rest, so that it is as long as what was pushed, and begin anew."""
        known = self._masked(self._analysis.flush())
        spectra = np.concatenate([known, self._under(self._masks.flush())])
        rest = self._synthesis.flush(self._samples, spectra=spectra)
        self.reset()
        return rest

    def _masked(self, spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        self._waiting.extend(spectra)
        return self._under(self._masks.push(power_of(spectra, hop=self._hop)))

    def _under(self, masks: NDArray[np.float32]) -> NDArray[np.complex64]:
        oldest = [self._waiting.popleft() for _ in masks]
        spectra = np.reshape(oldest, (-1, *self._shape)).astype(np.complex64, copy=False)
        return spectra * mask_of_bins(masks, self._shape[1])[:, None]


def hop_of(rate_hz: int) -> int:
    """Samples between frames at a rate: a multiple of 16, of which transforms are quick."""
    return 16 * max(1, round(rate_hz / 1000))


def power_of(spectra: NDArray[np.complex64], *, hop: int) -> NDArray[np.float32]:
    """Power [frames, 513] of spectra [frame, channel, bin] as at 16 kHz: the mean over channels, 0 to 8 kHz.

    Above half the rate there is none.
    """
    magnitudes = np.minimum(np.abs(spectra[..., :BINS]), _LOUDEST)
    power = np.mean(np.square(magnitudes), axis=1) * np.float32((HOP / hop) ** 2)
    return np.pad(power, [(0, 0), (0, BINS - power.shape[1])])


def mask_of_bins(masks: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    """Masks [n, bins] of masks [n, 513]: above 8 kHz the mean of 4 to 8 kHz, below that cut to what there is."""
    above = np.repeat(masks[:, BINS // 2 :].mean(axis=1, keepdims=True), max(0, bins - BINS), axis=1)
    return np.concatenate([masks[:, :bins], above], axis=1)
