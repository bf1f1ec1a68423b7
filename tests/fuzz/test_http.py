"""The HTTP layer on fragments of HTTP in any order: it answers or closes, and goes on serving others."""

import contextlib
import ssl
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.harness import Service, service
from tests.contract.test_connections import BODY, HEAD, WHOLE, opened, received
from tests.fuzz.profile import FUZZ

PATIENCE_SECONDS = 0.1
"""How long an answer is waited for: the server itself may wait longer for the rest of a request."""
FRAGMENTS = st.one_of(
    st.sampled_from(
        [
            WHOLE,
            HEAD,
            BODY,
            b"GET / HTTP/1.1\r\n",
            b"POST /inject/mesh HTTP/1.0\r\n",
            b"Host: x\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: -0\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Content-Encoding: br\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
            b"\r\n",
            b"\n",
            b"5;a=b\r\nhello\r\n",
            b"ffffffffffffffff\r\n",
            b"0\r\n\r\n",
            b"\x00",
            b"X: " + b"y" * 9000 + b"\r\n",
        ]
    ),
    st.binary(max_size=30),
)


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with service() as started:
        yield started


@settings(FUZZ)
@given(st.lists(FRAGMENTS, max_size=8))
def test_any_sequence_of_fragments_ends_in_an_answer_or_a_closed_connection(
    running: Service, fragments: Sequence[bytes]
) -> None:
    answers = b""
    with opened(running) as connection, contextlib.suppress(ssl.SSLError, ConnectionError):
        for fragment in fragments:
            connection.sendall(fragment)
        connection.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(TimeoutError):
            answers = received(connection)
    assert not answers or answers.startswith(b"HTTP/")
    assert b" 500 " not in answers


def test_afterwards_it_serves_as_before(running: Service) -> None:
    assert running.admit().reason == "Injected"
    assert running.server._bodies.held == 0
