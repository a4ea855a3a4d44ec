"""Framing, aligning and running offline do not depend on how a stream is cut."""

from itertools import pairwise

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import (
    Aligner,
    Chunk,
    Event,
    Framer,
    InputError,
    Latency,
    joined_samples,
    run_offline,
)


@st.composite
def framings(draw):
    window, hop = draw(st.integers(1, 12)), draw(st.integers(1, 15))
    return window, hop, -draw(st.integers(0, window - 1))


def windows_of(samples, window, hop, start):
    """The definition: frame i covers [i * hop + start, i * hop + start + window), zeros outside."""
    count = -(-samples.shape[1] // hop)
    padded = np.pad(samples, ((0, 0), (-start, window + hop * count)))
    return [padded[:, i * hop : i * hop + window] for i in range(count)]


@given(artifacts.audio(), framings(), st.lists(st.integers(0, 40), max_size=6))
def test_windows_are_those_of_the_whole_for_any_split(audio, framing, cuts):
    window, hop, start = framing
    framer = Framer(window=window, hop=hop, start=start)
    for _ in range(2):
        pieces = np.split(audio.samples, sorted(cuts), axis=1)
        got = [frame for piece in pieces for frame in framer.push(piece)] + framer.flush()
        expected = windows_of(audio.samples, window, hop, start)
        assert [frame.tolist() for frame in got] == [frame.tolist() for frame in expected]
        framer.reset()


@given(artifacts.audio(), framings())
def test_a_window_is_given_as_soon_as_its_last_sample_is_there(audio, framing):
    window, hop, start = framing
    framer = Framer(window=window, hop=hop, start=start)
    given_frames = 0
    for taken in range(1, audio.frames + 1):
        given_frames += len(framer.push(audio.read(taken - 1, taken)))
        assert given_frames == max(0, (taken - start - window) // hop + 1)


def test_a_framer_that_took_nothing_has_nothing_left():
    assert Framer(window=4, hop=2).flush() == []


@pytest.mark.parametrize(("window", "hop", "start"), [(0, 1, 0), (1, 0, 0), (4, 1, 1), (4, 1, -4)])
def test_a_framing_without_frames_is_refused(window, hop, start):
    with pytest.raises(InputError, match="no frames"):
        Framer(window=window, hop=hop, start=start)


@given(st.data())
def test_aligned_streams_lose_nothing_and_share_watermarks(data):
    rates_hz = {"audio": 8.0, "features": 2.5, "beats": None}
    total_s = 6.0
    rows = {port: np.arange(int(total_s * rate)).reshape(-1, 1) for port, rate in rates_hz.items() if rate}
    events = tuple(Event(at, at, "beat") for at in sorted(data.draw(st.lists(st.integers(0, 5), max_size=4))))
    aligner = Aligner(rates_hz)
    got, until = {port: [] for port in rates_hz}, 0.0
    pushes = []
    for port, rate in rates_hz.items():
        last = len(rows[port]) if rate else 6
        edges = [0, *sorted(data.draw(st.lists(st.integers(0, last), max_size=5))), last]
        for start, stop in pairwise(edges):
            until_s = total_s if stop == last else stop / (rate or 1)
            inside = tuple(event for event in events if start <= event.time_s < stop) if rate is None else ()
            pushes.append((until_s, port, Chunk(until_s, rows[port][start:stop] if rate else None, inside)))
    for _, port, chunk in sorted(pushes, key=lambda push: push[:2]):
        joined = aligner.push(**{port: chunk})
        marks = {joined[name].until_s for name in rates_hz}
        assert len(marks) == 1
        assert marks.pop() >= until
        until = joined[port].until_s
        for name, piece in joined.items():
            got[name].append(piece)
        for name, rate in rates_hz.items():
            if rate:
                taken = sum(len(piece.samples) for piece in got[name] if piece.samples is not None)
                assert taken == int(until * rate + 1e-6)
    for name, piece in aligner.flush().items():
        got[name].append(piece)
    for name in rows:
        pieces = [piece.samples for piece in got[name] if piece.samples is not None]
        assert np.array_equal(np.concatenate(pieces), rows[name])
    assert [event for piece in got["beats"] for event in piece.events] == list(events)


def test_a_row_that_ends_after_the_last_watermark_comes_with_the_flush():
    aligner = Aligner({"features": 2.0})
    joined = aligner.push(features=Chunk(0.6, np.zeros((2, 1), np.float32)))
    assert joined["features"].samples.shape == (1, 1)
    assert aligner.flush()["features"].samples.shape == (1, 1)
    assert aligner.push(features=Chunk(0.0))["features"].samples is None


def test_a_watermark_that_goes_back_and_a_port_that_is_unknown_are_refused():
    aligner = Aligner({"audio": 8.0})
    aligner.push(audio=Chunk(1.0))
    with pytest.raises(InputError, match=r"port audio: the watermark went back from 1\.0 to 0\.5 s"):
        aligner.push(audio=Chunk(0.5))
    with pytest.raises(InputError, match="unknown port 'sound': the aligner joins audio"):
        aligner.push(sound=Chunk(2.0))


class Recorder:
    """Gives what it gets, and one more sample at the end."""

    latency = Latency()

    def __init__(self):
        self.marks_s = []

    def push(self, sound):
        self.marks_s.append(sound.until_s)
        return sound

    def flush(self):
        return Chunk(self.marks_s[-1] if self.marks_s else 0.0, np.full((2, 1), 9, np.float32))


@given(artifacts.audio(channels=2), st.integers(1, 50))
def test_offline_a_session_hears_everything_once_for_any_block(audio, block):
    session = Recorder()
    chunks = run_offline(session, audio, port="sound", block=block)
    expected = np.concatenate([audio.samples, np.full((2, 1), 9)], axis=1)
    assert np.array_equal(joined_samples(chunks, channels=2), expected)
    assert session.marks_s == [
        min(n, audio.frames) / audio.rate_hz for n in range(block, audio.frames + block, block)
    ]


def test_no_chunks_are_no_sound():
    assert joined_samples([Chunk(1.0)], channels=2).shape == (2, 0)


def test_latency_adds_up():
    assert Latency(0.5, 0.25, 0.125).total_s == 0.875
