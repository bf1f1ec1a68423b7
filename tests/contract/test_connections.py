"""Connections that are slow, many, half done or no HTTP: bounded, answered in words, and never at others' cost."""

import contextlib
import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from sidecar_injector.serving import bodies, connections
from sidecar_injector.serving.connections import Connections
from tests.contract.harness import Service, exchange, pod, review, service

SECONDS = 10
BODY = json.dumps(review()).encode()
HEAD = b"POST /inject/mesh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with service(max_body_bytes=100_000) as running:
        yield running


@contextlib.contextmanager
def opened(running: Service) -> Iterator[ssl.SSLSocket]:
    """Open a connection and finish its handshake."""
    context = ssl.create_default_context(cadata=running.tls.ca_bundle.decode())
    context.check_hostname = False
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2  # whose handshake ends with the server
    with plain(running) as connection, context.wrap_socket(connection) as secured:
        yield secured


def plain(running: Service) -> socket.socket:
    assert running.server.port
    return socket.create_connection(("127.0.0.1", running.server.port), timeout=SECONDS)


def received(connection: socket.socket, until: bytes = b"") -> bytes:
    """Read until the connection is closed, or until this has come."""
    found = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while (part := connection.recv(65536)) and not (until and until in found + part):
            found += part
        found += part
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET /inject/mesh\r\n\r\n", b"HTTP/0.9 405"),
        (b"\x00\x01\x02\x03\r\n\r\n", b"HTTP/1.0 400"),
        (b"POST /inject/mesh HTTP/9.9\r\nHost: x\r\n\r\n", b"HTTP/1.0 400"),
        (b"POST /inject/mesh HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"X-Long: " + b"a" * 9_000 + b"\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"X-Y: z\r\n" * 5000 + b"\r\n", b"HTTP/1.0 400"),
        (b"POST /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + BODY, b"HTTP/1.0 400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"Content-Length: 9e9\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n", b"400 Bad Request"),
        (HEAD + b"Content-Length: 999999999999\r\n\r\n", b"HTTP/1.1 413"),
        (HEAD + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n", b"HTTP/1.0 400"),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 415"),
        (HEAD + b"Expect: a-miracle\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 417"),
        (HEAD + b"Content-Length: 0\r\n\r\n", b"HTTP/1.1 400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.0 400"),
    ],
    ids=lambda value: repr(value[-60:]) if len(value) > 20 else value.decode(),
)
def test_what_is_no_proper_request_is_answered_as_such(shared: Service, sent: bytes, answer: bytes) -> None:
    with opened(shared) as connection:
        connection.sendall(sent)
        status, _, rest = received(connection, until=b"\n\r\n").partition(b"\r\n")
    assert answer in status
    assert b"Content-Length" in rest
    assert shared.admit().reason == "Injected"


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
        HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD + b"Content-Encoding: identity\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        b"\r\n\r\n" + WHOLE,
    ],
    ids=["chunks with extensions", "an upgrade that is not taken", "an encoding that is none", "empty lines before it"],
)
def test_odd_but_proper_requests_are_served(shared: Service, sent: bytes) -> None:
    with opened(shared) as connection:
        connection.sendall(sent)
        assert b'"allowed":true' in received(connection, until=b'"allowed":true')


def test_requests_may_follow_each_other_without_waiting(shared: Service) -> None:
    with opened(shared) as connection:
        connection.sendall(WHOLE * 20)
        answers = b""
        while answers.count(b'"allowed":true') < 20:
            answers += connection.recv(65536)
    assert answers.count(b"HTTP/1.1 200 OK") == 20


def test_a_client_that_asks_first_is_told_to_go_on(shared: Service) -> None:
    with opened(shared) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(BODY)
        assert received(connection, until=b'"allowed":true').startswith(b"HTTP/1.1 200 OK")


def test_a_body_that_would_grow_is_not_unpacked(shared: Service) -> None:
    bomb = zlib.compress(b" " * 50_000_000)
    with opened(shared) as connection:
        connection.sendall(HEAD + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        assert b"415" in received(connection, until=b"\n\r\n")
    assert shared.server._bodies.held == 0


def test_a_head_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with service() as running, opened(running) as connection:
        connection.sendall(WHOLE)
        received(connection, until=b'"allowed":true')
        for letter in HEAD[:3]:
            connection.sendall(bytes([letter]))
        assert received(connection) == b""
        wait_until(lambda: running.server._connections.open == 0)


def test_each_head_has_all_the_time_whenever_the_one_before_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2.0)
    with service() as running, opened(running) as connection:
        connection.sendall(WHOLE)
        received(connection, until=b'"allowed":true')
        time.sleep(1.5)
        connection.sendall(WHOLE[:10])
        time.sleep(1.0)
        connection.sendall(WHOLE[10:])
        assert b'"allowed":true' in received(connection, until=b'"allowed":true')


def test_a_connection_without_a_request_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    with service() as running, opened(running) as connection:
        for _ in range(2):
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(SECONDS)
            connection.sendall(WHOLE)
            assert b'"allowed":true' in received(connection, until=b'"allowed":true')


def test_a_body_that_takes_longer_than_a_head_may_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    with service() as running, opened(running) as connection:
        connection.sendall(WHOLE[:-100])
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(SECONDS)
        connection.sendall(WHOLE[-100:])
        assert b'"allowed":true' in received(connection, until=b'"allowed":true')


def test_a_connection_is_kept_for_longer_than_an_api_server_keeps_it() -> None:
    assert connections.IDLE_SECONDS > 2 * 90


def test_a_connection_that_stays_idle_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.2)
    with service() as running, opened(running) as connection:
        assert received(connection) == b""


def test_a_handshake_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar_injector.serving.server.HANDSHAKE_SECONDS", 0.2)
    with service() as running, plain(running) as connection:
        wait_until(lambda: running.server._connections.open == 1)
        assert received(connection) == b""
        wait_until(lambda: running.server._connections.open == 0)


def test_for_one_connection_too_many_the_longest_idle_one_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    with service() as running, contextlib.ExitStack() as stack:
        monkeypatch.setattr(running.server._connections, "_most", 5)
        idle = [stack.enter_context(opened(running)) for _ in range(5)]
        wait_until(lambda: len(running.server._connections.idle) == 5)
        idle[0].sendall(WHOLE)
        received(idle[0], until=b'"allowed":true')
        assert exchange(running.connect(), "/inject/mesh", review()).reason == "Injected"
        assert received(idle[1]) == b""
        idle[0].sendall(WHOLE)
        assert b'"allowed":true' in received(idle[0], until=b'"allowed":true')


def test_while_every_connection_is_in_its_handshake_one_more_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with service() as running, contextlib.ExitStack() as stack:
        monkeypatch.setattr(running.server._connections, "_most", 3)
        for _ in range(3):
            stack.enter_context(plain(running))
        wait_until(lambda: running.server._connections.open == 3)
        with plain(running) as refused:
            assert received(refused) == b""
        stack.close()
        wait_until(lambda: running.server._connections.open == 0)
        assert running.admit().reason == "Injected"


def test_connections_are_counted_until_they_are_closed() -> None:
    with service() as running:
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(opened(running))
                stack.enter_context(plain(running))
            wait_until(lambda: running.server._connections.open == 20)
        wait_until(lambda: running.server._connections.open == 0)
        assert running.server._connections.idle == {}


def test_bodies_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 150_000)
    with service(max_body_bytes=100_000) as running, opened(running) as first:
        first.sendall(HEAD + b"Content-Length: 90000\r\n\r\n" + b" " * 80_000)
        wait_until(lambda: running.server._bodies.held == 80_000)
        reply = running.post("/inject/mesh", b" " * 90_000)
        assert (reply.status, running.rejections("TooManyRequests")) == (503, 1)
        assert "are being worked on" in reply.text
        assert running.admit().reason == "Injected"
        first.close()
        wait_until(lambda: running.server._bodies.held == 0)


def test_a_large_review_is_read_beside_the_others() -> None:
    large = pod(annotations={f"example.org/{number}": "x" * 1000 for number in range(1000)})
    with service() as running:
        assert running.admit(large).reason == "Injected"
        assert running.post("/inject/mesh", json.dumps(review(large)).encode()[:-1]).status == 400


def test_room_is_made_at_the_cost_of_idle_connections_only() -> None:
    full = Connections(most=0)
    assert not full.make_room()
