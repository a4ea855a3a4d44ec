"""Harmonic and percussive parts, told apart by the shape that they have in the spectrogram.

Conventions
-----------
Spectra are [channels, frame, bin] and magnitudes [frame, bin]. A window is four hops long; frame j ends
where hop j of the sound ends, so that hop k lies under frames k to k + 3 and no frame beyond.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, PluginConfig, Separator, Stems
from ripieno.toolkit.framing import frames, hann

OVERLAP = 4
BLOCK_HOPS = 512


class HpssConfig(PluginConfig):
    """Settings of `HarmonicPercussive`."""

    window_ms: float = Field(
        93.0,
        gt=0,
        le=1000,
        description="Length of a frame, rounded to a power of two of samples; a quarter of it is the hop.",
        json_schema_extra={"unit": "ms"},
    )
    harmonic_ms: float = Field(
        200.0,
        gt=0,
        le=10_000,
        description="Median filter along time: what lasts longer than half of it is harmonic.",
        json_schema_extra={"unit": "ms"},
    )
    percussive_hz: float = Field(
        500.0,
        gt=0,
        description="Median filter along frequency: what is wider than half of it is percussive.",
        json_schema_extra={"unit": "Hz"},
    )
    power: float = Field(2.0, gt=0, description="Exponent of the masks; 2 is a Wiener filter.")
    margin: float = Field(
        1.0,
        ge=1,
        description="How many times stronger a part must be. At 1 the stems sum to the audio; above, what is "
        "neither tone nor click is in none of them.",
    )


class HarmonicPercussive(Separator[HpssConfig]):
    """Median-filtering harmonic/percussive separation, in bounded memory.

    The defaults are the window of the first paper and the filters of the second. One mask serves all
    channels, from the sum of their powers, so that nothing moves in the stereo image. Blocks are computed
    with all the context that their filters see: there are no seams.

    References
    ----------
    Fitzgerald: Harmonic/percussive separation using median filtering. DAFx 2010.
    Driedger, Müller, Disch: Extending harmonic-percussive separation of audio signals. ISMIR 2014.
    """

    @classmethod
    def output_names(cls, config: HpssConfig) -> tuple[str, ...]:
        return ("harmonic", "percussive")

    def separate(self, audio: Audio) -> Stems:
        """Tones and clicks of the audio.

        Parameters
        ----------
        audio : Audio
            Any rate and channels.

        Returns
        -------
        Stems
            ``harmonic`` and ``percussive``.
        """
        hop = hop_of(self.config, audio.rate_hz)
        with (
            self.context.audio_writer(audio.format) as harmonic,
            self.context.audio_writer(audio.format) as percussive,
        ):
            for start in range(0, audio.frames, BLOCK_HOPS * hop):
                stop = min(start + BLOCK_HOPS * hop, audio.frames)
                parts = separate_span(audio, self.config, start, stop)
                harmonic.write(parts[0])
                percussive.write(parts[1])
                self.context.progress(stop, audio.frames, unit="samples")
            return Stems({"harmonic": harmonic.close(), "percussive": percussive.close()})


def hop_of(config: HpssConfig, rate_hz: int) -> int:
    """Samples between frames: a power of two."""
    return 1 << max(2, round(math.log2(config.window_ms / 1000 * rate_hz / OVERLAP)))


def separate_span(audio: Audio, config: HpssConfig, start: int, stop: int) -> NDArray[np.float32]:
    """The parts [2, channels, stop - start] of samples `start` to before `stop`.

    Parameters
    ----------
    start, stop : int
        `start` a multiple of the hop.
    """
    hop = hop_of(config, audio.rate_hz)
    along_time = _odd(config.harmonic_ms / 1000 * audio.rate_hz / hop)
    along_frequency = _odd(config.percussive_hz * OVERLAP * hop / audio.rate_hz)

    first, last = start // hop, -(-stop // hop) + OVERLAP - 1
    total = -(-audio.frames // hop) + OVERLAP - 1
    first_seen, last_seen = max(0, first - along_time // 2), min(total, last + along_time // 2)
    spectra = _spectra(audio, hop, first_seen, last_seen)
    magnitude = np.sqrt(np.sum(np.square(np.abs(spectra)), axis=0))

    own = slice(first - first_seen, last - first_seen)
    tones = median(magnitude, along_time, axis=0)[own]
    clicks = median(magnitude[own], along_frequency, axis=1)
    masks = (
        soft_mask(tones, clicks, power=config.power, margin=config.margin),
        soft_mask(clicks, tones, power=config.power, margin=config.margin),
    )
    parts = [_samples(spectra[:, own] * mask, hop)[:, : stop - start] for mask in masks]
    return np.stack(parts)


def median(values: NDArray[np.float32], size: int, *, axis: int) -> NDArray[np.float32]:
    """Moving median of an odd number of values along an axis, mirrored at its ends.

    SciPy's filter of one dimension is ten times faster than the one of two, so the rows go through it
    end to end, with their mirrored ends between them.
    """
    from scipy.ndimage import median_filter

    half = size // 2
    rows = np.pad(np.moveaxis(values, axis, -1), [(0, 0), (half, half)], mode="symmetric")
    filtered = median_filter(rows.ravel(), size).reshape(rows.shape)
    result: NDArray[np.float32] = np.moveaxis(filtered[:, half : rows.shape[1] - half], -1, axis)
    return result


def soft_mask(
    part: NDArray[np.float32], rest: NDArray[np.float32], *, power: float, margin: float
) -> NDArray[np.float32]:
    """Share [0, 1] of `part`: part**p / (part**p + (margin * rest)**p); where both are 0, one half at margin 1."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mask = 1 / (1 + (np.float32(margin) * rest / part) ** np.float32(power))
    return np.asarray(np.nan_to_num(mask, nan=0.5 if margin == 1 else 0.0, copy=False), np.float32)


def _odd(size: float) -> int:
    return max(3, 2 * round((size - 1) / 2) + 1)


def _spectra(audio: Audio, hop: int, first: int, last: int) -> NDArray[np.complex64]:
    start, stop = (first + 1 - OVERLAP) * hop, last * hop
    around = (max(0, -start), max(0, stop - audio.frames))
    samples = np.pad(audio.read(start, stop), [(0, 0), around])
    cut = frames(samples, window=OVERLAP * hop, hop=hop, centred=False)
    spectra = np.fft.rfft(cut * hann(OVERLAP * hop).astype(np.float32), axis=-1)
    return np.asarray(spectra, np.complex64)


def _samples(spectra: NDArray[Any], hop: int) -> NDArray[np.float32]:
    """Overlap-add of spectra [channels, frame, bin]: the samples that lie under all their frames."""
    window = OVERLAP * hop
    cut = np.fft.irfft(spectra, window, axis=-1) * hann(window).astype(np.float32)
    channels, count = cut.shape[:2]
    quarters = cut.reshape(channels, count, OVERLAP, hop)
    hops = count - OVERLAP + 1
    summed = sum(quarters[:, OVERLAP - 1 - part :][:, :hops, part] for part in range(OVERLAP))
    # Four squared Hann windows a quarter apart sum to 3/2.
    return np.reshape(summed / np.float32(1.5), (channels, hops * hop))
