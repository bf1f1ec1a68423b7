"""The certificate authority that API servers are told to trust, and the serving certificates that it signs.

Bytes and a given "now" go in, values and bytes come out; nothing here reads a clock, a file or the network.
Keys are ECDSA P-256: a handshake costs the server less than half of RSA-2048's.
"""

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sidecar_injector.certificates.renewal import expired
from sidecar_injector.errors import CertificateError
from sidecar_injector.names import APP

CA_LIFETIME = datetime.timedelta(days=3650)
LEAF_LIFETIME = datetime.timedelta(days=90)
BACKDATED = datetime.timedelta(minutes=5)
"""Certificates begin a little in the past, so that a peer whose clock is behind accepts them at once."""


@dataclass(frozen=True)
class Authority:
    """A CA: the certificate that signs, its key, and everything to be trusted (that certificate first)."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(compare=False, repr=False)
    trusted: tuple[x509.Certificate, ...]

    @property
    def certificate_pem(self) -> bytes:
        """The signing certificate."""
        return _pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted PKCS #8."""
        return _key_pem(self.key)

    @property
    def bundle_pem(self) -> bytes:
        """Every trusted certificate."""
        return bundle(self.trusted)


@dataclass(frozen=True)
class Leaf:
    """A serving certificate with its key, and the certificate of the CA that signed it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(compare=False, repr=False)
    issuer: x509.Certificate

    @property
    def pem(self) -> bytes:
        """Key and certificate in one text, as `ssl.SSLContext.load_cert_chain` reads them."""
        return _key_pem(self.key) + _pem(self.certificate)


def new_authority(now: datetime.datetime, previous: Sequence[x509.Certificate] = ()) -> Authority:
    """Make a CA; `previous` CAs that have not expired stay trusted, so that what they signed is accepted meanwhile."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{APP} CA {now:%Y-%m-%dT%H:%M:%SZ}")])
    certificate = (
        _builder(name, name, key, key, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key, without_expired([certificate, *previous], now))


def load_authority(certificate: bytes, key: bytes, trusted: bytes, now: datetime.datetime) -> Authority:
    """Read a CA from PEM; `trusted` may be empty, or hold certificates in any order, with expired ones among them.

    Raises CertificateError that says what is broken.
    """
    signing = _load_certificates("the CA certificate", certificate)[0]
    private = _load_key(key)
    if _public_bytes(private.public_key()) != _public_bytes(_public_key(signing)):
        raise CertificateError("the CA's private key does not belong to its certificate")
    if expired(signing, now):
        raise CertificateError(f"the CA certificate expired at {signing.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}")
    if not _may_sign(signing):
        raise CertificateError("the CA certificate may not sign other certificates (basicConstraints: CA is not true)")
    others = _load_certificates("the trusted bundle", trusted) if trusted.strip() else []
    return Authority(signing, private, without_expired([signing, *others], now))


def issue(authority: Authority, hosts: Sequence[str], now: datetime.datetime) -> Leaf:
    """Sign a serving certificate for these DNS names and IP addresses, for no longer than the CA itself lasts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, APP)])
    lifetime = min(LEAF_LIFETIME, authority.certificate.not_valid_after_utc - now)
    certificate = (
        _builder(name, authority.certificate.subject, key, authority.key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Leaf(certificate, key, authority.certificate)


def service_hosts(service: str, namespace: str) -> tuple[str, ...]:
    """Return the names of a Service; API servers verify `<service>.<namespace>.svc`."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local", f"{service}.{namespace}", service)


def bundle(certificates: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as one PEM text, each once, in the order given."""
    return b"".join(_pem(certificate) for certificate in dict.fromkeys(certificates))


def without_expired(certificates: Iterable[x509.Certificate], now: datetime.datetime) -> tuple[x509.Certificate, ...]:
    """Return each certificate that has not expired once, in the order given."""
    return tuple(certificate for certificate in dict.fromkeys(certificates) if not expired(certificate, now))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _load_certificates(what: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError(f"{what} is not PEM: {error}") from None


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the CA's private key is not PEM, or is encrypted: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"the CA's private key is of type {type(key).__name__}; only ECDSA keys are used")
    return key


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the CA certificate's public key cannot be read: {error}") from None


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
