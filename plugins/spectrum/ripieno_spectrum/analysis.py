"""What a song looks like: its spectrum and its wave, one column per instant.

Conventions
-----------
Column c describes the instant from c / columns_hz to (c + 1) / columns_hz; its spectrum is centred in it.
A level is a uint8 in half decibels above -110 dB re full scale; 0 is that or less.
Bands are logarithmic in frequency, 24 to the octave, from C1 (32.7 Hz) upwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.framing import hann

Read: TypeAlias = Callable[[int, int], NDArray[np.float32]]

BANDS_PER_OCTAVE = 24
FLOOR_DB = -110.0
LEVELS_PER_DB = 2.0
LOWEST_HZ = 440.0 * 2 ** (-45 / 12)
_MAX_OCTAVES = 9
_TILT_DB_PER_OCTAVE = 1.5
_TILT_CENTRE_HZ = 500.0
# Long windows tell low notes apart, short ones keep high onsets sharp; each rules around its centre.
_WINDOWS_S = (0.372, 0.186, 0.093, 0.0465)
_CENTRES_HZ = (65.0, 240.0, 900.0, 3200.0)
_COLUMNS_PER_BATCH = 96


@dataclass(frozen=True)
class Analysis:
    """The columns of one song.

    Attributes
    ----------
    columns_hz : float
        Columns per second.
    duration_s : float
        Length of the sound.
    levels : NDArray[np.uint8]
        [columns, bands], tilted by 1.5 dB an octave around 500 Hz so that high partials are seen.
    low, high, rms : NDArray[np.float32]
        [columns], extremes and root mean square of the wave in each column.
    """

    columns_hz: float
    duration_s: float
    levels: NDArray[np.uint8]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    rms: NDArray[np.float32]

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.levels)

    @property
    def bands(self) -> int:
        """Number of bands."""
        return int(self.levels.shape[1])

    @cached_property
    def loudest_level(self) -> float:
        """The level that only a few of the sounding points exceed; 0 for silence."""
        sample = self.levels[:: 1 + self.columns // 20_000]
        sounding = sample[sample > 0]
        return float(np.percentile(sounding, 99.8)) if len(sounding) else 0.0

    def heights(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples as heights from -1 to 1, the song's peak at 1, quiet ones raised so that they show."""
        peak = max(self.high.max(initial=0.0), -self.low.min(initial=0.0), 1e-3)
        heights: NDArray[np.float32] = np.sign(values) * np.abs(values / peak) ** 0.8
        return heights


def analyse(read: Read, *, frames: int, rate_hz: int, columns_hz: float) -> Analysis:
    """Analyse a mono signal piece by piece, in memory that grows with its columns alone.

    The spectrum is constant-Q in effect: four short-time spectra, the longer ones for the lower notes, fade
    into one another along the frequency axis.

    Parameters
    ----------
    read : callable
        `read(start, stop)` gives the samples from `start` to before `stop`, 0 <= start <= stop <= frames.
    frames : int
        Length of the signal, >= 0.
    rate_hz : int
        Samples per second.
    columns_hz : float
        Columns per second.

    Returns
    -------
    Analysis
        ceil(frames / rate_hz * columns_hz) columns.
    """
    columns = math.ceil(frames * columns_hz / rate_hz)
    # Rounded down, so that the last column, however short, has a sample.
    edges = np.minimum(np.arange(columns + 1) * rate_hz / columns_hz, frames).astype(np.int64)
    spectra = _spectra(rate_hz)
    reach = spectra[0].window.size // 2
    levels = np.empty((columns, spectra[0].bands.shape[1]), np.uint8)
    low, high, rms = np.empty((3, columns), np.float32)
    for first in range(0, columns, _COLUMNS_PER_BATCH):
        batch = slice(first, min(first + _COLUMNS_PER_BATCH, columns))
        starts = edges[batch]
        # Where columns are closer than samples, a column without one repeats the next.
        stop = max(edges[batch.stop], starts[-1] + 1)
        begin = starts[0] - reach
        signal = _read_padded(read, int(begin), int(stop) + reach, frames)
        centres = (starts + edges[first + 1 : batch.stop + 1]) // 2 - begin
        levels[batch] = _levels(np.sum([spectrum.power(signal, centres) for spectrum in spectra], axis=0))
        wave, offsets = signal[reach : len(signal) - reach], starts - starts[0]
        low[batch] = np.minimum.reduceat(wave, offsets)
        high[batch] = np.maximum.reduceat(wave, offsets)
        lengths = np.maximum(1, np.diff(edges[first : batch.stop + 1]))
        rms[batch] = np.sqrt(np.add.reduceat(wave * wave, offsets) / lengths)
    return Analysis(columns_hz, frames / rate_hz, levels, low, high, rms)


@dataclass(frozen=True)
class _Spectrum:
    """A short-time power spectrum gathered into its share of the bands."""

    window: NDArray[np.float32]
    bins: slice
    bands: NDArray[np.float32]

    def power(self, signal: NDArray[np.float32], centres: NDArray[np.int64]) -> NDArray[np.float32]:
        """Power [centres, bands] around each centre."""
        half = self.window.size // 2
        pieces = np.lib.stride_tricks.sliding_window_view(signal, self.window.size)[centres - half]
        spectrum = np.fft.rfft(pieces * self.window)[:, self.bins]
        energy = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
        power: NDArray[np.float32] = energy @ self.bands
        return power


def _spectra(rate_hz: int) -> list[_Spectrum]:
    octaves = min(_MAX_OCTAVES, math.log2(max(rate_hz / 2 / LOWEST_HZ, 2.0)))
    hz = LOWEST_HZ * 2 ** (np.arange(math.floor(octaves * BANDS_PER_OCTAVE)) / BANDS_PER_OCTAVE)
    tilt = 10 ** (_TILT_DB_PER_OCTAVE / 10 * np.log2(hz / _TILT_CENTRE_HZ))
    shares = np.array([np.interp(np.log(hz), np.log(_CENTRES_HZ), row) for row in np.eye(len(_CENTRES_HZ))])
    return [
        _spectrum(rate_hz, seconds, hz, share * tilt)
        for seconds, share in zip(_WINDOWS_S, shares, strict=True)
    ]


def _spectrum(rate_hz: int, seconds: float, hz: NDArray[np.float64], gains: NDArray[np.float64]) -> _Spectrum:
    size = 2 ** max(2, round(math.log2(seconds * rate_hz)))
    window = hann(size)
    bin_hz = rate_hz / size
    # A triangle as wide as the band, but never narrower than a bin: interpolation below, averaging above.
    spacing = np.maximum(hz * (2 ** (1 / BANDS_PER_OCTAVE) - 1), bin_hz)
    offset_hz = np.arange(size // 2 + 1)[:, None] * bin_hz - hz
    triangles = np.maximum(0.0, 1 - np.abs(offset_hz) / spacing)
    # A sine in the middle of a band reads its own level, however many bins the window spreads it over.
    seen = (triangles * _hann_response(offset_hz / bin_hz) ** 2).sum(axis=0)
    weights = triangles / np.maximum(seen, 1e-9) * gains
    used = np.flatnonzero(weights.any(axis=1))
    bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
    return _Spectrum((window * 2 / window.sum()).astype(np.float32), bins, weights[bins].astype(np.float32))


def _hann_response(bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amplitude of a sine that lies `bins` away, 1 at 0."""
    response: NDArray[np.float64] = np.sinc(bins) + 0.5 * (np.sinc(bins - 1) + np.sinc(bins + 1))
    return response


def _levels(power: NDArray[np.float32]) -> NDArray[np.uint8]:
    decibels = 10 * np.log10(power + 1e-20)
    levels: NDArray[np.uint8] = np.clip((decibels - FLOOR_DB) * LEVELS_PER_DB, 0, 255).astype(np.uint8)
    return levels


def _read_padded(read: Read, start: int, stop: int, frames: int) -> NDArray[np.float32]:
    inside = read(max(start, 0), min(stop, frames))
    return np.pad(inside, (max(-start, 0), max(stop - frames, 0)))
