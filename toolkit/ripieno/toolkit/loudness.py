"""Loudness and true peak, measured block by block.

Conventions
-----------
Samples are [channels, frames], full scale is 1.0. Loudness is in LUFS, -inf where nothing passes the gates;
peaks are in dBTP. More than two channels come in the order of WAV: L R C LFE, back pair, side pair.

References
----------
ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
EBU Tech 3341, 3342: Loudness metering; Loudness range. 2016.
"""

import math
from array import array
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

from .resampling import polyphase_bank

_HOPS_A_SECOND = 10
_MOMENTARY_HOPS, _SHORT_TERM_HOPS = 4, 30
_ABSOLUTE_GATE_LUFS = -70.0
_OVERSAMPLED_HZ = 192_000
# The gain moves a little between the samples of one interpolation, and meters differ by their interpolation
# just below half the rate: this covers both.
_LIMITER_MARGIN_DB = 0.1
_RUN_STEP = 256
_SURROUND = 1.41
_WEIGHTS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    5: (1.0, 1.0, 1.0, _SURROUND, _SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, _SURROUND, _SURROUND),
}


class LoudnessMeter:
    """Integrated loudness, loudness range and true peak of all that was pushed.

    Parameters
    ----------
    rate_hz : int
        Any rate from 8000 Hz; the filters are derived for it.
    channels : int
    weights : tuple of float, optional
        Weight of each channel; BS.1770's for 1, 2, 3 (L R C), 5 (5.0), 6 (5.1) and 8 (7.1) channels if not
        given.

    Raises
    ------
    InputError
        If the rate is too low, or the weights are missing or not one for each channel.

    Notes
    -----
    Holds 0.2 s of audio, and one number for each 0.1 s that was pushed: 0.3 MB an hour.
    """

    def __init__(self, rate_hz: int, *, channels: int, weights: tuple[float, ...] | None = None) -> None:
        if rate_hz < 8000:
            raise InputError(f"cannot measure loudness at {rate_hz} Hz: resample to 8000 Hz or more")
        weights = weights or _WEIGHTS.get(channels)
        if weights is None or len(weights) != channels:
            raise InputError(
                f"{channels} channels have no standard weights: bring them to 2 by effect/downmix, or give one "
                "weight for each"
            )
        self._weights = np.array(weights)
        self._hop = round(rate_hz / _HOPS_A_SECOND)
        # Two hops: the impulse response of the K-weighting is below 1e-8 after one, so what wraps round in
        # a circular convolution over both is nothing that can be measured in the second.
        self._response = _response(k_weighting(rate_hz), points=2 * self._hop)
        self._before = np.zeros((channels, self._hop))
        self._pending = np.zeros((channels, 0))
        self._powers = array("d")
        self._bank = _oversampling_bank(rate_hz)
        self._context = np.zeros((channels, self._bank.shape[1] - 1))
        self._peak = 0.0

    def push(self, samples: NDArray[Any]) -> None:
        """Take samples [channels, frames]."""
        self._pending = np.concatenate([self._pending, samples], axis=1)
        while self._pending.shape[1] >= self._hop:
            hop, self._pending = self._pending[:, : self._hop], self._pending[:, self._hop :]
            self._measure_power(hop)
            self._measure_peak(hop)

    @property
    def integrated_lufs(self) -> float:
        """Loudness over all 400 ms blocks, overlapping by 75 %, that pass both gates of BS.1770."""
        return _gated_lufs(self._block_powers(_MOMENTARY_HOPS), relative_gate_lu=-10.0)

    @property
    def range_lu(self) -> float:
        """Loudness range of EBU Tech 3342: 10th to 95th percentile of the gated 3 s loudness; 0 without."""
        powers = self._block_powers(_SHORT_TERM_HOPS)
        kept = powers[_passing(powers, relative_gate_lu=-20.0)]
        if kept.size == 0:
            return 0.0
        low, high = np.percentile(_lufs(kept), (10, 95), method="nearest")
        return float(high - low)

    @property
    def true_peak_dbtp(self) -> float:
        """Highest magnitude of the signal oversampled to 192 kHz or more, silence before and after it."""
        silence = np.zeros((len(self._weights), self._bank.shape[1] - 1))
        rest = np.concatenate([self._context, self._pending, silence], axis=1)
        peak = max(self._peak, _frame_peaks(rest, bank=self._bank).max())
        return 20 * math.log10(peak) if peak > 0 else -math.inf

    def _measure_power(self, hop: NDArray[np.float64]) -> None:
        both = np.concatenate([self._before, hop], axis=1)
        weighted = np.fft.irfft(np.fft.rfft(both) * self._response, both.shape[1])[:, self._hop :]
        self._powers.append(float(self._weights @ np.mean(np.square(weighted), axis=1)))
        self._before = hop

    def _measure_peak(self, hop: NDArray[np.float64]) -> None:
        extended = np.concatenate([self._context, hop], axis=1)
        peaks = _frame_peaks(extended, bank=self._bank, above=self._peak)
        self._peak = max(self._peak, float(peaks.max()))
        self._context = extended[:, hop.shape[1] :]

    def _block_powers(self, hops: int) -> NDArray[np.float64]:
        hop_powers = np.array(self._powers)
        if hop_powers.size < hops:
            return np.zeros(0)
        powers: NDArray[np.float64] = sliding_window_view(hop_powers, hops).mean(axis=1)
        return powers


class TruePeakLimiter:
    """Look-ahead limiter that keeps the true peak of its output at or below a ceiling, channels linked.

    Every sample's gain is at most what each oversampled peak that it takes part in allows: the allowed gain
    is held low from look-ahead before a peak on, rises in a straight line after it, and is smoothed by a
    Hann window as long as the look-ahead. A signal that stays 0.1 dB below the ceiling passes unchanged.

    Parameters
    ----------
    rate_hz : int
    channels : int
    ceiling_dbtp : float
        Highest true peak of the output, by the meter of this module.
    lookahead_ms : float
        How long before a peak the gain begins to fall, > 0. Never less than 112 samples are taken, twice the
        length of the interpolation, so that the gain hardly moves within one.
    release_ms : float
        How long the gain takes from 0 to 1, > 0.

    Attributes
    ----------
    latency_s : float
        An output is given once the input this much later is there; the output is not shifted.

    Raises
    ------
    InputError
        If `lookahead_ms` or `release_ms` is not positive.
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        channels: int,
        ceiling_dbtp: float = -1.0,
        lookahead_ms: float = 5.0,
        release_ms: float = 200.0,
    ) -> None:
        if lookahead_ms <= 0 or release_ms <= 0:
            raise InputError("lookahead_ms and release_ms of a limiter must be positive")
        self._channels = channels
        self._ceiling = 10 ** ((ceiling_dbtp - _LIMITER_MARGIN_DB) / 20)
        self._bank = _oversampling_bank(rate_hz)
        smooth = max(2 * self._bank.shape[1], round(rate_hz * lookahead_ms / 1000))
        taper = np.square(np.sin(np.pi * (np.arange(smooth) + 0.5) / smooth))
        self._taper = taper / taper.sum()
        self._rise = 1000 / (release_ms * rate_hz)
        # A peak holds the gain over all samples that are interpolated into it, and look-ahead before them.
        self._hold = self._bank.shape[1] + smooth - 1
        self._ahead = self._bank.shape[1] + smooth - 2
        self.latency_s = self._ahead / rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        taps = self._bank.shape[1]
        self._context = np.zeros((self._channels, taps - 1))
        self._allowed = np.ones(self._hold - 1)
        self._lowest = math.inf
        self._risen = np.ones(len(self._taper) - 1)
        self._taken = 0
        self._waiting = np.zeros((self._channels, 0))

    def push(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Take samples [channels, frames] and give all whose look-ahead is complete."""
        if samples.shape[1] == 0:
            return np.zeros((self._channels, 0), np.float32)
        gains = self._gains(samples)
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        ready = max(0, self._waiting.shape[1] - self._ahead)
        given = self._waiting[:, :ready] * gains[len(gains) - ready :]
        self._waiting = self._waiting[:, ready:]
        return given.astype(np.float32)

    def flush(self) -> NDArray[np.float32]:
        """Give the rest and begin anew."""
        rest = self.push(np.zeros((self._channels, self._ahead)))
        self.reset()
        return rest

    def _gains(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Gains of the samples that lie the whole look-ahead before these."""
        extended = np.concatenate([self._context, samples], axis=1)
        self._context = extended[:, samples.shape[1] :]
        peaks = _frame_peaks(extended, bank=self._bank, above=self._ceiling)
        allowed = np.concatenate([self._allowed, self._ceiling / np.maximum(peaks, self._ceiling)])
        self._allowed = allowed[len(peaks) :]
        risen = np.concatenate([self._risen, self._released(_running_minimum(allowed, width=self._hold))])
        self._risen = risen[len(peaks) :]
        return 1 - _correlated(1 - risen, self._taper)

    def _released(self, held: NDArray[np.float64]) -> NDArray[np.float64]:
        """Let the gain rise by a fixed step a sample at most: a running minimum of it, less the steps."""
        steps = self._rise * (self._taken + np.arange(len(held)))
        lowest = np.minimum(np.minimum.accumulate(held - steps), self._lowest)
        self._lowest = lowest[-1]
        self._taken += len(held)
        released: NDArray[np.float64] = np.minimum(held, lowest + steps)
        return released


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """Second-order sections of the K-weighting at any rate: the shelf of the head, then the high-pass.

    Returns
    -------
    float64 array [2, 6]
        Rows b0, b1, b2, 1, a1, a2. At 48 kHz they are those tabled in BS.1770-4; at other rates the bilinear
        transform of the same analogue filters.

    References
    ----------
    De Man: Evaluation of implementations of the EBU R128 loudness measurement. AES 145, 2018.
    """
    return np.array([_head_shelf(rate_hz), _high_pass(rate_hz)])


def _head_shelf(rate_hz: int) -> list[float]:
    corner = math.tan(math.pi * 1681.974450955533 / rate_hz)
    damping = corner / 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    zeros = high + middle * damping + corner**2, 2 * (corner**2 - high), high - middle * damping + corner**2
    poles = 1 + damping + corner**2, 2 * (corner**2 - 1), 1 - damping + corner**2
    return [value / poles[0] for value in (*zeros, *poles)]


def _high_pass(rate_hz: int) -> list[float]:
    corner = math.tan(math.pi * 38.13547087602444 / rate_hz)
    damping = corner / 0.5003270373238773
    poles = 1 + damping + corner**2, 2 * (corner**2 - 1), 1 - damping + corner**2
    # The standard leaves the numerator unscaled.
    return [1.0, -2.0, 1.0, *(value / poles[0] for value in poles)]


def _response(sections: NDArray[np.float64], *, points: int) -> NDArray[np.complex128]:
    delays = np.exp(-2j * np.pi * np.outer(np.arange(3), np.fft.rfftfreq(points)))
    response: NDArray[np.complex128] = np.prod(
        (sections[:, :3] @ delays) / (sections[:, 3:] @ delays), axis=0
    )
    return response


def _oversampling_bank(rate_hz: int) -> NDArray[np.float64]:
    return polyphase_bank(from_hz=rate_hz, to_hz=max(2, -(-_OVERSAMPLED_HZ // rate_hz)) * rate_hz)


def _frame_peaks(
    samples: NDArray[Any], *, bank: NDArray[np.float64], above: float = 0.0
) -> NDArray[np.float64]:
    """Highest magnitude over channels and phases, [frames - taps + 1]: where all taps are inside.

    Only what is higher than `above` is sure to be found: where no sum of samples comes near it, which is most
    of speech, nothing is interpolated.
    """
    # Phase 0 of the interpolation gives the samples themselves.
    taps = bank.shape[1]
    loudest = np.abs(samples).max(axis=0)
    highest: NDArray[np.float64] = loudest[taps // 2 - 1 : -(taps // 2)].astype(np.float64)
    reachable = above / np.abs(bank).sum(axis=1).max()
    for start, stop in _runs_above(loudest, reachable, reach=taps - 1):
        own = highest[start:stop]
        for channel in samples[:, start : stop + taps - 1]:
            for phase in bank[1:]:
                np.maximum(own, np.abs(np.correlate(channel, phase, "valid")), out=own)
    return highest


def _correlated(values: NDArray[np.float64], taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation where all taps are inside, of values >= 0 that are 0 for long stretches."""
    correlated = np.zeros(len(values) - len(taps) + 1)
    for start, stop in _runs_above(values, 0.0, reach=len(taps) - 1):
        correlated[start:stop] = np.correlate(values[start : stop + len(taps) - 1], taps, "valid")
    return correlated


def _runs_above(values: NDArray[Any], threshold: float, *, reach: int) -> list[tuple[int, int]]:
    """Runs of places such that no value from a place outside them to `reach` after it is above a threshold."""
    count = len(values) - reach
    loud = np.logical_or.reduceat(values > threshold, np.arange(0, len(values), _RUN_STEP))
    near = np.any([np.pad(loud, (0, ahead))[ahead:] for ahead in range(-(-reach // _RUN_STEP) + 1)], axis=0)
    turns = np.flatnonzero(np.diff(near, prepend=False, append=False)) * _RUN_STEP
    runs = np.minimum(turns, count).reshape(-1, 2).tolist()
    return [(start, stop) for start, stop in runs if start < stop]


def _running_minimum(values: NDArray[np.float64], *, width: int) -> NDArray[np.float64]:
    """Minimum of each `width` neighbours, by doubling: its cost grows with the logarithm of `width`."""
    span = 1
    while 2 * span <= width:
        values = np.minimum(values[:-span], values[span:])
        span *= 2
    rest = width - span
    return np.minimum(values[: len(values) - rest], values[rest:])


def _lufs(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return -0.691 + 10 * np.log10(powers)


def _passing(powers: NDArray[np.float64], *, relative_gate_lu: float) -> NDArray[np.bool_]:
    audible = _lufs(powers) > _ABSOLUTE_GATE_LUFS
    if not audible.any():
        return audible
    return audible & (_lufs(powers) > _lufs(powers[audible].mean()) + relative_gate_lu)


def _gated_lufs(powers: NDArray[np.float64], *, relative_gate_lu: float) -> float:
    passing = _passing(powers, relative_gate_lu=relative_gate_lu)
    return float(_lufs(powers[passing].mean())) if passing.any() else -math.inf
