"""What a sound looks like: the outline of its wave and its spectrum, taken in block by block.

Conventions
-----------
Samples are [channels, frames] with full scale 1.0; channels are averaged. Columns run through the sound from
its first sample to its last, rows of a spectrum from the highest frequency down, equally spaced in mels.
"""

import struct
import zlib
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.framing import frames, hann

WAVE_COLUMNS = 600
COLUMNS, ROWS = 1000, 168
LOWEST_HZ, HIGHEST_HZ = 50.0, 16_000.0
RANGE_DB = 72.0
FLOOR_DB = -120.0
LEVELS = 64
_WINDOW_S = 0.046
# From silence to the loudest, as sRGB: night blue, violet, rose, orange, straw.
_HEAT = ("0b0d17", "1c1840", "4a1f6b", "8a2a74", "c8445f", "ee7c45", "fbbd62", "fff3c4")


class Wave:
    """Lowest and highest sample of each column.

    Parameters
    ----------
    length : int
        Samples to come, > 0.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._columns = min(WAVE_COLUMNS, length)
        self._seen = 0
        self.low, self.high = np.full(self._columns, np.inf), np.full(self._columns, -np.inf)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        mono = samples.mean(axis=0)
        column = (self._seen + np.arange(mono.size)) * self._columns // self._length
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        self.low[column[starts]] = np.minimum(self.low[column[starts]], np.minimum.reduceat(mono, starts))
        self.high[column[starts]] = np.maximum(self.high[column[starts]], np.maximum.reduceat(mono, starts))
        self._seen += mono.size

    @property
    def peak(self) -> float:
        """Greatest absolute value."""
        return float(max(-self.low.min(), self.high.max(), 0.0))

    def outline(self, scale: float) -> str:
        """An SVG path one unit wide and from -1 (top) to 1 high, of the samples times `scale`."""
        low, high = (np.clip(scale * edge, -1, 1) for edge in (self.low, self.high))
        places = (np.arange(self._columns) + 0.5) / self._columns
        above = [f"{x:.4f} {-y - 0.008:.3f}" for x, y in zip(places, high, strict=True)]
        below = [f"{x:.4f} {-y + 0.008:.3f}" for x, y in zip(places, low, strict=True)]
        return f"M{'L'.join([*above, *reversed(below)])}Z"


class Spectrum:
    """Greatest power of each column in each band.

    Parameters
    ----------
    length : int
        Samples to come, > 0.
    rate_hz : int
        Samples a second.

    References
    ----------
    O'Shaughnessy: Speech Communication: Human and Machine. 1987 (the mel scale).
    """

    def __init__(self, length: int, *, rate_hz: int) -> None:
        self._window = 2 ** max(3, round(np.log2(_WINDOW_S * rate_hz)))
        self._hop = max(self._window // 8, min(self._window // 2, length // COLUMNS))
        self._taper = (2 * hann(self._window) / hann(self._window).sum()).astype(np.float32)
        self.highest_hz = max(2 * LOWEST_HZ, min(HIGHEST_HZ, rate_hz / 2))
        self._bands = mel_bands(self._window, rate_hz=rate_hz, highest_hz=self.highest_hz)
        self._count = -(-length // self._hop)
        self._columns = min(COLUMNS, self._count)
        self._frame = 0
        self._held = np.zeros(self._window // 2, np.float32)
        self._power = np.zeros((self._columns, ROWS), np.float32)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        self._take(samples.mean(axis=0))

    def flush(self) -> None:
        """There are no more samples."""
        self._take(np.zeros(self._window, np.float32))

    @cached_property
    def level_db(self) -> NDArray[np.float32]:
        """Levels [rows, columns]; a sine of full scale is 0 dB, silence `FLOOR_DB`."""
        level: NDArray[np.float32] = 10 * np.log10(self._power.T[::-1] + 10 ** (FLOOR_DB / 10))
        return level

    def place(self, hz: float) -> float:
        """Where a frequency stands: 0 at the top, 1 at the bottom."""
        low, high = _mel(LOWEST_HZ), _mel(self.highest_hz)
        return float((high - _mel(hz)) / (high - low))

    def _take(self, mono: NDArray[np.float32]) -> None:
        signal = np.concatenate([self._held, mono])
        pieces = frames(signal, window=self._window, hop=self._hop, centred=False)
        pieces = pieces[: max(0, self._count - self._frame)]
        self._held = signal[len(pieces) * self._hop :]
        if not len(pieces):
            return
        spectra = np.fft.rfft(pieces * self._taper)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32) @ self._bands
        column = (self._frame + np.arange(len(pieces))) * self._columns // self._count
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        greatest = np.maximum.reduceat(power, starts, axis=0)
        self._power[column[starts]] = np.maximum(self._power[column[starts]], greatest)
        self._frame += len(pieces)


def mel_bands(window: int, *, rate_hz: int, highest_hz: float) -> NDArray[np.float32]:
    """Triangles [bins, rows], equally spaced in mels; a sine in the middle of one reads its own level."""
    hz = _hz(np.linspace(_mel(LOWEST_HZ), _mel(highest_hz), ROWS))
    bin_hz = rate_hz / window
    # Never narrower than a bin: interpolation below, the neighbourhood of a wide band above.
    width_hz = np.maximum(np.gradient(hz), bin_hz)
    away_hz = np.abs(np.arange(window // 2 + 1)[:, None] * bin_hz - hz)
    bands: NDArray[np.float32] = np.maximum(0, 1 - away_hz / width_hz).astype(np.float32)
    return bands


def png(level_db: NDArray[np.float32], *, top_db: float) -> bytes:
    """A picture with a palette, `RANGE_DB` deep below `top_db` (ISO/IEC 15948)."""
    shares = np.clip(1 + (level_db - top_db) / RANGE_DB, 0, 1)
    pixels = np.rint(shares * (LEVELS - 1)).astype(np.uint8)
    rows, columns = pixels.shape
    # Each row begins with its filter; 0 is none.
    lines = np.pad(pixels, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette().tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def palette() -> NDArray[np.uint8]:
    """Colours uint8 [LEVELS, 3] from silence to the loudest."""
    stops = np.array([list(bytes.fromhex(colour)) for colour in _HEAT], float)
    places = np.linspace(0, len(stops) - 1, LEVELS)
    mixed = [np.interp(places, np.arange(len(stops)), channel) for channel in stops.T]
    colours: NDArray[np.uint8] = np.rint(np.stack(mixed, axis=1)).astype(np.uint8)
    return colours


def _chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 2595 * np.log10(1 + np.asarray(hz) / 700)
    return mel


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    hz: NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hz
