"""The server of live runs: real sockets, real threads, real clients."""

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from threading import Condition

import numpy as np
import pytest

from ripieno.contracts.errors import ConfigError, InputError
from ripieno.contracts.formats import AudioFormat
from ripieno.contracts.slow_state import BeatClockState, SlowState, StructureState, contract
from ripieno.contracts.streaming import Event
from ripieno.core.live.messages import End, Heard, Start, State

pytest.importorskip("starlette", reason="the extra `live` is not installed")
pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
pytest.importorskip("websockets", reason="the extra `live` is not installed")

from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import connect

from ripieno.core.live.server import Server

DEADLINE_S = 20
START = Start("clicks", "ws", 48000, 1, ("beats",), {}, {"beats": 0.05})


def state(number=0, *, tempo_bpm=120.0):
    """Frame by frame the state of a steady beat."""
    t_s = number * 1024 / 48000
    beats = t_s * tempo_bpm / 60
    beat = BeatClockState(t_s, 60 / tempo_bpm, beats % 1, int(beats), 0.9, float(int(beats) % 4 == 0))
    return State("beats", SlowState(beat, StructureState.unknown()), {2: 0.1, 3: 0.1, 4: 0.8}, 0.5, 0.1)


def beat(time_s=1.0, position=1):
    value = {"position": position, "beats_per_bar": 4, "tempo_bpm": 120.0, "confidence": 0.9}
    return Heard("beats", Event(time_s, time_s + 0.05, "beat", value))


def until(condition):
    """Wait for a condition, and give what it gives."""
    end = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)
    return found


def own(server):
    """What a page of the server says of itself."""
    return {"origin": f"http://127.0.0.1:{server.port}"}


@contextmanager
def client(server, *, path="/live", hello=True, **options):
    """A connection as a page has it, or with another origin; once its first message is here it counts."""
    options = {"origin": own(server)["origin"], "open_timeout": DEADLINE_S} | options
    with connect(f"ws://127.0.0.1:{server.port}{path}", **options) as socket:
        yield socket


def heard(socket):
    return json.loads(socket.recv(timeout=DEADLINE_S))


def farewell(socket):
    """What a client is told last, and how the connection closes."""
    said = []
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            said.append(heard(socket))
    return said, closed.value.rcvd


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.formats, self.samples, self.ends = [], [], 0
        self.changed = Condition()

    def start(self, format):
        self.formats.append(format)

    def push(self, samples):
        self.samples.append(samples)

    def end(self):
        self.ends += 1


@pytest.fixture
def server():
    with Server(port=0) as server:
        yield server


@pytest.fixture
def sink():
    return Recorder()


@pytest.fixture
def hearing(sink):
    with Server(port=0, sink=sink) as server:
        yield server


def test_what_is_taken_reaches_every_client_in_order(server):
    server.take([START])
    with client(server) as one, client(server) as other:
        assert heard(one) == heard(other) == START.to_json()
        messages = [state(number) for number in range(30)] + [beat()]
        server.take(messages[:7])
        server.take(messages[7:])
        expected = [message.to_json() for message in messages]
        for listening in (one, other):
            assert [heard(listening) for _ in messages] == json.loads(json.dumps(expected))
