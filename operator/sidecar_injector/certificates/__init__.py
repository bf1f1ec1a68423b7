"""CA and serving certificates from bytes and a given "now". Pure: no clock, no files, no network."""

from sidecar_injector.certificates.authority import (
    Authority,
    Leaf,
    issue,
    load_authority,
    new_authority,
    service_hosts,
    without_expired,
)
from sidecar_injector.certificates.bundles import merged
from sidecar_injector.certificates.given import load_leaf
from sidecar_injector.certificates.keeping import OVERLAP, Cause, Notes, Step, next_step
from sidecar_injector.certificates.pem import certificates as bundle
from sidecar_injector.certificates.pem import read_certificates
from sidecar_injector.certificates.renewal import expired, needs_renewal, renewal_time

__all__ = [
    "OVERLAP",
    "Authority",
    "Cause",
    "Leaf",
    "Notes",
    "Step",
    "bundle",
    "expired",
    "issue",
    "load_authority",
    "load_leaf",
    "merged",
    "needs_renewal",
    "new_authority",
    "next_step",
    "read_certificates",
    "renewal_time",
    "service_hosts",
    "without_expired",
]
