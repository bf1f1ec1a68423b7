"""How replicas tell the leader what they serve: each keeps a Lease of its own, with its report as annotations.

A Lease is what Kubernetes itself uses for "I am alive" (of nodes and of API servers); the annotations save a second
object and a second write.
"""

import asyncio
import dataclasses
import datetime
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import leases, paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.config import Report, Served
from sidecar_injector.errors import ClusterError

VALID_SECONDS = 10
"""How long a report counts without being renewed."""
FORGOTTEN_SECONDS = 60
"""A Lease that is not renewed for so long is deleted: its replica was killed, and comes back under another name."""

_CONFIGS = f"{names.GROUP}/configs"
_TRUSTED = f"{names.GROUP}/trusted"
_FIELDS = tuple(field.name for field in dataclasses.fields(Served))
"""Another version of the operator, while it is being updated, may write more."""


def lease_name(replica: str) -> str:
    """Return the name of a replica's Lease."""
    return f"{names.REPLICA_LEASE_PREFIX}{re.sub('[^a-z0-9-]', '-', replica.lower())[:200]}"


def to_lease(namespace: str, report: Report, now: str) -> Object:
    """Return the Lease that carries a report."""
    configs = {name: dataclasses.asdict(each) for name, each in sorted(report.configs.items())}
    return leases.lease(
        namespace,
        lease_name(report.replica),
        {"holderIdentity": report.replica, "leaseDurationSeconds": VALID_SECONDS, "renewTime": now},
        {names.REPLICA_LABEL: "true"},
        {_CONFIGS: json.dumps(configs, separators=(",", ":")), _TRUSTED: report.trusted.decode()},
    )


def from_lease(lease: Object) -> Report:
    """Return the report that a Lease carries; one that cannot be read says nothing."""
    annotations: Mapping[str, Any] = lease["metadata"].get("annotations") or {}
    replica = (lease.get("spec") or {}).get("holderIdentity") or lease["metadata"]["name"]
    try:
        found = json.loads(annotations.get(_CONFIGS, "{}"))
        configs = {name: Served(**{field: each[field] for field in _FIELDS}) for name, each in found.items()}
    except (ValueError, TypeError, AttributeError, KeyError):
        configs = {}  # spoilt by hand: as if it served nothing
    return Report(replica, configs, annotations.get(_TRUSTED, "").encode())


async def withdraw(api: Api, namespace: str, lease: str, uid: str) -> None:
    """Delete the Lease of this name, unless another one has taken its place. Raises ClusterError."""
    try:
        await api.delete(f"{paths.leases(namespace)}/{lease}", uid)
    except ClusterError as error:
        if error.status not in (404, 409):
            raise


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A replica's Lease as it was last seen, and when (monotonic seconds) it last changed."""

    lease: Object
    report: Report
    moment: float


class Replicas:
    """The reports of all replicas, as a watch tells them. Validity is counted from when a renewal was seen here, so the
    clocks of the replicas need not agree. Only what is seen for the first time is as old as it says: else a leader that
    starts would take the dead for living. One that lives, and whose clock is late, counts from its next renewal on."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self.known = asyncio.Event()
        """Set as soon as all Leases were listed once."""

    async def follow(self, api: Api, namespace: str, changed: Callable[[], None]) -> None:
        """List and watch the Leases until the API server ends the watch, or fails (ClusterError); tell of changes."""
        query = {"labelSelector": names.REPLICA_LABEL}
        listing = await api.list(paths.leases(namespace), query)
        if self.compare(listing.items):
            changed()
        self.known.set()
        async for event in api.watch(paths.leases(namespace), {**query, "resourceVersion": listing.version}):
            if self.see(event):
                changed()

    def see(self, event: Object) -> bool:
        """Take in an event of the watch and tell whether what is reported has changed."""
        lease = event["object"]
        if event["type"] == "DELETED":
            return self._seen.pop(lease["metadata"]["name"], None) is not None
        return self._note(lease)

    def compare(self, listed: Iterable[Object]) -> bool:
        """Take in a complete list and tell whether what is reported has changed."""
        found = {lease["metadata"]["name"]: lease for lease in listed}
        gone = self._seen.keys() - found.keys()
        for name in gone:
            del self._seen[name]
        changed = [self._note(lease) for lease in found.values()]
        return bool(gone) or any(changed)

    def live(self) -> tuple[Report, ...]:
        """Return the reports that are valid, by the replicas' names."""
        return self._younger(VALID_SECONDS)

    def all(self) -> tuple[Report, ...]:
        """Return every report, of replicas too that may have been silent for a while only."""
        return self._younger(float("inf"))

    def forgotten(self) -> list[Object]:
        """Return the Leases that are to be deleted."""
        return [each.lease for each in self._seen.values() if time.monotonic() - each.moment > FORGOTTEN_SECONDS]

    def _note(self, lease: Object) -> bool:
        name = lease["metadata"]["name"]
        before = self._seen.get(name)
        if before is not None and before.lease["spec"] == lease["spec"]:
            return False
        age = 0.0 if before else min(leases.age(lease, datetime.datetime.now(datetime.UTC)), VALID_SECONDS)
        self._seen[name] = _Seen(lease, from_lease(lease), time.monotonic() - age)
        return before is None or before.report != self._seen[name].report

    def _younger(self, seconds: float) -> tuple[Report, ...]:
        now = time.monotonic()
        found = (each.report for each in self._seen.values() if now - each.moment < seconds)
        return tuple(sorted(found, key=lambda report: report.replica))
