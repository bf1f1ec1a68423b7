"""Writes what is being served to the cluster: our webhook configurations, versions in force, statuses, Events.

One loop, of the leader alone, woken by every change of the snapshot, of what the cluster has, and of what other
replicas report. It compares and writes what differs, so it may fail at any point and start again, here or in another
replica. The replicas are always ahead: an entry that sends Pods to a config is written after all of them serve it.
"""

import asyncio
import contextlib
import datetime
import logging
import time
from collections.abc import Callable
from typing import Any

from sidecar_injector.certificates import merged
from sidecar_injector.cluster import events, paths, replicas, revisions
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.cluster.own_pods import OwnPods
from sidecar_injector.cluster.replicas import Replicas
from sidecar_injector.config import Registration, Report, Snapshot, generations_in_use, status_of, undecided
from sidecar_injector.errors import ClusterError
from sidecar_injector.names import Condition
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.registrar import Registrar
from sidecar_injector.serving.tls import Tls

DEBOUNCE_SECONDS = 0.05
"""Changes that come together are written together."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""Pauses after failures; the last one is repeated for ever."""
LOOK_SECONDS = 1.0
"""A replica that falls silent makes no noise, so it is looked for."""
PATIENCE_SECONDS = 5.0
"""How long an entry waits for a replica that is alive and does not take in the config's new version."""
MOMENT_SECONDS = 1.0
"""How long the status waits for the same."""

logger = logging.getLogger(__name__)


class Publisher:
    """Keeps the cluster's objects as the snapshot wants them."""

    def __init__(
        self,
        namespace: str,
        writer: Api,
        live: Live,
        own: Callable[[], Report],
        others: Replicas,
        pods: OwnPods,
        registrar: Registrar,
        tls: Tls,
        metrics: Metrics,
    ) -> None:
        self._namespace = namespace
        self._api = writer
        self._live = live
        self._registrar = registrar
        self._tls = tls
        self._metrics = metrics
        self._own = own
        self._replicas = others
        self._pods = pods
        self._changed = live.changes.subscribe()
        self._kept: dict[str, Object] = {}
        self._waiting: dict[tuple[str, int], float] = {}
        self._overdue: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """Publish every change until cancelled; whatever goes wrong is tried again."""
        await self._replicas.known.wait()
        self._changed.set()
        failures, alive = 0, self._alive()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
            if not self._changed.is_set() and not self._waiting and self._alive() == alive:
                continue
            await asyncio.sleep(DEBOUNCE_SECONDS + self._registrar.pause())
            self._changed.clear()
            alive = self._alive()
            problems = await self._publish(alive)
            for problem in problems:
                logger.warning("Not everything could be written to the cluster, trying again: %s", problem)
            failures = failures + 1 if problems else 0
            if failures:
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1])
                self._changed.set()

    def _alive(self) -> tuple[Report, ...]:
        """Return the reports of all replicas that are alive; ours is the one that is not yet written.

        One whose Pod is known to be stopped is not, though its Lease may be valid for some seconds more.
        """
        own = self._own()
        others = [report for report in self._replicas.live() if report.replica != own.replica]
        running = (report for report in others if self._pods.runs(report.replica))
        return tuple(sorted((own, *running), key=lambda report: report.replica))

    async def _publish(self, alive: tuple[Report, ...]) -> list[str]:
        """Write what differs; return what went wrong."""
        snapshot = self._live.snapshot
        self._metrics.replicas.set(len(alive))
        for gone in self._kept.keys() - snapshot.entries.keys():
            del self._kept[gone]
        try:
            waiting = self._waiting_for(snapshot, alive)
            refused = await self._registrar.register(snapshot, waiting, self._trusted())
            problems = [await self._keep_accepted(name, alive) for name in snapshot.entries]
            for name in snapshot.entries.keys() - self._just_changed():
                registration = Registration(name not in waiting, refused.get(name, ""))
                problems.append(await self._write_status(name, snapshot, registration, alive))
            problems += [await self._tidy(lease) for lease in self._replicas.forgotten()]
        except ClusterError as error:
            problems = [str(error)]
        except Exception as error:
            logger.exception("Defect while writing to the cluster")
            problems = [str(error)]
        return [problem for problem in problems if problem]

    def _trusted(self) -> bytes:
        """Return the CAs of all replicas: even of one that is silent, for it may only be late, and be called."""
        others = [report.trusted for report in self._replicas.all()]
        return merged([self._tls.ca_bundle, *others], datetime.datetime.now(datetime.UTC))

    def _waiting_for(self, snapshot: Snapshot, alive: tuple[Report, ...]) -> frozenset[str]:
        """Return the configs whose entry has to wait, because some replica has not judged the latest version yet."""
        now = time.monotonic()
        accepted = [entry.accepted for entry in snapshot.entries.values() if entry.accepted is not None]
        late = {(config.name, config.config.generation): undecided(config, alive) for config in accepted}
        self._waiting = {key: self._waiting.get(key, now) for key, those in late.items() if those}
        overdue = {key for key, since in self._waiting.items() if now - since > PATIENCE_SECONDS}
        for key in overdue - self._overdue:
            logger.warning("%s, generation %s, is registered without waiting for %s", *key, ", ".join(late[key]))
        self._overdue = overdue
        return frozenset(name for name, generation in self._waiting.keys() - overdue)

    def _just_changed(self) -> set[str]:
        """Return the configs that some replica will have taken in in a moment: a status before that would not last."""
        now = time.monotonic()
        return {name for (name, _), since in self._waiting.items() if now - since < MOMENT_SECONDS}

    async def _keep_accepted(self, name: str, alive: tuple[Report, ...]) -> str:
        """Have the version in force outlast us; return what went wrong, or nothing."""
        resource = self._live.accepted.get(name)
        if resource is None or self._kept.get(name) is resource:
            return ""
        in_use = generations_in_use(name, resource["metadata"]["uid"], alive)
        try:
            await revisions.keep(self._api, self._namespace, resource, in_use)
        except ClusterError as error:
            return str(error)
        self._kept[name] = resource
        return ""

    async def _write_status(
        self, name: str, snapshot: Snapshot, registration: Registration, alive: tuple[Report, ...]
    ) -> str:
        """Write a config's status if it is new, and an Event if its acceptance is; return what went wrong."""
        resource = self._live.resources.get(name)
        if resource is None:
            return ""
        old: dict[str, Any] = resource.get("status") or {}
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = status_of(snapshot.entries[name], registration, old, now, alive)
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

    async def _tidy(self, lease: Object) -> str:
        """Delete the Lease of a replica that is gone; return what went wrong, or nothing."""
        replica = lease["spec"]["holderIdentity"]
        try:
            await replicas.withdraw(self._api, self._namespace, lease["metadata"]["name"], lease["metadata"]["uid"])
        except ClusterError as error:
            return str(error)
        logger.info("The Lease of %s, which was silent for long, was deleted", replica)
        return ""


def _acceptance(status: dict[str, Any]) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == Condition.ACCEPTED), {})
