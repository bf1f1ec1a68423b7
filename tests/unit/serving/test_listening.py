"""Sockets that listen."""

import errno
import socket
from typing import Any

import pytest

from sidecar_injector.serving.listening import listening


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_without_an_address_every_one_is_listened_on() -> None:
    with listening("", 0) as opened:
        port = opened.getsockname()[1]
        assert answers("127.0.0.1", port)
        assert answers("::1", port) is (socket.has_dualstack_ipv6() and answers_ipv6())


def answers_ipv6() -> bool:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
        return answers("::1", probe.getsockname()[1])


def test_where_ipv6_is_switched_off_ipv4_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_server

    def without_ipv6(address: Any, *, family: int = socket.AF_INET, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return real(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    with listening("", 0) as opened:
        assert answers("127.0.0.1", opened.getsockname()[1])


def test_a_port_that_is_taken_is_named() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            listening("127.0.0.1", port)
