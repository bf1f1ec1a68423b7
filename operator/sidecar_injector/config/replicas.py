"""What the replicas of the operator say that they serve, and what follows from it. Pure values; who reports them and
how is `cluster.replicas`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.snapshot import Entry, Snapshot


@dataclass(frozen=True)
class Served:
    """What one replica does with one config.

    uid        -- of the config
    generation -- that is served; 0: none, because no version was accepted
    digest     -- of what is served; empty: nothing
    judged     -- the latest generation that was judged, accepted or not
    since      -- when this began to be served, in RFC 3339
    """

    uid: str
    generation: int
    digest: str
    judged: int
    since: str


@dataclass(frozen=True)
class Report:
    """What a replica serves, by the configs' names, and which CAs (PEM) API servers have to trust for its sake."""

    replica: str
    configs: Mapping[str, Served]
    trusted: bytes = b""


def served(snapshot: Snapshot, before: Mapping[str, Served], now: str) -> dict[str, Served]:
    """Return what a replica with this snapshot reports; `before` is its last report, whose times are kept."""
    return {name: _served(entry, before.get(name), now) for name, entry in snapshot.entries.items()}


def _served(entry: Entry, before: Served | None, now: str) -> Served:
    accepted = entry.accepted
    generation = accepted.config.generation if accepted else 0
    digest = accepted.digest if accepted else ""
    same = before is not None and (before.uid, before.generation, before.digest) == (entry.uid, generation, digest)
    return Served(entry.uid, generation, digest, entry.generation, before.since if before and same else now)


def behind(config: CompiledConfig, reports: Iterable[Report]) -> list[str]:
    """Return the replicas that do not serve this version of a config, nor a later one, in the order given."""
    return [report.replica for report in reports if not _serves(report.configs.get(config.name), config)]


def undecided(config: CompiledConfig, reports: Iterable[Report]) -> list[str]:
    """Return the replicas that have yet to judge this version of a config: to wait for one is worth while."""
    return [report.replica for report in reports if not _judged(report.configs.get(config.name), config)]


def generations_in_use(name: str, uid: str, reports: Sequence[Report]) -> frozenset[int]:
    """Return the generations of a config that some replica serves."""
    found = (report.configs.get(name) for report in reports)
    return frozenset(each.generation for each in found if each is not None and each.uid == uid)


def _serves(found: Served | None, config: CompiledConfig) -> bool:
    return found is not None and found.uid == config.config.uid and found.generation >= config.config.generation


def _judged(found: Served | None, config: CompiledConfig) -> bool:
    return found is not None and found.uid == config.config.uid and found.judged >= config.config.generation
