"""One producer, any number of readers that go at their own speed.

Conventions
-----------
Frames are numbered from 0. Reading moves nothing but the reader's own number, so that readers never wait
for each other nor for the producer, nor it for them.
"""

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

F = TypeVar("F")


@dataclass(frozen=True)
class Reading(Generic[F]):
    """What a reader got.

    Parameters
    ----------
    frames : tuple
        Oldest first.
    next : int
        The number to read from next.
    lost : int
        Frames that were dropped before they were read.
    """

    frames: tuple[F, ...]
    next: int
    lost: int


class StateBus(Generic[F]):
    """The latest frames of a stream; any thread may append or read.

    Parameters
    ----------
    capacity : int
        Frames kept, >= 1; 1024 are 22 s of the slow clock.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._frames: deque[F] = deque(maxlen=max(1, capacity))
        self._appended = 0
        self._lock = Lock()

    def append(self, frame: F) -> None:
        """Put the next frame in; beyond the capacity the oldest goes."""
        with self._lock:
            self._frames.append(frame)
            self._appended += 1

    @property
    def next(self) -> int:
        """The number of the frame that comes next: where a reader begins that wants no past."""
        return self._appended

    def read(self, since: int = 0) -> Reading[F]:
        """All frames from number `since` on that are still kept."""
        with self._lock:
            oldest = self._appended - len(self._frames)
            first = min(max(since, oldest), self._appended)
            frames = tuple(self._frames)[first - oldest :]
            return Reading(frames, self._appended, max(0, first - since))
