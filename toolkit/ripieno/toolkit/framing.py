"""Frames, the short-time Fourier transform and its inverse.

Conventions
-----------
Time is the last axis of samples, any axes before it are a batch: [frames] or [channels, frames] go in,
[..., frame, window] and [..., frame, bin] come out.
A centred frame i has sample i * hop at its index window // 2; what lies outside the signal is zero.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError


def frame_count(length: int, *, window: int, hop: int, centred: bool) -> int:
    """Count the frames of a signal.

    Parameters
    ----------
    length : int
        Samples in the signal, >= 0.
    window, hop : int
        Samples in a frame and between frames, > 0.
    centred : bool
        If true, frames are centred on 0, hop, 2 * hop ... as far as the first centre not before the end, so
        that every sample lies between two centres. If false, only frames that fit whole are counted.
    """
    if window < 1 or hop < 1:
        raise InputError(f"window is {window} and hop is {hop} samples: both must be positive")
    if centred:
        return 1 + -(-length // hop) if length else 0
    return max(0, 1 + (length - window) // hop)


def frames(samples: NDArray[Any], *, window: int, hop: int, centred: bool) -> NDArray[Any]:
    """Cut a signal into overlapping frames.

    Parameters
    ----------
    samples : array [..., length]
    window, hop, centred
        As in `frame_count`.

    Returns
    -------
    array [..., frame, window]
        A read-only view, of a padded copy if `centred`.
    """
    count = frame_count(samples.shape[-1], window=window, hop=hop, centred=centred)
    if count == 0:
        return np.zeros((*samples.shape[:-1], 0, window), samples.dtype)
    if centred:
        after = max(0, (count - 1) * hop + window - window // 2 - samples.shape[-1])
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(window // 2, after)])
    return sliding_window_view(samples, window, axis=-1)[..., : (count - 1) * hop + 1 : hop, :]


def hann(window: int) -> NDArray[np.float64]:
    """Periodic Hann window: its copies at any hop that divides `window` twice or more sum to a constant."""
    return np.square(np.sin(np.pi * np.arange(window) / window))


def stft(samples: NDArray[Any], *, window: int, hop: int) -> NDArray[Any]:
    """Short-time Fourier transform of centred frames under a periodic Hann window.

    Parameters
    ----------
    samples : float array [..., length]
    window : int
        Samples in a frame, >= 2.
    hop : int
        Samples between frames, 1 to window // 2, so that `istft` gives the signal back.

    Returns
    -------
    complex array [..., frame, window // 2 + 1]
        complex64 for float32.

    Raises
    ------
    InputError
        If window or hop is out of range.
    """
    _check_overlap(window=window, hop=hop)
    cut = frames(samples, window=window, hop=hop, centred=True)
    spectra = np.fft.rfft(cut * hann(window).astype(samples.dtype), axis=-1)
    # NumPy before 2 transforms in double precision whatever it is given.
    return spectra.astype(np.result_type(samples, np.complex64), copy=False)


def istft(spectra: NDArray[Any], *, window: int, hop: int, length: int) -> NDArray[Any]:
    """Inverse of `stft`: overlap-add under the same window, divided by the sum of its squares.

    Parameters
    ----------
    spectra : complex array [..., frame, window // 2 + 1]
    window, hop : int
        As given to `stft`.
    length : int
        Samples in the signal, >= 0.

    Returns
    -------
    float array [..., length]
        The signal whose transform is nearest to `spectra` in the least squares sense; the signal itself,
        to rounding, where `spectra` was not changed.

    Raises
    ------
    InputError
        If window or hop is out of range, or the number of frames or bins does not belong to `length`.

    References
    ----------
    Griffin, Lim: Signal estimation from modified short-time Fourier transform. IEEE TASSP 32(2), 1984.
    """
    _check_overlap(window=window, hop=hop)
    expected = frame_count(length, window=window, hop=hop, centred=True), window // 2 + 1
    if spectra.shape[-2:] != expected:
        raise InputError(
            f"spectra are {spectra.shape[-2:]} (frames, bins), not the {expected} of {length} samples"
        )
    taper = hann(window)
    cut = np.fft.irfft(spectra, window, axis=-1).astype(spectra.real.dtype, copy=False)
    summed = _overlap_add(cut * taper.astype(cut.dtype), hop=hop)
    weight = _overlap_add(np.broadcast_to(np.square(taper), (expected[0], window)), hop=hop)
    kept = slice(window // 2, window // 2 + length)
    signal: NDArray[Any] = summed[..., kept] / weight[kept].astype(cut.dtype)
    return signal


def _overlap_add(cut: NDArray[Any], *, hop: int) -> NDArray[Any]:
    """Sum frames at their places; one vectorised addition for each hop in a window."""
    *batch, count, window = cut.shape
    parts = -(-window // hop)
    padded = np.pad(cut, [(0, 0)] * (cut.ndim - 1) + [(0, parts * hop - window)])
    summed = np.zeros((*batch, count + parts - 1 if count else 0, hop), cut.dtype)
    for part in range(parts if count else 0):
        summed[..., part : part + count, :] += padded[..., part * hop : (part + 1) * hop]
    return summed.reshape(*batch, -1) if count else np.zeros((*batch, window), cut.dtype)


def _check_overlap(*, window: int, hop: int) -> None:
    if not (window >= 2 and 1 <= hop <= window // 2):
        raise InputError(f"window is {window} and hop is {hop} samples: hop must be 1 to half the window")
