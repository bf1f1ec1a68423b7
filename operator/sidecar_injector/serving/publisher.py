"""Writes what is being served to the cluster: our webhook configurations, versions in force, statuses, Events.

One loop, woken by every change of the snapshot and of what the cluster has. It compares and writes what differs, so it
may fail at any point and start again. The snapshot is always ahead: an entry that sends Pods to a config is written
after the config is being served.
"""

import asyncio
import datetime
import logging
from typing import Any

from sidecar_injector.cluster import events, paths, revisions
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.config import Registration, Snapshot, status_of
from sidecar_injector.errors import ClusterError
from sidecar_injector.names import Condition
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.registrar import Registrar

DEBOUNCE_SECONDS = 0.05
"""Changes that come together are written together."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""Pauses after failures; the last one is repeated for ever."""

logger = logging.getLogger(__name__)


class Publisher:
    """Keeps the cluster's objects as the snapshot wants them."""

    def __init__(self, namespace: str, api: Api, live: Live, registrar: Registrar) -> None:
        self._namespace = namespace
        self._api = api
        self._live = live
        self._registrar = registrar
        self._kept: dict[str, Object] = {}

    async def run(self) -> None:
        """Publish every change until cancelled; whatever goes wrong is tried again."""
        failures = 0
        while True:
            await self._live.changed.wait()
            await asyncio.sleep(DEBOUNCE_SECONDS + self._registrar.pause())
            self._live.changed.clear()
            problems = await self._publish()
            for problem in problems:
                logger.warning("Not everything could be written to the cluster, trying again: %s", problem)
            failures = failures + 1 if problems else 0
            if failures:
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1])
                self._live.changed.set()

    async def _publish(self) -> list[str]:
        """Write what differs; return what went wrong."""
        snapshot = self._live.snapshot
        for gone in self._kept.keys() - snapshot.entries.keys():
            del self._kept[gone]
        try:
            refused = await self._registrar.register(snapshot)
            problems = [await self._keep_accepted(name) for name in snapshot.entries]
            problems += [await self._write_status(snapshot, name, refused.get(name, "")) for name in snapshot.entries]
        except ClusterError as error:
            problems = [str(error)]
        except Exception as error:
            logger.exception("Defect while writing to the cluster")
            problems = [str(error)]
        return [problem for problem in problems if problem]

    async def _keep_accepted(self, name: str) -> str:
        """Have the version in force outlast us; return what went wrong, or nothing."""
        resource = self._live.accepted.get(name)
        if resource is None or self._kept.get(name) is resource:
            return ""
        try:
            await revisions.keep(self._api, self._namespace, resource)
        except ClusterError as error:
            return str(error)
        self._kept[name] = resource
        return ""

    async def _write_status(self, snapshot: Snapshot, name: str, refusal: str) -> str:
        """Write a config's status if it is new, and an Event if its acceptance is; return what went wrong."""
        resource = self._live.resources.get(name)
        if resource is None:
            return ""
        old: dict[str, Any] = resource.get("status") or {}
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = status_of(snapshot.entries[name], Registration(not refusal, refusal), old, now)
        if status == old:
            return ""
        removed = dict.fromkeys(old.keys() - status.keys())
        try:
            self._live.note(await self._api.merge(paths.status(name), {"status": {**removed, **status}}))
        except ClusterError as error:
            return "" if error.status == 404 else str(error)  # deleted meanwhile, or a failure
        await self._announce(resource, _acceptance(old), _acceptance(status))
        return ""

    async def _announce(self, config: Object, before: dict[str, Any], after: dict[str, Any]) -> None:
        if any(before.get(key) != after[key] for key in ("status", "reason", "message")):
            warning = after["status"] != "True"
            await events.post(self._api, config, after["reason"], after["message"], warning=warning)


def _acceptance(status: dict[str, Any]) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == Condition.ACCEPTED), {})
