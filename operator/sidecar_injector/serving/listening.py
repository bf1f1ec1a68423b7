"""Sockets that listen."""

import errno
import os
import socket

BACKLOG = 1024
NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; empty: on all, IPv4 and (where the machine has it) IPv6.

    Raises OSError that names address and port.
    """
    try:
        if address:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=family, backlog=BACKLOG)
        return _listening_everywhere(port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"cannot listen on {address or '*'}:{port}: {reason}") from None


def _listening_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in NO_IPV6:  # the kernel knows IPv6, but it is switched off
                raise
    return socket.create_server(("", port), backlog=BACKLOG)
