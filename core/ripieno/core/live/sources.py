"""Where the sound of a live run comes from.

Conventions
-----------
A source knows its format before its first sample, and gives blocks [channels, frames] of float32 of any
size. `hops` cuts them anew, so that nothing depends on how they came.
"""

import os
import queue
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.audio import Audio
from ripieno.contracts.context import Context, temporary_folder, use_context
from ripieno.contracts.errors import InputError, MissingError, PipelineError, RipienoError
from ripieno.contracts.formats import AudioFormat
from ripieno.registry import Registry
from ripieno.registry.suggest import did_you_mean

from ..pipeline import Pipeline

KINDS = ("mic", "stdin", "ws", "file:PATH")
ENCODINGS: Mapping[str, np.dtype[Any]] = {"f32le": np.dtype("<f4"), "s16le": np.dtype("<i2")}
Samples = NDArray[np.float32]

HOP_S = 0.01
# Of a file at once; opening it anew for every hop would cost more than the hop.
FILE_FRAMES = 1 << 15
PCM_BYTES = 1 << 15
# A device that is read too slowly loses samples: better to say so than to hear a cut.
MIC_BLOCKS = 500
WS_BLOCKS = 64
# How long a wait goes on before it looks whether it still should; Windows does not interrupt one.
PATIENCE_S = 0.2
_HEADERS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3")


class Source(Protocol):
    """Sound that is open for reading."""

    @property
    def kind(self) -> str:
        """``file``, ``stdin``, ``mic`` or ``ws``."""
        ...

    @property
    def format(self) -> AudioFormat:
        """Rate and channels, known before the first sample."""
        ...

    def blocks(self) -> Iterator[Samples]:
        """All of it, in order; may wait."""
        ...


@dataclass(frozen=True)
class Asked:
    """A source as the command line names it.

    Parameters
    ----------
    input : str
        Of the pipeline.
    kind : {"mic", "stdin", "ws", "file"}
        What it is.
    path : str
        Of a file.
    """

    input: str
    kind: str
    path: str = ""

    @property
    def key(self) -> str:
        """Of the only item that a list input has: a file's is its stem, as in a run."""
        return normalize("NFC", Path(self.path).stem) if self.path else self.kind


@dataclass(frozen=True)
class RawFormat:
    """What raw samples on standard input are; None of a microphone is what the device prefers."""

    rate_hz: int | None = None
    channels: int | None = None
    encoding: str = "f32le"


def parse_sources(texts: Sequence[str], pipeline: Pipeline) -> tuple[Asked, ...]:
    """What ``--source [INPUT=]KIND`` says, for each time it is given.

    Raises
    ------
    PipelineError
        If it cannot be read, names no audio input, or one twice.
    """
    asked = tuple(_parsed(text, pipeline) for text in texts)
    for name in {one.input for one in asked}:
        if sum(one.input == name for one in asked) > 1:
            raise PipelineError(f"--source {name}= is given twice: an input has one source")
    for kind, why in {"stdin": "there is one standard input", "ws": "one client sends at a time"}.items():
        if sum(one.kind == kind for one in asked) > 1:
            raise PipelineError(f"--source {kind} is given twice: {why}")
    return asked


def _parsed(text: str, pipeline: Pipeline) -> Asked:
    name, equals, rest = text.partition("=")
    named = bool(equals) and not text.startswith("file:")
    what = rest if named else text
    kind, colon, path = what.partition(":")
    if kind not in ("mic", "stdin", "ws", "file") or bool(colon) != (kind == "file") or (colon and not path):
        hint = f". For a file, write file:{what}" if os.path.exists(what) else did_you_mean(kind, KINDS[:-1])
        raise PipelineError(f"--source {text}: a source is {', '.join(KINDS[:-1])} or {KINDS[-1]}{hint}")
    return Asked(_input(name if named else "", text, pipeline), kind, path)


def _input(name: str, text: str, pipeline: Pipeline) -> str:
    inputs = {one.name: one.kind for one in pipeline.inputs.values()}
    audio = [one for one, kind in inputs.items() if kind == "audio"]
    if name in audio:
        return name
    if name in inputs:
        raise PipelineError(f"--source {text}: the input {name!r} is {inputs[name]}, a source gives audio")
    if not audio:
        raise PipelineError(f"--source {text}: {pipeline.name} has no audio input")
    if name:
        hint = did_you_mean(name, tuple(audio))
        raise PipelineError(f"--source {text}: no input {name!r}. Audio inputs: {', '.join(audio)}{hint}")
    if len(audio) > 1:
        raise PipelineError(
            f"--source {text}: which input is it for, {' or '.join(audio)}? Write --source {audio[0]}={text}"
        )
    return audio[0]


@contextmanager
def opened(asked: Asked, *, registry: Registry, raw: RawFormat) -> Iterator[Source]:
    """A source that is read; a client's is an `Inlet`.

    Raises
    ------
    InputError
        If there is no such file, device or format.
    MissingError
        If a library is not installed, or nothing reads files of the suffix.
    """
    with ExitStack() as stack:
        match asked.kind:
            case "file":
                yield stack.enter_context(_file(Path(asked.path).expanduser(), registry))
            case "stdin":
                yield standard_input(raw)
            case _:
                yield stack.enter_context(_microphone(raw))


@dataclass(frozen=True)
class Recording:
    """A file, which its codec has read onto disk where it is long."""

    audio: Audio
    kind: str = "file"

    @property
    def format(self) -> AudioFormat:
        """Rate and channels of the file."""
        return self.audio.format

    def blocks(self) -> Iterator[Samples]:
        """Of `FILE_FRAMES`."""
        return self.audio.blocks(FILE_FRAMES)


@contextmanager
def _file(path: Path, registry: Registry) -> Iterator[Recording]:
    if not path.exists():
        raise InputError(f"--source file:{path}: no such file")
    codec = registry.build(registry.codec("audio", path.suffix), {})
    with temporary_folder() as folder:
        with use_context(Context(folder, folder, random=False)):
            audio = codec.read(path)
        yield Recording(audio)


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
        If their rate is not said, or standard input is a terminal.
    """
    if raw.rate_hz is None:
        raise InputError("stdin is raw samples without a header: say their rate, --rate-hz 44100")
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("standard input is a terminal: pipe raw samples into it")
    return Pcm(sys.stdin.buffer, AudioFormat(raw.rate_hz, raw.channels or 1), raw.encoding)


class Feed:
    """Sound that another thread brings, waiting in a queue that does not grow without end.

    Parameters
    ----------
    kind : str
        What it is called.
    format : AudioFormat
        Of what comes.
    size : int
        Blocks that may wait, > 0.
    """

    def __init__(self, kind: str, format: AudioFormat, *, size: int) -> None:
        self.kind = kind
        self.format = format
        self._waiting: queue.Queue[Samples | None] = queue.Queue(size)
        self._is_read = True
        self._problem = ""

    def put(self, samples: Samples) -> None:
        """Add a block; waits where there is no room, unless nobody reads any more."""
        self._put(samples)

    def offer(self, samples: Samples) -> None:
        """Add a block without waiting; where there is no room, the reader is told what that means."""
        try:
            self._waiting.put_nowait(samples)
        except queue.Full:
            self._problem = "the steps are slower than the sound: some of it would be lost"

    def end(self) -> None:
        """Nothing more comes."""
        self._put(None)

    def close(self) -> None:
        """Nobody reads any more."""
        self._is_read = False

    def blocks(self) -> Iterator[Samples]:
        """As they come, until the end.

        Raises
        ------
        InputError
            If there was no room for one that could not wait.
        """
        while not self._problem:
            try:
                block = self._waiting.get(timeout=PATIENCE_S)
            except queue.Empty:
                continue
            if block is None:
                return
            yield block
        raise InputError(f"{self.kind}: {self._problem}")

    def _put(self, block: Samples | None) -> None:
        while self._is_read:
            try:
                return self._waiting.put(block, timeout=PATIENCE_S)
            except queue.Full:
                continue


class Inlet:
    """Where a server puts the sound of its clients: one at a time, one after another.

    `start`, `push` and `end` are the server's side, on threads of its own; `accepted` is the loop's.
    """

    def __init__(self) -> None:
        self._feeds: queue.Queue[Feed] = queue.Queue()
        self._feed: Feed | None = None

    def start(self, format: AudioFormat) -> None:
        """Sound of this format follows, from time 0 on."""
        self._feed = Feed("ws", format, size=WS_BLOCKS)
        self._feeds.put(self._feed)

    def push(self, samples: Samples) -> None:
        """Take samples [channels, frames]; waits while there is no room."""
        if self._feed is not None:
            self._feed.put(samples)

    def end(self) -> None:
        """The sound is over."""
        if self._feed is not None:
            self._feed.end()

    @contextmanager
    def accepted(self) -> Iterator[Feed]:
        """The sound of the next client, for the time it is read; waits for one."""
        feed = self._next()
        try:
            yield feed
        finally:
            feed.close()

    def _next(self) -> Feed:
        while True:
            try:
                return self._feeds.get(timeout=PATIENCE_S)
            except queue.Empty:
                continue


@contextmanager
def _microphone(raw: RawFormat) -> Iterator[Feed]:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingError('a microphone needs sounddevice. Run: pip install "ripieno-core[mic]"') from error
    except OSError as error:
        raise MissingError(
            f"a microphone needs PortAudio ({error}). On Debian, run: apt install libportaudio2"
        ) from error
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
            callback=lambda data, frames, time, status: feed.offer(data.T.copy()),
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(f"--source mic: no microphone can be opened: {error}") from error
    with stream:
        yield feed


def hops(source: Source) -> Iterator[Samples]:
    """The sound of a source in blocks of a hundredth of a second, the last one shorter.

    Raises
    ------
    InputError
        If a sample is NaN or infinite, and whatever the source raises; all before that is given first.
    """
    hop = max(1, round(source.format.rate_hz * HOP_S))
    waiting: list[Samples] = []
    count = taken = 0
    problem: RipienoError | None = None
    blocks = source.blocks()
    while True:
        try:
            block = next(blocks, None)
        except RipienoError as error:
            block, problem = None, error
        if block is None:
            break
        waiting.append(block)
        count += block.shape[1]
        if count < hop:
            continue
        joined = np.concatenate(waiting, axis=1) if len(waiting) > 1 else block
        whole = count // hop * hop
        for start in range(0, whole, hop):
            yield _finite(joined[:, start : start + hop], source, taken)
            taken += hop
        waiting, count = [joined[:, whole:]], count - whole
    if count:
        yield _finite(np.concatenate(waiting, axis=1), source, taken)
    if problem is not None:
        raise problem


def _finite(samples: Samples, source: Source, frames_before: int) -> Samples:
    if np.isfinite(samples).all():
        return samples
    frame, channel = np.argwhere(~np.isfinite(samples.T))[0].tolist()
    at = frames_before + frame
    raise InputError(
        f"{source.kind}: sample {at} of channel {channel} ({at / source.format.rate_hz:.3f} s) is "
        f"{samples[channel, frame]}: sound must be finite"
    )
