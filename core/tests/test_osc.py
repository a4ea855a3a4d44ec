"""Beats and states as OSC, on a real UDP socket, read by python-osc and by the letter of the format."""

import socket
import struct

import pytest

from ripieno.contracts.errors import ConfigError
from ripieno.contracts.slow_state import BeatClockState, SlowState, StructureState
from ripieno.contracts.streaming import Event
from ripieno.core.live.messages import End, Error, Heard, Start, State

pytest.importorskip("pythonosc", reason="the extra `live` is not installed")

from pythonosc.osc_packet import OscPacket

from ripieno.core.live.osc import Osc

STRUCTURE = StructureState((0.5, 0.5, 0, 0, 0, 0, 0, 0), (0.125, 0.25, 0.375, 0.5, 0.75))
STATE = State(
    "beats", SlowState(BeatClockState(1.5, 0.5, 0.25, 3, 0.75, 0.125), STRUCTURE), {4: 1.0}, 0.5, 0.25
)


def event(what, **value):
    return Heard("beats", Event(2.5, 2.625, what, value))


BEAT = event("beat", position=2, beats_per_bar=4, tempo_bpm=120.0, confidence=0.75)


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        yield receiver


@pytest.fixture
def osc(receiver):
    with Osc(f"127.0.0.1:{receiver.getsockname()[1]}") as osc:
        yield osc


def received(receiver):
    packet = OscPacket(receiver.recv(1 << 16))
    return [(timed.message.address, timed.message.params) for timed in packet.messages]


def test_a_beat_is_one_message_of_the_five_numbers_that_a_show_needs(osc, receiver):
    osc.take([BEAT])
    # OSC 1.0: address and type tags, each closed by zeros up to a multiple of four bytes, then big-endian values.
    expected = b"/ripieno/beat\0\0\0" + b",iifff\0\0" + struct.pack(">iifff", 2, 4, 120.0, 0.75, 2.5)
    assert receiver.recv(1 << 16) == expected


@pytest.mark.parametrize("value", [{}, dict.fromkeys(("beats_per_bar", "tempo_bpm", "confidence"))])
def test_what_a_step_does_not_tell_of_a_beat_is_0(osc, receiver, value):
    osc.take([event("beat", position=2, **value), event("next_beat")])
    assert received(receiver) == [("/ripieno/beat", [2, 0, 0.0, 0.0, 2.5])]
    assert received(receiver) == [("/ripieno/next_beat", [0, 2.5])]


def test_the_next_beat_is_told_before_it_comes(osc, receiver):
    osc.take([event("next_beat", position=3)])
    assert received(receiver) == [("/ripieno/next_beat", [3, 2.5])]


def test_a_state_and_its_structure_come_in_one_bundle(osc, receiver):
    osc.take([STATE])
    assert received(receiver) == [
        ("/ripieno/state", [1.5, 0.5, 0.25, 3, 0.75, 0.125]),
        ("/ripieno/sections", [0.5, 0.5, 0, 0, 0, 0, 0, 0]),
        ("/ripieno/hazards", [0.125, 0.25, 0.375, 0.5, 0.75]),
    ]


def test_messages_without_an_address_are_passed_over(osc, receiver):
    start = Start("clicks", "mic", 48000, 1, ("beats",), {}, {})
    osc.take([start, event("section", label="verse"), Error("no"), BEAT, End(3.0, 3.0)])
    assert [address for _ in range(2) for address, _ in received(receiver)] == [
        "/ripieno/beat",
        "/ripieno/end",
    ]


def test_nobody_has_to_listen(receiver):
    port = receiver.getsockname()[1]
    with Osc(f"localhost:{port}") as osc:
        receiver.close()
        for _ in range(100):
            osc.take([BEAT])


@pytest.mark.parametrize(
    "target", ["", "9000", ":9000", "localhost:", "localhost:0", "localhost:70000", "a b:1"]
)
def test_a_target_that_is_none_is_refused(target):
    with pytest.raises(ConfigError, match="--osc"):
        Osc(target)
