"""The operator as people run it: in a cluster, from its image and its manifests, in front of Pods that really run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sidecar_injector import names
from tests.e2e import workloads
from tests.e2e.installed import MANIFESTS, InstalledOperator
from tests.e2e.workloads import GREETING, LABELS, OPTED_OUT, SIDECAR
from tests.kubernetes.cluster import KubectlError, wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.fixture import MakeNamespace
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

USER = 65532
WRITE = "import sys; open(sys.argv[1], 'w')"


@pytest.fixture(scope="module", autouse=True)
def config(node: Node, operator: InstalledOperator) -> Iterator[None]:
    node.kubectl("apply", "-f-", input=workloads.config())
    node.kubectl("wait", "--for=condition=Programmed", f"sic/{workloads.CONFIG}", "--timeout=20s")
    yield
    node.kubectl("delete", "sic", workloads.CONFIG)


def states(statuses: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return by container's name "running", "waiting" or "terminated"."""
    return {status["name"]: next(iter(status["state"])) for status in statuses}


def status_of_process(node: Node, pod: str) -> dict[str, str]:
    """Return what the kernel says about the main process of an operator's Pod."""
    process = Faults(node).main_process(names.APP, pod)
    with open(f"/proc/{process}/status") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def test_two_replicas_are_ready(operator: InstalledOperator) -> None:
    ready = [all(status["ready"] for status in pod["status"]["containerStatuses"]) for pod in operator.pods()]
    assert ready == [True, True]


def test_a_deployment_runs_with_its_sidecar(node: Node, node_namespace: MakeNamespace) -> None:
    where = ("--namespace", node_namespace(labels=LABELS))
    node.kubectl("create", *where, "-f-", input=workloads.deployment("web", replicas=2))
    node.kubectl("rollout", "status", *where, "deployment/web", "--timeout=60s")
    pods: Any = node.get("pods", *where)["items"]
    assert len(pods) == 2
    for pod in pods:
        assert states(pod["status"]["initContainerStatuses"]) == {SIDECAR: "running"}
        assert states(pod["status"]["containerStatuses"]) == {"app": "running"}
        [sidecar] = pod["spec"]["initContainers"]
        assert sidecar["restartPolicy"] == "Always"
        said = node.kubectl("exec", *where, pod["metadata"]["name"], "-c", "app", "--", *workloads.greet()).stdout
        assert said.strip() == GREETING


def test_a_job_completes_although_its_sidecar_would_run_for_ever(node: Node, node_namespace: MakeNamespace) -> None:
    where = ("--namespace", node_namespace(labels=LABELS))
    node.kubectl("create", *where, "-f-", input=workloads.job("once", workloads.greet()))
    node.kubectl("wait", "--for=condition=Complete", *where, "job/once", "--timeout=60s")
    [pod] = node.get("pods", *where)["items"]  # type: ignore[misc, has-type]
    assert pod["status"]["phase"] == "Succeeded"
    assert states(pod["status"]["initContainerStatuses"]) == {SIDECAR: "terminated"}
    assert node.kubectl("logs", *where, "job/once", "-c", "app").stdout.strip() == GREETING


def test_injected_pods_run_in_a_restricted_namespace(node: Node, node_namespace: MakeNamespace) -> None:
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    where = ("--namespace", node_namespace(labels={**LABELS, **restricted}))
    node.kubectl("create", *where, "-f-", input=workloads.pod("fits"))
    node.kubectl("wait", "--for=condition=Ready", *where, "pod/fits", "--timeout=60s")
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        node.kubectl("create", *where, "-f-", input=workloads.pod("refused", hostNetwork=True))


@pytest.mark.parametrize(
    ("of_namespace", "of_pod"), [(LABELS, OPTED_OUT), ({}, {})], ids=["the Pod opts out", "no label on the namespace"]
)
def test_pods_that_are_not_meant_are_left_alone(
    of_namespace: Mapping[str, str], of_pod: Mapping[str, str], node: Node, node_namespace: MakeNamespace
) -> None:
    where = ("--namespace", node_namespace(labels=of_namespace))
    node.kubectl("create", *where, "-f-", input=workloads.pod("alone", of_pod))
    node.kubectl("wait", "--for=condition=Ready", *where, "pod/alone", "--timeout=60s")
    pod: Any = node.get("pod/alone", *where)
    assert "initContainers" not in pod["spec"]
    assert [container["name"] for container in pod["spec"]["containers"]] == ["app"]
    assert not [name for name in pod["metadata"].get("annotations", {}) if name.startswith(names.GROUP)]


def test_the_kernel_holds_every_replica_to_the_restrictions(node: Node, operator: InstalledOperator) -> None:
    for pod in operator.pod_names():
        status = status_of_process(node, pod)
        assert status["Uid"].split() == [str(USER)] * 4
        assert status["Gid"].split() == [str(USER)] * 4
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2", "a filter is in force"
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}


@pytest.mark.parametrize("path", ["/probe", "/tmp/probe", "/var/tmp/probe", "/etc/probe"])
def test_a_replica_cannot_write_to_its_filesystem(path: str, operator: InstalledOperator) -> None:
    pod = operator.pod_names()[0]
    refused = operator.kubectl("exec", pod, "--", "python3", "-c", WRITE, path, check=False)
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr


def test_nothing_less_restricted_runs_beside_the_operator(node: Node) -> None:
    # Not from `default`: in a namespace of its own it is not exempt either.
    careless = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "careless"}}
    spec = {"containers": [{"name": "app", "image": workloads.BUSYBOX}]}
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        node.kubectl("create", "--namespace", names.APP, "-f-", input={**careless, "spec": spec})


def test_the_disruption_budget_lets_one_replica_go(node: Node) -> None:
    budget = ("get", "pdb", names.APP, "--namespace", names.APP, "-o")

    def status() -> bool:
        found = json.loads(node.kubectl(*budget, "json").stdout)["status"]
        return (found["currentHealthy"], found["disruptionsAllowed"]) == (2, 1)

    wait_until(status, seconds=20, what="the budget counts two healthy replicas and allows for one to go")


def test_replicas_want_to_be_on_different_nodes_and_zones(operator: InstalledOperator) -> None:
    for pod in operator.pods():
        wanted = {each["topologyKey"]: each for each in pod["spec"]["topologySpreadConstraints"]}
        assert set(wanted) == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        # There is one node here, and yet both run.
        assert {each["whenUnsatisfiable"] for each in wanted.values()} == {"ScheduleAnyway"}


def test_the_production_overlay_is_accepted_over_what_runs(node: Node) -> None:
    applied = node.kubectl(
        "apply", "--dry-run=server", "--warnings-as-errors", "-k", str(MANIFESTS / "overlays" / "production")
    )
    assert f"networkpolicy.networking.k8s.io/{names.APP} created (server dry run)" in applied.stdout
