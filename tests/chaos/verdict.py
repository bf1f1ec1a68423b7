"""What came of it all: Pods without their sidecar, admissions that failed, workloads that are not complete."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.load import Outcome, Plan, Records, is_injected
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.node import Node

METRIC = re.compile(r"^(apiserver_admission_webhook_\w+)\{(.*)\} (\S+)$", re.MULTILINE)
BAD = ("apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count")
"""Calls that failed, whatever the failurePolicy made of it."""


@dataclass(frozen=True)
class Verdict:
    """`failed` says how often there was each sort of failure, `by_metrics` what the API server has counted of them."""

    admitted: int
    uninjected: tuple[str, ...]
    failed: Mapping[str, int]
    by_metrics: Mapping[str, float]


@dataclass(frozen=True)
class Count:
    """What the API server has counted of our webhook's failures up to now."""

    bad: Mapping[str, float]

    def since(self, before: "Count") -> dict[str, float]:
        """Return what was added; an API server that was started anew has counted from nothing."""
        anew = any(self.bad.get(key, 0) < value for key, value in before.bad.items())
        added = {key: value - (0 if anew else before.bad.get(key, 0)) for key, value in self.bad.items()}
        return {key: value for key, value in added.items() if value}


def counted(node: Node) -> Count:
    """Ask the API server."""
    text = node.kubectl("get", "--raw", "/metrics").stdout
    return Count({f"{name}{{{labels}}}": float(value) for name, labels, value in METRIC.findall(text) if name in BAD})


def verdict(node: Node, namespace: str, records: Records, before: Count) -> Verdict:
    """Sum up: of clients and controllers, of all Pods of the namespace, of the API server's own count."""
    messages = [record.detail for record in records.of(Outcome.FAILED)] + list(failures_of_controllers(node, namespace))
    found = pods(node, namespace)
    uninjected = [record.detail for record in records.of(Outcome.UNINJECTED)]
    uninjected += [pod["metadata"]["name"] for pod in found if not is_injected(pod)]
    return Verdict(
        admitted=records.injected + len([pod for pod in found if "ownerReferences" in pod["metadata"]]),
        uninjected=tuple(dict.fromkeys(uninjected)),
        failed=Counter(_sort(message) for message in messages),
        by_metrics=counted(node).since(before),
    )


def pods(node: Node, namespace: str) -> list[dict[str, Any]]:
    """Return all Pods of a namespace."""
    found: list[dict[str, Any]] = node.request("GET", f"/api/v1/namespaces/{namespace}/pods").body["items"]
    return found


def failures_of_controllers(node: Node, namespace: str) -> Iterator[str]:
    """Yield what Deployments and Jobs could not create because of us, from their Events."""
    path = f"/api/v1/namespaces/{namespace}/events?fieldSelector=reason%3DFailedCreate"
    for event in node.request("GET", path).body["items"]:
        if "webhook" in event["message"]:
            yield from [event["message"]] * (event.get("count") or 1)


def complete(node: Node, namespace: str, planned: Plan) -> bool:
    """Tell whether all Pods of all workloads are there, the Jobs' ones at their end."""
    deployments = node.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments").body["items"]
    jobs = node.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs").body["items"]
    return len(deployments) + len(jobs) == len(planned.objects) and all(
        [each["status"].get("availableReplicas") == each["spec"]["replicas"] for each in deployments]
        + [each["status"].get("succeeded") == each["spec"]["completions"] for each in jobs]
    )


def wait_until_complete(node: Node, namespace: str, planned: Plan, seconds: float) -> None:
    """Raise WaitedInVainError unless all workloads are complete in time."""
    wait_until(
        lambda: complete(node, namespace, planned), seconds=seconds, what=f"all workloads in {namespace} are complete"
    )


def _sort(message: str) -> str:
    """Return a message without what differs from Pod to Pod."""
    shortened = re.sub(r'^.*?(?=failed calling webhook|admission webhook)|"?https?://\S+"?|:\d{4,5}\b', "", message)
    return re.sub(r"\d+\.\d+\.\d+\.\d+", "ADDRESS", shortened)[:200]
