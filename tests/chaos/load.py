"""Load: controllers that create Pods, and clients that create Pods themselves. Every creation is recorded."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import urllib3

from tests.chaos.sizes import CLIENTS
from tests.cluster.admissions import connected
from tests.e2e import workloads
from tests.e2e.workloads import SIDECAR
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.node_components import ON_FAKE_NODES

CONFIG = "chaos"
LABELS = {"istio-injection": "enabled"}
"""Of the namespace, which fails closed."""
BLAMED = ("failed calling webhook", "admission webhook")
"""What the API server says when an admission fails, or is refused; anything else is not about us."""
RETRY_SECONDS = 0.2
DEPLOYMENTS, JOBS = 0.6, 0.2
"""Which part of the Pods they create; the rest is for clients."""
PODS_EACH = 50


class Outcome(Enum):
    """What came of a creation."""

    INJECTED = "injected"
    UNINJECTED = "let in without the sidecar"
    FAILED = "failed admission"
    UNANSWERED = "API server did not answer or could not store"


@dataclass(frozen=True)
class Record:
    """One call of a client: when it began (monotonic seconds), how long it took, what came of it."""

    began: float
    seconds: float
    outcome: Outcome
    detail: str = ""


@dataclass
class Records:
    """All calls of all clients; those that went well are only counted."""

    injected: int = 0
    slowest: float = 0
    others: list[Record] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def add(self, record: Record) -> None:
        """Take in one call."""
        with self._turn:
            self.slowest = max(self.slowest, record.seconds)
            if record.outcome is Outcome.INJECTED:
                self.injected += 1
            else:
                self.others.append(record)

    def of(self, outcome: Outcome) -> list[Record]:
        return [record for record in list(self.others) if record.outcome is outcome]

    def failing(self, since: float) -> float:
        """Return how long after a moment the last admission failed; 0 if none did."""
        ends = [record.began + record.seconds - since for record in self.of(Outcome.FAILED) if record.began > since - 1]
        return max(ends, default=0)


def config(greeting: str = workloads.GREETING, **spec: Any) -> dict[str, Any]:
    """Return the config, which fails closed; the sidecar's command has the greeting in it."""
    wanted = workloads.config(CONFIG, LABELS, failurePolicy="Fail", **spec)
    wanted["spec"]["values"]["greeting"] = greeting
    return wanted


def is_injected(pod: Mapping[str, Any]) -> bool:
    """Tell whether a Pod has the sidecar, once."""
    return [each["name"] for each in pod["spec"].get("initContainers", [])].count(SIDECAR) == 1


@contextmanager
def clients(
    cluster: Cluster,
    namespace: str,
    *,
    count: int = CLIENTS,
    pause: float = 0.02,
    dry_run: bool = True,
    pods_each: int | None = None,
) -> Iterator[Records]:
    """Create Pods over connections of their own, until the block ends.

    With `dry_run`, the API server does everything but store them. With `pods_each`, every client creates so many, and
    each one again and again until it is there, as people do; the end of the block waits for that.
    """
    records, enough = Records(), threading.Event()
    with connected(cluster, count) as (server, pool):
        url = f"{server}/api/v1/namespaces/{namespace}/pods{'?dryRun=All' if dry_run else ''}"

        def work(client: int) -> None:
            number = 0
            while number != pods_each and not (pods_each is None and enough.is_set()):
                record = _create(pool, url, f"direct-{client}-{number}")
                records.add(record)
                if record.outcome is Outcome.INJECTED or pods_each is None:
                    number += 1
                    enough.wait(pause)
                else:
                    time.sleep(RETRY_SECONDS)

        workers = [threading.Thread(target=work, args=(client,)) for client in range(count)]
        for worker in workers:
            worker.start()
        try:
            yield records
        finally:
            enough.set()
            for worker in workers:
                worker.join()


def _create(pool: urllib3.PoolManager, url: str, name: str) -> Record:
    body = json.dumps(workloads.pod(name, **ON_FAKE_NODES)).encode()
    began = time.monotonic()
    try:
        answer = pool.request("POST", url, body=body, headers={"Content-Type": "application/json"})
        outcome, detail = _outcome(answer)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        outcome, detail = Outcome.UNANSWERED, repr(error)
    return Record(began, time.monotonic() - began, outcome, detail)


def _outcome(answer: urllib3.BaseHTTPResponse) -> tuple[Outcome, str]:
    found = answer.json()
    if answer.status == 201:
        return (Outcome.INJECTED, "") if is_injected(found) else (Outcome.UNINJECTED, found["metadata"]["name"])
    message = f"{answer.status}: {found.get('message')}"
    if answer.status == 409:  # it was stored, though the answer got lost
        return Outcome.INJECTED, message
    return Outcome.FAILED if any(words in message for words in BLAMED) else Outcome.UNANSWERED, message


@dataclass(frozen=True)
class Plan:
    """Workloads whose controllers create so many Pods, and how many are left for clients."""

    objects: list[dict[str, Any]]
    by_controllers: int
    by_clients: int


def plan(pods: int) -> Plan:
    """Return Deployments and Jobs for fake nodes that have a good part of so many Pods."""
    made = [_deployment(number) for number in range(round(pods * DEPLOYMENTS / PODS_EACH))]
    made += [_job(number) for number in range(round(pods * JOBS / PODS_EACH))]
    return Plan(made, len(made) * PODS_EACH, pods - len(made) * PODS_EACH)


def _deployment(number: int) -> dict[str, Any]:
    made = workloads.deployment(f"web-{number}", PODS_EACH)
    made["spec"]["template"]["spec"] |= ON_FAKE_NODES
    return made


def _job(number: int) -> dict[str, Any]:
    made = workloads.job(f"once-{number}", ["true"])
    made["spec"] |= {"completions": PODS_EACH, "parallelism": PODS_EACH}
    made["spec"]["template"]["spec"] |= ON_FAKE_NODES
    return made
