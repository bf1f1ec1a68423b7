"""May this config serve? Asked twice about every edit: by the validating webhook, and when the edit is there.

The second time, the answer is mostly known. An edit is in force the sooner for it, and costs admissions less time.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any

from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.templating.strict_json import write_document

Resource = Mapping[str, Any]
Check = Callable[[CompiledConfig], Awaitable[Sequence[Problem]]]
"""Asks the API server what is wrong with a config that we ourselves accept, such as with its CEL expressions."""

KNOWN_SECONDS = 30.0
"""How long it is known that a config is good: its judge is the API server as well, which may be another one later."""
MOST_KNOWN = 4


class Judge:
    """Judges configs in threads: one at a time for each of the two that ask, and neither waits for the other."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._known: OrderedDict[bytes, tuple[float, CompiledConfig]] = OrderedDict()
        self._for_review = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")

    async def for_service(self, resource: Resource) -> CompiledConfig:
        """Return a config, ready to serve. Raises ConfigError with every problem found."""
        return await self._judge(resource, None)

    async def for_review(self, resource: Resource) -> CompiledConfig:
        """Return a config that somebody is about to store, as `for_service` does."""
        return await self._judge(resource, self._for_review)

    async def _judge(self, resource: Resource, executor: ThreadPoolExecutor | None) -> CompiledConfig:
        key = _key(resource)
        found = self._recall(key)
        if found is not None and (identity := _identity(resource)) is not None:
            uid, generation = identity
            return replace(found, config=replace(found.config, uid=uid, generation=generation))
        compiled = await asyncio.get_running_loop().run_in_executor(executor, accept, resource)
        problems = await self._check(compiled)
        if problems:
            raise ConfigError(compiled.name, problems)
        self._known[key] = monotonic(), compiled
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return compiled

    def _recall(self, key: bytes) -> CompiledConfig | None:
        since, compiled = self._known.get(key, (0.0, None))
        return compiled if monotonic() - since < KNOWN_SECONDS else None


def _key(resource: Resource) -> bytes:
    """Return what stands for all that a config is judged by: everything but which object and version of it it is."""
    name = _metadata(resource).get("name")
    judged = [resource.get("apiVersion"), resource.get("kind"), name, resource.get("spec")]
    return hashlib.sha256(write_document(judged)).digest()


def _identity(resource: Resource) -> tuple[str, int] | None:
    """Return uid and generation, in the way of `parse_config`; None if they are of no type that they may have."""
    metadata = _metadata(resource)
    uid, generation = metadata.get("uid") or "", metadata.get("generation") or 0
    return (uid, generation) if type(uid) is str and type(generation) is int else None


def _metadata(resource: Resource) -> Resource:
    metadata = resource.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
