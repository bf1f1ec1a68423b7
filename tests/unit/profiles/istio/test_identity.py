"""Of which workload a Pod is part."""

import pytest

from sidecar_injector.injection.workload import Workload
from sidecar_injector.profiles.istio.identity import workload_of


def pod(owner=None, labels=None, *, controller=True, **metadata):
    metadata = {"generateName": "pod-", "labels": labels, **metadata}
    if owner is not None:
        version, kind, name = owner
        reference = {"apiVersion": version, "kind": kind, "name": name, "controller": controller}
        metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": "n"}, reference]
    return {"metadata": metadata}


HASH = {"pod-template-hash": "5f"}
ROLLOUT = {"rollouts-pod-template-hash": "5f"}
CONFIG = {"deploymentconfig": "shop"}
CASES = {
    "a Pod": (pod(name="alone", generateName=None), ("v1", "Pod", "alone")),
    "a Pod that the API server will name": (pod(), ("v1", "Pod", "pod")),
    "no metadata": ({}, ("v1", "Pod", "")),
    "an owner that is no controller": (
        pod(("v1", "Pod", "other"), controller=False, name="alone"), ("v1", "Pod", "alone")
    ),
    "a controller that named the Pod itself": (
        pod(("v1", "Set", "set"), name="set-0", generateName=""), ("v1", "Pod", "set-0")
    ),
    "a Deployment": (pod(("apps/v1", "ReplicaSet", "shop-5f"), HASH), ("apps/v1", "Deployment", "shop")),
    "a ReplicaSet": (pod(("apps/v1", "ReplicaSet", "shop-5f")), ("apps/v1", "ReplicaSet", "shop-5f")),
    "a ReplicaSet of another hash": (
        pod(("apps/v1", "ReplicaSet", "shop-6e"), HASH), ("apps/v1", "ReplicaSet", "shop-6e")
    ),
    "a Rollout": (pod(("apps/v1", "ReplicaSet", "shop-5f"), ROLLOUT), ("v1alpha1", "Rollout", "shop")),
    "a DeploymentConfig": (pod(("v1", "ReplicationController", "shop-1"), CONFIG), ("v1", "DeploymentConfig", "shop")),
    "a DeploymentConfig that owns the Pod": (
        pod(("apps.openshift.io/v1", "DeploymentConfig", "shop")), ("apps.openshift.io/v1", "DeploymentConfig", "shop")
    ),
    "a ReplicationController": (
        pod(("v1", "ReplicationController", "shop-1")), ("v1", "ReplicationController", "shop-1")
    ),
    "a CronJob": (pod(("batch/v1", "Job", "backup-28912345")), ("batch/v1", "CronJob", "backup")),
    "a CronJob, by seconds": (pod(("batch/v1beta1", "Job", "backup-1700000000")), ("batch/v1", "CronJob", "backup")),
    "a Job": (pod(("batch/v1", "Job", "pi"), name="pi"), ("batch/v1", "Job", "pi")),
    "a Job with a number": (pod(("batch/v1", "Job", "pi-1234567")), ("batch/v1", "Job", "pi-1234567")),
    "a StatefulSet": (pod(("apps/v1", "StatefulSet", "db"), name="db-0"), ("apps/v1", "StatefulSet", "db")),
    "a controller of any kind": (pod(("foo/v1", "Bar", "hello")), ("foo/v1", "Bar", "hello")),
    "an owner without a name": (pod(("foo/v1", "Bar", ""), name="alone"), ("foo/v1", "Bar", "alone")),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_pod_is_part_of_the_workload_that_its_user_wrote(given, expected):
    assert workload_of(given) == Workload(*expected)
