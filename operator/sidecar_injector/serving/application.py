"""The operator's parts, put together, and their life: prepare (until the cluster answers), serve, drain, stop.

Every replica serves, watches and reports what it serves; one of them, the leader, writes to the cluster.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths, revisions, webhooks
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.cluster.discovery import serves_configs
from sidecar_injector.cluster.facts import FactsCache
from sidecar_injector.cluster.own_pods import OwnPods
from sidecar_injector.cluster.replicas import Replicas
from sidecar_injector.errors import CertificateError, ClusterError
from sidecar_injector.serving.certifier import Certifier
from sidecar_injector.serving.health import HealthServer
from sidecar_injector.serving.interpreter import settle, take_short_turns
from sidecar_injector.serving.leadership import Leadership
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.publisher import Publisher
from sidecar_injector.serving.registrar import Registrar
from sidecar_injector.serving.replacer import Replacer
from sidecar_injector.serving.reporter import Reporter
from sidecar_injector.serving.server import AdmissionServer
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

RETRY_SECONDS = 2.0
DRAINING_POLL_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Application:
    """One replica."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        replica = settings.replica_name or socket.gethostname()
        self.api = Api(settings.kubeconfig)
        self.metrics = Metrics()
        self.leadership = Leadership(self.api, settings.namespace, replica, self.metrics)
        self.writer = Api(settings.kubeconfig, fence=self.leadership.fence)
        self.facts = FactsCache(settings.namespace)
        self.tls = Tls(settings, self.metrics)
        self.registrar = Registrar(settings, self.api, self.writer, self.tls, self.facts, self.metrics)
        self.live = Live(self.metrics, self.registrar.check)
        self.certifier = Certifier(settings, self.api, self.tls, self.live.changes.announce)
        self.replicas = Replicas()
        self.reporter = Reporter(self.api, settings.namespace, replica, self.live, lambda: self.tls.ca_bundle)
        self.pods = OwnPods()
        self.replacer = Replacer(settings.namespace, replica, self.writer, self.pods)
        self.publisher = Publisher(
            settings.namespace,
            self.writer,
            self.live,
            self.reporter.current,
            self.replicas,
            self.pods,
            self.registrar,
            self.tls,
            self.metrics,
        )
        self.server = AdmissionServer(
            settings, self.tls.context, self.live, lambda: self.facts.facts, self.metrics, self.drain
        )
        self.health = HealthServer(settings.health_address, settings.health_port, self.unready, self.metrics)
        self._prepared = False
        self._caught_up = False
        self._distrusting = False
        self._pods_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when everything is known that has to be known before the first request is answered."""
        take_short_turns()
        await self.health.start()
        await self._until_done("The cluster is not ready for us", self._prepare)
        for loop in (
            self.reporter.run,
            self._catch_up,
            self._watch_replicas,
            self._stand,
            self._lead,
            self.certifier.watch,
            self._compare,
            self.certifier.renew,
        ):
            self._run(loop)
        settle()

    async def stop(self) -> None:
        """End the loops and close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.leadership.resign()
        with contextlib.suppress(ClusterError):  # then the others notice by its silence
            await self.reporter.withdraw()
        await self.health.stop()
        await self.writer.close()
        await self.api.close()

    def drain(self) -> None:
        """Let another replica write, and go on following the configs: Kopf's own watches have ended by now."""
        self._tasks.append(asyncio.create_task(self.leadership.resign()))
        self._run(partial(self._poll, DRAINING_POLL_SECONDS))

    async def unready(self) -> dict[str, str]:
        """Return what keeps us from being ready, by the name of the check; an empty text: nothing does."""
        server = self.server
        if server.port is None:
            listener = "not listening yet" if not server.draining else "closed"
        else:
            listener = await self.tls.probe(self.settings.listen_address, server.port)
        return {
            "configs": "" if self._prepared else "not listed yet",
            "replica": "" if self._caught_up else "not known to the other replicas yet",
            "certificate": self.tls.problem(),
            "listener": listener,
            "draining": "about to stop" if server.draining else "",
        }

    def webhook_seen(self, path: str, event: Mapping[str, Any]) -> None:
        """Take in what a watch reports about one of our webhook configurations."""
        configuration = None if event["type"] == "DELETED" else event["object"]
        if configuration and path == paths.VALIDATING_WEBHOOK:  # it is written last, and always has an entry
            self.tls.published(webhooks.trusted_by(configuration))
        if self.registrar.spoilt(path, configuration):
            self.live.changes.announce()

    def distrust_watch(self) -> None:
        """List all configs every few seconds from now on.

        When the CustomResourceDefinition is deleted and installed again, Kopf may look for the resource too early, and
        then watches it no more.
        """
        if not self._distrusting:
            self._distrusting = True
            self._run(partial(self._poll, RETRY_SECONDS))

    def _run(self, loop: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._endlessly(loop)))

    async def _endlessly(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except Exception:
                logger.exception("Defect in %s, which goes on", loop)
            await asyncio.sleep(RETRY_SECONDS)

    async def _prepare(self) -> None:
        await self.certifier.certify()
        await self.facts.load(self.api)
        await self._load_configs()
        self._prepared = True
        self.live.changes.announce()
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
            await self._restore(resource, kept.get(resource["metadata"]["uid"], []))
        await self.live.compare(listing)
        registered = webhooks.entries_by_config(await self.api.find(paths.MUTATING_WEBHOOK))
        self.live.know_deleted(registered)

    async def _restore(self, resource: Object, kept: Iterable[Object]) -> None:
        """Start from the latest version before this one that was accepted, and still is."""
        for earlier in kept:
            older = earlier["metadata"]["generation"] < resource["metadata"]["generation"]
            if older and await self.live.restore(earlier):
                return

    async def _lead(self) -> None:
        """Write to the cluster while the Lease is ours, once we would answer what is registered."""
        await self.server.listening.wait()
        while True:
            await self.leadership.held.wait()
            duties = [asyncio.create_task(duty()) for duty in (self.publisher.run, self._watch_pods)]
            try:
                await self.leadership.lost.wait()
            finally:
                for task in duties:
                    task.cancel()
                await asyncio.gather(*duties, return_exceptions=True)
                self.registrar.forget()

    async def _watch_pods(self) -> None:
        """Follow our own Pods; one that its node keeps waiting is replaced."""
        watching = asyncio.create_task(self._endlessly(self._follow_pods))
        try:
            while True:
                await self._pods_changed.wait()
                self._pods_changed.clear()
                try:
                    await self.replacer.replace()
                except ClusterError as error:
                    logger.warning("A Pod of the operator's own could not be replaced: %s", error)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _follow_pods(self) -> None:
        try:
            await self.pods.follow(self.api, self.settings.namespace, self._pods_news)
        except ClusterError as error:
            logger.warning("The operator's own Pods could not be watched, trying again: %s", error)

    def _pods_news(self) -> None:
        self._pods_changed.set()
        self.live.changes.announce()

    async def _stand(self) -> None:
        """Stand for leader once we serve: who leads must be able to answer."""
        await self.server.listening.wait()
        await self.leadership.run()

    async def _catch_up(self) -> None:
        """Be ready only when nothing can be registered any more without us.

        The leader waits with a config's entry for the replicas that it knows of; so what was registered before it knew
        of us is read once more.
        """
        await self.reporter.reported.wait()
        await self._until_done("The configs could not be listed", self._compare_configs)
        self._caught_up = True
        await asyncio.Event().wait()

    async def _watch_replicas(self) -> None:
        while True:
            try:
                await self.replicas.follow(self.api, self.settings.namespace, self.live.changes.announce)
            except ClusterError as error:
                logger.warning("The replicas' Leases could not be watched, trying again: %s", error)
            await asyncio.sleep(1)

    async def _compare(self) -> None:
        """List, now and then, what is watched: a watch may die without a sound."""
        while True:
            await asyncio.sleep(self.settings.relist_seconds)
            for step in (self.certifier.certify, self._compare_configs, self._load_facts, self._read_webhooks):
                try:
                    await step()
                except (CertificateError, ClusterError) as error:
                    logger.warning("The periodic comparison with the cluster failed: %s", error)
            self.live.changes.announce()

    async def _read_webhooks(self) -> None:
        found = await self.api.find(paths.VALIDATING_WEBHOOK)
        if found:
            self.tls.published(webhooks.trusted_by(found))

    async def _poll(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(ClusterError):
                await self._compare_configs()

    async def _compare_configs(self) -> None:
        await self.live.compare(await self.api.list(paths.CONFIGS))

    async def _load_facts(self) -> None:
        await self.facts.load(self.api)

    async def _until_done(self, complaint: str, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await step()
            except (CertificateError, ClusterError) as error:
                logger.warning("%s, trying again in %g s: %s", complaint, RETRY_SECONDS, error)
            await asyncio.sleep(RETRY_SECONDS)
