"""Ctrl-C in a live run: it ends a wait for sound, never a step's work halfway; the second one ends anything."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self


class CtrlC:
    """Takes the signal as long as it is entered, and raises KeyboardInterrupt where that may be."""

    def __init__(self) -> None:
        self._asked = False
        self._waits = False

    def __enter__(self) -> Self:
        # Where the program was started to ignore it, or this is no main thread, it is not ours to take.
        self._ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._ours:
            signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def may_end(self) -> Iterator[None]:
        """A wait that Ctrl-C ends, also where it came before."""
        self._waits = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._waits = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._waits or self._asked:
            raise KeyboardInterrupt
        self._asked = True
