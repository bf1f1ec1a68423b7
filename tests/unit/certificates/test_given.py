"""Certificates of another issuer."""

import datetime
import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from sidecar_injector.certificates import Authority, issue, load_leaf, new_authority
from sidecar_injector.errors import CertificateError

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
CA, OTHER_CA = new_authority(NOW), new_authority(NOW)


def halves(authority: Authority, now: datetime.datetime = NOW) -> tuple[bytes, bytes]:
    """Return a certificate and its key."""
    leaf = issue(authority, ["injector.mesh.svc"], now)
    key, end, certificate = leaf.pem.partition(b"-----END PRIVATE KEY-----\n")
    return certificate, key + end


CERTIFICATE, KEY = halves(CA)
OTHER_CERTIFICATE, OTHER_KEY = halves(OTHER_CA)


def test_what_is_good_is_taken_as_it_is() -> None:
    leaf = load_leaf(CERTIFICATE, KEY, CA.bundle_pem + OTHER_CA.bundle_pem, NOW)
    assert leaf.pem == KEY + CERTIFICATE
    assert leaf.trusted == (CA.certificate, OTHER_CA.certificate)


def test_what_leads_to_the_ca_is_kept() -> None:
    leaf = load_leaf(CERTIFICATE + OTHER_CERTIFICATE, KEY, CA.bundle_pem, NOW)
    assert leaf.pem == KEY + CERTIFICATE + OTHER_CERTIFICATE


TOO_MANY = b"".join(new_authority(NOW).bundle_pem for _ in range(17))


def pem(key: PrivateKeyTypes, password: bytes = b"") -> bytes:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


@pytest.mark.parametrize(
    ("certificate", "key", "trusted", "problem"),
    [
        (b"", KEY, CA.bundle_pem, "the certificate is not PEM"),
        (CERTIFICATE[:300], KEY, CA.bundle_pem, "the certificate is not PEM"),
        (KEY, CERTIFICATE, CA.bundle_pem, "the certificate is not PEM"),
        (CERTIFICATE, b"", CA.bundle_pem, "the private key is not PEM, or is encrypted"),
        (CERTIFICATE, KEY[:100], CA.bundle_pem, "the private key is not PEM, or is encrypted"),
        (CERTIFICATE, pem(ec.generate_private_key(ec.SECP256R1()), b"x"), CA.bundle_pem, "or is encrypted"),
        (CERTIFICATE, OTHER_KEY, CA.bundle_pem, "the private key does not belong to the certificate"),
        (CERTIFICATE, pem(ed25519.Ed25519PrivateKey.generate()), CA.bundle_pem, "does not belong to the certificate"),
        (
            CERTIFICATE,
            pem(ec.generate_private_key(ec.SECP256K1())),
            CA.bundle_pem,
            "is on the curve secp256k1; allowed",
        ),
        (CERTIFICATE, pem(rsa.generate_private_key(65537, 1024)), CA.bundle_pem, "is RSA of 1024 bits; at least 2048"),
        (CERTIFICATE, KEY, b"", "the CA bundle is not PEM"),
        (CERTIFICATE, KEY, TOO_MANY, "the CA bundle holds 17 certificates; at most 16 are allowed"),
        (*halves(CA, NOW - timedelta(days=91)), CA.bundle_pem, "the certificate expired at 2029-12-31T00:00:00Z"),
    ],
)
def test_what_is_broken_is_said_without_the_key(certificate: bytes, key: bytes, trusted: bytes, problem: str) -> None:
    with pytest.raises(CertificateError, match=problem) as caught:
        load_leaf(certificate, key, trusted, NOW)
    lines = [line.decode() for line in re.findall(rb"^[A-Za-z0-9+/=]{16,}$", key, re.MULTILINE)]
    assert not [line for line in lines if line in str(caught.value)]
