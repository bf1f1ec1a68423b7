"""The certificate authority that API servers are told to trust, and the serving certificates that it signs.

Bytes and a given "now" go in, values and bytes come out; nothing here reads a clock, a file or the network.
Keys made here are ECDSA P-256: a handshake costs the server less than half of RSA-2048's.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sidecar_injector.certificates import pem
from sidecar_injector.certificates.pem import PrivateKey
from sidecar_injector.certificates.renewal import expired
from sidecar_injector.errors import CertificateError
from sidecar_injector.names import APP

CA_LIFETIME = datetime.timedelta(days=3650)
LEAF_LIFETIME = datetime.timedelta(days=90)
BACKDATED = datetime.timedelta(minutes=5)
"""Certificates begin a little in the past, so that a peer whose clock is behind accepts them at once."""
BACKDATED_SHARE = 10
"""But by no more than this part of their life: a certificate for a minute would be due for renewal when it is made."""
MOST_TRUSTED = 8
"""CAs that are trusted at a time: rotation in a loop must not grow the Secret without a bound."""


@dataclass(frozen=True)
class Authority:
    """A CA: the certificate that signs, its key, and everything to be trusted (that certificate first)."""

    certificate: x509.Certificate
    key: PrivateKey = field(compare=False, repr=False)
    trusted: tuple[x509.Certificate, ...]

    @property
    def certificate_pem(self) -> bytes:
        """The signing certificate."""
        return pem.certificates((self.certificate,))

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted PKCS #8."""
        return pem.private_key(self.key)

    @property
    def bundle_pem(self) -> bytes:
        """Every trusted certificate."""
        return pem.certificates(self.trusted)


@dataclass(frozen=True)
class Leaf:
    """A serving certificate.

    pem     -- its key, itself and what leads from it to a CA, in one text as `ssl.SSLContext.load_cert_chain` reads it
    trusted -- the CAs to be trusted for it
    """

    certificate: x509.Certificate
    pem: bytes = field(compare=False, repr=False)
    trusted: tuple[x509.Certificate, ...]


def new_authority(
    now: datetime.datetime,
    previous: Sequence[x509.Certificate] = (),
    lifetime: datetime.timedelta = CA_LIFETIME,
) -> Authority:
    """Make a CA; `previous` CAs that have not expired stay trusted, so that what they signed is accepted meanwhile."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{APP} CA {now:%Y-%m-%dT%H:%M:%SZ}")])
    certificate = (
        _builder(name, key, now, lifetime)
        .issuer_name(name)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key, trusted_of(certificate, previous, now))


def load_authority(certificate: bytes, key: bytes, trusted: bytes, now: datetime.datetime) -> Authority:
    """Read a CA from PEM; `trusted` may be empty, or hold certificates in any order, with expired ones among them.

    Raises CertificateError that says what is broken.
    """
    signing = pem.read_certificates("the CA certificate", certificate)[0]
    private = pem.read_private_key("the CA's private key", key)
    if not pem.belong_together(private, signing):
        raise CertificateError("the CA's private key does not belong to its certificate")
    if expired(signing, now):
        raise CertificateError(f"the CA certificate expired at {signing.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}")
    _check_may_sign(signing)
    others = pem.read_certificates("the trusted bundle", trusted) if trusted.strip() else ()
    return Authority(signing, private, trusted_of(signing, others, now))


def issue(
    authority: Authority, hosts: Sequence[str], now: datetime.datetime, lifetime: datetime.timedelta = LEAF_LIFETIME
) -> Leaf:
    """Sign a serving certificate for these DNS names and IP addresses, for no longer than the CA itself lasts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, APP)])
    left = authority.certificate.not_valid_after_utc - now
    certificate = (
        _builder(name, key, now, min(lifetime, left))
        .issuer_name(authority.certificate.subject)
        .add_extension(_authority_key_identifier(authority.certificate), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .sign(authority.key, None if isinstance(authority.key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    text = pem.private_key(key) + pem.certificates((certificate,))
    return Leaf(certificate, text, (authority.certificate,))


def service_hosts(service: str, namespace: str) -> tuple[str, ...]:
    """Return the names of a Service; API servers verify `<service>.<namespace>.svc`."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local", f"{service}.{namespace}", service)


def without_expired(certificates: Sequence[x509.Certificate], now: datetime.datetime) -> tuple[x509.Certificate, ...]:
    """Return each certificate that has not expired once, in the order given."""
    return tuple(certificate for certificate in dict.fromkeys(certificates) if not expired(certificate, now))


def trusted_of(
    signing: x509.Certificate, others: Sequence[x509.Certificate], now: datetime.datetime
) -> tuple[x509.Certificate, ...]:
    """Return what is trusted besides the CA that signs: others that have not expired, the first of them."""
    return without_expired([signing, *others], now)[:MOST_TRUSTED]


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - min(BACKDATED, lifetime / BACKDATED_SHARE))
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority_key_identifier(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Name the CA's key as the CA itself does, if it does: there is more than one way to compute the name."""
    try:
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(certificate.public_key())  # type: ignore[arg-type]


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


def _check_may_sign(certificate: x509.Certificate) -> None:
    """Raise CertificateError unless the certificate is a CA's (RFC 5280, 4.2.1.9 and 4.2.1.3)."""
    may_not = "the CA certificate may not sign other certificates"
    try:
        extensions = certificate.extensions
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise CertificateError(f"{may_not} (basicConstraints: CA is not true)")
        if not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            raise CertificateError(f"{may_not} (keyUsage: no keyCertSign)")
    except x509.ExtensionNotFound as error:
        if error.oid == x509.BasicConstraints.oid:
            raise CertificateError(f"{may_not} (basicConstraints: CA is not true)") from None
    except (x509.DuplicateExtension, ValueError) as error:
        raise CertificateError(f"{may_not} (its extensions cannot be read: {error})") from None
