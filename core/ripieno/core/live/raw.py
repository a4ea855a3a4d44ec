"""Raw samples on standard input."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from ripieno.contracts.errors import ConfigError, InputError
from ripieno.contracts.formats import AudioFormat

from .hops import Samples
from .wire import MOST_CHANNELS, RATES_HZ

ENCODINGS: Mapping[str, np.dtype[Any]] = {"f32le": np.dtype("<f4"), "s16le": np.dtype("<i2")}
PCM_BYTES = 1 << 15
_HEADERS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3")


@dataclass(frozen=True)
class RawFormat:
    """What raw samples on standard input are; None of a microphone is what the device prefers.

    Raises
    ------
    ConfigError
        If the rate or the channels are beyond what a client of the server may send, too.
    """

    rate_hz: int | None = None
    channels: int | None = None
    encoding: str = "f32le"

    def __post_init__(self) -> None:
        for option, value, least, most in (
            ("--rate-hz", self.rate_hz, *RATES_HZ),
            ("--channels", self.channels, 1, MOST_CHANNELS),
        ):
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{option} {value}: expected {least} to {most}")


@dataclass(frozen=True)
class Pcm:
    """Raw interleaved samples.

    Parameters
    ----------
    stream : binary file
        Read as its bytes come.
    format : AudioFormat
        Rate and channels.
    encoding : {"f32le", "s16le"}
        Of one sample; integers are divided by 32768.
    """

    stream: BinaryIO
    format: AudioFormat
    encoding: str = "f32le"
    kind: str = "stdin"

    def blocks(self) -> Iterator[Samples]:
        """What has come, in whole frames.

        Raises
        ------
        InputError
            If it begins like a sound file, or ends within a frame.
        """
        dtype = ENCODINGS[self.encoding]
        frame_bytes = dtype.itemsize * self.format.channels
        read: Callable[[int], bytes] = getattr(self.stream, "read1", self.stream.read)
        left, is_first = b"", True
        while data := read(PCM_BYTES):
            left += data
            if is_first and len(left) >= 4:
                _refuse_header(left)
                is_first = False
            whole = len(left) // frame_bytes * frame_bytes
            if whole:
                yield _decoded(left[:whole], dtype, self.format.channels)
                left = left[whole:]
        if left:
            raise InputError(
                f"{self.kind} ended within a frame: {len(left)} of its {frame_bytes} bytes "
                f"({self.format.channels} x {self.encoding}) came"
            )


def _decoded(data: bytes, dtype: np.dtype[Any], channels: int) -> Samples:
    samples = np.frombuffer(data, dtype).astype(np.float32).reshape(-1, channels).T
    return samples if dtype.kind == "f" else samples * np.float32(1 / 32768)


def _refuse_header(data: bytes) -> None:
    if data.startswith(_HEADERS):
        raise InputError(
            f"stdin begins with {data[:4]!r}: that is a sound file, and raw samples are wanted. "
            "Give it as --source file:PATH, or decode it: ffmpeg -i FILE -f f32le -"
        )


def standard_input(raw: RawFormat) -> Pcm:
    """Raw samples on standard input.

    Raises
    ------
    InputError
        If their rate is not said, or standard input is closed or a terminal.
    """
    if raw.rate_hz is None:
        raise InputError("stdin is raw samples without a header: say their rate, --rate-hz 44100")
    if sys.stdin is None or sys.stdin.isatty():
        state = "closed" if sys.stdin is None else "a terminal"
        raise InputError(f"standard input is {state}: pipe raw samples into it")
    return Pcm(sys.stdin.buffer, AudioFormat(raw.rate_hz, raw.channels or 1), raw.encoding)
