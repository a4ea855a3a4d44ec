"""Sound that other threads bring: of a codec, of a microphone, of clients of the server."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from ripieno.contracts.errors import InputError
from ripieno.contracts.formats import AudioFormat

from .hops import Samples

WS_BLOCKS = 64
# How long a wait goes on before it looks whether it still should; Windows does not interrupt one.
PATIENCE_S = 0.2


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
        self._overrun: InputError | None = None
        self._failure: Exception | None = None

    def put(self, block: Samples | None) -> bool:
        """Add a block, None after the last; waits where there is no room. False where nobody reads any more."""
        while self._is_read:
            try:
                self._waiting.put(block, timeout=PATIENCE_S)
                return True
            except queue.Full:
                continue
        return False

    def offer(self, samples: Samples) -> None:
        """Add a block without waiting; where there is no room, the reader is told what that means."""
        try:
            self._waiting.put_nowait(samples)
        except queue.Full:
            said = "the steps are slower than the sound: some of it would be lost"
            self._overrun = InputError(f"{self.kind}: {said}")

    def end(self) -> None:
        """Nothing more comes."""
        self.put(None)

    def fail(self, error: Exception) -> None:
        """Nothing more comes, for this reason."""
        self._failure = error
        self.put(None)

    def close(self) -> None:
        """Nobody reads any more."""
        self._is_read = False

    def blocks(self) -> Iterator[Samples]:
        """As they come, until the end.

        Raises
        ------
        InputError
            If there was no room for one that could not wait.
        Exception
            What it failed with, after all that came before.
        """
        while self._overrun is None:
            try:
                block = self._waiting.get(timeout=PATIENCE_S)
            except queue.Empty:
                continue
            if block is not None:
                yield block
            elif self._failure is not None:
                raise self._failure
            else:
                return
        raise self._overrun


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
