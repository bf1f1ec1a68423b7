"""pytest fixtures: one cluster for the whole run, and namespaces of one's own in it."""

import os
import uuid
from collections.abc import Iterator, Mapping
from typing import Protocol

import pytest

from tests.kubernetes.choice import chosen_cluster
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.images import ensure_images
from tests.kubernetes.node import Node, NodeImpossibleError, require_node

FAKE_NODES = 2


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


@pytest.fixture(scope="session")
def possible_node() -> None:
    """Skip the tests that want a whole node where none is possible; in continuous integration, fail them."""
    skip_or_fail_without_node(os.environ)


def skip_or_fail_without_node(environment: Mapping[str, str]) -> None:
    """Do nothing if a whole node is possible; fail the test otherwise if the variable CI is set, else skip it."""
    try:
        require_node()
    except NodeImpossibleError as error:
        if environment.get("CI"):
            pytest.fail(f"{error} The variable CI is set, so no test may be skipped for that.")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def node(possible_node: None) -> Iterator[Node]:
    """A whole node with all images in it, started when the first test wants it."""
    with Node(ensure_images().values(), fake_nodes=FAKE_NODES, audit=True) as running:
        yield running


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[MakeNamespace]:
    """A maker of namespaces, which are deleted after the test."""
    yield from _making_namespaces(control_plane)


@pytest.fixture
def node_namespace(node: Node) -> Iterator[MakeNamespace]:
    """A maker of namespaces on the whole node, which are deleted after the test."""
    yield from _making_namespaces(node)


def _making_namespaces(cluster: Cluster) -> Iterator[MakeNamespace]:
    made: list[str] = []

    def make(prefix: str = "test", labels: Mapping[str, str] | None = None) -> str:
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        metadata = {"name": name, "labels": dict(labels or {})}
        cluster.kubectl("create", "-f-", input={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        made.append(name)
        if cluster.has_controllers:
            cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=20s")
        return name

    yield make
    if made:
        cluster.kubectl("delete", "namespace", *made, "--wait=false", "--ignore-not-found")
