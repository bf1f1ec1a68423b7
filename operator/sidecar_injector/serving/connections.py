"""Connections of the webhook server: how many there may be, and how long one may take over a handshake or a request.

Nothing here closes a connection under a request of a well-behaved client: an API server closes its own idle connections
after 90 s (`IdleConnTimeout` of Go's `http.DefaultTransport`), long before we do.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import web

MOST_CONNECTIONS = 1000
"""Open ones, those in their handshake included; an API server keeps about 25."""
HANDSHAKE_SECONDS = 10.0
"""How long a TLS handshake may take."""
HEAD_SECONDS = 10.0
"""How long request line and headers may take, from their first byte to their last."""
IDLE_SECONDS = 300.0
"""How long a connection may be kept without a request."""
CLOSE_SECONDS = 5.0
"""How long the other side may take to agree that a connection is closed."""


class Connection(web.RequestHandler):
    """A connection whose handshake is done."""

    def __init__(self, server: web.Server, connections: "Connections") -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=IDLE_SECONDS,
            auto_decompress=False,
        )
        self._connections = connections
        self._answering = False
        self._head_began: float | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part."""
        self._connections.idle[self] = None
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Give the head of a request that begins here a deadline."""
        if not self._answering and self._head_began is None:
            self._head_began = asyncio.get_running_loop().time()
            if self._alarm is None:
                self._set_alarm(HEAD_SECONDS)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take part no more."""
        self._connections.idle.pop(self, None)
        if self._alarm is not None:
            self._alarm.cancel()
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, after which the connection is idle."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answering = False
            if self.transport is not None:
                self._connections.idle[self] = None

    def request_begins(self) -> None:
        """Note that the head of a request is complete."""
        self._head_began = None
        self._answering = True
        self._connections.idle.pop(self, None)

    def _set_alarm(self, seconds: float) -> None:
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._look_at_head)

    def _look_at_head(self) -> None:
        """Close if the head that was begun is overdue. One alarm outlasts many heads: each of its own would cost more
        than all else that is done here for a request."""
        self._alarm = None
        if self._head_began is None:
            return
        left = self._head_began + HEAD_SECONDS - asyncio.get_running_loop().time()
        if left <= 0:
            self.force_close()
        else:
            self._set_alarm(left)


class Connections:
    """All connections, and room for one more."""

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self.idle: dict[Connection, None] = {}
        """Connections without a request, the one that is without for longest first."""
        self.open = 0
        self._most = most

    def make_room(self) -> bool:
        """Tell whether one more connection may be opened; if there are too many, the longest idle one goes for it."""
        if self.open < self._most:
            return True
        longest = next(iter(self.idle), None)
        if longest is None:
            return False
        del self.idle[longest]
        longest.force_close()
        return True


class Gate(socket.socket):
    """A listening socket that counts what it has accepted, before any byte is exchanged."""

    connections: Connections

    @classmethod
    def of(cls, listening: socket.socket, connections: Connections) -> "Gate":
        """Return the gate in place of a listening socket, which it takes over."""
        gate = cls(listening.family, listening.type, listening.proto, fileno=listening.detach())
        gate.connections = connections
        return gate

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Raises BlockingIOError, as if there were none, after turning one away."""
        accepted, address = super().accept()
        if not self.connections.make_room():
            accepted.close()
            raise BlockingIOError
        self.connections.open += 1
        return _Counted.of(accepted, self.connections), address


class _Counted(socket.socket):
    """An accepted socket, counted until it is closed."""

    _gone: Callable[[], None] | None = None

    @classmethod
    def of(cls, accepted: socket.socket, connections: Connections) -> "_Counted":
        counted = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())

        def gone() -> None:
            connections.open -= 1

        counted._gone = gone
        return counted

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        gone, self._gone = self._gone, None
        super().close()
        if gone is not None:
            gone()
