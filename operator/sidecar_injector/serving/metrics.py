"""Every metric, declared once. Labels hold names of configs and codes, never the name of a Pod or an application."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from sidecar_injector.config import Entry
from sidecar_injector.names import Metric

ADMISSION_BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: from a quarter of a millisecond, because an ordinary admission takes about one."""

_CHILDREN = 1000
"""Series of a metric that are kept at hand."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for


class Metrics:
    """The metrics of one operator, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.admissions = Counter(
            _base(Metric.ADMISSIONS),
            "Reviews answered; result is Patched, Unchanged, Denied or Failed, reason the code that users see.",
            ["config", "result", "reason"],
            registry=registry,
        )
        self.admission_seconds = Histogram(
            Metric.ADMISSION_SECONDS,
            "Time from the last byte of a review to its answer.",
            ["config"],
            buckets=ADMISSION_BUCKETS,
            registry=registry,
        )
        self.rejected = Counter(
            _base(Metric.REJECTED_REQUESTS),
            "Requests that were no reviews we serve, answered with a 4xx, or 503 when too many are in flight.",
            ["reason"],
            registry=registry,
        )
        # A child is found faster than `labels` finds it, which joins its labels to texts and takes a lock each time.
        self._admission = lru_cache(_CHILDREN)(self.admissions.labels)
        self._admission_seconds = lru_cache(_CHILDREN)(self.admission_seconds.labels)
        self.in_flight = Gauge(Metric.IN_FLIGHT, "Reviews being worked on.", registry=registry)
        self.remembered = Counter(
            _base(Metric.REMEMBERED),
            "Pods that were looked for among earlier ones; result is Hit (the same decision was given) or Miss.",
            ["config", "result"],
            registry=registry,
        )
        self._remembered = lru_cache(_CHILDREN)(self.remembered.labels)
        self.remembered_bytes = Gauge(
            Metric.REMEMBERED_BYTES, "Size of the decisions that are remembered, about.", registry=registry
        )
        self.config_info = Gauge(
            Metric.CONFIG_INFO,
            "1 for the revision of a config that is being served.",
            ["config", "revision"],
            registry=registry,
        )
        self.config_accepted = Gauge(
            Metric.CONFIG_ACCEPTED,
            "Whether the latest version of a config was accepted; 0: an earlier one, or none, is served.",
            ["config"],
            registry=registry,
        )
        self.config_generation = Gauge(
            Metric.CONFIG_GENERATION, "Generation of a config that is being served.", ["config"], registry=registry
        )
        self.config_errors = Counter(
            _base(Metric.CONFIG_ERRORS), "Versions of a config that were not accepted.", ["config"], registry=registry
        )
        self.snapshot_age = Gauge(
            Metric.SNAPSHOT_AGE,
            "Time since the configs served were last compared with a complete list from the API server.",
            registry=registry,
        )
        self.certificate_expiry = Gauge(
            Metric.CERTIFICATE_EXPIRY,
            "When a certificate expires, in seconds since 1970; certificate is ca or serving.",
            ["certificate"],
            registry=registry,
        )
        self.leader = Gauge(Metric.LEADER, "1 for the replica that writes to the cluster, else 0.", registry=registry)
        self.replicas = Gauge(
            Metric.REPLICAS, "Replicas that report what they serve, as the leader sees it; else 0.", registry=registry
        )
        self.webhook_writes = Counter(
            _base(Metric.WEBHOOK_REPAIRS),
            "Writes to our webhook configurations; cause is Change (of ours) or Repair (of somebody else's edit).",
            ["kind", "cause"],
            registry=registry,
        )

    def note_admission(self, config: str, result: str, reason: str, seconds: float) -> None:
        """Count a review that was answered."""
        self._admission(config, result, reason).inc()
        self._admission_seconds(config).observe(seconds)

    def note_config(self, entry: Entry) -> None:
        """Show which version of a config is served now, and whether the latest was accepted."""
        self.config_accepted.labels(entry.name).set(not entry.problems)
        if entry.problems:
            self.config_errors.labels(entry.name).inc()
        if entry.accepted is not None:
            self.config_generation.labels(entry.name).set(entry.accepted.config.generation)
            self.config_info.remove_by_labels({"config": entry.name})
            self.config_info.labels(entry.name, entry.accepted.digest).set(1)

    def forget_config(self, name: str) -> None:
        """Show a deleted config no longer; what was counted for it stays."""
        for gauge in (self.config_accepted, self.config_generation, self.config_info):
            gauge.remove_by_labels({"config": name})

    def note_lookup(self, config: str, *, found: bool) -> None:
        """Count a Pod that was looked for among earlier ones."""
        self._remembered(config, "Hit" if found else "Miss").inc()

    def measure_in_flight(self, count: Callable[[], float]) -> None:
        """Take the number of reviews being worked on from a function whenever metrics are read."""
        self.in_flight.set_function(count)

    def measure_snapshot_age(self, age: Callable[[], float]) -> None:
        """Take the age of the snapshot from a function whenever metrics are read."""
        self.snapshot_age.set_function(age)

    def text(self) -> bytes:
        """Return every metric in the text format of Prometheus."""
        return generate_latest(self.registry)


def _base(metric: Metric) -> str:
    """Return what the client library wants as the name of a counter, to which it adds `_total` itself."""
    return metric.removesuffix("_total")
