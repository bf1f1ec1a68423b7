"""When a certificate must be replaced, as pure functions of the certificate and the time."""

import datetime

from cryptography import x509


def renewal_time(certificate: x509.Certificate) -> datetime.datetime:
    """Return the moment at which two thirds of the certificate's life are over: from then on it is renewed.

    The last third is left for failures; cert-manager chooses the same share.
    """
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_before_utc + life * 2 / 3


def needs_renewal(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Tell whether two thirds of the certificate's life are over."""
    return now >= renewal_time(certificate)


def expired(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Tell whether the certificate is accepted no longer."""
    return now >= certificate.not_valid_after_utc
