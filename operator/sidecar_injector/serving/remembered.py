"""Decisions about Pods that have come before: those of one ReplicaSet differ in nothing that is looked at.

A decision is a pure function of the config, the Pod, its Namespace's name, the parameters of the path, and the facts
about the cluster that concern the Pod: that is all it is given (`injection.pipeline.admit`). So all of that is
compared, and no guess is made as to which part of it a template reads. What differs from Pod to Pod without being an
input is not there to be read: the uid of the review, and what `anonymous` takes out.
"""

import hashlib
import zlib
from collections import OrderedDict
from dataclasses import dataclass, replace

from sidecar_injector.config import CompiledConfig
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.serving.exchange import Answer, Exchange
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.templating.strict_json import write_document

Key = tuple[int, bytes]

_OVERHEAD = 2048
"""Bytes that an entry takes beside the texts of its answer, about."""
_LEVEL = 1
"""Of compression: a quarter of a patch is left, and 16 µs undo it. Higher ones take longer and leave as much."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An answer, its patch compressed."""

    facts: ClusterFacts
    answer: Answer
    size: int


class Remembered:
    """The answers given last, up to a number of bytes."""

    def __init__(self, most_bytes: int, metrics: Metrics) -> None:
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self.held = 0
        """Bytes in use, about."""

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self._entries)

    def key(self, exchange: Exchange) -> Key | None:
        """Return what tells this question from all others, but for facts about the cluster; None: do not ask."""
        compiled = exchange.snapshot.compiled(exchange.config) if self._most_bytes else None
        return None if compiled is None else _key(exchange, compiled)

    def recall(self, key: Key, exchange: Exchange) -> Answer | None:
        """Return the answer that a question had, if it is known and the facts are the same."""
        entry = self._entries.get(key)
        found = entry is not None and entry.facts == exchange.facts
        self._metrics.remembered.labels(exchange.config, "Hit" if found else "Miss").inc()
        if entry is None or not found:
            return None
        self._entries.move_to_end(key)
        return replace(entry.answer, patch=zlib.decompress(entry.answer.patch))

    def keep(self, key: Key, exchange: Exchange, answer: Answer) -> None:
        """Remember an answer, unless something went wrong; the ones that were not asked for longest go for it."""
        if answer.failed:
            return
        packed = replace(answer, patch=zlib.compress(answer.patch, _LEVEL))
        entry = _Entry(exchange.facts, packed, packed.size + _OVERHEAD)
        if entry.size > self._most_bytes:
            return
        self._forget(key)
        self._entries[key] = entry
        self.held += entry.size
        while self.held > self._most_bytes:
            self._forget(next(iter(self._entries)))
        self._metrics.remembered_bytes.set(self.held)

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.held -= entry.size


def _key(exchange: Exchange, compiled: CompiledConfig) -> Key:
    question = [exchange.request.pod, exchange.request.namespace, list(exchange.parameters.items())]
    return compiled.serial, hashlib.sha256(write_document(question)).digest()
