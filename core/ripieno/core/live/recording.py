"""A file, heard while its codec reads it.

Conventions
-----------
A codec writes long sound with ``context.audio_writer`` as it decodes it. Here that writer passes each block
on, and the codec waits where nobody has heard it yet: no file is in memory or on disk as a whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.audio import Audio, AudioWriter
from ripieno.contracts.context import Context, temporary_folder, use_context
from ripieno.contracts.formats import AudioFormat

from .feeds import Feed

# Of what a codec has decoded; blocks are its own, some tens of thousands of frames each.
BLOCKS_AHEAD = 4
# Of sound that a codec gives as a whole.
BLOCK_FRAMES = 1 << 15


@contextmanager
def recording(codec: Any, path: Path) -> Iterator[Feed]:
    """The sound of a file, read while the block lasts.

    Parameters
    ----------
    codec : Codec
        Reads audio.
    path : Path
        Of the file.

    Raises
    ------
    RipienoError
        As the codec does: at once where it does not get as far as sound, else after what came before.
    """
    reader = _Reader(codec, path)
    thread = Thread(target=reader.run, name=f"reads {path.name}", daemon=True)
    thread.start()
    feed = reader.opened.get()
    if isinstance(feed, Exception):
        raise feed
    try:
        yield feed
    finally:
        feed.close()
        thread.join()


class _Unheard(Exception):
    """Nobody hears the rest: what ends a codec in the middle of a file."""


class _Reader:
    """A codec at work on a thread of its own."""

    def __init__(self, codec: Any, path: Path) -> None:
        self.codec = codec
        self.path = path
        self.opened: Queue[Feed | Exception] = Queue()
        self.feed: Feed | None = None

    def begin(self, format: AudioFormat) -> Feed:
        self.feed = Feed("file", format, size=BLOCKS_AHEAD)
        self.opened.put(self.feed)
        return self.feed

    def run(self) -> None:
        try:
            self.read().end()
        except _Unheard:
            pass
        except Exception as error:
            if self.feed is None:
                self.opened.put(error)
            else:
                self.feed.fail(error)

    def read(self) -> Feed:
        with temporary_folder() as folder, use_context(_Hearing(folder, folder, on_format=self.begin)):
            audio = self.codec.read(self.path)
            if self.feed is not None:
                return self.feed
            feed = self.begin(audio.format)
            for block in audio.blocks(BLOCK_FRAMES):
                _Relay(feed).write(block)
            return feed


@dataclass(frozen=True, eq=False)
class _Hearing(Context):
    """The context of a codec whose sound is heard as it is written."""

    on_format: Callable[[AudioFormat], Feed] | None = None

    def audio_writer(self, format: AudioFormat) -> AudioWriter:
        assert self.on_format is not None
        return _Relay(self.on_format(format))


class _Relay(AudioWriter):
    """A writer that keeps nothing: it passes on what is written."""

    def __init__(self, feed: Feed) -> None:
        self.format = feed.format
        self._feed = feed

    def write(self, samples: NDArray[np.floating[Any]]) -> None:
        if not self._feed.put(np.asarray(samples, np.float32)):
            raise _Unheard

    def close(self) -> Audio:
        return Audio(np.zeros((self.format.channels, 0), np.float32), self.format.rate_hz)

    def __exit__(self, *_: object) -> None:
        """There is nothing to remove."""
