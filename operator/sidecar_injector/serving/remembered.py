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

_SHARE_OF_NEW = 4
"""Answers that were not of use yet may have a fourth of the room where it is scarce."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An answer, its patch compressed."""

    facts: ClusterFacts
    answer: Answer
    size: int


class _Shelf:
    """Answers in the order in which they were asked for, and their size."""

    def __init__(self) -> None:
        self.entries: OrderedDict[Key, _Entry] = OrderedDict()
        self.held = 0

    def put(self, key: Key, entry: _Entry) -> None:
        self.take(key)
        self.entries[key] = entry
        self.held += entry.size

    def take(self, key: Key) -> _Entry | None:
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.held -= entry.size
        return entry

    def drop_oldest(self) -> None:
        self.take(next(iter(self.entries)))


class Remembered:
    """The answers given last, up to a number of bytes.

    Those that were of use once have most of the room: Pods of which there is only one each, as of a Job that runs every
    minute, cannot drive them out.
    """

    def __init__(self, most_bytes: int, metrics: Metrics) -> None:
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._new = _Shelf()
        self._proven = _Shelf()

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self._new.entries) + len(self._proven.entries)

    @property
    def held(self) -> int:
        """Bytes in use, about."""
        return self._new.held + self._proven.held

    def key(self, exchange: Exchange) -> Key | None:
        """Return what tells this question from all others, but for facts about the cluster; None: do not ask."""
        compiled = exchange.snapshot.compiled(exchange.config) if self._most_bytes else None
        return None if compiled is None else _key(exchange, compiled)

    def recall(self, key: Key, exchange: Exchange) -> Answer | None:
        """Return the answer that a question had, if it is known and the facts are the same."""
        entry = self._proven.take(key) or self._new.take(key)
        found = entry is not None and entry.facts == exchange.facts
        self._metrics.note_lookup(exchange.config, found=found)
        if entry is None or not found:
            return None
        self._proven.put(key, entry)
        return replace(entry.answer, patch=zlib.decompress(entry.answer.patch))

    def keep(self, key: Key, exchange: Exchange, answer: Answer) -> None:
        """Remember an answer, unless something went wrong; the ones that were not asked for longest go for it."""
        if answer.failed:
            return
        packed = replace(answer, patch=zlib.compress(answer.patch, _LEVEL))
        entry = _Entry(exchange.facts, packed, packed.size + _OVERHEAD)
        if entry.size > self._most_bytes:
            return
        self._proven.take(key)
        self._new.put(key, entry)
        while self.held > self._most_bytes:
            crowded = self._new.held > self._most_bytes // _SHARE_OF_NEW or not self._proven.entries
            (self._new if crowded else self._proven).drop_oldest()
        self._metrics.remembered_bytes.set(self.held)


def _key(exchange: Exchange, compiled: CompiledConfig) -> Key:
    question = [exchange.request.pod, exchange.request.namespace, list(exchange.parameters.items())]
    return compiled.serial, hashlib.sha256(write_document(question)).digest()
