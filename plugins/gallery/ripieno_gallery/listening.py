"""What is heard of a sound: which part of it, at which level, written as browsers play it.

Conventions
-----------
A part is a span of seconds. More than two channels are heard as their mean. What is beyond full scale is
clipped, and measured and drawn so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, AudioFormat
from ripieno.toolkit.ffmpeg import Pipe, file_url
from ripieno.toolkit.loudness import LoudnessMeter

from .pictures import Spectrum, Wave

BLOCK_FRAMES = 1 << 16
_HIGHEST_RATE_HZ = 48_000
_LOWEST_METERED_HZ = 8000
_HOP_S = 0.1
# FFmpeg's FLAC encoder refuses less than 16 samples, and browsers play nothing of so few.
_SHORTEST_S = 0.02


@dataclass(frozen=True)
class Span:
    """A part of a sound, in seconds."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Heard:
    """A part of a sound that was listened to.

    Parameters
    ----------
    duration_s : float
    loudness_lufs : float
        Integrated; -inf where there is none.
    wave : Wave
    spectrum : Spectrum
    """

    duration_s: float
    loudness_lufs: float
    wave: Wave
    spectrum: Spectrum


def liveliest(audio: Audio, *, length_s: float) -> Span:
    """The part in which most is said: where the square root of the level, summed, is greatest.

    The root keeps one shout from outweighing ten seconds of talk.
    """
    length_s = min(length_s, audio.duration_s)
    hop = max(1, round(_HOP_S * audio.rate_hz))
    block = hop * max(1, BLOCK_FRAMES // hop)
    levels = np.concatenate([_levels(samples, hop) for samples in audio.blocks(block)] or [np.zeros(1)])
    total = np.concatenate([[0.0], np.cumsum(levels)])
    hops = max(1, min(len(levels), math.ceil(length_s * audio.rate_hz / hop)))
    start_s = int(np.argmax(total[hops:] - total[:-hops])) * hop / audio.rate_hz
    start_s = min(start_s, audio.duration_s - length_s)
    return Span(start_s, start_s + length_s)


def is_in(audio: Audio, span: Span) -> bool:
    """Whether a sound has a sample in a part."""
    return bool(_frames(audio, span))


class Listener(Protocol):
    """What hears the blocks of a sound while they are written."""

    def push(self, samples: NDArray[np.float32], /) -> None: ...


def hear(audio: Audio, span: Span, path: Path) -> Heard | None:
    """Write a part of a sound, and measure and draw it on the way; None where nothing is in it."""
    if not is_in(audio, span):
        return None
    part = _frames(audio, span)
    wave, spectrum = Wave(len(part)), Spectrum(len(part), rate_hz=audio.rate_hz)
    meters = _meters(audio)
    write(audio, span, path, listeners=(wave, spectrum, *meters))
    spectrum.flush()
    loudness_lufs = max((meter.integrated_lufs for meter in meters), default=-math.inf)
    return Heard(len(part) / audio.rate_hz, loudness_lufs, wave, spectrum)


def write(audio: Audio, span: Span, path: Path, *, listeners: Sequence[Listener] = ()) -> None:
    """Write a part of a sound that is not empty, as FLAC or Opus by the suffix."""
    part = _frames(audio, span)
    with _encoder(path, AudioFormat(audio.rate_hz, _channels(audio))) as pipe:
        for start in range(part.start, part.stop, BLOCK_FRAMES):
            block = audio.read(start, min(part.stop, start + BLOCK_FRAMES))
            block = block if audio.channels <= 2 else block.mean(axis=0, keepdims=True)
            block = np.clip(block, -1, 1)
            for listener in listeners:
                listener.push(block)
            pipe.write(np.ascontiguousarray(block.T, "<f4"))
        lacking = round(_SHORTEST_S * audio.rate_hz) - len(part)
        if lacking > 0:
            pipe.write(np.zeros((lacking, _channels(audio)), "<f4"))


def gains_db(before: Heard | None, after: Heard | None) -> tuple[float, float]:
    """Gains that make two sounds equally loud; none is raised."""
    if before is None or after is None:
        return 0.0, 0.0
    louder_lu = before.loudness_lufs - after.loudness_lufs
    return (min(0.0, -louder_lu), min(0.0, louder_lu)) if math.isfinite(louder_lu) else (0.0, 0.0)


def _frames(audio: Audio, span: Span) -> range:
    first, last = (min(audio.frames, round(at_s * audio.rate_hz)) for at_s in (span.start_s, span.end_s))
    return range(first, last)


def _channels(audio: Audio) -> int:
    return audio.channels if audio.channels <= 2 else 1


def _levels(samples: NDArray[np.float32], hop: int) -> NDArray[np.float64]:
    power = np.square(samples, dtype=np.float64).mean(axis=0)
    starts = np.arange(0, power.size, hop)
    lengths = np.diff(starts, append=power.size)
    levels: NDArray[np.float64] = (np.add.reduceat(power, starts) / lengths) ** 0.25
    return levels


def _meters(audio: Audio) -> list[LoudnessMeter]:
    """One, or none where the rate is too low for it."""
    if audio.rate_hz < _LOWEST_METERED_HZ:
        return []
    return [LoudnessMeter(audio.rate_hz, channels=_channels(audio))]


def _encoder(path: Path, format: AudioFormat) -> Pipe:
    import ffmpeg

    rate_hz = min(format.rate_hz, _HIGHEST_RATE_HZ)
    kinds = {
        ".flac": {"acodec": "flac", "sample_fmt": "s16", "ar": rate_hz},
        ".opus": {"acodec": "libopus", "b:a": f"{64 * format.channels}k", "ar": _HIGHEST_RATE_HZ},
    }
    sound = ffmpeg.input("pipe:", format="f32le", ar=format.rate_hz, ac=format.channels)
    # Bit-exact, one thread: the same sound gives the same bytes.
    exact = {"fflags": "+bitexact", "flags:a": "+bitexact", "map_metadata": -1, "threads": 1}
    return Pipe(ffmpeg.compile(sound.output(file_url(path), **exact, **kinds[path.suffix])), mode="write")
