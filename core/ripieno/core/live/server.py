"""A run on a web page and on WebSockets.

Conventions
-----------
The server is bound to 127.0.0.1. A page of its own origin may connect; anybody else brings the token, as
``?token=…`` or in a first message. Every request must name the server by its own address, so that no
other site reaches it under a name of its own (DNS rebinding).

It lives on a thread of its own: messages come in by `Server.take`, and sound that a client sends goes out
to an `AudioSink`.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from ripieno.contracts.errors import ConfigError, MissingError
from ripieno.contracts.slow_state import contract

from .client import OVER, AudioSink, Client, Farewell, Floor, NoAudio
from .hub import Hub
from .messages import Error, Message, dumps
from .wire import MOST_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

HOST = "127.0.0.1"
FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/capture.js": ("capture.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
PAGE = Path(__file__).with_name("page")
NEEDS = ("starlette", "uvicorn", "websockets")
# What a client may leave unread in the system's buffers; the rest waits, counted, in its outbox.
SEND_BUFFER_BYTES = 1 << 16
# A client has this long to take its farewell.
GRACE_S = 5.0
# The most that a close frame holds is 125 bytes, of which the code takes two.
REASON_BYTES = 123

BACKLOG = 512

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class Server:
    """A listener that shows a run to whoever connects; it serves while it is entered.

    Parameters
    ----------
    port : int
        0 takes any that is free.
    token : str, optional
        What a client of another origin must know; made where not given.
    sink : AudioSink, optional
        Where the sound of clients goes; without it they are told that none is taken.

    Raises
    ------
    ConfigError
        If the port is taken.
    MissingError
        If a library of the server is not installed.
    """

    def __init__(self, *, port: int = 8765, token: str | None = None, sink: AudioSink | None = None) -> None:
        missing = [name for name in NEEDS if find_spec(name) is None]
        if missing:
            raise MissingError(f'the server needs {missing[0]}. Run: pip install "ripieno-core[live]"')
        self.token = token or secrets.token_urlsafe(16)
        self._hub = Hub()
        self._floor = Floor(sink or NoAudio())
        self._listening = _bind(port)
        self.port: int = self._listening.getsockname()[1]
        self._hosts = (f"{HOST}:{self.port}", f"localhost:{self.port}")
        self._visits: set[asyncio.Task[None]] = set()
        self._ready = Event()
        self._thread = Thread(target=self._run, name="live server", daemon=True)

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.port}/"

    def take(self, messages: Sequence[Message]) -> None:
        """Give messages to every client; from any thread but the server's own."""
        self._hub.take(messages)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if not self._thread.is_alive():
            raise RuntimeError("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        from uvicorn import Config, Server as Uvicorn

        config = Config(
            self._guard(self._app()),
            ws="websockets-sansio",
            ws_max_size=MOST_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._uvicorn = Uvicorn(config)
        self._hub.open(self._loop)
        self._loop.call_soon(self._ready.set)
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._listening]))
        await self._ending.wait()
        self._hub.close()
        if self._visits:
            await asyncio.wait(self._visits, timeout=GRACE_S)
        self._uvicorn.should_exit = True
        await serving

    def _app(self) -> App:
        from starlette.applications import Starlette
        from starlette.responses import FileResponse, JSONResponse
        from starlette.routing import Route, WebSocketRoute

        async def file(request: "Request") -> "Response":
            name, media_type = FILES[request.url.path]
            return FileResponse(PAGE / name, media_type=media_type, headers=self._headers)

        async def frozen(request: "Request") -> "Response":
            return JSONResponse(contract(), headers=self._headers)

        pages = [Route(path, file) for path in FILES]
        return Starlette(routes=[*pages, Route("/contract", frozen), WebSocketRoute("/live", self._live)])

    def _guard(self, app: App) -> App:
        """Answer only what was asked of this server by its own address."""

        async def guarded(scope: Scope, receive: Any, send: Any) -> None:
            from starlette.requests import HTTPConnection
            from starlette.responses import PlainTextResponse

            host = HTTPConnection(scope).headers.get("host", "no host")
            if host in self._hosts:
                with _told():
                    return await app(scope, receive, send)
            words = f"This server answers to {' and '.join(self._hosts)}, not to {host}.\n"
            await PlainTextResponse(words, status_code=403)(scope, receive, send)

        return guarded

    @property
    def _headers(self) -> dict[str, str]:
        sockets = " ".join(f"ws://{host}" for host in self._hosts)
        policy = f"default-src 'self'; connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'"
        return {
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
            "Cache-Control": "no-cache",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def _live(self, websocket: "WebSocket") -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)
        await websocket.accept()
        client = Client(websocket, hub=self._hub, floor=self._floor)
        farewell = await client.serve(token=None if self._knows(websocket) else self.token)
        if farewell:
            await self._dismiss(websocket, farewell)

    def _knows(self, websocket: "WebSocket") -> bool:
        """Whether it is a page of this server, or brings the token."""
        origin = websocket.headers.get("origin", "")
        token = websocket.query_params.get("token", "")
        own = origin in [f"http://{host}" for host in self._hosts]
        return own or secrets.compare_digest(token.encode(), self.token.encode())

    async def _dismiss(self, websocket: "WebSocket", farewell: Farewell) -> None:
        """Close a connection; cut it where the client does not read."""
        from starlette.websockets import WebSocketDisconnect

        reason = farewell.reason.encode()[:REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(GRACE_S):
                if farewell != OVER:
                    await websocket.send_text(dumps(Error(farewell.reason)))
                await websocket.close(farewell.code, reason)
        except WebSocketDisconnect:
            return
        except TimeoutError:
            self._cut(websocket)

    def _cut(self, websocket: "WebSocket") -> None:
        # ASGI has no word for it: closing in good order waits for a client that may never read again.
        for connection in list(self._uvicorn.server_state.connections):
            if websocket.client and getattr(connection, "client", None) == tuple(websocket.client):
                connection.transport.abort()


@contextmanager
def _told() -> Iterator[None]:
    """Log what fails by a fault of ours; the log of uvicorn, which is off, tells of every client's."""
    try:
        yield
    except Exception:
        logging.getLogger(__name__).exception("the server failed to answer a client")
        raise


def _bind(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Elsewhere than on POSIX systems the option lets two servers share a port.
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    try:
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"port {port} of {HOST} cannot be had ({error.strerror}): choose another by --port"
        ) from error
    return listening
