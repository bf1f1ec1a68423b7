"""TLS contexts from certificates in memory, and handshakes with them as an API server would shake hands."""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence

from cryptography import x509

from sidecar_injector.certificates import Leaf, bundle
from sidecar_injector.errors import CertificateError


def server_context() -> ssl.SSLContext:
    """Return a context for serving, without a certificate.

    No session can be resumed: API servers do not try to, and a session that outlives a certificate would hide whether
    its successor is trusted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def context_of(leaf: Leaf) -> ssl.SSLContext:
    """Return a context that serves a certificate; raises CertificateError."""
    context = server_context()
    try:
        with _readable(leaf.pem) as path:
            context.load_cert_chain(path, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(f"OpenSSL does not take the certificate: {error}") from None
    return context


def client_context(trusted: bytes) -> ssl.SSLContext:
    """Return a context that verifies as Go does: a CA in the bundle need not be a root, and a name has to be a SAN."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    if trusted:
        context.load_verify_locations(cadata=trusted.decode())
    return context


def anchor(server: ssl.SSLContext, leaf: Leaf, trusted: Sequence[x509.Certificate], name: str) -> x509.Certificate:
    """Return the one of these CAs for whose sake an API server trusts a certificate, served by this context, as `name`.

    Raises CertificateError that says why there is none. They are tried one by one: of several CAs with one name OpenSSL
    would try the first only, other than Go.
    """
    likely_first = sorted(trusted, key=lambda each: each.subject != leaf.certificate.issuer)
    problems = []
    for each in likely_first:
        problem = complaint(server, bundle((each,)), name)
        if not problem:
            return each
        problems.append(problem)
    raise CertificateError(problems[0] if problems else "there is no CA to be trusted")


def complaint(server: ssl.SSLContext, trusted: bytes, name: str) -> str:
    """Shake hands in memory with a client that trusts this bundle; return what it complains about, or nothing."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client_context(trusted).wrap_bio(to_client, to_server, server_hostname=name)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for side in (client_side, server_side):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLError, ssl.CertificateError) as error:
                return getattr(error, "verify_message", "") or str(error)
    return ""


def _no_password() -> str:
    raise ValueError("the private key is encrypted")


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
