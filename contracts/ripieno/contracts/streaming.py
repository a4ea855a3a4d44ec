"""Sound and events that arrive piece by piece.

Conventions
-----------
A chunk carries a watermark, `until_s`: nothing earlier follows. Samples of a chunk end at its
watermark. An event says when it happened and when that was known. The offline verb of a causal plugin
is its session run over the file (`run_offline`), so training, offline and live agree.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .audio import Audio
from .errors import InputError
from .formats import StreamFormat


@dataclass(frozen=True)
class Event:
    """Something that happens at a moment.

    Parameters
    ----------
    time_s : float
        When it happens; later than `known_s` for a prediction.
    known_s : float
        When it was known: the watermark of the input that decided it.
    what : str
        ``beat``, ``next_beat``, ``section``, …
    value : mapping
        What is known of it, JSON values.
    """

    time_s: float
    known_s: float
    what: str
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A piece of a stream.

    Parameters
    ----------
    until_s : float
        Nothing earlier than this follows.
    samples : ndarray [channels, frames] or [frames, dims], optional
        Sound, or rows of a series, that end at `until_s`.
    events : tuple of Event
        Known by now.
    """

    until_s: float
    samples: NDArray[np.float32] | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Latency:
    """How late a session's output is, in seconds.

    Parameters
    ----------
    window_s : float
        Of the input that one output looks at, after its own time.
    lookahead_s : float
        Of further input waited for on purpose.
    hop_s : float
        Between outputs: what waiting for a full hop adds at most.
    """

    window_s: float = 0.0
    lookahead_s: float = 0.0
    hop_s: float = 0.0

    @property
    def total_s(self) -> float:
        """The longest time from a sample to the output that it decides."""
        return self.window_s + self.lookahead_s + self.hop_s


class Session(Protocol):
    """A causal plugin at work on a stream.

    One hop is computed per call of its inner loop: a product over many frames differs from frame by
    frame in the last bits, and any block size must give the same output.
    """

    latency: Latency

    @property
    def format(self) -> StreamFormat:
        """Of the samples that it gives; `EventFormat` where it gives events alone."""
        ...

    def push(self, **ports: Chunk) -> Chunk:
        """Take what has arrived on each port, give what is known by now."""
        ...

    def flush(self) -> Chunk:
        """The input has ended: give the rest."""
        ...

    def reset(self) -> None:
        """Forget everything, as new."""
        ...


class Framer:
    """Cuts a stream of any block sizes into windows.

    Frame i covers samples [i * hop + start, i * hop + start + window), zeros where there are none.

    Parameters
    ----------
    window, hop : int
        Samples, > 0.
    start : int
        First sample of frame 0: 0, or negative for windows that begin before the sound
        (``-window // 2`` centres frame i on sample i * hop).
    """

    def __init__(self, *, window: int, hop: int, start: int = 0) -> None:
        if window < 1 or hop < 1 or not -window < start <= 0:
            raise InputError(f"no frames: window {window}, hop {hop}, start {start}")
        self.window, self.hop, self.start = window, hop, start
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._buffer: NDArray[np.float32] | None = None
        self._frames = 0
        self._samples = 0
        self._skip = 0

    def push(self, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Windows [channels, window] that samples [channels, frames] complete."""
        self._samples += samples.shape[1]
        return self._take(samples)

    def flush(self) -> list[NDArray[np.float32]]:
        """The windows that are left: ceil(samples / hop) frames in all."""
        if self._buffer is None:
            return []
        missing = -(-self._samples // self.hop) - self._frames
        zeros = np.zeros((len(self._buffer), max(0, self.window + missing * self.hop)), np.float32)
        return self._take(zeros)[:missing]

    def _take(self, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        if self._buffer is None:
            self._buffer = np.zeros((len(samples), -self.start), np.float32)
        buffer = np.concatenate([self._buffer, samples], axis=1)[:, self._skip :]
        self._skip -= self._buffer.shape[1] + samples.shape[1] - buffer.shape[1]
        count = max(0, (buffer.shape[1] - self.window) // self.hop + 1)
        windows = [buffer[:, i * self.hop : i * self.hop + self.window].copy() for i in range(count)]
        self._buffer = buffer[:, count * self.hop :]
        # A hop beyond the window leaves samples out that have not arrived yet.
        self._skip += max(0, count * self.hop - buffer.shape[1])
        self._frames += count
        return windows


class Aligner:
    """Joins streams of different rates by their watermarks, never by a declared latency.

    Parameters
    ----------
    rates_hz : mapping of str to float or None
        Rows a second of each port that carries samples; None for a port of events alone.
    """

    def __init__(self, rates_hz: Mapping[str, float | None]) -> None:
        self.rates_hz = dict(rates_hz)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._until_s = dict.fromkeys(self.rates_hz, 0.0)
        self._rows: dict[str, list[NDArray[np.float32]]] = {port: [] for port in self.rates_hz}
        self._events: dict[str, list[Event]] = {port: [] for port in self.rates_hz}
        self._given = dict.fromkeys(self.rates_hz, 0)

    def push(self, **ports: Chunk) -> dict[str, Chunk]:
        """What every port has reached: one chunk a port, all with the same watermark.

        Samples are rows [frames, dims], oldest first.

        Raises
        ------
        InputError
            If a watermark goes back or a port is unknown.
        """
        for port, chunk in ports.items():
            if port not in self.rates_hz:
                raise InputError(f"unknown port {port!r}: the aligner joins {', '.join(self.rates_hz)}")
            if chunk.until_s < self._until_s[port]:
                raise InputError(
                    f"port {port}: the watermark went back from {self._until_s[port]} to {chunk.until_s} s"
                )
            self._until_s[port] = chunk.until_s
            self._events[port].extend(chunk.events)
            if chunk.samples is not None:
                self._rows[port].append(chunk.samples)
        reached_s = min(self._until_s.values())
        return {port: self._take(port, reached_s) for port in self.rates_hz}

    def flush(self) -> dict[str, Chunk]:
        """The inputs have ended: what is left on each port, up to the latest watermark."""
        until_s = max(self._until_s.values())
        left = {}
        for port, rows in self._rows.items():
            samples = np.concatenate(rows) if rows else None
            left[port] = Chunk(until_s, samples, tuple(self._events[port]))
        self.reset()
        return left

    def _take(self, port: str, reached_s: float) -> Chunk:
        ready = tuple(event for event in self._events[port] if event.known_s <= reached_s)
        self._events[port] = [event for event in self._events[port] if event.known_s > reached_s]
        rate_hz = self.rates_hz[port]
        if rate_hz is None or not self._rows[port]:
            return Chunk(reached_s, None, ready)
        rows = np.concatenate(self._rows[port])
        # A row belongs to the watermark that it ends before; the small term forgives rounding.
        count = min(len(rows), max(0, int(reached_s * rate_hz + 1e-6) - self._given[port]))
        self._rows[port] = [rows[count:]]
        self._given[port] += count
        return Chunk(reached_s, rows[:count], ready)


def run_offline(
    session: Session, audio: Audio, *, port: str = "audio", block: int = 1 << 16
) -> Iterator[Chunk]:
    """A session run over a whole file: what it gives for each block, one by one, and for the flush.

    Parameters
    ----------
    session : Session
        Fresh, or reset.
    audio : Audio
        Read in blocks.
    port : str
        Where the session takes it.
    block : int
        Frames a push, > 0; the output does not depend on it.
    """
    frames = 0
    for samples in audio.blocks(block):
        frames += samples.shape[1]
        yield session.push(**{port: Chunk(frames / audio.rate_hz, samples)})
    yield session.flush()


def joined_samples(chunks: Iterable[Chunk], *, channels: int) -> NDArray[np.float32]:
    """The samples [channels, frames] of chunks of sound, one after the other."""
    pieces = [chunk.samples for chunk in chunks if chunk.samples is not None]
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((channels, 0), np.float32)
