"""How fast a recording is played: as fast as it goes, or as fast as it sounds."""

import time
from typing import Protocol


class Pace(Protocol):
    """Waits until a moment of the stream has come."""

    def wait(self, time_s: float) -> None:
        """Return when the stream may have reached `time_s`."""
        ...


class Fast:
    """Never waits: for what comes at its own speed, and for what need not be heard."""

    def wait(self, time_s: float) -> None:
        """Now is as good as later."""


class Realtime:
    """Playing speed, on the monotonic clock from the first wait on.

    A block is due when its last sample would have been played. Every block is due by the same clock: after
    one that came late the next ones are not put off, so nothing adds up.
    """

    def __init__(self) -> None:
        self._begun_s: float | None = None

    def wait(self, time_s: float) -> None:
        """Sleep until then; not at all where it is past."""
        now_s = time.monotonic()
        if self._begun_s is None:
            self._begun_s = now_s
        ahead_s = self._begun_s + time_s - now_s
        if ahead_s > 0:
            time.sleep(ahead_s)
