"""Our serving certificate: issued in memory, replaced in the living TLS context, never a file that stays.

What API servers are told to trust always includes the CA of the certificate in use, and a certificate of a new CA is
put into use only after that CA has been published for a while: so renewal of either never costs a request.
"""

import asyncio
import contextlib
import datetime
import ipaddress
import logging
import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from sidecar_injector.certificates import (
    Authority,
    Leaf,
    bundle,
    expired,
    issue,
    needs_renewal,
    service_hosts,
    without_expired,
)
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.settings import Settings

SETTLING_SECONDS = 10.0
"""How long API servers are given to take notice of a new CA: their watch needs milliseconds, if nothing is wrong."""

logger = logging.getLogger(__name__)


class Tls:
    """The TLS context of the listener and what is in it."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._hosts = _hosts(settings)
        self._metrics = metrics
        self._authority: Authority | None = None
        self._leaf: Leaf | None = None
        self._published = b""
        self._published_since = 0.0

    @property
    def authority(self) -> Authority | None:
        """The CA in memory; None until there is one."""
        return self._authority

    @property
    def server_name(self) -> str:
        """A name that the certificate is valid for."""
        return self._hosts[0]

    @property
    def ca_bundle(self) -> bytes:
        """What API servers are to trust, as PEM."""
        if self._authority is None or self._leaf is None:
            raise RuntimeError("there is no certificate yet")
        return bundle(without_expired([*self._authority.trusted, self._leaf.issuer], _now()))

    def adopt(self, authority: Authority) -> None:
        """Take over a CA, which is the first, or may be the one that is known."""
        self._authority = authority
        self._metrics.certificate_expiry.labels("ca").set(authority.certificate.not_valid_after_utc.timestamp())
        if self._leaf is None:
            self._install(issue(authority, self._hosts, _now()))

    def published(self, ca_bundle: bytes) -> None:
        """Note that API servers are now told to trust this."""
        if ca_bundle != self._published:
            self._published, self._published_since = ca_bundle, _uptime()

    def renew(self) -> bool:
        """Replace the certificate if it is old or of an old CA, and its CA's publication has settled; tell whether."""
        leaf, authority = self._leaf, self._authority
        if leaf is None or authority is None:
            return False
        if leaf.issuer == authority.certificate and not needs_renewal(leaf.certificate, _now()):
            return False
        settled = _uptime() - self._published_since >= SETTLING_SECONDS
        if leaf.issuer != authority.certificate and not (authority.certificate_pem in self._published and settled):
            return False
        self._install(issue(authority, self._hosts, _now()))
        logger.info("The serving certificate was replaced")
        return True

    def problem(self) -> str:
        """Return what is wrong with the certificate; empty if it is good."""
        if self._leaf is None:
            return "no certificate yet"
        return "the certificate has expired" if expired(self._leaf.certificate, _now()) else ""

    async def probe(self, address: str, port: int) -> str:
        """Shake hands with our own listener as an API server would; return what went wrong, empty if nothing did."""
        context = ssl.create_default_context(cadata=self.ca_bundle.decode())
        try:
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection(
                    _loopback(address), port, ssl=context, server_hostname=self.server_name
                )
                writer.close()
                with contextlib.suppress(OSError, ssl.SSLError):
                    await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            return str(error) or type(error).__name__
        return ""

    def _install(self, leaf: Leaf) -> None:
        with _readable(leaf.pem) as path:
            self.context.load_cert_chain(path)
        self._leaf = leaf
        self._metrics.certificate_expiry.labels("serving").set(leaf.certificate.not_valid_after_utc.timestamp())


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """Yield a path under which OpenSSL can read this: it loads private keys from files only.

    On Linux the file is in memory and has no name; elsewhere it is private to us and removed at once.
    """
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("certificate"), "wb", buffering=0) as file:
            file.write(content)
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(buffering=0) as file:
            file.write(content)
            yield file.name


def _hosts(settings: Settings) -> tuple[str, ...]:
    url = urlsplit(settings.webhook_url).hostname
    names = service_hosts(settings.service_name, settings.namespace)
    return (url, *names) if url else names


def _loopback(address: str) -> str:
    """Return where a listener on this address, or on that of this host name, can be reached from the same machine."""
    if not address:
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(address).is_unspecified:
            return "::1" if ":" in address else "127.0.0.1"
    return address


def _uptime() -> float:
    return time.monotonic()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
