"""PEM to certificates and keys, and back."""

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sidecar_injector.errors import CertificateError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
CURVES = ("secp256r1", "secp384r1", "secp521r1")
LEAST_RSA_BITS = 2048


def certificates(found: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as one PEM text, each once, in the order given."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in dict.fromkeys(found))


def private_key(key: PrivateKey) -> bytes:
    """Return a key as unencrypted PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_certificates(what: str, text: bytes) -> tuple[x509.Certificate, ...]:
    """Return every certificate of a PEM text, at least one; raises CertificateError that begins with `what`."""
    try:
        return tuple(x509.load_pem_x509_certificates(text))
    except ValueError as error:
        raise CertificateError(f"{what} is not PEM: {error}") from None


def read_private_key(what: str, text: bytes) -> PrivateKey:
    """Return a key that API servers can do with; raises CertificateError that begins with `what`.

    Go's crypto/tls, which they are built on, knows these kinds and curves.
    """
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{what} is not PEM, or is encrypted: {error}") from None
    if not isinstance(key, PrivateKey):
        raise CertificateError(f"{what} is of type {type(key).__name__}; allowed are ECDSA, RSA and Ed25519")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in CURVES:
        raise CertificateError(f"{what} is on the curve {key.curve.name}; allowed are {', '.join(CURVES)}")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
        raise CertificateError(f"{what} is RSA of {key.key_size} bits; at least {LEAST_RSA_BITS} are allowed")
    return key


def belong_together(key: PrivateKey, certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is for this key; raises CertificateError if that cannot be read from it."""
    try:
        public = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"the public key in the certificate cannot be read: {error}") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form) == public.public_bytes(*form)
