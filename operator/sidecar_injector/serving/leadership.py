"""Who writes: the replica that holds one Lease.

The protocol is that of Kubernetes' own components (client-go's leaderelection): the holder renews; another one may
take the Lease when it has not changed for its whole duration, as measured by the clock of the one who looks. The holder
gives up well before that when it cannot renew, so two replicas never write at a time, unless a request is under way for
longer than the difference.
"""

import asyncio
import contextlib
import datetime
import logging
import time
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import leases, paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import ClusterError
from sidecar_injector.serving.metrics import Metrics

DURATION_SECONDS = 10
GIVE_UP_SECONDS = 7.0
"""A holder that has not renewed for so long writes no more."""
ROUND_SECONDS = 2.0
"""Between two renewals, or two looks at somebody else's Lease."""
ATTEMPT_SECONDS = 4.0

logger = logging.getLogger(__name__)


class Leadership:
    """Takes and renews the Lease, whenever it can be had."""

    def __init__(self, api: Api, namespace: str, identity: str, metrics: Metrics) -> None:
        self._api = api
        self._namespace = namespace
        self._identity = identity
        self._metrics = metrics
        self._lease: Object | None = None
        self._spec: dict[str, Any] = {}
        self._spec_since = 0.0
        self._until = 0.0
        self._resigned = False
        self.held = asyncio.Event()
        """Set while the Lease is ours."""
        self.lost = asyncio.Event()
        """The opposite."""
        self._lose("")

    def holds(self) -> bool:
        """Tell whether the Lease is ours, by the clock: on a starved machine the events may lag behind."""
        return self.held.is_set() and time.monotonic() < self._until

    def fence(self) -> None:
        """Raise ClusterError unless the Lease is ours: called before every write that is the leader's."""
        if not self.holds():
            raise ClusterError(f"{self._identity} does not hold the Lease {names.LEADER_LEASE} any more")

    async def run(self) -> None:
        """Stand for leader until cancelled."""
        while not self._resigned:
            left = self._until - time.monotonic() if self.held.is_set() else ATTEMPT_SECONDS
            try:
                async with asyncio.timeout(min(ATTEMPT_SECONDS, left)):
                    await self._attempt()
            except (ClusterError, TimeoutError) as error:
                logger.warning("The Lease %s could not be renewed or taken: %s", names.LEADER_LEASE, _text(error))
            if self.held.is_set() and time.monotonic() >= self._until:
                self._lose("it could not be renewed")
            await asyncio.sleep(self._pause())

    async def resign(self) -> None:
        """Give the Lease back for another replica to take at once, and stand no more."""
        self._resigned = True
        held, lease = self.holds(), self._lease
        self._lose("this replica is about to stop")
        if held and lease is not None:
            given_back = {**lease, "spec": {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}}
            with contextlib.suppress(ClusterError):  # then it runs out
                await leases.put(self._api, given_back, lease["metadata"]["resourceVersion"])

    async def _attempt(self) -> None:
        started = time.monotonic()
        if self._lease is None:
            self._lease = await self._api.find(f"{paths.leases(self._namespace)}/{names.LEADER_LEASE}")
        if not self._may_take(self._lease, started):
            self._lease = None  # look again next time
            return
        try:
            self._lease = await leases.put(self._api, self._wanted(self._lease), _version(self._lease))
        except ClusterError as error:
            self._lease = None
            if error.status in (404, 409):  # somebody else was faster, or it was deleted
                return
            raise
        if not self._resigned:
            self._until = started + GIVE_UP_SECONDS
            self._gain()

    def _may_take(self, lease: Object | None, now: float) -> bool:
        spec: dict[str, Any] = (lease or {}).get("spec") or {}
        if spec != self._spec:
            self._spec, self._spec_since = spec, now
        holder = spec.get("holderIdentity")
        if holder == self._identity or not holder:
            return True
        self._lose(f"{holder} holds it")
        return now - self._spec_since >= (spec.get("leaseDurationSeconds") or DURATION_SECONDS)

    def _wanted(self, lease: Object | None) -> Object:
        before: dict[str, Any] = (lease or {}).get("spec") or {}
        now = leases.timestamp(datetime.datetime.now(datetime.UTC))
        ours = before.get("holderIdentity") == self._identity
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": (before.get("leaseTransitions") or 0) + (not ours),
        }
        return leases.lease(self._namespace, names.LEADER_LEASE, spec)

    def _pause(self) -> float:
        if not self.held.is_set():
            return ROUND_SECONDS
        return max(0.0, min(ROUND_SECONDS, self._until - time.monotonic()))

    def _gain(self) -> None:
        if not self.held.is_set():
            logger.info("%s holds the Lease %s, and writes to the cluster", self._identity, names.LEADER_LEASE)
        self.lost.clear()
        self.held.set()
        self._metrics.leader.set(1)

    def _lose(self, why: str) -> None:
        if self.held.is_set():
            logger.warning("%s writes to the cluster no more: %s", self._identity, why)
        self.held.clear()
        self.lost.set()
        self._metrics.leader.set(0)


def _version(lease: Object | None) -> str:
    return str(lease["metadata"]["resourceVersion"]) if lease else ""


def _text(error: Exception) -> str:
    return str(error) or "no answer in time"
