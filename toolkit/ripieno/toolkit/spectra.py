"""Short-time spectra block by block: a stream is analysed, changed and put together again.

Conventions
-----------
Samples are [channels, frames], spectra complex64 [frame, channel, bin]. A taper has the length of the
window, a whole number of hops. Frame i covers the samples (i + 1) * hop - window to before (i + 1) * hop,
silence before the beginning, so that a frame is complete with every hop. How a stream is cut into blocks
does not change a bit of the result.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

from .framing import hann

Tapers = tuple[NDArray[np.float64], NDArray[np.float64]]


def matched_tapers(window: int, hop: int) -> Tapers:
    """Tapers of analysis and synthesis of the same shape, the square root of a Hann window.

    Parameters
    ----------
    window, hop : int
        Samples in a frame, even, and between frames; the window is a whole number of hops, 2 at least.

    Returns
    -------
    tuple of two float64 arrays [window]
        Their product, overlapped by `hop`, sums to 1.

    Raises
    ------
    InputError
        If window and hop do not fit.
    """
    return low_delay_tapers(window, window, hop)


def low_delay_tapers(window: int, synthesis: int, hop: int) -> Tapers:
    """A long taper of analysis, for resolution, with a short one of synthesis, for a small delay.

    Parameters
    ----------
    window, synthesis, hop : int
        Samples in a frame, at its end under the synthesis taper (even), and between frames. Both lengths are
        whole numbers of hops, 2 at least, the second not above the first.

    Returns
    -------
    tuple of two float64 arrays [window]
        Analysis and synthesis; the second is zero but for its last `synthesis` samples. Their product,
        overlapped by `hop`, sums to 1.

    Raises
    ------
    InputError
        If the lengths do not fit.

    References
    ----------
    Mauler, Martin: A low delay, variable resolution, perfect reconstruction spectral analysis-synthesis
    system for speech enhancement. EUSIPCO 2007.
    """
    _check_hops(window, hop)
    if synthesis % 2 or synthesis % hop or not 2 * hop <= synthesis <= window:
        raise InputError(
            f"a synthesis taper of {synthesis} samples must be even, a whole number of hops of {hop}, "
            f"2 at least, and not longer than the window of {window}"
        )
    half = synthesis // 2
    product = np.concatenate([np.zeros(window - synthesis), hann(synthesis)])
    rise, fall = hann(2 * (window - half))[: window - half], product[window - half :]
    analysis = np.sqrt(np.concatenate([rise, fall]))
    # Where the analysis is zero, so is the product: at the first sample only.
    ratio = np.divide(product, analysis, out=np.zeros(window), where=analysis > 0)
    return analysis, ratio * (2 * hop / synthesis)


class Analysis:
    """Spectra of a stream.

    Parameters
    ----------
    taper : array [window]
    hop : int
        Samples between frames; the window is a whole number of hops, 2 at least.
    channels : int

    Raises
    ------
    InputError
        If window and hop do not fit.
    """

    def __init__(self, taper: NDArray[Any], *, hop: int, channels: int) -> None:
        _check_hops(len(taper), hop)
        self._taper = np.asarray(taper, np.float32)
        self._hop = hop
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._seen = np.zeros((self._channels, len(self._taper) - self._hop), np.float32)
        self._empty = True

    def push(self, samples: NDArray[Any]) -> NDArray[np.complex64]:
        """Take samples [channels, frames] and give the spectra [frame, channel, bin] that they complete."""
        window, hop = len(self._taper), self._hop
        self._empty = self._empty and samples.shape[1] == 0
        seen = np.concatenate([self._seen, samples], axis=1, dtype=np.float32)
        count = (seen.shape[1] - window) // hop + 1
        self._seen = seen[:, count * hop :].copy()
        if count == 0:
            return np.zeros((0, self._channels, window // 2 + 1), np.complex64)
        cut = sliding_window_view(seen, window, axis=1)[:, : (count - 1) * hop + 1 : hop]
        spectra = np.fft.rfft(cut.transpose(1, 0, 2) * self._taper, axis=-1)
        return spectra.astype(np.complex64, copy=False)

    def flush(self) -> NDArray[np.complex64]:
        """Give the frames, silence after the end, under which the last sample lies, and begin anew."""
        silence = 0 if self._empty else len(self._taper) - 1
        last = self.push(np.zeros((self._channels, silence), np.float32))
        self.reset()
        return last


class Synthesis:
    """Samples of a stream of spectra, by overlap-add.

    Sample n of the output is sample n of the input of the `Analysis`; it is given with the last frame that
    covers it under the taper. Whole hops of zeros at the beginning of the taper shorten that delay.

    Parameters
    ----------
    taper : array [window]
        Its product with the taper of the analysis, overlapped by `hop`, sums to 1.
    hop : int
        Samples between frames; the window is a whole number of hops, 2 at least.
    channels : int

    Attributes
    ----------
    delay : int
        Samples by which the output lags behind the frames: what was pushed ends `delay` samples after what
        was given.

    Raises
    ------
    InputError
        If window and hop do not fit, or the taper is zero.
    """

    def __init__(self, taper: NDArray[Any], *, hop: int, channels: int) -> None:
        _check_hops(len(taper), hop)
        if not np.any(taper):
            raise InputError("the synthesis taper is zero everywhere")
        leading_hops = int(np.flatnonzero(taper)[0]) // hop
        self._window = len(taper)
        self._taper = np.asarray(taper[leading_hops * hop :], np.float32)
        self._hop = hop
        self._channels = channels
        self.delay = len(self._taper) - hop
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._pending = np.zeros((self._channels, self.delay // self._hop, self._hop), np.float32)
        self._given = -self.delay

    def push(self, spectra: NDArray[Any]) -> NDArray[np.float32]:
        """Take spectra [frame, channel, bin] and give the samples [channels, frames] that they complete."""
        count, parts = len(spectra), len(self._taper) // self._hop
        if count == 0:
            return np.zeros((self._channels, 0), np.float32)
        waves = np.fft.irfft(spectra, self._window, axis=-1)[..., -len(self._taper) :]
        cut = waves.astype(np.float32, copy=False) * self._taper
        cut = cut.reshape(count, self._channels, parts, self._hop).transpose(1, 0, 2, 3)
        summed = np.pad(self._pending, [(0, 0), (0, count), (0, 0)])
        # From the earliest frame to the latest, as if each had come alone: float sums keep their order.
        for part in reversed(range(parts)):
            summed[:, part : part + count] += cut[:, :, part]
        self._pending = summed[:, count:].copy()
        samples = summed[:, :count].reshape(self._channels, -1)[:, max(0, -self._given) :]
        self._given += count * self._hop
        return samples

    def flush(self, length: int, *, spectra: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Take the last spectra, give the rest of a stream of `length` samples, and begin anew.

        Parameters
        ----------
        length : int
            Samples in the whole stream.
        spectra : array [frame, channel, bin], optional
            The frames of the analysis's flush; pushed before, they may give samples beyond the end.
        """
        already = max(0, self._given)
        rest = self.push(spectra) if spectra is not None else np.zeros((self._channels, 0), np.float32)
        tail = self._pending.reshape(self._channels, -1)[:, max(0, -self._given) :]
        self.reset()
        return np.concatenate([rest, tail], axis=1)[:, : max(0, length - already)]


def _check_hops(window: int, hop: int) -> None:
    if window % 2 or hop < 1 or window % hop or window < 2 * hop:
        raise InputError(
            f"window is {window} and hop is {hop} samples: the window must be even and a whole number of hops, "
            "2 at least"
        )
