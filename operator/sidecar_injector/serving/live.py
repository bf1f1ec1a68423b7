"""The one mutable thing on the path of a request: a reference to the Snapshot that is being served.

An edit is parsed, compiled and rendered on trial in a thread; then one assignment puts it into force. A request reads
the reference once, so it sees the old version or the new one, whole. A broken edit leaves the last good version there.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

from sidecar_injector.cluster.api import Listing, Object
from sidecar_injector.cluster.versions import Newest
from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.serving.changes import Changes
from sidecar_injector.serving.interpreter import settle
from sidecar_injector.serving.judging import Check, Judge
from sidecar_injector.serving.metrics import Metrics

logger = logging.getLogger(__name__)


class Live:
    """Takes in what watches and lists report about SidecarInjectorConfigs, in any order; the newest report wins."""

    def __init__(self, metrics: Metrics, check: Check) -> None:
        self.snapshot = Snapshot()
        self.resources: dict[str, Object] = {}
        """The newest resource seen of each config, status and all."""
        self.accepted: dict[str, Object] = {}
        """The version of each config that is in force."""
        self.changes = Changes()
        """Announces that the snapshot or a resource has changed."""
        self.judge = Judge(check)
        """Says what is good enough to be served."""
        self._metrics = metrics
        self._newest = Newest()
        self._judged: dict[str, tuple[str, int]] = {}
        self._turn = asyncio.Lock()
        self._listed = time.monotonic()
        metrics.measure_snapshot_age(lambda: time.monotonic() - self._listed)

    async def offer(self, resource: Object) -> None:
        """Judge a config that was created, changed or listed, and put it into force if it is good."""
        name = resource["metadata"]["name"]
        if not self._newest.is_news(name, resource["metadata"]["resourceVersion"]):
            return
        self.resources[name] = resource
        async with self._turn:  # one at a time: a compilation must not starve the event loop
            newest = self.resources.get(name)  # not always ours: while we waited, another report of it may have come
            if newest is not None and self._judged.get(name) != _version(newest):
                await self._judge(name, newest)
        self.changes.announce()

    def remove(self, resource: Object) -> None:
        """Take a config that was deleted out of force."""
        name = resource["metadata"]["name"]
        if self._newest.is_news(name, resource["metadata"]["resourceVersion"]):
            self._forget([name])

    async def compare(self, listing: Listing) -> None:
        """Take in a complete list: what a dead watch has missed is caught up with."""
        for resource in listing.items:
            await self.offer(resource)
        names = frozenset(resource["metadata"]["name"] for resource in listing.items)
        self._forget(self._newest.gone(names, listing.version))
        self._listed = time.monotonic()

    async def restore(self, resource: Object) -> bool:
        """Put a version that was accepted earlier into force, before the newest one is judged; tell whether it is."""
        try:
            compiled = await asyncio.to_thread(accept, resource)
        except ConfigError as error:
            logger.warning("%s, once accepted, is not accepted any more: %s", resource["metadata"]["name"], error)
            return False
        self._put_into_force(resource, compiled)
        return True

    def note(self, resource: Object) -> None:
        """Take in our own write of a config's status."""
        name = resource["metadata"]["name"]
        if name in self.resources and self._newest.is_news(name, resource["metadata"]["resourceVersion"]):
            self.resources[name] = resource

    def know_deleted(self, names: Iterable[str]) -> None:
        """Note names of configs that were deleted while nobody watched: API servers may still call for them."""
        self.snapshot = self.snapshot.with_deleted(names)

    async def _judge(self, name: str, resource: Object) -> None:
        uid, generation = _version(resource)
        problems: tuple[Problem, ...] = ()
        try:
            compiled = await self.judge.for_service(resource)
        except ConfigError as error:
            problems = error.problems
        except Exception as error:
            logger.exception("Defect while judging SidecarInjectorConfig %s", name)
            problems = (Problem("spec", f"internal error: {type(error).__name__}: {error}"),)
        if name not in self.resources or _version(self.resources[name]) != (uid, generation):
            return  # outdated meanwhile
        self._judged[name] = uid, generation
        if problems:
            self._drop_namesake(name, uid)
            self.snapshot = self.snapshot.with_rejected(name, generation, problems, uid)
        else:
            self._put_into_force(resource, compiled)
        self._account(name, problems)

    def _drop_namesake(self, name: str, uid: str) -> None:
        """Take a config of this name that was deleted before this one was made out of force."""
        entry = self.snapshot.entries.get(name)
        if entry is not None and entry.uid != uid:
            self.snapshot = self.snapshot.without(name)
            self.accepted.pop(name, None)

    def _put_into_force(self, resource: Object, compiled: CompiledConfig) -> None:
        self.snapshot = self.snapshot.with_accepted(compiled)
        self.accepted[compiled.name] = resource
        settle()

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            if self.resources.pop(name, None) is None:
                continue
            self._judged.pop(name, None)
            self.accepted.pop(name, None)
            self.snapshot = self.snapshot.without(name)
            self._metrics.forget_config(name)
            logger.info("SidecarInjectorConfig %s was deleted", name)
        self.changes.announce()

    def _account(self, name: str, problems: Sequence[Problem]) -> None:
        entry = self.snapshot.entries[name]
        self._metrics.note_config(entry)
        if problems:
            text = "; ".join(map(str, problems))
            logger.warning("SidecarInjectorConfig %s, generation %s, is not accepted: %s", name, entry.generation, text)
        else:
            logger.info("SidecarInjectorConfig %s, generation %s, is in force", name, entry.generation)


def _version(resource: Object) -> tuple[str, int]:
    return resource["metadata"]["uid"], resource["metadata"]["generation"]
