"""CA and serving certificates, from bytes and a given time."""

import base64
import datetime
import inspect
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sidecar_injector import certificates
from sidecar_injector.certificates import Authority, Leaf
from sidecar_injector.errors import CertificateError
from sidecar_injector.serving.handshake import complaint, context_of

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
HOSTS = (*certificates.service_hosts("injector", "mesh"), "192.0.2.7", "::1")


def reloaded(authority: Authority, now: datetime.datetime = NOW) -> Authority:
    return certificates.load_authority(authority.certificate_pem, authority.key_pem, authority.bundle_pem, now)


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_of(leaf: Leaf) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(leaf.pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def test_an_authority_survives_the_way_through_pem() -> None:
    authority = certificates.new_authority(NOW)
    again = reloaded(authority)
    assert again == authority
    assert again.key_pem == authority.key_pem


def test_what_an_authority_signs_is_trusted_with_its_bundle() -> None:
    authority = certificates.new_authority(NOW)
    leaf = certificates.issue(authority, HOSTS, NOW)
    leaf.certificate.verify_directly_issued_by(authority.certificate)
    assert ssl.create_default_context(cadata=authority.bundle_pem.decode()).cert_store_stats()["x509_ca"] == 1


def test_a_leaf_is_valid_for_its_hosts_and_for_serving_only() -> None:
    leaf = certificates.issue(certificates.new_authority(NOW), HOSTS, NOW).certificate
    extensions = leaf.extensions
    alternatives = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == [
        "injector.mesh.svc",
        "injector.mesh.svc.cluster.local",
        "injector.mesh",
        "injector",
    ]
    assert [str(ip) for ip in alternatives.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "::1"]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_keys_are_p256() -> None:
    authority = certificates.new_authority(NOW)
    assert isinstance(authority.key.curve, ec.SECP256R1)
    assert isinstance(key_of(certificates.issue(authority, HOSTS, NOW)).curve, ec.SECP256R1)


def test_a_clock_that_is_a_little_behind_accepts_new_certificates() -> None:
    authority = certificates.new_authority(NOW)
    leaf = certificates.issue(authority, HOSTS, NOW)
    for certificate in (authority.certificate, leaf.certificate):
        assert certificate.not_valid_before_utc <= NOW - timedelta(minutes=5)


def test_a_leaf_does_not_outlive_its_authority() -> None:
    authority = certificates.new_authority(NOW)
    late = authority.certificate.not_valid_after_utc - timedelta(days=1)
    leaf = certificates.issue(authority, HOSTS, late)
    assert leaf.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


@pytest.mark.parametrize("seconds", [36, 60, 3600, 90 * 86400])
def test_a_certificate_is_not_due_when_it_is_made_however_short_its_life(seconds: int) -> None:
    lifetime = timedelta(seconds=seconds)
    authority = certificates.new_authority(NOW, (), lifetime)
    for certificate in (authority.certificate, certificates.issue(authority, HOSTS, NOW, lifetime).certificate):
        assert certificate.not_valid_after_utc == NOW + lifetime
        assert not certificates.needs_renewal(certificate, NOW + lifetime / 2)
        assert certificates.needs_renewal(certificate, NOW + lifetime * 2 / 3)


@pytest.mark.parametrize(
    ("share", "needed"), [(0.0, False), (0.5, False), (0.66, False), (0.67, True), (0.99, True), (1.5, True)]
)
def test_a_certificate_is_renewed_at_two_thirds_of_its_life(share: float, needed: bool) -> None:
    certificate = certificates.new_authority(NOW).certificate
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert certificates.needs_renewal(certificate, certificate.not_valid_before_utc + life * share) is needed


def test_a_new_authority_keeps_trusting_its_predecessors_until_they_expire() -> None:
    oldest = certificates.new_authority(NOW - timedelta(days=4000))
    old = certificates.new_authority(NOW - timedelta(days=3000))
    new = certificates.new_authority(NOW, (*old.trusted, *oldest.trusted))
    assert new.trusted == (new.certificate, old.certificate)
    assert reloaded(new).trusted == new.trusted


def test_no_more_than_eight_cas_are_trusted_at_a_time() -> None:
    many = [certificates.new_authority(NOW) for _ in range(9)]
    newest = certificates.new_authority(NOW, [each.certificate for each in many])
    assert newest.trusted == (newest.certificate, *(each.certificate for each in many[:7]))


def foreign_authority(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, *, identifier: bytes = b""
) -> Authority:
    """Return a CA that somebody else has made, with a key of another kind, or another name for its key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign")])
    now = datetime.datetime.now(datetime.UTC)  # OpenSSL has a clock of its own
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(identifier), critical=False)
    certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return certificates.load_authority(pem, pem_of(key), b"", now)


@pytest.mark.parametrize(
    "authority",
    [
        foreign_authority(rsa.generate_private_key(65537, 2048)),
        foreign_authority(ec.generate_private_key(ec.SECP384R1())),
        foreign_authority(ed25519.Ed25519PrivateKey.generate()),
        foreign_authority(ec.generate_private_key(ec.SECP256R1()), identifier=b"any name for the key"),
    ],
    ids=["RSA", "P-384", "Ed25519", "another way to name keys"],
)
def test_a_ca_that_somebody_else_has_made_signs_what_is_trusted(authority: Authority) -> None:
    leaf = certificates.issue(authority, HOSTS, datetime.datetime.now(datetime.UTC))
    assert complaint(context_of(leaf), authority.bundle_pem, HOSTS[0]) == ""
    assert complaint(context_of(leaf), OTHER.bundle_pem, HOSTS[0]) == "unable to get local issuer certificate"


def test_a_bundle_holds_each_certificate_once() -> None:
    authority = certificates.new_authority(NOW)
    twice = certificates.bundle([authority.certificate, authority.certificate])
    assert twice == authority.certificate_pem


def not_an_authority() -> tuple[bytes, bytes]:
    leaf = certificates.issue(certificates.new_authority(NOW), HOSTS, NOW)
    return leaf.certificate.public_bytes(serialization.Encoding.PEM), pem_of(key_of(leaf))


def without_basic_constraints() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), pem_of(key)


def without_the_right_to_sign() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    usage = dict.fromkeys(inspect.signature(x509.KeyUsage).parameters, False) | {"digital_signature": True}
    builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), pem_of(key)


GOOD = certificates.new_authority(NOW)
OTHER = certificates.new_authority(NOW)
OLD = certificates.new_authority(NOW - timedelta(days=3651))
EC_PUBLIC_KEY, SUBJECT_KEY, AUTHORITY_KEY = b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x55\x1d\x0e", b"\x55\x1d\x23"


def garbled(pem: bytes, old: bytes, new: bytes) -> bytes:
    """The same PEM with one object identifier replaced."""
    first, *body, last = pem.strip().split(b"\n")
    content = base64.b64decode(b"".join(body))
    assert old in content
    return b"\n".join([first, base64.b64encode(content.replace(old, new)), last])


@pytest.mark.parametrize(
    ("certificate", "key", "trusted", "problem"),
    [
        (b"garbage", GOOD.key_pem, b"", "the CA certificate is not PEM"),
        (b"", GOOD.key_pem, b"", "the CA certificate is not PEM"),
        (GOOD.certificate_pem[:200], GOOD.key_pem, b"", "the CA certificate is not PEM"),
        (GOOD.certificate_pem, b"garbage", b"", "the CA's private key is not PEM"),
        (GOOD.certificate_pem, GOOD.certificate_pem, b"", "the CA's private key is not PEM"),
        (GOOD.certificate_pem, OTHER.key_pem, b"", "does not belong to its certificate"),
        (GOOD.certificate_pem, GOOD.key_pem, b"garbage", "the trusted bundle is not PEM"),
        (OLD.certificate_pem, OLD.key_pem, b"", "the CA certificate expired at 2029-12-31T00:00:00Z"),
        (
            GOOD.certificate_pem,
            pem_of(rsa.generate_private_key(65537, 2048)),
            b"",
            "does not belong to its certificate",
        ),
        (
            garbled(GOOD.certificate_pem, EC_PUBLIC_KEY, EC_PUBLIC_KEY[:-1] + b"\x7f"),
            GOOD.key_pem,
            b"",
            "the public key in the certificate cannot be read",
        ),
        (
            GOOD.certificate_pem,
            garbled(GOOD.key_pem, EC_PUBLIC_KEY, EC_PUBLIC_KEY[:-1] + b"\x7f"),
            b"",
            "the CA's private key is not PEM, or is encrypted: Unknown key type",
        ),
        (garbled(GOOD.certificate_pem, SUBJECT_KEY, AUTHORITY_KEY), GOOD.key_pem, b"", "may not sign other"),
        (*not_an_authority(), b"", "may not sign other certificates"),
        (*without_basic_constraints(), b"", "may not sign other certificates .basicConstraints: CA is not true"),
        (*without_the_right_to_sign(), b"", "may not sign other certificates .keyUsage: no keyCertSign"),
    ],
)
def test_what_is_broken_is_said(certificate: bytes, key: bytes, trusted: bytes, problem: str) -> None:
    with pytest.raises(CertificateError, match=problem):
        certificates.load_authority(certificate, key, trusted, NOW)


def test_private_keys_do_not_show_in_a_representation() -> None:
    for secret in (GOOD, certificates.issue(GOOD, HOSTS, NOW)):
        assert "key" not in repr(secret)
        assert "PRIVATE" not in repr(secret)
