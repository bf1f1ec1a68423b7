"""Replicas come and go, by plan or not: whoever creates Pods does not notice, or not for long."""

from collections.abc import Iterator

import pytest

from sidecar_injector import names
from tests.e2e import workloads
from tests.e2e.admissions import Admissions
from tests.e2e.installed import SELECTOR, InstalledOperator
from tests.e2e.workloads import LABELS, SIDECAR
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.fixture import MakeNamespace
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

HEAL_SECONDS = 60
TOO_MANY_REQUESTS = 429


@pytest.fixture(scope="module", autouse=True)
def config(node: Node, operator: InstalledOperator) -> Iterator[None]:
    node.kubectl("apply", "-f-", input=workloads.config(failurePolicy="Fail"))
    node.kubectl("wait", "--for=condition=Programmed", f"sic/{workloads.CONFIG}", "--timeout=20s")
    yield
    operator.wait()
    node.kubectl("delete", "sic", workloads.CONFIG)


def evict(node: Node, pod: str) -> int:
    """Ask for the eviction of a Pod, as `kubectl drain` does, and return the status of the answer."""
    path = f"/api/v1/namespaces/{names.APP}/pods/{pod}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": names.APP}}
    return node.request("POST", path, body).status


def test_a_rolling_update_fails_no_creation(
    node: Node, operator: InstalledOperator, node_namespace: MakeNamespace
) -> None:
    before = set(operator.pod_names())
    with Admissions(node, node_namespace(labels=LABELS)) as admissions:
        operator.kubectl("rollout", "restart", f"deployment/{names.APP}")
        operator.wait()
        wait_until(lambda: gone(operator, before), seconds=HEAL_SECONDS, what="the replicas of before are gone")
    assert admissions.failures == []
    assert admissions.created > 20


def test_draining_the_replicas_one_after_the_other_fails_no_creation(
    node: Node, operator: InstalledOperator, node_namespace: MakeNamespace
) -> None:
    before = operator.pod_names()
    refusals = 0
    with Admissions(node, node_namespace(labels=LABELS)) as admissions:
        for pod in before:
            while (status := evict(node, pod)) == TOO_MANY_REQUESTS:
                refusals += 1
                wait_until(lambda: len(ready(operator)) == 2, seconds=HEAL_SECONDS, what="two replicas are ready")
            assert status == 201
        operator.wait()
        wait_until(lambda: gone(operator, set(before)), seconds=HEAL_SECONDS, what="the evicted replicas are gone")
    assert refusals, "the budget made the second eviction wait for the first replacement"
    assert admissions.failures == []


def test_when_all_replicas_are_lost_at_once_the_operator_heals_without_help(
    node: Node, operator: InstalledOperator, node_namespace: MakeNamespace
) -> None:
    namespace = node_namespace(labels=LABELS)
    operator.kubectl("delete", "pods", "-l", SELECTOR, "--grace-period=0", "--force")
    with Admissions(node, namespace) as admissions:
        wait_until(lambda: len(ready(operator)) == 2, seconds=HEAL_SECONDS, what="two replicas are ready again")
    assert admissions.failures, "Pods are refused meanwhile"
    assert not [failure for failure in admissions.failures if "not injected" in failure]
    node.kubectl("create", "--namespace", namespace, "-f-", input=workloads.pod("after"))
    after = node.get("pod/after", "--namespace", namespace)
    assert SIDECAR in str(after["spec"])


def ready(operator: InstalledOperator) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in operator.pods()
        if {"type": "Ready", "status": "True"}.items()
        <= {**next((c for c in pod["status"].get("conditions", []) if c["type"] == "Ready"), {})}.items()
    ]


def gone(operator: InstalledOperator, pods: set[str]) -> bool:
    listed = operator.kubectl("get", "pods", "-l", SELECTOR, "-o", "name").stdout.split()
    return not pods & {name.rpartition("/")[2] for name in listed}
