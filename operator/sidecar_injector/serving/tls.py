"""Our serving certificate: issued in memory or given by another issuer, and replaced while connections live on.

What API servers are told to trust always includes the CA of the certificate in use, and a certificate of a new CA is
put into use only after that CA has been published for a while: so renewal of either never costs a request.

Each certificate has a TLS context of its own, and every handshake takes the newest. (Loaded into a living context, it
would leave the former one there if its key is of another kind.)
"""

import asyncio
import contextlib
import datetime
import ipaddress
import logging
import ssl
import time
from urllib.parse import urlsplit

from cryptography import x509

from sidecar_injector.certificates import (
    Authority,
    Leaf,
    bundle,
    expired,
    issue,
    needs_renewal,
    read_certificates,
    service_hosts,
    without_expired,
)
from sidecar_injector.errors import CertificateError
from sidecar_injector.serving.handshake import anchor, client_context, context_of, server_context
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.settings import Settings

SETTLING_SECONDS = 10.0
"""How long API servers are given to take notice of a new CA: their watch needs milliseconds, if nothing is wrong."""
STARTING_SECONDS = 2.0
"""The same for a replica that has just started and is not called yet: it takes as long again until it is."""

logger = logging.getLogger(__name__)


class Tls:
    """The TLS context of the listener and what is in it."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.context = server_context()
        self.context.sni_callback = self._choose  # is called without a name too, in spite of its own
        self._hosts = _hosts(settings)
        self._lifetime = datetime.timedelta(hours=settings.certificate_lifetime_hours)
        self._metrics = metrics
        self._authority: Authority | None = None
        self._given: Leaf | None = None
        self._leaf: Leaf | None = None
        self._in_use = self.context
        self._anchor: x509.Certificate | None = None
        self._told: dict[x509.Certificate, float] | None = None
        self._welcome = False

    @property
    def authority(self) -> Authority | None:
        """The CA in memory; None until there is one, and where another issuer gives the certificates."""
        return self._authority

    @property
    def has_certificate(self) -> bool:
        """Tell whether there is something to serve with."""
        return self._leaf is not None

    @property
    def server_name(self) -> str:
        """A name that the certificate is valid for."""
        return self._hosts[0]

    @property
    def ca_bundle(self) -> bytes:
        """What API servers are to trust for our sake, as PEM."""
        if self._leaf is None:
            raise RuntimeError("there is no certificate yet")
        coming = self._authority or self._given or self._leaf
        return bundle(without_expired([*coming.trusted, *self._leaf.trusted], _now()))

    def refusal(self, authority: Authority) -> str:
        """Return why a certificate of this CA would not be trusted, even by who trusts the CA; empty if it would be.

        A CA may be limited to other purposes or names, or not be valid yet.
        """
        leaf = self._issued(authority)
        try:
            anchor(context_of(leaf), leaf, leaf.trusted, self.server_name)
        except CertificateError as error:
            return f"a certificate of this CA would not be trusted as {self.server_name}: {error}"
        return ""

    def adopt(self, authority: Authority) -> None:
        """Take over a CA, which is the first, or may be the one that is known."""
        self._authority = authority
        if self._leaf is None:
            self._install(self._issued(authority))
        self._measure()

    def offer(self, leaf: Leaf) -> None:
        """Take over a certificate that another issuer has made; raises CertificateError if it does not serve."""
        try:
            anchor(context_of(leaf), leaf, leaf.trusted, self.server_name)
        except CertificateError as error:
            problem = f"with the CA bundle, it would not be trusted as {self.server_name}: {error}"
            raise CertificateError(problem) from None
        self._given = leaf
        if self._leaf is None:
            self._install(leaf)

    def published(self, ca_bundle: bytes) -> None:
        """Note that API servers are now told to trust this.

        What they were told before we began to look counts as if they had always been.
        """
        try:
            found = read_certificates("the bundle", ca_bundle)
        except CertificateError:
            found = ()
        known, now = self._told, _uptime()
        if known is None:
            self._told = dict.fromkeys(found, float("-inf"))
        else:
            self._told = {certificate: known.get(certificate, now) for certificate in found}

    def renew(self) -> bool:
        """Put a new certificate into use if it is time, and API servers will trust it; tell whether."""
        candidate = self._candidate()
        if candidate is None:
            return False
        context = context_of(candidate)
        if self._is_trusted(candidate, context, SETTLING_SECONDS) or not self._is_good():
            self._use(candidate, context)
            logger.info(
                "The serving certificate was replaced; the new one expires at %s",
                candidate.certificate.not_valid_after_utc,
            )
            return True
        return False

    def problem(self) -> str:
        """Return what is wrong with the certificate; empty if it is good.

        A replica that starts while the CA is being replaced is not ready until API servers trust it.
        """
        if self._leaf is None:
            return "no certificate yet"
        if expired(self._leaf.certificate, _now()):
            return "the certificate has expired"
        if not self._welcome:
            if self._told is None or not self._is_trusted(self._leaf, self._in_use, STARTING_SECONDS):
                return "API servers are not told yet to trust it"
            self._welcome = True
        return ""

    async def probe(self, address: str, port: int) -> str:
        """Shake hands with our own listener as an API server would; return what went wrong, empty if nothing did."""
        if self._anchor is None:
            return "no certificate yet"
        context = client_context(bundle((self._anchor,)))
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

    def _candidate(self) -> Leaf | None:
        """Return what is to replace the certificate in use, or None."""
        leaf, authority = self._leaf, self._authority
        if leaf is None or self._given is not None:
            return None if self._given is leaf else self._given
        if authority is None or expired(authority.certificate, _now()):
            return None
        if leaf.trusted != (authority.certificate,):
            return self._issued(authority)
        longer = authority.certificate.not_valid_after_utc > leaf.certificate.not_valid_after_utc
        return self._issued(authority) if longer and needs_renewal(leaf.certificate, _now()) else None

    def _issued(self, authority: Authority) -> Leaf:
        return issue(authority, self._hosts, _now(), self._lifetime)

    def _is_trusted(self, leaf: Leaf, context: ssl.SSLContext, seconds: float) -> bool:
        """Tell whether those trust this certificate who have taken in what they were told so many seconds ago."""
        assert self._leaf is not None
        if self._told is None:
            trusted = self._leaf.trusted
        else:
            trusted = tuple(each for each, since in self._told.items() if _uptime() - since >= seconds)
        try:
            anchor(context, leaf, trusted, self.server_name)
        except CertificateError:
            return False
        return True

    def _is_good(self) -> bool:
        """Tell whether the certificate in use serves, so that there is something to lose."""
        assert self._leaf is not None
        return not expired(self._leaf.certificate, _now()) and self._is_trusted(self._leaf, self._in_use, 0)

    def _install(self, leaf: Leaf) -> None:
        self._use(leaf, context_of(leaf))

    def _use(self, leaf: Leaf, context: ssl.SSLContext) -> None:
        self._leaf, self._in_use, self._anchor = leaf, context, leaf.trusted[0]
        with contextlib.suppress(CertificateError):  # a CA may not be valid yet: readiness says so
            self._anchor = anchor(context, leaf, leaf.trusted, self.server_name)
        self._measure()

    def _measure(self) -> None:
        """Show when the certificate expires, and the CA."""
        if self._leaf is not None and self._anchor is not None:
            authority = self._authority.certificate if self._authority else self._anchor
            for name, certificate in (("serving", self._leaf.certificate), ("ca", authority)):
                expiry = certificate.not_valid_after_utc.timestamp()
                self._metrics.certificate_expiry.labels(name).set(expiry)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._in_use


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
