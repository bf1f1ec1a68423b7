"""One connection with keep-alive, on which one request is under way at a time."""

import socket
import ssl
import time

from benchmarks.load import wire
from benchmarks.load.orders import Target

CONNECT_SECONDS = 10
CHUNK = 1 << 18


def tls_context(target: Target) -> ssl.SSLContext:
    """Return what checks the target's certificate as far as the target says."""
    context = ssl.create_default_context(cadata=target.ca or None)
    if not target.server_name:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """A connection whose handshake is done; nothing here waits."""

    def __init__(self, target: Target, context: ssl.SSLContext) -> None:
        plain = socket.create_connection((target.host, target.port), CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain, server_hostname=target.server_name or target.host)
        self._socket.setblocking(False)
        self._out = memoryview(b"")
        self._answer = bytearray()
        self._started = 0
        self.uid = b""

    def fileno(self) -> int:
        """The socket, for the selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def begin(self, request: bytearray) -> bool:
        """Send a request; tell whether all of it was taken at once."""
        self.uid = wire.uid_of(request)
        self._answer = bytearray()
        self._out = memoryview(bytes(request))
        self._started = time.perf_counter_ns()
        return self.go_on()

    def go_on(self) -> bool:
        """Send what is left to be sent; tell whether that was all of it."""
        while self._out:
            try:
                self._out = self._out[self._socket.send(self._out) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
        return True

    def receive(self) -> bytearray | None:
        """Take in what has arrived; return the answer as soon as it is whole. Raises OSError when it never will be."""
        while True:
            try:
                data = self._socket.recv(CHUNK)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None
            if not data:
                raise ConnectionError("the server has closed the connection")
            self._answer += data
            if wire.is_complete(self._answer):
                return self._answer

    @property
    def micros(self) -> int:
        """Microseconds since the request was begun."""
        return (time.perf_counter_ns() - self._started) // 1000
