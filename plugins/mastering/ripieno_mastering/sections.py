"""Second-order sections: high-pass and high shelf, their gain, and their causal run over a stream.

Conventions
-----------
Sections are float64 [sections, 6], rows b0, b1, b2, 1, a1, a2 as in `scipy.signal`, of digital filters by the
bilinear transform: the corner lies where it is asked for.

References
----------
Bristow-Johnson: Cookbook formulae for audio equalizer biquad filter coefficients. 1998 (W3C Note, 2021).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import AudioFormat, Chunk, Latency

Sections = NDArray[np.float64]
UNCHANGED = np.array([[1.0, 0, 0, 1, 0, 0]])


def high_pass_sections(rate_hz: int, *, cutoff_hz: float, order: int) -> Sections:
    """Butterworth high-pass: -3 dB at the cutoff, 6 dB an octave for each order below.

    Parameters
    ----------
    cutoff_hz : float
        Below half the rate.
    order : int
        Even, >= 2.
    """
    angles = np.pi * (2 * np.arange(order // 2) + 1) / (2 * order)
    return np.array([_high_pass(rate_hz, cutoff_hz, 1 / (2 * math.cos(angle))) for angle in angles])


def high_shelf_sections(rate_hz: int, *, corner_hz: float, gain_db: float, slope: float) -> Sections:
    """Shelf: 0 dB far below the corner, half the gain (in dB) at it, the gain at half the rate.

    Parameters
    ----------
    corner_hz : float
        Below half the rate.
    slope : float
        0 to 1; 1 is the steepest that overshoots on neither side.
    """
    amplitude, cosine, alpha = _shelf_terms(rate_hz, corner_hz, gain_db, slope)
    above, below, bend = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
    zeros = (
        amplitude * (above + below * cosine + bend),
        -2 * amplitude * (below + above * cosine),
        amplitude * (above + below * cosine - bend),
    )
    poles = above - below * cosine + bend, 2 * (below - above * cosine), above - below * cosine - bend
    return np.array([[value / poles[0] for value in (*zeros, *poles)]])


def magnitude(sections: Sections, points: int) -> NDArray[np.float64]:
    """Gain [points // 2 + 1] at the bins of a transform of `points` samples."""
    delays = np.exp(-2j * np.pi * np.outer(np.arange(3), np.fft.rfftfreq(points)))
    gains: NDArray[np.float64] = np.abs(
        np.prod((sections[:, :3] @ delays) / (sections[:, 3:] @ delays), axis=0)
    )
    return gains


class Cascade:
    """Sections at work on a stream of samples [channels, frames], without latency.

    It begins as if the first sample had been there for ever, so that an offset makes no thump.
    """

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._state: NDArray[np.float64] | None = None

    def push(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Filter samples [channels, frames]."""
        from scipy.signal import sosfilt, sosfilt_zi

        samples = np.asarray(samples, np.float64)
        if samples.shape[1] == 0:
            return samples
        if self._state is None:
            self._state = sosfilt_zi(self._sections)[:, None] * samples[None, :, :1]
        filtered, self._state = sosfilt(self._sections, samples, axis=1, zi=self._state)
        return np.asarray(filtered)


class CascadeSession:
    """A `Cascade` as a session."""

    latency = Latency()

    def __init__(self, sections: Sections, format: AudioFormat) -> None:
        self.format = format
        self._cascade = Cascade(sections)
        self.reset()

    def push(self, **ports: Chunk) -> Chunk:
        chunk = ports["audio"]
        self._until_s = chunk.until_s
        samples = None if chunk.samples is None else self._cascade.push(chunk.samples).astype(np.float32)
        return Chunk(chunk.until_s, samples, chunk.events)

    def flush(self) -> Chunk:
        return Chunk(self._until_s)

    def reset(self) -> None:
        self._cascade.reset()
        self._until_s = 0.0


def _high_pass(rate_hz: int, cutoff_hz: float, quality: float) -> list[float]:
    angle = 2 * math.pi * cutoff_hz / rate_hz
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * quality)
    zeros = (1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2
    return [value / (1 + alpha) for value in (*zeros, 1 + alpha, -2 * cosine, 1 - alpha)]


def _shelf_terms(rate_hz: int, corner_hz: float, gain_db: float, slope: float) -> tuple[float, float, float]:
    amplitude, angle = 10 ** (gain_db / 40), 2 * math.pi * corner_hz / rate_hz
    alpha = math.sin(angle) / 2 * math.sqrt((amplitude + 1 / amplitude) * (1 / slope - 1) + 2)
    return amplitude, math.cos(angle), alpha
