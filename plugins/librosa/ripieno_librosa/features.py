"""Loudness, timbre and onsets, frame by frame.

Conventions
-----------
Frame i is centred on sample i * hop, with zeros where there is no sound. Levels are decibels relative to a
sine of full scale and end at `FLOOR_DB`, so that a frame depends on its own window alone and not, as with a
floor below the loudest frame, on the rest of the recording.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ripieno.contracts import Audio, AudioSpec, Features, Frontend, PluginConfig
from ripieno.toolkit.framing import frames, hann

from .formats import require_format
from .threads import one_thread

FLOOR_DB = -100.0
LEAST_POWER = 1e-14
HIGHEST_MEL_HZ = 8000.0
BLOCK_FRAMES = 1024


class FeaturesConfig(PluginConfig):
    """Settings of `LibrosaFeatures`."""

    hop: int = Field(512, ge=1, description="Between frames.", json_schema_extra={"unit": "samples"})
    window: int = Field(2048, ge=16, description="Of one frame.", json_schema_extra={"unit": "samples"})
    mel_bands: int = Field(
        40, ge=1, description="Under the MFCC and the onset strength.", json_schema_extra={"unit": "bands"}
    )
    mfcc: int = Field(
        13,
        ge=0,
        description="Cepstral coefficients; no more than there are bands.",
        json_schema_extra={"unit": "coefficients"},
    )

    @model_validator(mode="after")
    def _enough_bands(self) -> Self:
        if self.mfcc > self.mel_bands:
            raise ValueError(f"mfcc is {self.mfcc}: {self.mel_bands} mel_bands give that many at most")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        cepstrum = (f"mfcc_{index}" for index in range(self.mfcc))
        return ("rms", "centroid_hz", "flatness", *cepstrum, "onset_strength")


class LibrosaFeatures(Frontend[FeaturesConfig]):
    """Loudness, spectral centroid and flatness, MFCC and onset strength.

    The features are named ``rms`` (full scale 1.0), ``centroid_hz``, ``flatness`` (0 for a tone, 1 for white
    noise and for silence), ``mfcc_0`` … (of mel bands in decibels, up to 8 kHz at every rate) and
    ``onset_strength`` (mean rise of these bands since the frame before, in decibels).
    """

    accepts = {"audio": AudioSpec(channels=1)}

    def transform(self, audio: Audio) -> Features:
        """Features of the audio.

        Parameters
        ----------
        audio : Audio
            Any rate, mono.

        Returns
        -------
        Features
            1 + samples // hop frames; none of empty audio.

        Raises
        ------
        InputError
            If the audio is not mono.
        """
        require_format(audio, self.accepts["audio"])
        config = self.config
        values = np.empty((frame_count(audio.frames, hop=config.hop), len(config.names)), np.float32)
        with one_thread():
            for first in range(0, len(values), BLOCK_FRAMES):
                last = min(first + BLOCK_FRAMES, len(values))
                values[first:last] = block_features(audio, config, first, last)
                self.context.progress(last, len(values), unit="frames")
        return Features(values, config.names, audio.rate_hz / config.hop)


def frame_count(samples: int, *, hop: int) -> int:
    """Frames whose centres lie within or right at the end of the audio; none where there is no audio."""
    return 1 + samples // hop if samples else 0


def block_features(audio: Audio, config: FeaturesConfig, first: int, last: int) -> NDArray[np.float32]:
    """The features [last - first, names] of frames `first` to before `last`."""
    from scipy.fft import dct

    before = min(first, 1)
    cut = _cut(audio, config, first - before, last)
    taper = hann(config.window).astype(np.float32)
    magnitude = (2 / taper.sum()) * np.abs(np.fft.rfft(cut * taper, axis=-1))
    levels_db = _mel_levels_db(magnitude, audio.rate_hz, config)
    rise_db = np.diff(levels_db, axis=0, prepend=levels_db[:1])
    columns = (
        np.sqrt(np.mean(np.square(cut), axis=1)),
        centroid_hz(magnitude, rate_hz=audio.rate_hz, window=config.window),
        flatness(magnitude),
        dct(levels_db, axis=1, norm="ortho")[:, : config.mfcc],
        np.maximum(rise_db, 0).mean(axis=1),
    )
    return np.column_stack(columns)[before:]


def centroid_hz(magnitude: NDArray[np.float32], *, rate_hz: int, window: int) -> NDArray[np.float32]:
    """Centre of gravity of each spectrum [frames, bins] of windows at a rate; 0 where there is none."""
    total = magnitude.sum(axis=1)
    frequencies_hz = np.fft.rfftfreq(window, 1 / rate_hz).astype(np.float32)
    return np.asarray((magnitude * frequencies_hz).sum(axis=1) / np.where(total > 0, total, 1), np.float32)


def flatness(magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Geometric over arithmetic mean of the power of each spectrum [frames, bins], in (0, 1]."""
    power = np.maximum(np.square(magnitude), LEAST_POWER)
    return np.asarray(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1), np.float32)


def _cut(audio: Audio, config: FeaturesConfig, first: int, last: int) -> NDArray[np.float32]:
    start = first * config.hop - config.window // 2
    stop = (last - 1) * config.hop - config.window // 2 + config.window
    samples = audio.read(start, stop)[0]
    around = (max(0, -start), max(0, stop - audio.frames))
    return frames(np.pad(samples, around), window=config.window, hop=config.hop, centred=False)


def _mel_levels_db(
    magnitude: NDArray[np.float32], rate_hz: int, config: FeaturesConfig
) -> NDArray[np.float32]:
    """Mean power under each mel band, as levels [frames, bands]."""
    from librosa import filters

    # Filters of area 1 are the one kind that librosa makes without numba, which takes long to compile.
    bands = filters.mel(
        sr=rate_hz,
        n_fft=config.window,
        n_mels=config.mel_bands,
        fmax=min(HIGHEST_MEL_HZ, rate_hz / 2),
        norm="slaney",
    )
    power = np.square(magnitude) @ (bands.T * (rate_hz / config.window))
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
