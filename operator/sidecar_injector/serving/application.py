"""The operator's parts, put together, and their life: prepare (until the cluster answers), serve, stop."""

import asyncio
import contextlib
import datetime
import gc
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths, revisions, secrets, webhooks
from sidecar_injector.cluster.api import Api
from sidecar_injector.cluster.discovery import serves_configs
from sidecar_injector.cluster.facts import FactsCache
from sidecar_injector.errors import CertificateError, ClusterError
from sidecar_injector.serving.health import HealthServer
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.publisher import Publisher
from sidecar_injector.serving.registrar import Registrar
from sidecar_injector.serving.server import AdmissionServer
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

RETRY_SECONDS = 2.0
RENEWAL_SECONDS = 5.0
"""How often it is looked whether the serving certificate is due."""

logger = logging.getLogger(__name__)


class Application:
    """One replica."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api = Api(settings.kubeconfig)
        self.metrics = Metrics()
        self.facts = FactsCache(settings.namespace)
        self.tls = Tls(settings, self.metrics)
        self.registrar = Registrar(settings, self.api, self.tls, self.metrics)
        self.live = Live(self.metrics, self.registrar.check)
        self.publisher = Publisher(settings.namespace, self.api, self.live, self.registrar)
        self.server = AdmissionServer(settings, self.tls.context, self.live, self.metrics)
        self.health = HealthServer(settings.health_address, settings.health_port, self.unready, self.metrics)
        self._prepared = False
        self._distrusting = False
        self._tasks: list[asyncio.Task[None]] = []
        self._certifying = asyncio.Lock()

    async def start(self) -> None:
        """Return when everything is known that has to be known before the first request is answered."""
        await self.health.start()
        await self._until_done("The cluster is not ready for us", self._prepare)
        for loop in (self._publish, self._watch_secret, self._compare, self._renew):
            self._run(loop)
        gc.collect()
        gc.freeze()  # what was made so far stays: the collector need not look at it again

    async def stop(self) -> None:
        """End the loops and close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.health.stop()
        await self.api.close()

    async def unready(self) -> dict[str, str]:
        """Return what keeps us from being ready, by the name of the check; an empty text: nothing does."""
        server = self.server
        if server.port is None:
            listener = "not listening yet" if not server.draining else "closed"
        else:
            listener = await self.tls.probe(self.settings.listen_address, server.port)
        return {
            "configs": "" if self._prepared else "not listed yet",
            "certificate": self.tls.problem(),
            "listener": listener,
            "draining": "about to stop" if server.draining else "",
        }

    def webhook_seen(self, path: str, event: Mapping[str, Any]) -> None:
        """Take in what a watch reports about one of our webhook configurations."""
        if self.registrar.spoilt(path, None if event["type"] == "DELETED" else event["object"]):
            self.live.changed.set()

    def distrust_watch(self) -> None:
        """List all configs every few seconds from now on.

        When the CustomResourceDefinition is deleted and installed again, Kopf may look for the resource too early, and
        then watches it no more.
        """
        if not self._distrusting:
            self._distrusting = True
            self._run(self._poll)

    def _run(self, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._endlessly(loop), name=loop.__qualname__))

    async def _endlessly(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except Exception:
                logger.exception("Defect in %s, which goes on", loop.__qualname__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _prepare(self) -> None:
        await self._certify()
        await self.facts.load(self.api)
        await self._load_configs()
        self._prepared = True
        self.live.changed.set()
        logger.info(
            "Known configs: %d, known Namespaces: %d", len(self.live.resources), len(self.facts.facts.namespaces)
        )

    async def _load_configs(self) -> None:
        """Judge all configs; one whose newest version is broken, or not judged yet, starts from its last good one."""
        if not await serves_configs(self.api):
            raise ClusterError(f"there is no resource {names.PLURAL}: is the CustomResourceDefinition installed?")
        listing = await self.api.list(paths.CONFIGS)
        kept = await revisions.kept(self.api, self.settings.namespace)
        for resource in listing.items:
            earlier = kept.get(resource["metadata"]["uid"])
            if earlier and earlier["metadata"]["generation"] < resource["metadata"]["generation"]:
                await self.live.restore(earlier)
        await self.live.compare(listing)
        self.live.know_deleted(await webhooks.known_configs(self.api))

    async def _certify(self) -> None:
        """Bring Secret and memory to the same CA."""
        async with self._certifying:
            settings, now = self.settings, datetime.datetime.now(datetime.UTC)
            held = self.tls.authority
            authority = await secrets.ensure_authority(self.api, settings.namespace, settings.ca_secret_name, now, held)
            self.tls.adopt(authority)
            if authority != held:
                self.live.changed.set()

    async def _publish(self) -> None:
        """Register with the API server, once it would be answered."""
        await self.server.listening.wait()
        await self.publisher.run()

    async def _compare(self) -> None:
        """List, now and then, what is watched: a watch may die without a sound."""
        while True:
            await asyncio.sleep(self.settings.relist_seconds)
            for step in (self._certify, self._compare_configs, self._load_facts):
                try:
                    await step()
                except ClusterError as error:
                    logger.warning("The periodic comparison with the cluster failed: %s", error)
            self.live.changed.set()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(ClusterError):
                await self._compare_configs()

    async def _compare_configs(self) -> None:
        await self.live.compare(await self.api.list(paths.CONFIGS))

    async def _load_facts(self) -> None:
        await self.facts.load(self.api)

    async def _watch_secret(self) -> None:
        """Repair the CA Secret at once when it is deleted or garbled, and follow other replicas' renewals."""
        secret = self.settings.ca_secret_name
        query = {"fieldSelector": f"metadata.name={secret}"}
        while True:
            with contextlib.suppress(ClusterError):
                async for event in self.api.watch(paths.secrets(self.settings.namespace), query):
                    if event["type"] == "DELETED" or not self._is_held(event["object"]):
                        await self._until_done(f"The Secret {secret} could not be repaired", self._certify)
            await asyncio.sleep(1)

    def _is_held(self, secret: dict[str, object]) -> bool:
        try:
            return secrets.read_authority(secret, datetime.datetime.now(datetime.UTC)) == self.tls.authority
        except CertificateError:
            return False

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            if self.tls.renew():
                self.live.changed.set()

    async def _until_done(self, complaint: str, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await step()
            except ClusterError as error:
                logger.warning("%s, trying again in %g s: %s", complaint, RETRY_SECONDS, error)
            await asyncio.sleep(RETRY_SECONDS)
