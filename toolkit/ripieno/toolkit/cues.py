"""Cues for where a bar begins: harmony as chroma, and the level of the bass, frame by frame.

Conventions
-----------
Frame i belongs to sample i * hop. Its window ends `ahead` samples after that, and reaches back as far as
it needs to: nothing later is looked at.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, Features, Framer, InputError

CUE_NAMES = (*(f"chroma_{pitch_class}" for pitch_class in range(12)), "bass_db")

WINDOW_S = 0.093
HARMONY_HZ = (120.0, 2000.0)
BASS_HZ = (30.0, 150.0)
SILENCE_DB = -100.0


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

    Parameters
    ----------
    rate_hz : int
        Samples a second.
    """

    def __init__(self, rate_hz: int) -> None:
        self.window = 2 * round(WINDOW_S * rate_hz / 2)
        frequencies_hz = np.fft.rfftfreq(self.window, 1 / rate_hz)
        bins = int(np.searchsorted(frequencies_hz, HARMONY_HZ[1])) + 1
        self._taper = np.hanning(self.window + 1)[:-1].astype(np.float32)
        self._chroma = chroma_bank(frequencies_hz[:bins]).astype(np.float32)
        self._bass = slice(*np.searchsorted(frequencies_hz, BASS_HZ))
        self._bins = bins
        # A sine of amplitude 1 in the band has 0 dB.
        self._scale = 1 / float((self._taper**2).sum() * self.window / 4)
        self._amplitude = np.float32(2 / self._taper.sum())

    def row(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Chroma, summed amplitude of each pitch class >= 0, and bass level in dB [13]."""
        spectrum = np.fft.rfft(window * self._taper)[: self._bins]
        row = np.empty(len(CUE_NAMES), np.float32)
        bass = spectrum[self._bass]
        power = float(np.vdot(bass, bass).real) * self._scale
        row[:12] = self._chroma @ (np.abs(spectrum) * self._amplitude)
        row[12] = max(10 * np.log10(power + 1e-12), SILENCE_DB)
        return row


def chroma_bank(frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights [12, bins] of spectral bins in pitch classes, C first, triangles a semitone to either side."""
    bank = np.zeros((12, len(frequencies_hz)))
    heard = (frequencies_hz >= HARMONY_HZ[0]) & (frequencies_hz <= HARMONY_HZ[1])
    pitch_midi = 69 + 12 * np.log2(frequencies_hz[heard] / 440)
    for pitch_class in range(12):
        distance = np.abs((pitch_midi - pitch_class + 6) % 12 - 6)
        bank[pitch_class, heard] = np.maximum(0, 1 - distance)
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
