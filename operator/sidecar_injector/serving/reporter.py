"""Tells the other replicas what this one serves: soon after every change, and every few seconds that it is alive."""

import asyncio
import contextlib
import datetime
import logging
import time
from collections.abc import Callable

from sidecar_injector.cluster import leases, paths, replicas
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.config import Report, served
from sidecar_injector.errors import ClusterError
from sidecar_injector.serving.live import Live

HEARTBEAT_SECONDS = 3.0
RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Reporter:
    """Keeps this replica's own Lease."""

    def __init__(self, api: Api, namespace: str, replica: str, live: Live, trusted: Callable[[], bytes]) -> None:
        self._api = api
        self._namespace = namespace
        self._replica = replica
        self._live = live
        self._trusted = trusted
        self._changed = live.changes.subscribe()
        self._report = Report(replica, {})
        self._lease: Object | None = None
        self._due = 0.0
        self.reported = asyncio.Event()
        """Set once the others can know of us."""

    def current(self) -> Report:
        """Return what there is to report now."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Report(self._replica, served(self._live.snapshot, self._report.configs, now), self._trusted())

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._changed.clear()
            try:
                await self._report_news()
            except ClusterError as error:
                logger.warning("This replica's Lease could not be written, trying again: %s", error)
                self._due = time.monotonic() + RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), max(0.0, self._due - time.monotonic()))

    async def _report_news(self) -> None:
        """Write the Lease if there is something new to say, or if it is time to renew it. Raises ClusterError."""
        report, now = self.current(), datetime.datetime.now(datetime.UTC)
        if report == self._report and time.monotonic() < self._due:
            return
        await self._write(replicas.to_lease(self._namespace, report, leases.timestamp(now)))
        self._report, self._due = report, time.monotonic() + HEARTBEAT_SECONDS
        self.reported.set()

    async def _write(self, wanted: Object) -> None:
        try:
            self._lease = await leases.put(self._api, wanted, await self._version())
        except ClusterError as error:
            self._lease = None
            if error.status in (404, 409):  # deleted, or written by an earlier life of this replica: once more
                self._lease = await leases.put(self._api, wanted, await self._version())
            else:
                raise

    async def withdraw(self) -> None:
        """Delete the Lease. Raises ClusterError."""
        if self._lease is not None:
            metadata = self._lease["metadata"]
            await replicas.withdraw(self._api, self._namespace, metadata["name"], metadata["uid"])

    async def _version(self) -> str:
        if self._lease is None:
            name = replicas.lease_name(self._replica)
            self._lease = await self._api.find(f"{paths.leases(self._namespace)}/{name}")
        return str(self._lease["metadata"]["resourceVersion"]) if self._lease else ""
