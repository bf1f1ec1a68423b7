"""Certificates that another issuer gives, and what a handshake shows of them."""

import asyncio
import datetime
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sidecar_injector.certificates import Authority, Leaf, bundle, issue, load_leaf, new_authority, service_hosts
from sidecar_injector.errors import CertificateError
from sidecar_injector.names import Metric
from sidecar_injector.serving.handshake import client_context, complaint, context_of
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

NOW = datetime.datetime.now(datetime.UTC)
NAME = "sidecar-injector.mesh.svc"
HOSTS = service_hosts("sidecar-injector", "mesh")
CA, OTHER_CA = new_authority(NOW), new_authority(NOW)
"""Made at one time, they have one name: as the CAs of an issuer have that renews its CA."""
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def given_leaf(key: Key, authority: Authority = CA, name: str = NAME, start: datetime.datetime = NOW) -> Leaf:
    """Return a certificate for any kind of key."""
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.certificate.subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start - timedelta(minutes=1)).not_valid_after(start + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
    certificate = builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return load_leaf(certificate, key.private_bytes(*form), authority.bundle_pem, NOW)


def tls_with(leaf: Leaf) -> Tls:
    tls = Tls(Settings(namespace="mesh"), Metrics())
    tls.offer(leaf)
    tls.published(tls.ca_bundle)
    return tls


def presented(tls: Tls, name: str | None = NAME) -> bytes:
    """Return the certificate that a client gets, which may say no name."""
    context = client_context(CA.bundle_pem + OTHER_CA.bundle_pem)
    context.check_hostname = name is not None
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    server = tls.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.getpeercert(binary_form=True) or b""


def der(leaf: Leaf) -> bytes:
    return leaf.certificate.public_bytes(serialization.Encoding.DER)


KEYS: dict[str, Key] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "RSA": rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("after", KEYS)
@pytest.mark.parametrize("before", KEYS)
def test_the_newest_certificate_is_presented_whatever_kinds_the_keys_are(before: str, after: str) -> None:
    first, second = given_leaf(KEYS[before]), given_leaf(KEYS[after])
    tls = tls_with(first)
    assert presented(tls) == der(first)
    tls.offer(second)
    assert tls.renew()
    assert presented(tls) == der(second)


def test_a_client_that_says_no_name_is_served_too() -> None:
    leaf = given_leaf(KEYS["P-256"])
    assert presented(tls_with(leaf), None) == der(leaf)


def test_a_certificate_of_a_new_ca_waits_until_that_is_trusted() -> None:
    first, second = given_leaf(KEYS["P-256"]), given_leaf(KEYS["P-384"], OTHER_CA)
    tls = tls_with(first)
    tls.offer(second)
    assert tls.ca_bundle == OTHER_CA.bundle_pem + CA.bundle_pem
    assert not tls.renew()
    tls.published(tls.ca_bundle)
    assert not tls.renew(), "they were told just now"
    assert presented(tls) == der(first)


def test_of_cas_with_one_name_any_may_be_the_one() -> None:
    leaf = given_leaf(KEYS["P-256"])
    for trusted in ((OTHER_CA, CA), (CA, OTHER_CA)):
        tls = tls_with(Leaf(leaf.certificate, leaf.pem, tuple(each.certificate for each in trusted)))
        assert tls.problem() == ""
        expiry = tls._metrics.registry.get_sample_value(Metric.CERTIFICATE_EXPIRY, {"certificate": "ca"})
        assert expiry == CA.certificate.not_valid_after_utc.timestamp()


def test_what_was_offered_last_counts() -> None:
    first, second = given_leaf(KEYS["P-256"]), given_leaf(KEYS["P-384"], OTHER_CA)
    tls = tls_with(first)
    tls.offer(second)
    tls.offer(first)
    assert tls.ca_bundle == CA.bundle_pem
    assert not tls.renew()


@pytest.mark.parametrize(
    ("leaf", "problem"),
    [
        (given_leaf(KEYS["P-256"], name="other.mesh.svc"), "not valid for 'sidecar-injector.mesh.svc'"),
        (given_leaf(KEYS["P-256"], start=NOW + timedelta(hours=1)), "certificate is not yet valid"),
        (Leaf(given_leaf(KEYS["P-256"]).certificate, given_leaf(KEYS["P-256"]).pem, OTHER_CA.trusted), "signature"),
        (Leaf(CA.certificate, b"garbage", CA.trusted), "OpenSSL does not take the certificate"),
    ],
    ids=["another name", "not yet valid", "another CA", "unreadable"],
)
def test_what_would_not_be_trusted_is_not_taken(leaf: Leaf, problem: str) -> None:
    tls = tls_with(given_leaf(KEYS["RSA"]))
    before = presented(tls)
    with pytest.raises(CertificateError, match=problem):
        tls.offer(leaf)
    assert not tls.renew()
    assert presented(tls) == before


def test_a_common_name_alone_is_no_name() -> None:
    """Go has not looked at it since 1.15."""
    key = KEYS["P-256"]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(CA.certificate.subject)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    certificate = builder.sign(CA.key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    text = key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM)
    assert "Hostname mismatch" in complaint(context_of(Leaf(certificate, text, CA.trusted)), CA.bundle_pem, NAME)


def test_a_ca_whose_certificates_would_not_be_trusted_is_refused() -> None:
    tls = tls_with(given_leaf(KEYS["P-256"]))
    assert tls.refusal(CA) == ""
    early = new_authority(NOW + timedelta(hours=1))
    assert tls.refusal(early) == (
        f"a certificate of this CA would not be trusted as {NAME}: certificate is not yet valid"
    )


def test_nobody_is_trusted_with_an_empty_bundle() -> None:
    assert complaint(context_of(given_leaf(KEYS["P-256"])), b"", NAME)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connections_outlive_the_certificate_and_no_session_does(version: ssl.TLSVersion) -> None:
    async def talk() -> tuple[bytes, bytes, bytes, bool]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()

        tls = tls_with(given_leaf(KEYS["P-256"]))
        context = client_context(CA.bundle_pem)
        context.maximum_version = version
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=tls.context)
        async with server:
            address = server.sockets[0].getsockname()
            kept = await asyncio.open_connection(*address, ssl=context, server_hostname=NAME)
            replies = [await exchange(kept)]
            tls.offer(given_leaf(KEYS["P-384"]))
            assert tls.renew()
            replies.append(await exchange(kept))
            resumed = await asyncio.to_thread(resumes, address, context)
            kept[1].close()
            return replies[0], replies[1], presented(tls), resumed

    before, after, now_presented, resumed = asyncio.run(talk())
    assert before == after == b"hello\n"
    assert x509.load_der_x509_certificate(now_presented).public_key() == KEYS["P-384"].public_key()
    assert not resumed


async def exchange(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    reader, writer = connection
    writer.write(b"hello\n")
    return await reader.readline()


def resumes(address: tuple[str, int], context: ssl.SSLContext) -> bool:
    """Tell whether a second connection resumes the session of a first one."""
    session = None
    for _ in range(2):
        with (
            socket.create_connection(address, 5) as connection,
            context.wrap_socket(connection, server_hostname=NAME, session=session) as wrapped,
        ):
            wrapped.sendall(b"hello\n")
            assert wrapped.recv(6) == b"hello\n"
            session, reused = wrapped.session, wrapped.session_reused
    return bool(reused)


WRITTEN: list[str] = []
LISTENING: list[bool] = []


def hook(event: str, arguments: tuple[object, ...]) -> None:
    """Note the names of files that are opened for writing, or made, while somebody listens."""
    if LISTENING and event == "open" and isinstance(arguments[0], str | bytes):
        flags = arguments[2]
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            WRITTEN.append(os.fsdecode(arguments[0]))


@contextmanager
def listening() -> Iterator[list[str]]:
    if not LISTENING:
        sys.addaudithook(hook)
    LISTENING.append(True)
    try:
        yield WRITTEN
    finally:
        LISTENING.clear()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="elsewhere OpenSSL needs a file for a moment")
def test_no_file_is_written(tmp_path: os.PathLike[str]) -> None:
    with listening() as written:
        with open(os.path.join(tmp_path, "witness"), "w"):
            pass
        tls = Tls(Settings(namespace="mesh", certificate_lifetime_hours=0.01), Metrics())
        tls.adopt(CA)
        tls.published(bundle([CA.certificate, OTHER_CA.certificate]))
        tls.adopt(OTHER_CA)
        assert tls.renew()
        tls.offer(issue(CA, HOSTS, NOW))
        assert tls.renew()
    assert [os.path.basename(name) for name in written] == ["witness"]
