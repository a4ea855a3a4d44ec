"""Sound files written block by block.

Conventions
-----------
WAV takes samples as they are. All other formats end at full scale: what lies beyond it is clipped and
counted. The same sound gives the same bytes: no time, no random serial number, one thread.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, AudioFormat, InputError
from ripieno.toolkit.ffmpeg import Pipe, file_url

from .riff import wav_header

BLOCK_FRAMES = 1 << 16
REPRODUCIBLE: Mapping[str, Any] = {
    "fflags": "+bitexact",
    "flags:a": "+bitexact",
    "map_metadata": -1,
    "threads": 1,
}
"""Options of an FFmpeg output that keep versions and times out of it."""

_ALL_CHANNELS = (1, 2, 3, 4, 5, 6, 7, 8)
_PCM = {".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF"}
# The order of WAV, which FFmpeg does not guess for 3 and 4 channels.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True)
class Lossy:
    """How FFmpeg is asked for a lossy format.

    Parameters
    ----------
    encoder : str
        FFmpeg's name of it.
    channels : tuple of int
        Numbers of channels that come out in their places.
    quality : int or None
        Of the encoder's own scale; None for a bit rate of 128 kbit/s a channel.
    """

    encoder: str
    channels: tuple[int, ...] = _ALL_CHANNELS
    quality: int | None = None

    def options(self, format: AudioFormat) -> dict[str, Any]:
        """Options of an FFmpeg output."""
        rate = {"b:a": f"{128 * format.channels}k"} if self.quality is None else {"q:a": self.quality}
        return {"acodec": self.encoder, **rate}


# FFmpeg puts 7 channels of AAC, and 5 and 7 of Opus, in another order.
AAC = Lossy("aac", channels=(1, 2, 3, 4, 5, 6, 8))
OPUS = Lossy("libopus", channels=(1, 2, 3, 4, 6, 8))
LOSSY = {
    ".mp3": Lossy("libmp3lame", channels=(1, 2), quality=0),
    ".m4a": AAC,
    ".ogg": Lossy("libvorbis", quality=6),
    ".opus": OPUS,
}
WRITABLE = (".wav", *_PCM, *LOSSY)
"""Suffixes that can be written."""


@dataclass
class FullScale:
    """Blocks of audio, clipped to [-1, 1].

    Parameters
    ----------
    audio : Audio
    clipped : int
        Samples that were beyond it so far.
    """

    audio: Audio
    clipped: int = field(default=0, init=False)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Rows [frames, channels]."""
        for block in self.audio.blocks(BLOCK_FRAMES):
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
            yield np.ascontiguousarray(np.clip(block, -1, 1).T, "<f4")


def encode(audio: Audio, path: Path) -> int:
    """Write a sound file of the kind that its suffix names.

    Returns
    -------
    int
        How many samples were clipped.

    Raises
    ------
    InputError
        If the format cannot be written or cannot hold this audio.
    MissingError
        If it takes FFmpeg to write it, and there is none.
    """
    suffix = path.suffix.lower()
    if suffix == ".wav":
        _write_wav(audio, path)
        return 0
    if suffix not in WRITABLE:
        raise InputError(f"{path}: sound is not written as {suffix!r}. Take {', '.join(WRITABLE)}")
    if audio.frames == 0:
        raise InputError(f"{path}: only .wav can hold empty audio")
    refuse_channels(audio, path, allowed=LOSSY[suffix].channels if suffix in LOSSY else _ALL_CHANNELS)
    sound = FullScale(audio)
    if suffix in _PCM:
        _write_pcm(sound, path, container=_PCM[suffix])
    else:
        _write_lossy(sound, path, LOSSY[suffix])
    return sound.clipped


def sound_input(format: AudioFormat) -> Any:
    """The input of an FFmpeg graph that takes rows of float32 from a pipe."""
    import ffmpeg

    return ffmpeg.input(
        "pipe:",
        format="f32le",
        ar=format.rate_hz,
        ac=format.channels,
        channel_layout=_LAYOUTS[format.channels],
    )


def run_graph(graph: Any, sound: FullScale, path: Path) -> None:
    """Run an FFmpeg graph that writes `path`, with `sound` as its `sound_input`.

    Raises
    ------
    InputError
        If FFmpeg fails; the message names the file.
    """
    import ffmpeg

    try:
        with Pipe(ffmpeg.compile(graph, overwrite_output=True), mode="write") as pipe:
            for rows in sound.blocks():
                pipe.write(rows)
    except InputError as cause:
        raise InputError(f"{path}: {cause}") from cause


def refuse_channels(audio: Audio, path: Path, *, allowed: tuple[int, ...]) -> None:
    """Raise InputError if the number of channels is not one of those allowed."""
    if audio.channels not in allowed:
        raise InputError(
            f"{path}: {audio.channels} channels, but {path.suffix} holds "
            f"{', '.join(map(str, allowed[:-1]))} or {allowed[-1]}: put effect/downmix before it"
        )


def _write_wav(audio: Audio, path: Path) -> None:
    try:
        with open(path, "wb") as file:
            file.write(wav_header(audio.format, frames=audio.frames))
            for block in audio.blocks(BLOCK_FRAMES):
                file.write(np.ascontiguousarray(block.T, "<f4").data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _write_pcm(sound: FullScale, path: Path, *, container: str) -> None:
    import soundfile

    format = sound.audio.format
    try:
        with soundfile.SoundFile(
            path, "w", format.rate_hz, format.channels, subtype="PCM_24", format=container
        ) as file:
            for rows in sound.blocks():
                file.write(rows)
    except soundfile.LibsndfileError as error:
        # libsndfile says "System error." of a folder that is not there and of a full disk alike.
        raise InputError(
            f"{path}: cannot be written: {error.error_string} Is its folder there, and room on the disk?"
        ) from error


def _write_lossy(sound: FullScale, path: Path, lossy: Lossy) -> None:
    format = sound.audio.format
    options = {**REPRODUCIBLE, **lossy.options(format)}
    run_graph(sound_input(format).output(file_url(path), **options), sound, path)
