"""What a replica serves, as one immutable value: an edit makes a new Snapshot, and requests in flight keep theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.errors import Problem


@dataclass(frozen=True)
class Entry:
    """What is known of one config.

    generation -- of the latest version seen, accepted or not
    accepted   -- the last version without problems; it goes on serving while the latest has some
    problems   -- of the latest version; empty if it is the accepted one
    """

    name: str
    generation: int
    uid: str = ""
    accepted: CompiledConfig | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """All configs by name. The names of deleted ones are remembered, because API servers may call for them a while."""

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    deleted: frozenset[str] = frozenset()

    def compiled(self, name: str) -> CompiledConfig | None:
        """Return the config to serve, or None if there is none, or none was ever accepted."""
        entry = self.entries.get(name)
        return entry.accepted if entry else None

    def knows(self, name: str) -> bool:
        """Tell whether a config of this name exists or existed."""
        return name in self.entries or name in self.deleted

    def with_accepted(self, compiled: CompiledConfig) -> "Snapshot":
        """Return a snapshot that serves this version; the same one if a later version has been seen."""
        config = compiled.config
        if self._is_stale(config.name, config.generation, config.uid):
            return self
        return self._with(Entry(config.name, config.generation, config.uid, accepted=compiled))

    def with_rejected(self, name: str, generation: int, problems: Iterable[Problem], uid: str = "") -> "Snapshot":
        """Return a snapshot that notes the problems of this version and goes on serving the last good one."""
        if self._is_stale(name, generation, uid):
            return self
        return self._with(Entry(name, generation, uid, self.compiled(name), tuple(problems)))

    def without(self, name: str) -> "Snapshot":
        """Return a snapshot in which the config is deleted."""
        if name not in self.entries:
            return self
        entries = {other: entry for other, entry in self.entries.items() if other != name}
        return replace(self, entries=MappingProxyType(entries), deleted=self.deleted | {name})

    def with_deleted(self, names: Iterable[str]) -> "Snapshot":
        """Return a snapshot that also knows these names of configs that were deleted before it was made."""
        return replace(self, deleted=(self.deleted | frozenset(names)) - self.entries.keys())

    def _is_stale(self, name: str, generation: int, uid: str) -> bool:
        """Tell whether a later version of the same object is known: a list may arrive after the events it predates."""
        entry = self.entries.get(name)
        return entry is not None and bool(uid) and uid == entry.uid and generation < entry.generation

    def _with(self, entry: Entry) -> "Snapshot":
        entries = MappingProxyType({**self.entries, entry.name: entry})
        return replace(self, entries=entries, deleted=self.deleted - {entry.name})
