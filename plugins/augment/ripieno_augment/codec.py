"""What a lossy codec leaves of the sound."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FFMPEG, Audio, Augmenter, Example, InputError, PluginConfig
from ripieno.contracts.context import temporary_folder

from .levels import reshaped

Format = Literal["mp3", "aac", "opus"]
Samples = NDArray[np.float32]

SHORTEST_S = 0.1
"""Shorter sound is encoded with silence behind it: of less than a packet nothing comes back."""
PROBE_S = 2.0
LONGEST_DELAY_S = 0.2
MOST_CHANNELS = 2
DIRECT_RATES_HZ = {"mp3": (32000, 44100, 48000), "aac": (32000, 44100, 48000), "opus": (48000,)}
"""Rates that a codec is given; all others become 48 kHz within FFmpeg and come back."""
_ENCODERS = {"mp3": ("libmp3lame", ".mp3"), "aac": ("aac", ".m4a"), "opus": ("libopus", ".opus")}
_REPRODUCIBLE = {"fflags": "+bitexact", "flags:a": "+bitexact", "map_metadata": -1, "threads": 1}


class LossyCodecConfig(PluginConfig):
    """Settings of `LossyCodec`."""

    formats: tuple[Format, ...] = Field(("mp3", "aac", "opus"), min_length=1, description="To draw from.")
    kbps: tuple[int, ...] = Field(
        (48, 64, 96, 128),
        min_length=1,
        description="Bit rates of one channel to draw from.",
        json_schema_extra={"unit": "kbit/s"},
    )


@dataclass(frozen=True)
class CodecDraw:
    """What was drawn for one use of `LossyCodec`.

    Parameters
    ----------
    format : {"mp3", "aac", "opus"}
    kbps : int
        Of one channel.
    """

    format: Format
    kbps: int


class LossyCodec(Augmenter[LossyCodecConfig]):
    """The sound encoded as MP3, AAC or Opus by FFmpeg, and decoded again.

    What delay the codec leaves is measured once for each setting, with noise, and taken away: the sound is
    where it was. Labels follow its shape (`levels.reshaped`): LAME makes all softer by half a decibel. Mono
    and stereo alone.
    """

    binaries = (FFMPEG,)

    def draw(self, rng: np.random.Generator) -> CodecDraw:
        formats, kbps = self.config.formats, self.config.kbps
        return CodecDraw(formats[rng.integers(len(formats))], int(kbps[rng.integers(len(kbps))]))

    def apply(self, example: Example, draw: CodecDraw) -> Example:
        audio = example.audio
        if audio.channels > MOST_CHANNELS:
            raise InputError(f"codecs take mono or stereo, not {audio.channels} channels: downmix first")
        if not audio.frames:
            return example
        delay = codec_delay(draw, rate_hz=audio.rate_hz, channels=audio.channels)
        missing = max(0, round(SHORTEST_S * audio.rate_hz) - audio.frames)
        whole = np.pad(audio.samples, ((0, 0), (0, missing)))
        decoded = moved(through(whole, draw, rate_hz=audio.rate_hz), -delay, frames=audio.frames)
        performance = reshaped(example.performance, audio.samples, decoded, rate_hz=audio.rate_hz)
        return Example(Audio(decoded, audio.rate_hz), performance)


@lru_cache(maxsize=256)
def codec_delay(draw: CodecDraw, *, rate_hz: int, channels: int) -> int:
    """Samples by which sound comes out late, measured with noise; less than 0 where it is early."""
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal(round(PROBE_S * rate_hz)) / 8).astype(np.float32)
    heard = through(np.repeat(noise[None], channels, axis=0), draw, rate_hz=rate_hz)[0]
    return delay_between(noise, heard, longest=round(LONGEST_DELAY_S * rate_hz))


def delay_between(given: Samples, heard: Samples, *, longest: int) -> int:
    """Samples by which `heard` is later than `given`, at most `longest` either way, by cross-correlation."""
    from scipy import fft

    size = fft.next_fast_len(given.size + heard.size, real=True)
    correlation = fft.irfft(fft.rfft(heard, size) * np.conj(fft.rfft(given, size)), size)
    around = np.concatenate([correlation[-longest:], correlation[: longest + 1]])
    return int(around.argmax()) - longest


def moved(samples: Samples, shift: int, *, frames: int) -> Samples:
    """Samples [channels, frames] later by `shift` (earlier where < 0), cut or filled to `frames`."""
    later = np.pad(samples, ((0, 0), (max(shift, 0), 0)))[:, max(-shift, 0) :][:, :frames]
    return np.pad(later, ((0, 0), (0, frames - later.shape[1])))


def through(samples: Samples, draw: CodecDraw, *, rate_hz: int) -> Samples:
    """Samples [channels, frames], encoded and decoded: any number of frames.

    Raises
    ------
    InputError
        If FFmpeg cannot.
    MissingError
        If there is no FFmpeg.
    """
    with temporary_folder() as folder:
        path = folder / f"sound{_ENCODERS[draw.format][1]}"
        _encode(samples, draw, path, rate_hz=rate_hz)
        return _decode(path, rate_hz=rate_hz, channels=len(samples))


def _encode(samples: Samples, draw: CodecDraw, path: Path, *, rate_hz: int) -> None:
    import ffmpeg

    from ripieno.toolkit.ffmpeg import Pipe, file_url

    encoder, _ = _ENCODERS[draw.format]
    encoded_hz = rate_hz if rate_hz in DIRECT_RATES_HZ[draw.format] else 48000
    source = ffmpeg.input("pipe:", format="f32le", ar=rate_hz, ac=len(samples))
    bits = {"b:a": f"{draw.kbps * len(samples)}k"}
    sink = source.output(file_url(path), acodec=encoder, ar=encoded_hz, **bits, **_REPRODUCIBLE)
    with Pipe(ffmpeg.compile(sink), mode="write") as pipe:
        pipe.write(np.ascontiguousarray(samples.T, "<f4"))


def _decode(path: Path, *, rate_hz: int, channels: int) -> Samples:
    import ffmpeg

    from ripieno.toolkit.ffmpeg import Pipe, file_url

    sink = ffmpeg.input(file_url(path)).output("pipe:", format="f32le", ar=rate_hz, ac=channels, threads=1)
    with Pipe(ffmpeg.compile(sink), mode="read") as pipe:
        return np.frombuffer(pipe.read(), "<f4").reshape(-1, channels).T.astype(np.float32)
