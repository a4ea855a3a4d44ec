"""From the thread of a run to every client that listens.

Conventions
-----------
Messages are written as JSON once, whoever listens. What waits for a client is counted in takes, and a
client that falls too many behind is dropped: nothing is kept without end, and nobody slows another.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from .messages import Message, Start, dumps

# Takes that may wait for one client: half a second and more of a live run, beside what the network holds.
PENDING = 64
# A loop that stands still for longer is a fault, not a load.
PATIENCE_S = 10.0


@dataclass(eq=False)
class Outbox:
    """What one client has yet to be sent. Belongs to the loop of the server.

    Parameters
    ----------
    limit : int
        Takes that may wait, > 0.
    """

    limit: int
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: deque[tuple[str, ...]] = field(default_factory=deque)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    def put(self, texts: tuple[str, ...]) -> None:
        """Add a take, or drop the client where too many wait."""
        if len(self._waiting) == self.limit:
            self._waiting.clear()
            self.dropped.set()
        elif not self.dropped.is_set():
            self._waiting.append(texts)
            self._changed.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._changed.set()

    async def get(self) -> tuple[str, ...] | None:
        """The next take, when there is one; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


class Hub:
    """A fan-out: takes messages on one thread, gives them to outboxes on the loop of another.

    Parameters
    ----------
    pending : int
        Takes that may wait for one client, > 0.
    """

    def __init__(self, *, pending: int = PENDING) -> None:
        self.pending = pending
        self._outboxes: set[Outbox] = set()
        self._opening: tuple[str, ...] = ()
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # A run as fast as it goes must not outpace the loop: that would be a queue without end.
        self._room = BoundedSemaphore(pending)

    def take(self, messages: Sequence[Message]) -> None:
        """Give messages to everybody; from any thread but the server's own."""
        if self._loop is None:
            return
        texts = tuple(map(dumps, messages))
        starts = [text for message, text in zip(messages, texts, strict=True) if isinstance(message, Start)]
        if not self._room.acquire(timeout=PATIENCE_S):
            raise RuntimeError(f"the server took no message for {PATIENCE_S:g} s")
        self._loop.call_soon_threadsafe(self._give, texts, tuple(starts))

    def _give(self, texts: tuple[str, ...], starts: tuple[str, ...]) -> None:
        self._room.release()
        self._opening = starts[-1:] or self._opening
        for outbox in self._outboxes:
            outbox.put(texts)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin: clients will live on this loop."""
        self._loop = loop

    def close(self) -> None:
        """Take nothing more, and end every outbox once what waits in it is sent; on the loop."""
        self._loop = None
        self._ended = True
        for outbox in self._outboxes:
            outbox.end()

    def join(self) -> Outbox:
        """The outbox of a new client; the last ``start`` message waits in it."""
        outbox = Outbox(self.pending)
        if self._opening:
            outbox.put(self._opening)
        if self._ended:
            outbox.end()
        self._outboxes.add(outbox)
        return outbox

    def leave(self, outbox: Outbox) -> None:
        """Forget a client."""
        self._outboxes.discard(outbox)
