"""A serving certificate that another issuer has made, such as cert-manager."""

import datetime

from sidecar_injector.certificates import pem
from sidecar_injector.certificates.authority import Leaf
from sidecar_injector.certificates.renewal import expired
from sidecar_injector.errors import CertificateError

MOST_GIVEN = 16
"""CAs to be trusted. Who has the key of one can decide what goes into Pods: a bundle of everybody's is a mistake."""


def load_leaf(certificate: bytes, key: bytes, trusted: bytes, now: datetime.datetime) -> Leaf:
    """Read a serving certificate, its key, and the CAs to be trusted, from PEM.

    What leads from the certificate to a CA comes after it. Raises CertificateError that says what is broken: halves of
    two pairs among others.
    """
    chain = pem.read_certificates("the certificate", certificate)
    private = pem.read_private_key("the private key", key)
    if not pem.belong_together(private, chain[0]):
        raise CertificateError("the private key does not belong to the certificate")
    if expired(chain[0], now):
        raise CertificateError(f"the certificate expired at {chain[0].not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}")
    authorities = tuple(dict.fromkeys(pem.read_certificates("the CA bundle", trusted)))
    if len(authorities) > MOST_GIVEN:
        raise CertificateError(f"the CA bundle holds {len(authorities)} certificates; at most {MOST_GIVEN} are allowed")
    text = pem.private_key(private) + pem.certificates(chain)
    return Leaf(chain[0], text, authorities)
