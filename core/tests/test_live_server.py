"""The server of live runs: real sockets, real threads, real clients."""

import asyncio
import base64
import http.client
import json
import os
import socket
import struct
import time
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest

from ripieno.contracts.errors import ConfigError
from ripieno.contracts.formats import AudioFormat
from ripieno.contracts.slow_state import CONTRACT, BeatClockState, SlowState, StructureState, contract
from ripieno.contracts.streaming import Event
from ripieno.core.live.messages import End, Heard, Start, State

pytest.importorskip("starlette", reason="the extra `live` is not installed")
pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
pytest.importorskip("websockets", reason="the extra `live` is not installed")

from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ripieno.core.live.server import Server

DEADLINE_S = 20
START = Start("clicks", "ws", 48000, 1, ("beats",), {}, {"beats": 0.05})
MONO = {"audio": {"rate_hz": 48000, "channels": 1}}


def state(number=0, *, tempo_bpm=120.0):
    """Of a steady beat, on the slow clock."""
    t_s = number * 1024 / 48000
    beats = t_s * tempo_bpm / 60
    beat = BeatClockState(t_s, 60 / tempo_bpm, beats % 1, int(beats), 0.9, float(int(beats) % 4 == 0))
    return State("beats", SlowState(beat, StructureState.unknown()), {2: 0.1, 3: 0.1, 4: 0.8}, 0.5, 0.1)


def beat(time_s=1.0, position=1):
    value = {"position": position, "beats_per_bar": 4, "tempo_bpm": 120.0, "confidence": 0.9}
    return Heard("beats", Event(time_s, time_s + 0.05, "beat", value))


def as_json(messages):
    return [json.loads(json.dumps(message.to_json())) for message in messages]


def until(condition):
    """Wait for a condition, and give what it gives."""
    end = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)
    return found


def client(server, *, path="/live", **options):
    """A connection of a page of the server, or of whoever the options say."""
    options = {"origin": f"http://127.0.0.1:{server.port}", "open_timeout": DEADLINE_S} | options
    return connect(f"ws://127.0.0.1:{server.port}{path}", **options)


def heard(listening):
    return json.loads(listening.recv(timeout=DEADLINE_S))


def say(speaking, words):
    speaking.send(json.dumps(words))


def all_of(listening):
    """What comes until the connection is closed, however that happens."""
    with suppress(ConnectionClosed):
        while True:
            yield heard(listening)


def last_words(listening):
    """The last message before the server closes, and the close itself."""
    *_, last = [None, *all_of(listening)]
    return last, listening.protocol.close_rcvd


def refused(listening):
    """Why the server closes: the error that it tells, which the close repeats as far as it has room."""
    said, close = last_words(listening)
    assert said["event"] == "error"
    assert said["message"].startswith(close.reason) and close.reason
    return close.code, said["message"]


class Recorder:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.formats, self.blocks, self.ends = [], [], 0

    def start(self, format):
        self.formats.append(format)

    def push(self, samples):
        self.blocks.append(samples)

    def end(self):
        self.ends += 1

    @property
    def samples(self):
        return np.concatenate(self.blocks, axis=1)


@pytest.fixture(scope="module")
def server():
    """A server of which every client hears how the stream began."""
    with Server(port=0) as server:
        server.take([START])
        yield server


@pytest.fixture
def sink():
    return Recorder()


@pytest.fixture
def hearing(sink):
    """A server that takes the sound of clients."""
    with Server(port=0, sink=sink) as server:
        server.take([START])
        yield server


@pytest.fixture
def bystander(hearing):
    """Another client of that server, whom nothing of what its neighbours do may touch."""
    with client(hearing) as bystander:
        assert heard(bystander)["event"] == "start"
        yield bystander
        hearing.take([beat()])
        assert heard(bystander) == as_json([beat()])[0]


def test_what_is_taken_reaches_every_client_in_order(server):
    messages = [*(state(number) for number in range(30)), beat()]
    with client(server) as one, client(server) as other:
        for listening in (one, other):
            assert heard(listening) == as_json([START])[0]
        server.take(messages[:7])
        server.take(messages[7:])
        for listening in (one, other):
            assert [heard(listening) for _ in messages] == as_json(messages)


def test_who_comes_late_is_told_how_the_stream_began(server):
    server.take([state(0), beat()])
    with client(server) as late:
        assert heard(late) == as_json([START])[0]
        server.take([state(1)])
        assert heard(late) == as_json([state(1)])[0]


def test_two_hundred_clients_hear_the_same(server):
    messages = [state(number) for number in range(40)]

    async def listen(greeted):
        origin = f"http://127.0.0.1:{server.port}"
        async with connect_async(f"ws://127.0.0.1:{server.port}/live", origin=origin) as listening:
            await listening.recv()
            greeted.release()
            return [json.loads(await listening.recv()) for _ in messages]

    async def listen_all():
        greeted = asyncio.Semaphore(0)
        async with asyncio.timeout(3 * DEADLINE_S), asyncio.TaskGroup() as group:
            listeners = [group.create_task(listen(greeted)) for _ in range(200)]
            for _ in listeners:
                await greeted.acquire()
            for message in messages:
                await asyncio.to_thread(server.take, [message])
        return [listener.result() for listener in listeners]

    for said in asyncio.run(listen_all()):
        assert said == as_json(messages)


def test_at_the_end_everybody_has_heard_everything_and_is_told_that_it_is_over():
    with ExitStack() as stack:
        with Server(port=0) as server:
            server.take([START])
            listening = stack.enter_context(client(server))
            assert heard(listening)["event"] == "start"
            server.take([state(), End(3.0, 3.0)])
        assert heard(listening)["event"] == "state"
        said, close = last_words(listening)
    assert said == as_json([End(3.0, 3.0)])[0]
    assert (close.code, close.reason) == (1001, "the run is over")


def test_what_is_taken_while_nobody_listens_or_after_the_end_is_no_fault():
    server = Server(port=0)
    server.take([START])
    with server:
        server.take([state()])
    server.take([state()])


def flood(server, reader):
    """More than what all buffers on the way hold, as fast as one client reads; how many messages it is."""
    tens = [[state(number) for number in range(start, start + 10)] for start in range(0, 6000, 10)]
    for messages in tens:
        server.take(messages)
        assert [heard(reader) for _ in messages] == as_json(messages)
    return sum(map(len, tens))


def test_a_client_that_does_not_read_is_dropped_and_slows_nobody(server):
    with client(server) as slow, client(server) as quick:
        assert heard(slow) == heard(quick)
        count = flood(server, quick)
        said = list(all_of(slow))
    assert len(said) < count / 2
    # It learns why, unless it has not read for so long that the connection was cut.
    assert slow.close_code in (1013, 1006)


def test_a_client_that_never_reads_again_is_cut(server, monkeypatch):
    monkeypatch.setattr("ripieno.core.live.server.GRACE_S", 0.1)
    with raw_client(server) as stuck, client(server) as quick:
        assert heard(quick)["event"] == "start"
        count = flood(server, quick)
        left = drained(stuck)
    assert left.count(b'"state"') < count / 2


def test_a_client_that_never_says_who_it_is_is_sent_away(server, monkeypatch):
    monkeypatch.setattr("ripieno.core.live.client.GREETING_S", 0.1)
    with client(server, origin=None) as silent:
        assert refused(silent)[0] == 4401


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
@pytest.mark.parametrize("token", ["", "?token=", "?token=guess"])
def test_a_foreign_client_without_the_token_hears_nothing(server, origin, token):
    origin = origin and origin.format(port=server.port)
    with client(server, origin=origin, path=f"/live{token}") as foreign:
        say(foreign, {"token": "guess", "contract": CONTRACT})
        code, why = refused(foreign)
    assert code == 4401
    assert "token" in why


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_the_server_needs_no_token(server, name):
    with client(server, origin=f"http://{name}:{server.port}") as page:
        assert heard(page)["event"] == "start"


@pytest.mark.parametrize("origin", [None, "http://studio.example"])
def test_the_token_lets_anybody_in(origin):
    with Server(port=0, token="bärenstark") as server:
        server.take([START])
        with client(server, origin=origin, path="/live?token=b%C3%A4renstark") as native:
            assert heard(native)["event"] == "start"
        with client(server, origin=origin) as native:
            say(native, {"token": "bärenstark", "contract": CONTRACT})
            assert heard(native)["event"] == "start"


@pytest.mark.parametrize(
    "first", ["hello", b"\0", json.dumps({"token": "\ud800"}), '{"token": null}', '{"audio": null}']
)
def test_whatever_a_stranger_says_first_it_hears_nothing(server, first):
    with client(server, origin=None) as stranger:
        stranger.send(first)
        assert refused(stranger)[0] in (4400, 4401)


def test_every_server_has_a_token_of_its_own():
    with Server(port=0) as one, Server(port=0) as other:
        assert one.token != other.token


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/capture.js", "/icon.svg", "/contract"])
def test_what_the_page_is_made_of_is_served_for_itself_alone(server, path):
    response, body = get(server, path)
    assert response.status == 200
    assert body
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy and "*" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"https://" not in body.replace(b"https://json-schema.org/", b"")


def test_the_frozen_contract_is_served(server):
    _, body = get(server, "/contract")
    assert json.loads(body) == contract()


def test_other_paths_are_not_found(server):
    for path in ("/secret", "/../server.py", "/page/page.html", "//etc/passwd"):
        assert get(server, path)[0].status == 404


def test_a_request_under_another_name_is_refused(server):
    response, body = get(server, "/", host="evil.example")
    assert response.status == 403
    assert b"evil.example" in body


def test_a_page_of_another_site_that_points_its_name_here_hears_nothing(server):
    name = f"evil.example:{server.port}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as raw:
        raw.sendall(handshake(name))
        assert raw.recv(1 << 16).startswith(b"HTTP/1.1 403 ")


def get(server, path, *, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_server_listens_on_this_machine_alone(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S):
        pass
    others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1", "127.0.1.1"}:
        with socket.socket() as knocking:
            assert knocking.connect_ex((address, server.port)) != 0


def test_a_taken_port_is_named(server):
    with pytest.raises(ConfigError, match=rf"port {server.port} of 127\.0\.0\.1 .* --port"):
        Server(port=server.port)


def test_a_client_of_this_contract_is_welcome(server):
    with client(server) as page:
        say(page, {"contract": CONTRACT})
        assert heard(page)["event"] == "start"


def test_a_client_of_another_contract_is_refused_by_name(hearing, bystander):
    with client(hearing) as newer:
        say(newer, {"contract": "slow_state.v2"})
        code, why = refused(newer)
    assert code == 4400
    assert why == "this server speaks slow_state.v1, the client asked for slow_state.v2"


@pytest.mark.parametrize(
    ("garbage", "named"),
    [
        ("", "no JSON"),
        ("hello", "no JSON: hello"),
        ("{" * 100_000, "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "JSON object"),
        ("{}", "JSON object"),
        ("null", "JSON object"),
        ('{"volume": 3}', "unknown field volume"),
        ('{"token": 3}', "token"),
        ('{"contract": null}', "slow_state.v1"),
        ('{"audio": 48000}', "rate_hz"),
        ('{"audio": {"rate_hz": 48000}}', "channels"),
        ('{"audio": {"rate_hz": 0, "channels": 1}}', "rate_hz is a whole number"),
        ('{"audio": {"rate_hz": NaN, "channels": 1}}', "rate_hz is a whole number"),
        ('{"audio": {"rate_hz": 1e300, "channels": 1}}', "rate_hz is a whole number"),
        ('{"audio": {"rate_hz": "48000", "channels": 1}}', "rate_hz is a whole number"),
        ('{"audio": {"rate_hz": true, "channels": 1}}', "rate_hz is a whole number"),
        ('{"audio": {"rate_hz": 48000, "channels": 0.5}}', "channels is a whole number"),
        (b"", "unannounced"),
        (b"\0" * 16, "unannounced"),
    ],
)
def test_garbage_is_named_and_ends_the_connection_of_its_sender_alone(
    hearing, bystander, sink, garbage, named
):
    with client(hearing) as noisy:
        noisy.send(garbage)
        code, why = refused(noisy)
    assert code == 4400
    assert named in why
    assert "\n" not in why and len(why) < 300
    assert sink.formats == []


def test_a_text_that_is_no_utf8_ends_the_connection_of_its_sender_alone(hearing, bystander):
    with raw_client(hearing) as noisy:
        noisy.sendall(frame(0x1, b"\xff\xfe"))
        drained(noisy)


@pytest.mark.parametrize("opcode", [0x3, 0x7, 0xB, 0xF])
def test_a_frame_of_no_known_kind_ends_the_connection_of_its_sender_alone(hearing, bystander, opcode):
    with raw_client(hearing) as noisy:
        noisy.sendall(frame(opcode, b"what"))
        drained(noisy)


def test_what_is_no_websocket_at_all_is_no_fault(hearing, bystander):
    with socket.create_connection(("127.0.0.1", hearing.port), timeout=DEADLINE_S) as noisy:
        noisy.sendall(os.urandom(4096))
        noisy.shutdown(socket.SHUT_WR)
        drained(noisy)


@pytest.mark.parametrize("message", ["x" * (1 << 20) + "x", b"x" * (1 << 20) + b"x"])
def test_a_message_of_more_than_a_mebibyte_is_refused(hearing, bystander, message):
    with client(hearing) as loud:
        loud.send(message)
        _, close = last_words(loud)
    assert close.code == 1009


@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_of_a_client_arrives_as_it_was_sent(hearing, sink, channels):
    sound = np.random.default_rng(0).standard_normal((channels, 4801)).astype(np.float32)
    with client(hearing) as singer:
        say(singer, {"audio": {"rate_hz": 44100.0, "channels": channels}})
        for start, stop in ((0, 0), (0, 1), (1, 480), (480, 4801)):
            singer.send(sound[:, start:stop].T.astype("<f4").tobytes())
        say(singer, {"audio": None})
        until(lambda: sink.ends)
    assert sink.formats == [AudioFormat(44100, channels)]
    np.testing.assert_array_equal(sink.samples, sound)
    assert sink.ends == 1


def test_a_client_may_send_again_at_another_rate_after_it_has_ended(hearing, sink):
    with client(hearing) as singer:
        for rate_hz in (48000, 44100):
            say(singer, {"audio": {"rate_hz": rate_hz, "channels": 1}})
            say(singer, {"audio": None})
        until(lambda: sink.ends == 2)
    assert [format.rate_hz for format in sink.formats] == [48000, 44100]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (
            {"rate_hz": 44100, "channels": 1},
            "the sample rate changed from 48000 to 44100 Hz: open a new connection",
        ),
        ({"rate_hz": 48000, "channels": 2}, "the audio changed from 1 to 2 channels: open a new connection"),
    ],
)
def test_a_format_that_changes_within_the_stream_is_an_error_that_says_so(
    hearing, bystander, sink, then, why
):
    with client(hearing) as singer:
        say(singer, MONO)
        singer.send(bytes(4 * 480))
        say(singer, {"audio": then})
        assert refused(singer) == (4400, why)
    until(lambda: sink.ends == 1)
    assert sink.samples.shape == (1, 480)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(hearing, bystander, sink, bad):
    sound = np.zeros(480, "<f4")
    sound[7] = bad
    with client(hearing) as singer:
        say(singer, MONO)
        singer.send(sound.tobytes())
        code, why = refused(singer)
    assert code == 4400
    assert why == "the audio holds NaN or infinite samples, first in frame 7"
    until(lambda: sink.ends == 1)
    assert sink.blocks == []


def test_audio_that_ends_within_a_frame_is_refused(hearing, bystander):
    with client(hearing) as singer:
        say(singer, {"audio": {"rate_hz": 48000, "channels": 2}})
        singer.send(bytes(12))
        assert refused(singer)[1].startswith("12 bytes of audio are no whole number of frames")


def test_a_client_that_leaves_within_a_frame_ends_its_sound_and_nothing_else(hearing, bystander, sink):
    with raw_client(hearing) as singer:
        singer.sendall(frame(0x1, json.dumps(MONO).encode()) + frame(0x2, bytes(4 * 480)))
        until(lambda: sink.blocks)
        singer.sendall(frame(0x2, bytes(4 * 480))[:100])
    until(lambda: sink.ends == 1)
    assert sink.samples.shape == (1, 480)
    with client(hearing) as another:
        say(another, MONO)
        until(lambda: len(sink.formats) == 2)


def test_one_client_sends_at_a_time(hearing, sink):
    with client(hearing) as first:
        say(first, MONO)
        until(lambda: sink.formats)
        with client(hearing) as second:
            say(second, MONO)
            code, why = refused(second)
        assert code == 4409
        assert "another client" in why
        first.send(bytes(4))
        until(lambda: sink.blocks)
    assert len(sink.formats) == 1


def test_a_run_that_listens_elsewhere_says_so_to_who_sends(server):
    with client(server) as singer:
        say(singer, MONO)
        code, why = refused(singer)
    assert code == 4400
    assert "--source ws" in why


@contextmanager
def raw_client(server):
    """A page's connection as bytes, for what no library sends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as raw:
        raw.sendall(handshake(f"127.0.0.1:{server.port}"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += raw.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield raw


def handshake(host):
    """What a browser asks for a page of this host."""
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    lines = ["GET /live HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def drained(raw):
    """All that comes until the other side has closed, in good order or not."""
    received = b""
    with suppress(ConnectionResetError):
        while part := raw.recv(1 << 16):
            received += part
    return received


def frame(opcode, payload):
    """A WebSocket frame of a client, masked with zeros (RFC 6455, 5.2)."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + struct.pack(">H", length)
    return bytes([0x80 | opcode]) + size + bytes(4) + payload
