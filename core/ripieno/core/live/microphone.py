"""The default microphone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ripieno.contracts.errors import InputError, MissingError
from ripieno.contracts.formats import AudioFormat

from .feeds import Feed
from .hops import HOP_S
from .raw import RawFormat

# A device that is read too slowly loses samples: better to say so than to hear a cut.
MIC_BLOCKS = 500


@contextmanager
def microphone(raw: RawFormat) -> Iterator[Feed]:
    """The default microphone, while the block lasts.

    Raises
    ------
    MissingError
        If sounddevice or PortAudio is not installed.
    InputError
        If there is no microphone, or not with this rate and these channels.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise MissingError('a microphone needs sounddevice. Run: pip install "ripieno-core[mic]"') from error
    except OSError as error:
        raise MissingError(
            f"a microphone needs PortAudio ({error}). On Debian, run: apt install libportaudio2"
        ) from error

    def heard(data: Any, frames: int, times: Any, status: Any) -> None:
        if status.input_overflow:
            logging.getLogger("ripieno").warning("mic: the device lost some sound")
        feed.offer(data.T.copy())

    try:
        device = sounddevice.query_devices(kind="input")
        rate_hz = raw.rate_hz or int(device["default_samplerate"])
        feed = Feed("mic", AudioFormat(rate_hz, raw.channels or 1), size=MIC_BLOCKS)
        stream = sounddevice.InputStream(
            samplerate=rate_hz,
            channels=feed.format.channels,
            blocksize=round(rate_hz * HOP_S),
            dtype="float32",
            latency="low",
            callback=heard,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(f"--source mic: no microphone can be opened: {error}") from error
    with stream:
        yield feed
