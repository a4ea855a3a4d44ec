"""Cues for where a bar begins: harmony as chroma, and the level of the bass, frame by frame.

Conventions
-----------
Frame i belongs to sample i * hop. Its window ends `ahead` samples after that, and reaches back as far as
it needs to: nothing later is looked at.
"""

from math import log2, log10

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, Features, Framer, InputError

CUE_NAMES = (*(f"chroma_{pitch_class}" for pitch_class in range(12)), "bass_db")

WINDOW_S = 0.139
HARMONY_HZ = (120.0, 2000.0)
BASS_HZ = (30.0, 150.0)
NEARBY_HZ = 30.0
"""A partial stands out of what lies this near on either side; a drum does not."""
SILENCE_DB = -100.0
QUIETEST = 1e-4
"""Root amplitude, -80 dB, below which nothing counts as a partial."""


class CueStream:
    """Chroma and bass level of mono sound that arrives in blocks of any size.

    Parameters
    ----------
    rate_hz : int
        Of the sound.
    hop : int
        Samples between frames, > 0.
    ahead : int
        Samples after its own that a frame may look at, >= 0.
    """

    names = CUE_NAMES

    def __init__(self, *, rate_hz: int, hop: int, ahead: int = 0) -> None:
        self._cues = CueSpectrum(rate_hz)
        window = self._cues.window
        if not 0 <= ahead < window:
            raise InputError(f"cues look at most {window - 1} samples ahead, not {ahead}")
        self._framer = Framer(window=window, hop=hop, start=min(0, ahead - window + 1))

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows [frames, 13] that samples [1, frames] complete."""
        return self._rows(self._framer.push(samples))

    def flush(self) -> NDArray[np.float32]:
        """The rows that are left: ceil(samples / hop) in all."""
        return self._rows(self._framer.flush())

    def reset(self) -> None:
        """Forget everything, as new."""
        self._framer.reset()

    def _rows(self, windows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        rows = [self._cues.row(window[0]) for window in windows]
        return np.stack(rows) if rows else np.zeros((0, len(CUE_NAMES)), np.float32)


class CueSpectrum:
    """Chroma and bass level of one window.

    A partial is heard by how far the root of its amplitude stands out of the mean around it, so that
    drums, whose spectrum is smooth, leave the chroma as it was.

    Parameters
    ----------
    rate_hz : int
        Samples a second.
    """

    def __init__(self, rate_hz: int) -> None:
        # Three times a power of two: the transform is quick.
        self.window = 3 * 2 ** round(log2(WINDOW_S * rate_hz / 3))
        frequencies_hz = np.fft.rfftfreq(self.window, 1 / rate_hz)
        nearby = max(1, round(NEARBY_HZ * self.window / rate_hz))
        heard = np.searchsorted(frequencies_hz, HARMONY_HZ)
        self._bins = slice(heard[0], heard[1])
        self._around = slice(max(0, heard[0] - nearby - 1), heard[1] + nearby)
        self._nearby = nearby
        self._taper = np.hanning(self.window + 1)[:-1].astype(np.float32)
        self._chroma = chroma_bank(frequencies_hz[self._bins]).astype(np.float32)
        self._bass = slice(*np.searchsorted(frequencies_hz, BASS_HZ))
        self._amplitude = np.float32(2 / self._taper.sum())
        # A sine of amplitude 1 in the band has 0 dB.
        self._power = 4 / float((self._taper**2).sum() * self.window)

    def row(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Chroma >= 0 and bass level in dB of a window of sound [13]."""
        spectrum = np.fft.rfft(window * self._taper)
        bass = spectrum[self._bass]
        row = np.empty(len(CUE_NAMES), np.float32)
        row[:12] = self._chroma @ self._partials(np.abs(spectrum[self._around]))
        row[12] = max(10 * log10(float(np.vdot(bass, bass).real) * self._power + 1e-12), SILENCE_DB)
        return row

    def _partials(self, magnitudes: NDArray[np.floating]) -> NDArray[np.floating]:
        """How far each bin stands out of those nearby, in parts of their mean."""
        roots = np.sqrt(magnitudes * self._amplitude)
        width = 2 * self._nearby + 1
        sums = np.cumsum(roots)
        means = (sums[width:] - sums[:-width]) / width
        peaks = roots[self._nearby + 1 : -self._nearby] / (means + QUIETEST) - 1
        partials: NDArray[np.floating] = np.maximum(peaks, 0)
        return partials


def chroma_bank(frequencies_hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights [12, bins] of frequencies above 0 Hz in pitch classes, C first, triangles a semitone to either side."""
    pitch_midi = 69 + 12 * np.log2(frequencies_hz / 440)
    distance = np.abs((pitch_midi - np.arange(12)[:, None] + 6) % 12 - 6)
    bank: NDArray[np.float64] = np.maximum(0, 1 - distance)
    return bank


def cues_of(audio: Audio, *, hop: int, ahead: int = 0) -> Features:
    """Cues of mono audio: `CueStream` run over it.

    Raises
    ------
    InputError
        If the audio is not mono.
    """
    if audio.channels != 1:
        raise InputError(f"cues are of mono audio, this has {audio.channels} channels: downmix first")
    stream = CueStream(rate_hz=audio.rate_hz, hop=hop, ahead=ahead)
    rows = [stream.push(block) for block in audio.blocks(1 << 16)]
    return Features(np.concatenate([*rows, stream.flush()]), CUE_NAMES, audio.rate_hz / hop)
