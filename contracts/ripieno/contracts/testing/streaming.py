"""What a causal plugin keeps: any block size gives the bytes of its verb, within the declared latency."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from ..artifact import Artifact
from ..audio import Audio, Stems
from ..context import use_context
from ..errors import PluginError
from ..events import Beats, Tracked
from ..formats import AudioFormat, EventFormat, StreamFormat
from ..series import Series
from ..streaming import Chunk, Event, Session
from .suite import PluginSuite, kit_context

Pushed = tuple[float, Chunk]


class StreamingSuite(PluginSuite):
    """Tests of an interface whose plugins may stream; they are skipped where `causal` is not said."""

    quick_pushes: ClassVar[int] = 8
    """Cuts of the input that a property tries at once, at most."""

    def streamed(self, result: Any) -> tuple[NDArray[np.float32] | None, list[float] | None]:
        """What the session gives for a result: `rows_of` it and times of events, None where it gives none."""
        if not isinstance(result, Tracked):
            return rows_of(result), None
        gives_clock = self.session().format != EventFormat()
        return rows_of(result.clock) if gives_clock else None, result.beats.times_s.tolist()

    def session(self) -> Session:
        """A fresh session for the example."""
        if not self.plugin.causal:
            pytest.skip("it does not stream")
        formats = {name: format_of(value) for name, value in self.inputs("example").items()}
        plugin = self.plugin(self.settings())
        # With the seed that the verb gets, so that both draw the same.
        with use_context(kit_context(plugin, 1)):
            return plugin.stream(formats)

    def pushes(self, session: Session, cuts: Sequence[int], inputs: Mapping[str, Any]) -> Iterator[Pushed]:
        """Watermark pushed, and what came, for the inputs cut at these frames, and for the flush."""
        rate_hz, frames = clock(inputs)
        edges = [0, *sorted(min(cut, frames) for cut in cuts), frames]
        for index, (start, stop) in enumerate(pairwise(edges), start=2):
            span = start / rate_hz, stop / rate_hz
            ports = {name: cut(value, *span, last=index == len(edges)) for name, value in inputs.items()}
            yield stop / rate_hz, session.push(**ports)
        yield frames / rate_hz, session.flush()

    def whole(self, session: Session, cuts: Sequence[int]) -> tuple[NDArray[np.float32] | None, list[Event]]:
        """Rows and events of the example, cut at these frames."""
        chunks = [chunk for _, chunk in self.pushes(session, cuts, self.inputs("example"))]
        rows = [self.rows_in(chunk) for chunk in chunks if chunk.samples is not None]
        return np.concatenate(rows) if rows else None, [event for chunk in chunks for event in chunk.events]

    def rows_in(self, chunk: Chunk) -> NDArray[np.float32]:
        """Rows [n, dims] of a chunk, whichever way round its interface has them."""
        samples = np.zeros((0, 0), np.float32) if chunk.samples is None else chunk.samples
        return samples.T if isinstance(self.result(), (Audio, Stems)) else samples

    def test_it_streams_if_and_only_if_it_says_so(self) -> None:
        if self.plugin.causal:
            self.session()
            return
        with pytest.raises(PluginError, match="does not stream"):
            self.plugin(self.settings()).stream({})

    def test_the_session_gives_what_the_verb_gives(self) -> None:
        rows, events = self.whole(self.session(), [])
        expected_rows, expected_times_s = self.streamed(self.result())
        if expected_rows is not None:
            assert rows is not None, "the session gives no samples"
            assert rows.shape == expected_rows.shape
            assert rows.tobytes() == expected_rows.tobytes(), "the session differs from the verb"
        if expected_times_s is not None:
            assert [event.time_s for event in events if event.what == "beat"] == expected_times_s

    def test_the_session_says_what_its_samples_are(self) -> None:
        format, result = self.session().format, self.result()
        expected = format_of(result.clock if isinstance(result, Tracked) else result)
        assert format == expected or (isinstance(result, Tracked) and format == EventFormat())

    def test_any_block_size_gives_the_same(self) -> None:
        expected = self.whole(self.session(), [])
        _, frames = clock(self.inputs("example"))

        @settings(max_examples=10, deadline=None, derandomize=True, database=None)
        @given(st.lists(st.integers(0, frames), max_size=self.quick_pushes))
        def check(cuts: list[int]) -> None:
            _assert_same(self.whole(self.session(), cuts), expected)

        check()

    def test_pushes_of_none_and_of_one_sample_are_taken(self) -> None:
        cuts = [0, 0, 1, 1, *range(2, 40), 40, 40]
        _assert_same(self.whole(self.session(), cuts), self.whole(self.session(), []))

    def test_flush_and_reset_make_it_as_new(self) -> None:
        session = self.session()
        session.flush()
        session.reset()
        first = self.whole(session, [100])
        session.reset()
        _assert_same(self.whole(session, [100]), first)

    def test_its_output_is_not_later_than_its_latency(self) -> None:
        session, inputs = self.session(), self.inputs("example")
        latency_s = session.latency.total_s
        assert 0 <= latency_s < float("inf")
        rate_hz, frames = clock(inputs)
        row_rate_hz = getattr(session.format, "rate_hz", 0.0)
        row_start_s = getattr(session.format, "start_s", 0.0)
        reached_s, given_rows = 0.0, 0
        # Steps that grow fit no hop, so that the watermark is seen at its latest.
        cuts = np.unique((np.linspace(0, 1, 300) ** 2 * frames).astype(int)).tolist()
        for pushed_s, chunk in self.pushes(session, cuts, inputs):
            early = [event.time_s for event in chunk.events if event.time_s < reached_s - 1e-9]
            assert not early, f"an event at {early} s comes after the watermark {reached_s} s"
            unknown = [event.known_s for event in chunk.events if event.known_s > pushed_s + 1e-9]
            assert not unknown, f"an event is known at {unknown} s, when input had reached {pushed_s} s"
            assert chunk.until_s >= reached_s - 1e-9, "the watermark goes back"
            assert chunk.until_s >= pushed_s - latency_s - 1 / rate_hz, (
                f"at {pushed_s:.4f} s the output has reached {chunk.until_s:.4f} s: "
                f"later than the declared {latency_s:.4f} s"
            )
            reached_s, given_rows = chunk.until_s, given_rows + len(self.rows_in(chunk))
            due = (min(reached_s, frames / rate_hz) - row_start_s) * row_rate_hz - 1
            assert given_rows >= due - 1e-6, (
                f"{due:.0f} rows lie before the watermark, {given_rows} were given"
            )


def clock(inputs: Mapping[str, Any]) -> tuple[float, int]:
    """Rate and length of the input that the cuts are counted in: audio, else the first series."""
    for value in sorted(inputs.values(), key=_is_audio, reverse=True):
        rows = rows_of(value)
        if rows is not None:
            return row_clock(value)[0], len(rows)
    pytest.fail("the example has nothing that streams")


def rows_of(value: Any) -> NDArray[np.float32] | None:
    """What is streamed as rows [n, dims] of an artifact; None where it has none.

    Stems stand one after the other along the channels.
    """
    match value:
        case Audio():
            return value.samples.T
        case Stems():
            return np.concatenate([audio.samples for audio in value.items.values()]).T
        case Series():
            return value.rows
    return None


def format_of(value: Any) -> StreamFormat:
    """What a stream of an artifact carries."""
    match value:
        case Audio() | Series():
            return value.format
        case Stems():
            channels = sum(audio.channels for audio in value.items.values())
            return AudioFormat(next(iter(value.items.values())).rate_hz, channels)
    return EventFormat()


def row_clock(value: Any) -> tuple[float, float]:
    """Rows a second and time of the first one of what streams as rows."""
    if isinstance(value, Series):
        return value.format.rate_hz, value.format.start_s
    return float(value.rate_hz), 0.0


def cut(value: Artifact, start_s: float, stop_s: float, *, last: bool) -> Chunk:
    """What of an artifact arrives from `start_s` to before `stop_s`; the last chunk has the rest."""
    if isinstance(value, Audio):
        return Chunk(stop_s, value.read(round(start_s * value.rate_hz), round(stop_s * value.rate_hz)))
    end_s = float("inf") if last else stop_s
    if isinstance(value, Beats):
        inside = (value.times_s >= start_s) & (value.times_s < end_s)
        beats = zip(value.times_s[inside].tolist(), value.positions[inside].tolist(), strict=True)
        return Chunk(stop_s, events=tuple(Event(at, at, "beat", {"position": place}) for at, place in beats))
    rows = rows_of(value)
    if rows is None:
        pytest.fail(f"{type(value).__name__} cannot be cut into chunks")
    rate_hz, first_s = row_clock(value)
    times_s = first_s + np.arange(len(rows)) / rate_hz
    first, stop = np.searchsorted(times_s + 1e-9, [start_s, end_s])
    return Chunk(stop_s, rows[0 if start_s == 0 else first : stop])


def _is_audio(value: Any) -> bool:
    return isinstance(value, Audio)


def _assert_same(got: Any, expected: Any) -> None:
    (rows, events), (expected_rows, expected_events) = got, expected
    assert (rows is None) == (expected_rows is None)
    if rows is not None:
        assert rows.shape == expected_rows.shape, "the number of rows depends on the block size"
        assert rows.tobytes() == expected_rows.tobytes(), "samples depend on the block size"
    assert events == expected_events, "events depend on the block size"
