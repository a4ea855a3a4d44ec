"""FFmpeg as a process: raw data through a pipe, facts about a file, outputs that appear whole or not at all.

Conventions
-----------
A command is the list that `ffmpeg.compile(...)` gives: its first entry is replaced by the program found.
FFmpeg opens local files and pipes only; name a file in a graph by `file_url(path)`.
Threads are the caller's to pin (`threads=1`): their number changes the bytes of some encoders.
"""

import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from ripieno.contracts.binaries import FFMPEG
from ripieno.contracts.errors import InputError

_LOCAL_ONLY = ("-protocol_whitelist", "file,pipe")
_STDERR_LINES = 16
_MESSAGE_LINES = 3
_WIDE = 1 << 20
_EMPTY_WORDS = re.compile(
    r"Error opening (input|output) (file |files: )|At least one output file"
    r"|Terminating thread with return code|Task finished with error code"
)
_LOG_PREFIX = re.compile(r"^(\[[^\]]* @ (0x)?[0-9a-fA-F]+\] )+")


def ffmpeg_path() -> str:
    """Path of the FFmpeg program: on PATH, else the one that imageio-ffmpeg carries.

    Raises
    ------
    MissingError
        If neither is there.
    """
    return str(FFMPEG.require())


def file_url(path: str | os.PathLike[str]) -> str:
    """Name of a local file that FFmpeg takes literally, whatever dashes, colons or newlines it holds."""
    return f"file:{Path(path).absolute()}"


def run(command: Sequence[str]) -> None:
    """Run a command that reads and writes files.

    Raises
    ------
    InputError
        If FFmpeg fails; the message is its last lines, on one line.
    MissingError
        If there is no FFmpeg.
    """
    with Pipe(command, mode="read") as pipe:
        pipe.read()


class Pipe:
    """An FFmpeg process with raw data on one end; a context manager, killed on an exception.

    Parameters
    ----------
    command : sequence of str
        As `ffmpeg.compile` returns it, with `pipe:` as the end that is read or written here.
    mode : {"read", "write"}
        Whether the caller reads what FFmpeg makes, or writes what FFmpeg takes.

    Raises
    ------
    InputError
        From `read`, `write` or the end of the context, if FFmpeg fails.
    MissingError
        If there is no FFmpeg.

    Notes
    -----
    Both directions block when the other side is slower, so memory stays bounded. A reader that leaves
    before the end of the data ends the process without an error.
    """

    def __init__(self, command: Sequence[str], *, mode: Literal["read", "write"]) -> None:
        ends: dict[str, Any] = {
            "read": {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE},
            "write": {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL},
        }[mode]
        self._process = subprocess.Popen(_local_command(command), stderr=subprocess.PIPE, **ends)
        _widen(self._process.stdin or self._process.stdout)
        self._lines: deque[str] = deque(maxlen=_STDERR_LINES)
        # Without a reader FFmpeg would block on a full stderr while we block on its data.
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, fewer only at the end of the data; everything by default."""
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return b""
        data: bytes = self._process.stdout.read(size)
        if size < 0 or len(data) < size:
            self._finish()
        return data

    def blocks(self, size: int) -> Iterator[bytes]:
        """Read blocks of `size` bytes until the data ends; only the last may be shorter."""
        while data := self.read(size):
            yield data

    def write(self, data: Any) -> None:
        """Write bytes, or any C-contiguous buffer such as an array of frames."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError as cause:
            self._finish()
            raise InputError("FFmpeg ended before it had read all that was written to it") from cause

    def close(self) -> None:
        """End the data and wait for FFmpeg; a reader that has not reached the end stops it."""
        if self._process.stdin is not None:
            self._finish()
            return
        self._kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        self._kill()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._lines.append(line.decode("utf-8", "replace").strip())

    def _finish(self) -> None:
        self._close_input()
        returncode = self._process.wait()
        self._release()
        if returncode:
            raise InputError(f"FFmpeg failed: {_last_words(self._lines) or _exit_words(returncode)}")

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._close_input()
        self._process.wait()
        self._release()

    def _close_input(self) -> None:
        if self._process.stdin is None:
            return
        # Where FFmpeg has gone already, its exit status says why.
        with suppress(OSError):
            self._process.stdin.close()

    def _release(self) -> None:
        self._listener.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


@dataclass(frozen=True)
class Probe:
    """What FFmpeg says of a media file.

    Attributes
    ----------
    duration_s : float or None
        To 10 ms, as the container states it; None where it does not.
    codec, rate_hz, channels
        Of the first audio stream; None where there is none.
    has_video : bool
        Whether there are moving pictures; cover art is none.
    video_codec, width, height, fps
        Of the first video stream; None where there is none, or it is not stated.
    """

    duration_s: float | None = None
    codec: str | None = None
    rate_hz: int | None = None
    channels: int | None = None
    has_video: bool = False
    video_codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None


def probe(path: str | os.PathLike[str]) -> Probe:
    """Read the header of a media file.

    Raises
    ------
    InputError
        If FFmpeg cannot read the file as media.
    MissingError
        If there is no FFmpeg.
    """
    command = _local_command(["ffmpeg", "-i", file_url(path)], log_level="info")
    # Its exit status says nothing: without an output file FFmpeg always ends with an error.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    report = done.stderr.decode("utf-8", "replace")
    if not re.search(r"^Input #0", report, re.MULTILINE):
        raise InputError(f"{path}: FFmpeg cannot read it as media: {_last_words(report.splitlines())}")
    return _parse_report(report)


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a megabyte where the system lets it: a raw frame costs half as much to hand over."""
    assert pipe is not None
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _WIDE)


def _local_command(command: Sequence[str], *, log_level: str = "error") -> list[str]:
    """Put the program found in front, and before each input the option that keeps it local."""
    arguments = [ffmpeg_path(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", log_level]
    for argument in command[1:]:
        if argument == "-i":
            arguments += _LOCAL_ONLY
        arguments.append(argument)
    return arguments


def _last_words(lines: Iterable[str]) -> str:
    words = dict.fromkeys(_LOG_PREFIX.sub("", line).strip() for line in lines)
    return "; ".join([word for word in words if word and not _EMPTY_WORDS.match(word)][-_MESSAGE_LINES:])


def _exit_words(returncode: int) -> str:
    if returncode < 0:
        return f"it was ended by signal {-returncode}; the system does so where memory runs out"
    return f"exit status {returncode}"


# Two spaces exactly: what a file says in its tags is printed further in.
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:\d+\S*: (Audio|Video): (.*)$", re.MULTILINE)
# Where there is none of the above: FFmpeg 4.3 and older indent streams as they indent tags.
_OLD_STREAM = re.compile(r"^    Stream #0:\d+\S*: (Audio|Video): (.*)$", re.MULTILINE)
_NAMED_LAYOUTS = {
    "mono": 1, "stereo": 2, "downmix": 2, "binaural": 2, "quad": 4,
    "hexagonal": 6, "octagonal": 8, "cube": 8, "hexadecagonal": 16,
}  # fmt: skip


def _parse_report(report: str) -> Probe:
    facts: dict[str, Any] = {}
    if duration := _DURATION.search(report):
        hours, minutes, seconds = duration.groups()
        facts["duration_s"] = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    for kind, line in _STREAM.findall(report) or _OLD_STREAM.findall(report):
        if kind == "Audio" and "codec" not in facts:
            facts |= _audio_facts(line)
        if kind == "Video" and "has_video" not in facts and "(attached pic)" not in line:
            facts |= _video_facts(line)
    return Probe(**facts)


def _audio_facts(line: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"codec": _codec(line)}
    if found := re.search(r", (\d+) Hz, ([^,]+)", line):
        facts |= {"rate_hz": int(found[1]), "channels": _channel_count(found[2].strip())}
    return facts


def _video_facts(line: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"has_video": True, "video_codec": _codec(line)}
    if size := re.search(r", (\d+)x(\d+)\b", line):
        facts |= {"width": int(size[1]), "height": int(size[2])}
    if rate := re.search(r", ([\d.]+)(k?) fps", line):
        facts["fps"] = float(rate[1]) * (1000 if rate[2] else 1)
    return facts


def _codec(line: str) -> str:
    return re.split(r"[ ,]", line, maxsplit=1)[0]


def _channel_count(layout: str) -> int | None:
    """Count the channels of FFmpeg's name of a layout: "stereo", "5.1(side)", "3 channels", "ambisonic 1"."""
    if counted := re.match(r"(\d+) channels", layout):
        return int(counted[1])
    if ambisonic := re.match(r"ambisonic (\d+)", layout):
        return (int(ambisonic[1]) + 1) ** 2
    name = layout.split("(")[0].strip()
    if re.fullmatch(r"\d+(\.\d+)+", name):
        return sum(int(group) for group in name.split("."))
    return _NAMED_LAYOUTS.get(name)
