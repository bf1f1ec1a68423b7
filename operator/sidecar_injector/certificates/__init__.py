"""CA and serving certificates from bytes and a given "now". Pure: no clock, no files, no network."""

from sidecar_injector.certificates.authority import (
    Authority,
    Leaf,
    bundle,
    issue,
    load_authority,
    new_authority,
    service_hosts,
    without_expired,
)
from sidecar_injector.certificates.renewal import expired, needs_renewal, renewal_time

__all__ = [
    "Authority",
    "Leaf",
    "bundle",
    "expired",
    "issue",
    "load_authority",
    "needs_renewal",
    "new_authority",
    "renewal_time",
    "service_hosts",
    "without_expired",
]
