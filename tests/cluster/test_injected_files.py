"""What `inject` prints is accepted by a real API server."""

from pathlib import Path
from typing import Any, cast

import pytest

from sidecar_injector.cli.workloads import template_path
from sidecar_injector.templating import load_all_yaml
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

GOLDEN = Path(__file__).parents[1] / "golden"
NOT_FOR_A_CLUSTER = {
    "merging": "has fields and a ServiceAccount that no cluster has",
    "pass_through": "has no workloads",
    "audit_and_disabled": "injects nothing",
}
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/expected.yaml"))


def workloads(value: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
    """Return the workloads in an object, put into a namespace that exists."""
    if value["kind"] == "List":
        return [found for item in value["items"] or [] for found in workloads(item, namespace)]
    if template_path(value) is None:
        return []
    return [{**value, "metadata": {**value["metadata"], "namespace": namespace}}]


@pytest.mark.parametrize("case", [case for case in CASES if case not in NOT_FOR_A_CLUSTER])
def test_injected_workloads_are_valid(case: str, controllers: Cluster, namespace: MakeNamespace) -> None:
    documents = load_all_yaml((GOLDEN / case / "expected.yaml").read_text(), case)
    name = namespace("golden")
    objects = [found for each in documents for found in workloads(cast("dict[str, Any]", each.value), name)]
    assert objects
    done = controllers.kubectl("create", "--dry-run=server", "-f-", input=objects)
    assert len(done.stdout.splitlines()) == len(objects)


def test_a_sidecar_is_valid_in_a_namespace_with_the_restricted_standard(
    controllers: Cluster, namespace: MakeNamespace
) -> None:
    [document] = [
        document
        for document in load_all_yaml((GOLDEN / "generic_config" / "expected.yaml").read_text(), "generic_config")
        if cast("dict[str, Any]", document.value)["kind"] == "Deployment"
    ]
    deployment = cast("dict[str, Any]", document.value)
    template = deployment["spec"]["template"]
    [shipper, *_] = template["spec"]["initContainers"]
    pod_spec = {**template["spec"], "containers": [{**shipper, "name": "app"}]}
    del pod_spec["containers"][0]["restartPolicy"]
    name = namespace("restricted", {"pod-security.kubernetes.io/enforce": "restricted"})
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": name}, "spec": pod_spec}
    controllers.kubectl("create", "--dry-run=server", "-f-", input=pod)
