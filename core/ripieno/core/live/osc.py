"""A run's beats and states as Open Sound Control over UDP.

Conventions
-----------
======================  ====================================================================================
Address                 Arguments
======================  ====================================================================================
``/ripieno/beat``       position, beats_per_bar, tempo_bpm, confidence, time_s
``/ripieno/next_beat``  position, time_s: where the next beat is expected
``/ripieno/state``      t_s, spb_s, phase, beat_count, confidence, downbeat_probability
``/ripieno/sections``   the eight section probabilities, in the contract's order of labels
``/ripieno/hazards``    the probabilities of a boundary within the next 1, 2, 4, 8 and 16 beats
``/ripieno/end``        time_s
======================  ====================================================================================

Counts and positions are int32, everything else is float32, as every receiver understands; times are then
exact to half a millisecond for four and a half hours. What a step does not tell of a beat is 0. The messages
of one state are one bundle.

References
----------
Wright, Freed: Open Sound Control: a new protocol for communicating with sound synthesizers. ICMC 1997.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from ripieno.contracts.errors import ConfigError, MissingError

from .messages import Message

BEAT = ("position", "beats_per_bar", "tempo_bpm", "confidence", "time_s")
NEXT_BEAT = ("position", "time_s")
STATE = ("t_s", "spb_s", "phase", "beat_count", "confidence", "downbeat_probability")
WHOLE = {"position", "beats_per_bar", "beat_count"}

Lines = Iterator[tuple[str, Sequence[float]]]


class Osc:
    """A listener that sends messages on as datagrams, whether anybody hears them or not.

    Parameters
    ----------
    target : str
        ``HOST:PORT``.

    Raises
    ------
    ConfigError
        If the target is not of that form, or its host is unknown.
    MissingError
        If python-osc is not installed.
    """

    def __init__(self, target: str) -> None:
        self._encode = _encoder()
        host, _, port = target.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ConfigError(f"--osc {target}: expected HOST:PORT, for example 127.0.0.1:9000")
        try:
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        except OSError as error:
            raise ConfigError(f"--osc {target}: no such host ({error.strerror})") from error
        family, kind, protocol, _, address = found[0]
        self._address: tuple[Any, ...] = address
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def take(self, messages: Sequence[Message]) -> None:
        """Send the messages that have an address here."""
        for message in messages:
            lines = list(_lines(message.to_json()))
            if lines:
                # As any datagram, one that the network does not take is lost.
                with suppress(OSError):
                    self._socket.sendto(self._encode(lines), self._address)


def _lines(message: Mapping[str, Any]) -> Lines:
    """What a message says, address by address."""
    match message["event"]:
        case "beat":
            yield "/ripieno/beat", _values(message, BEAT)
        case "next_beat":
            yield "/ripieno/next_beat", _values(message, NEXT_BEAT)
        case "state":
            yield "/ripieno/state", _values(message["beat"], STATE)
            yield "/ripieno/sections", message["structure"]["section_probabilities"]
            yield "/ripieno/hazards", message["structure"]["hazard_probabilities"]
        case "end":
            yield "/ripieno/end", _values(message, ("time_s",))


def _values(message: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    told = {name: message.get(name) or 0 for name in names}
    return [int(value) if name in WHOLE else float(value) for name, value in told.items()]


def _encoder() -> Callable[[Sequence[tuple[str, Sequence[float]]]], bytes]:
    try:
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
        from pythonosc.osc_message_builder import OscMessageBuilder
    except ImportError as error:
        raise MissingError('OSC needs python-osc. Run: pip install "ripieno-core[live]"') from error

    def message(address: str, values: Sequence[float]) -> Any:
        builder = OscMessageBuilder(address)
        for value in values:
            builder.add_arg(value, "i" if isinstance(value, int) else "f")
        return builder.build()

    def encode(lines: Sequence[tuple[str, Sequence[float]]]) -> bytes:
        if len(lines) == 1:
            return bytes(message(*lines[0]).dgram)
        bundle = OscBundleBuilder(IMMEDIATELY)
        for line in lines:
            bundle.add_content(message(*line))
        return bytes(bundle.build().dgram)

    return encode
