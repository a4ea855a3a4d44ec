"""Change of sampling rate, whole or block by block.

Conventions
-----------
Samples are [channels, frames], any float in, float32 out. n frames become ceil(n * to_hz / from_hz), and
sample i of the output stands at i / to_hz in the time of the input: no delay to take away.

`resample` and `SoxrResampler` are soxr at its best; a stream of it comes in bursts. `PolyphaseResampler` is
the one for streams that must be on time, and then also for files, so that both give the same.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError, MissingError

_PASSBAND = 10_000 / 11_025
_STOPBAND_DB = 82.0
_OUTPUTS_AT_ONCE = 512


def resampled_frames(frames: int, *, from_hz: int, to_hz: int) -> int:
    """Frames that `frames` become at another rate."""
    return -(-frames * to_hz // from_hz)


def resample(samples: NDArray[Any], *, from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Resample a whole signal by soxr at very high quality.

    Parameters
    ----------
    samples : float array [channels, frames]
    from_hz, to_hz : int
        Rates, > 0.

    Returns
    -------
    float32 array [channels, ceil(frames * to_hz / from_hz)]

    Raises
    ------
    InputError
        If a rate is not positive.
    MissingError
        If soxr is not installed.
    """
    resampler = SoxrResampler(from_hz, to_hz, channels=samples.shape[0])
    return np.concatenate([resampler.push(samples), resampler.flush()], axis=1)


class SoxrResampler:
    """`resample` block by block, to the same bits; what comes out of a push varies in length.

    Parameters and errors are those of `resample`.
    """

    def __init__(self, from_hz: int, to_hz: int, *, channels: int) -> None:
        _check_rates(from_hz, to_hz)
        try:
            import soxr
        except ImportError as cause:
            raise MissingError("resampling needs soxr. Run: pip install soxr") from cause
        self._from_hz, self._to_hz, self._channels = from_hz, to_hz, channels
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality="VHQ")
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._stream.clear()
        self._taken = self._given = 0

    def push(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Take samples [channels, frames] and give what is ready."""
        self._taken += samples.shape[1]
        return self._give(samples, last=False)

    def flush(self) -> NDArray[np.float32]:
        """Give the rest and begin anew."""
        total = resampled_frames(self._taken, from_hz=self._from_hz, to_hz=self._to_hz)
        # soxr rounds the length to nearest; a little silence behind makes it long enough to cut.
        silence = np.zeros((self._channels, 1 + -(-self._from_hz // self._to_hz)), np.float32)
        rest = self._give(silence, last=True)[:, : total - self._given]
        self.reset()
        return rest

    def _give(self, samples: NDArray[Any], *, last: bool) -> NDArray[np.float32]:
        block = np.ascontiguousarray(samples.T, np.float32)
        ready: NDArray[np.float32] = self._stream.resample_chunk(block, last).T
        self._given += 0 if last else ready.shape[1]
        return ready


class PolyphaseResampler:
    """Linear-phase polyphase FIR with a fixed look-ahead, the same to the bit for any split into blocks.

    Flat within 0.1 dB to 0.907 of the lower Nyquist frequency (10 kHz at 22 050 Hz), aliases into that band
    below -80 dB. The transition band is centred on Nyquist, which halves the latency against one that ends
    there: what lies just above Nyquist folds to just below it, outside the band that is kept flat. Sums are
    float32, their rounding 130 dB below the signal.

    Parameters
    ----------
    from_hz, to_hz : int
        Rates, > 0. Equal ones pass through.
    channels : int

    Attributes
    ----------
    latency_s : float
        Look-ahead: an output at time t is given once the input at t + latency_s is there. About 1.3 ms where
        the lower rate is 22 050 Hz; it grows as that rate falls.

    Raises
    ------
    InputError
        If a rate is not positive.

    References
    ----------
    Kaiser: Nonrecursive digital filter design using the I0-sinh window function. ISCAS 1974.
    Crochiere, Rabiner: Multirate Digital Signal Processing, chapter 3. Prentice-Hall 1983.
    """

    def __init__(self, from_hz: int, to_hz: int, *, channels: int) -> None:
        _check_rates(from_hz, to_hz)
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        bank = polyphase_bank(from_hz=from_hz, to_hz=to_hz)
        self._ahead = bank.shape[1] // 2
        # Outputs repeat their phases after `up` of them: a row each, from any of these on.
        positions = np.arange(self._up + _OUTPUTS_AT_ONCE) * self._down
        self._taps = bank.astype(np.float32)[positions % self._up]
        self._firsts = positions // self._up - self._ahead + 1
        self._channels = channels
        self.latency_s = self._ahead / from_hz
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._held = np.zeros((self._channels, self._ahead - 1), np.float32)
        self._held_from = 1 - self._ahead
        self._given = 0

    def push(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Take samples [channels, frames] and give all whose look-ahead is complete."""
        self._held = np.concatenate([self._held, samples], axis=1, dtype=np.float32)
        complete = self._held_from + self._held.shape[1] - self._ahead
        stop = max(0, -(-complete * self._up // self._down))
        starts = range(self._given, stop, _OUTPUTS_AT_ONCE)
        given = [self._outputs(start, min(start + _OUTPUTS_AT_ONCE, stop)) for start in starts]
        self._given = stop
        self._drop_used()
        return np.concatenate([np.zeros((self._channels, 0), np.float32), *given], axis=1)

    def flush(self) -> NDArray[np.float32]:
        """Give the rest, as if silence followed, and begin anew."""
        rest = self.push(np.zeros((self._channels, self._ahead)))
        self.reset()
        return rest

    def _outputs(self, start: int, stop: int) -> NDArray[np.float32]:
        # Whole numbers of cycles and rows, so no rounding can add up to a drift.
        cycle, row = divmod(start, self._up)
        rows = slice(row, row + stop - start)
        firsts = self._firsts[rows] + (cycle * self._down - self._held_from)
        windows = sliding_window_view(self._held, 2 * self._ahead, axis=1)[:, firsts]
        # Not a matrix product: the order of its additions, and so the last bits, change with its size.
        sums: NDArray[np.float32] = np.einsum("cot,ot->co", windows, self._taps[rows])
        return sums

    def _drop_used(self) -> None:
        used = self._given * self._down // self._up - self._ahead + 1 - self._held_from
        self._held = self._held[:, used:]
        self._held_from += used


def polyphase_bank(*, from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Taps of a Kaiser-windowed sinc at each phase of a rational change of rate.

    Returns
    -------
    float64 array [to_hz / gcd, 2 * ahead]
        Row p weighs input samples n - ahead + 1 to n + ahead into an output that lies p / rows of a sample
        after sample n. Each row sums to 1.
    """
    rows = to_hz // math.gcd(from_hz, to_hz)
    if from_hz == to_hz:
        return np.array([[1.0, 0.0]])
    lower_hz = min(from_hz, to_hz)
    transition_hz = (1 - _PASSBAND) * lower_hz
    # Kaiser's length and shape for an attenuation A: D = (A - 7.95) / 14.36, beta = 0.1102 (A - 8.7).
    length_s = (_STOPBAND_DB - 7.95) / (14.36 * transition_hz)
    beta = 0.1102 * (_STOPBAND_DB - 8.7)
    ahead = math.ceil(length_s * from_hz / 2)
    offsets = np.arange(rows)[:, None] / rows - np.arange(1 - ahead, ahead + 1)
    window = np.i0(beta * np.sqrt(1 - np.square(offsets / ahead)))
    taps: NDArray[np.float64] = np.sinc(offsets * lower_hz / from_hz) * window
    taps /= taps.sum(axis=1, keepdims=True)
    return taps


def _check_rates(from_hz: int, to_hz: int) -> None:
    if from_hz < 1 or to_hz < 1:
        raise InputError(f"cannot resample from {from_hz} Hz to {to_hz} Hz: rates are whole numbers > 0")
