"""Keeps our two webhook configurations as the snapshot wants them, whoever else edits them."""

import asyncio
import logging
import time
from itertools import chain

from sidecar_injector.cluster import paths, podtemplates, webhooks
from sidecar_injector.cluster.api import Api, Object
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

    def __init__(self, settings: Settings, api: Api, tls: Tls, metrics: Metrics) -> None:
        self._settings = settings
        self._api = api
        self._tls = tls
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

    async def register(self, snapshot: Snapshot) -> dict[str, str]:
        """Write both configurations where they differ; return the configs whose entry is refused, and why.

        Raises ClusterError.
        """
        ca_bundle = self._tls.ca_bundle
        endpoint = self._endpoint(ca_bundle)
        refused = await self._register_configs(webhooks.mutating_configuration(snapshot, endpoint))
        await self._reconcile(paths.VALIDATING_WEBHOOK, webhooks.validating_configuration(endpoint))
        self._tls.published(ca_bundle)
        return refused

    def pause(self) -> float:
        """Return how many seconds to wait before the next write: none, unless our repairs do not last."""
        now = time.monotonic()
        self._repairs = [moment for moment in self._repairs if now - moment < PATIENCE_SECONDS]
        beyond = len(self._repairs) - PATIENCE
        return min(float(2**beyond), LONGEST_PAUSE_SECONDS) if beyond > 0 else 0.0

    async def _register_configs(self, wanted: Object) -> dict[str, str]:
        """Write the MutatingWebhookConfiguration; what is wrong with one entry must not keep out the others."""
        try:
            await self._reconcile(paths.MUTATING_WEBHOOK, wanted)
        except ClusterError as error:
            refused = webhooks.refused_entries(error, wanted)
            if not refused:
                raise
            kept = [entry for entry in wanted["webhooks"] if webhooks.config_of(entry) not in refused]
            await self._reconcile(paths.MUTATING_WEBHOOK, {**wanted, "webhooks": kept})
            return refused
        return {}

    async def _reconcile(self, path: str, wanted: Object) -> None:
        live = await self._api.find(path)
        repairing = self._wanted.get(path) == wanted
        self._wanted[path] = wanted
        if not await webhooks.reconcile(self._api, path, live, wanted):
            return
        self._metrics.webhook_writes.labels(wanted["kind"], "Repair" if repairing else "Change").inc()
        if repairing:
            self._repairs.append(time.monotonic())
            name = wanted["metadata"]["name"]
            logger.warning("%s %s was changed by somebody else, and is repaired", wanted["kind"], name)

    def _endpoint(self, ca_bundle: bytes) -> webhooks.Endpoint:
        settings = self._settings
        return webhooks.Endpoint(
            settings.namespace, settings.service_name, settings.service_port, settings.webhook_url, ca_bundle
        )
