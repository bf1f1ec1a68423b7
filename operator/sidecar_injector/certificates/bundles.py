"""Bundles that several replicas need trusted at a time."""

import datetime
from collections.abc import Iterable

from cryptography import x509

from sidecar_injector.certificates import pem
from sidecar_injector.certificates.authority import without_expired


def merged(bundles: Iterable[bytes], now: datetime.datetime) -> bytes:
    """Return one PEM text with every certificate of these that has not expired, each once, in the order given.

    A text that is no PEM adds nothing: a replica whose report is spoilt must not take the trust from the others.
    """
    return pem.certificates(without_expired([each for text in bundles for each in _readable(text)], now))


def _readable(text: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        return []
