"""What a session says and gives, held against its contract: a plugin's fault is named where it happens."""

import json
from math import isfinite
from typing import Any

import numpy as np

from ripieno.contracts.errors import PluginError
from ripieno.contracts.formats import AudioFormat, EventFormat, SeriesFormat, StreamFormat
from ripieno.contracts.streaming import Chunk, Event, Session

# What a run itself calls its messages.
RESERVED = ("start", "state", "error", "end")
# Of watermarks that are sums or quotients.
ROUNDING_S = 1e-9


def check_session(session: Session) -> None:
    """Refuse a session whose format or latency is none.

    Raises
    ------
    PluginError
        Saying what is wrong.
    """
    if not isinstance(session.format, AudioFormat | SeriesFormat | EventFormat):
        raise PluginError(f"its session has the format {session.format!r}, which is no format of a stream")
    latency_s = session.latency.total_s
    if not 0 <= latency_s < np.inf:
        raise PluginError(f"its session is {latency_s} s late: a latency is finite, and not negative")


def check_chunk(chunk: Chunk, format: StreamFormat, *, after_s: float) -> None:
    """Refuse what a session may not give. Costs some microseconds a chunk.

    Parameters
    ----------
    chunk : Chunk
        What it gave.
    format : StreamFormat
        What it says that it gives.
    after_s : float
        Watermark of what it gave before.

    Raises
    ------
    PluginError
        Saying what is wrong.
    """
    if not isinstance(chunk, Chunk):
        raise PluginError(f"its session gave {type(chunk).__name__}, expected Chunk")
    if not after_s - ROUNDING_S <= chunk.until_s < np.inf:
        raise PluginError(f"its session's watermark went from {after_s} s to {chunk.until_s} s")
    if chunk.samples is not None:
        _check_samples(chunk.samples, format)
    for event in chunk.events:
        _check_event(event)


def _check_samples(samples: Any, format: StreamFormat) -> None:
    expected = _expected(format)
    shape = getattr(samples, "shape", ())
    fits = len(shape) == 2 and all(size in (got, None) for got, size in zip(shape, expected, strict=True))
    if not fits:
        words = str(expected).replace("None", "any").replace("(", "[").replace(")", "]")
        raise PluginError(f"its session gave samples of shape {shape}, expected {words}")
    if not np.isfinite(samples).all():
        raise PluginError("its session gave NaN or infinite samples")


def _expected(format: StreamFormat) -> tuple[int | None, int | None]:
    match format:
        case AudioFormat():
            return format.channels, None
        case SeriesFormat():
            # A trajectory may leave its dimensions without names.
            return None, len(format.names) or None
    raise PluginError("its session gave samples, and says that it gives events alone")


def _check_event(event: Event) -> None:
    if event.what in RESERVED:
        raise PluginError(f"its session gave an event {event.what!r}, which is a word of the run's own")
    if not (isfinite(event.time_s) and isfinite(event.known_s)):
        raise PluginError(f"its session gave a {event.what} at {event.time_s} s, known at {event.known_s} s")
    try:
        json.dumps(dict(event.value), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PluginError(f"its session gave a {event.what} with a value that is no JSON: {error}") from error
