"""Keeps our two webhook configurations as the snapshot wants them, whoever else edits them.

An entry sends Pods to every replica, so it follows its config only when all of them serve it (`held_back`).
"""

import asyncio
import logging
import time
from collections.abc import Collection
from itertools import chain

from sidecar_injector.cluster import paths, podtemplates, webhooks
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.cluster.facts import FactsCache
from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.errors import ClusterError, Problem
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

PATIENCE = 20
"""How many repairs a minute are made at once; after that somebody is fighting us, and each one waits twice as long."""
PATIENCE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Registrar:
    """Compares and writes what differs; a foreign edit is repaired by the very step that made the object."""

    def __init__(
        self, settings: Settings, api: Api, writer: Api, tls: Tls, facts: FactsCache, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._api = api
        self._writer = writer
        self._tls = tls
        self._facts = facts
        self._metrics = metrics
        self._wanted: dict[str, Object] = {}
        self._repairs: list[float] = []

    async def check(self, config: CompiledConfig) -> tuple[Problem, ...]:
        """Return what the API server finds wrong with a config that we accept."""
        found = await asyncio.gather(
            webhooks.check(self._api, config, self._endpoint(self._tls.ca_bundle)),
            podtemplates.check(self._api, config, self._settings.namespace),
        )
        return tuple(chain.from_iterable(found))

    def spoilt(self, path: str, resource: Object | None) -> bool:
        """Tell whether what a watch reports about one of the configurations (None: deleted) is not as we left it."""
        wanted = self._wanted.get(path)
        return wanted is not None and not webhooks.as_wanted(resource, wanted)

    def forget(self) -> None:
        """Want nothing any more: another replica writes from now on."""
        self._wanted.clear()

    async def register(self, snapshot: Snapshot, held_back: Collection[str], trusted: bytes) -> dict[str, str]:
        """Write both configurations where they differ; return the configs whose entry is refused, and why.

        held_back -- configs whose entries stay as they are, or stay away, for the time being
        trusted   -- the CAs, as PEM, by which every replica's certificate can be verified

        Raises ClusterError.
        """
        endpoint = self._endpoint(trusted)
        live = await self._api.find(paths.MUTATING_WEBHOOK)
        refused = await self._register_configs(snapshot, frozenset(held_back), endpoint, live)
        validating = await self._api.find(paths.VALIDATING_WEBHOOK)
        await self._reconcile(paths.VALIDATING_WEBHOOK, validating, webhooks.validating_configuration(endpoint))
        self._tls.published(trusted)
        return refused

    def pause(self) -> float:
        """Return how many seconds to wait before the next write: none, unless our repairs do not last."""
        now = time.monotonic()
        self._repairs = [moment for moment in self._repairs if now - moment < PATIENCE_SECONDS]
        beyond = len(self._repairs) - PATIENCE
        return min(float(2**beyond), LONGEST_PAUSE_SECONDS) if beyond > 0 else 0.0

    async def _register_configs(
        self, snapshot: Snapshot, held_back: frozenset[str], endpoint: webhooks.Endpoint, live: Object | None
    ) -> dict[str, str]:
        """Write the MutatingWebhookConfiguration; what is wrong with one entry must not keep out the others."""
        before = webhooks.entries_by_config(self._wanted.get(paths.MUTATING_WEBHOOK) or live)
        wanted = webhooks.mutating_configuration(snapshot, endpoint, _kept(before, held_back))
        try:
            await self._reconcile(paths.MUTATING_WEBHOOK, live, wanted)
        except ClusterError as error:
            refused = webhooks.refused_entries(error, wanted)
            if not refused:
                raise
            kept = webhooks.mutating_configuration(snapshot, endpoint, _kept(before, held_back | refused.keys()))
            await self._reconcile(paths.MUTATING_WEBHOOK, live, kept)
            return refused
        return {}

    async def _reconcile(self, path: str, live: Object | None, wanted: Object) -> None:
        repairing = self._wanted.get(path) == wanted
        if await webhooks.reconcile(self._writer, path, live, wanted):
            self._note_write(wanted, repairing=repairing)
        self._wanted[path] = wanted

    def _note_write(self, wanted: Object, *, repairing: bool) -> None:
        self._metrics.webhook_writes.labels(wanted["kind"], "Repair" if repairing else "Change").inc()
        if repairing:
            self._repairs.append(time.monotonic())
            name = wanted["metadata"]["name"]
            logger.warning("%s %s was changed by somebody else, and is repaired", wanted["kind"], name)

    def _endpoint(self, ca_bundle: bytes) -> webhooks.Endpoint:
        settings = self._settings
        return webhooks.Endpoint(
            settings.namespace,
            settings.service_name,
            settings.service_port,
            settings.webhook_url,
            ca_bundle,
            self._facts.own_namespace_uid,
        )


def _kept(before: dict[str, list[webhooks.Entry]], names: frozenset[str]) -> dict[str, list[webhooks.Entry]]:
    """Return the entries that these configs had before: none, for a config that is new."""
    return {name: before.get(name, []) for name in names}
