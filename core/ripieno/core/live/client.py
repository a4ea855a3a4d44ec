"""One client of the server, from its greeting to its farewell.

Conventions
-----------
Everything here runs on the loop of the server. What a client does wrong ends its own connection: one
``error`` message that names the fault, then a close; nobody else hears of it.
"""

import asyncio
import secrets
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError
from ripieno.contracts.formats import AudioFormat

from .hub import Hub, Outbox
from .wire import parse_ask, parse_audio

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

# A client has this long to bring its token.
GREETING_S = 5.0


class Farewell(NamedTuple):
    """Why a connection ends: a WebSocket close code, and one line."""

    code: int
    reason: str


OVER = Farewell(1001, "the run is over")
SLOW = Farewell(1013, "too slow: more waits for this client than the server keeps")
UNKNOWN = Farewell(4401, "unknown client: bring the token of this run, as ?token=… or in a first message")
BUSY = Farewell(4409, "another client sends its audio: one at a time")
WRONG = 4400


class Refused(Exception):
    """A client may not go on; what it is told."""

    def __init__(self, farewell: Farewell) -> None:
        super().__init__(farewell.reason)
        self.farewell = farewell


class AudioSink(Protocol):
    """Where the sound of clients goes; one client sends at a time, but one after another may."""

    def start(self, format: AudioFormat) -> None:
        """Sound of this format follows, from time 0 on; InputError where none is taken."""
        ...

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take samples [channels, frames].

        Waits while there is no room, on a thread of its own, and returns at once when nobody reads any more.
        """
        ...

    def end(self) -> None:
        """The sound is over: the client says so, or has gone."""
        ...


class NoAudio:
    """The sink of a run that listens elsewhere."""

    def start(self, format: AudioFormat) -> None:
        """Refuse."""
        raise InputError("this run takes no audio from clients: start it with --source ws")

    def push(self, samples: NDArray[np.float32]) -> None:
        """Never reached: nothing starts."""

    def end(self) -> None:
        """Never reached: nothing starts."""


class Floor:
    """The right to send sound, which one client has at a time."""

    def __init__(self, sink: AudioSink) -> None:
        self._sink = sink
        self._holder: object | None = None

    async def take(self, holder: object, format: AudioFormat) -> None:
        """Begin; Refused while another client sends, InputError where the sink takes no sound."""
        if self._holder is not None:
            raise Refused(BUSY)
        self._holder = holder
        try:
            await asyncio.to_thread(self._sink.start, format)
        except InputError:
            self._holder = None
            raise

    async def push(self, samples: NDArray[np.float32]) -> None:
        """Hand samples on, once there is room."""
        await asyncio.to_thread(self._sink.push, samples)

    async def leave(self, holder: object) -> None:
        """End the sound of this client, if it was sending."""
        if self._holder is not holder:
            return
        # Nobody else may begin before the end is told, nor is it told twice.
        self._holder = self
        try:
            await asyncio.to_thread(self._sink.end)
        finally:
            self._holder = None


class Client:
    """A conversation over one WebSocket.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    hub : Hub
        Where what it is sent comes from.
    floor : Floor
        Where what it sends goes.
    """

    def __init__(self, socket: "WebSocket", *, hub: Hub, floor: Floor) -> None:
        self._socket = socket
        self._hub = hub
        self._floor = floor
        self._format: AudioFormat | None = None

    async def serve(self, *, token: str | None) -> Farewell | None:
        """Talk until one side has had enough.

        Parameters
        ----------
        token : str or None
            What its first message must bring; None where it is known already.

        Returns
        -------
        Farewell or None
            What to close the connection with; None where the client has left.
        """
        from starlette.websockets import WebSocketDisconnect

        try:
            if token is not None:
                await self._greet(token)
            return await self._talk()
        except WebSocketDisconnect:
            return None
        except Refused as refused:
            return refused.farewell
        except InputError as error:
            return Farewell(WRONG, str(error))

    async def _greet(self, token: str) -> None:
        try:
            async with asyncio.timeout(GREETING_S):
                text, _ = await self._next()
        except TimeoutError as error:
            raise Refused(UNKNOWN) from error
        said = (parse_ask(text).token or "") if text is not None else ""
        if not secrets.compare_digest(said.encode(errors="replace"), token.encode()):
            raise Refused(UNKNOWN)

    async def _talk(self) -> Farewell:
        """Send and receive, until one of the two is over or too much waits."""
        outbox = self._hub.join()
        talks = [
            asyncio.create_task(talk) for talk in (self._send(outbox), self._receive(), _overflow(outbox))
        ]
        try:
            done, _ = await asyncio.wait(talks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            self._hub.leave(outbox)
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            await self._floor.leave(self)

    async def _send(self, outbox: Outbox) -> Farewell:
        while (texts := await outbox.get()) is not None:
            for text in texts:
                await self._socket.send_text(text)
        return OVER

    async def _receive(self) -> Farewell:
        while True:
            text, data = await self._next()
            if text is None:
                await self._hear(data)
                continue
            ask = parse_ask(text)
            if ask.ends:
                await self._floor.leave(self)
                self._format = None
            if ask.announces:
                await self._announce(ask.announces)

    async def _announce(self, format: AudioFormat) -> None:
        if self._format is None:
            await self._floor.take(self, format)
            self._format = format
        elif format != self._format:
            raise InputError(f"{_change(self._format, format)}: open a new connection")

    async def _hear(self, data: bytes) -> None:
        if self._format is None:
            raise InputError('audio came unannounced: say {"audio": {"rate_hz": …, "channels": …}} before it')
        await self._floor.push(parse_audio(data, self._format))

    async def _next(self) -> tuple[str | None, bytes]:
        from starlette.websockets import WebSocketDisconnect

        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"], message.get("reason"))
        return message.get("text"), message.get("bytes") or b""


async def _overflow(outbox: Outbox) -> Farewell:
    await outbox.dropped.wait()
    return SLOW


def _change(old: AudioFormat, new: AudioFormat) -> str:
    if old.rate_hz != new.rate_hz:
        return f"the sample rate changed from {old.rate_hz} to {new.rate_hz} Hz"
    return f"the audio changed from {old.channels} to {new.channels} channels"
