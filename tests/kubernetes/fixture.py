"""pytest fixtures: one cluster for the whole run, and namespaces of one's own in it."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from tests.kubernetes.choice import chosen_cluster
from tests.kubernetes.cluster import Cluster


class MakeNamespace(Protocol):
    """Makes a Namespace with a unique name that begins with `prefix`, and returns its name."""

    def __call__(self, prefix: str = "test", labels: Mapping[str, str] | None = None) -> str: ...


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Cluster]:
    """The cluster, started when the first test wants it."""
    with chosen_cluster() as cluster:
        yield cluster


@pytest.fixture
def controllers(control_plane: Cluster) -> Cluster:
    """The cluster, for tests in which Deployments, Jobs or ServiceAccounts must come to life."""
    if not control_plane.has_controllers:
        pytest.skip("needs controllers, which the etcd and kube-apiserver of KUBEBUILDER_ASSETS come without")
    return control_plane


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[MakeNamespace]:
    """A maker of namespaces, which are deleted after the test."""
    made: list[str] = []

    def make(prefix: str = "test", labels: Mapping[str, str] | None = None) -> str:
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        metadata = {"name": name, "labels": dict(labels or {})}
        control_plane.kubectl("create", "-f-", input={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        made.append(name)
        if control_plane.has_controllers:
            control_plane.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=20s")
        return name

    yield make
    if made:
        control_plane.kubectl("delete", "namespace", *made, "--wait=false", "--ignore-not-found")
