"""What is known about the cluster, from reports in any order."""

from typing import Any

import pytest

from sidecar_injector.cluster.facts import FactsCache, kubelet_version
from sidecar_injector.injection.facts import ClusterFacts


def namespace(name: str, version: int, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version), "labels": labels}}


def node(name: str, version: int, kubelet: str) -> dict[str, Any]:
    nodeinfo = {"kubeletVersion": kubelet}
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "status": {"nodeInfo": nodeinfo}}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.28.15", (1, 28)),
        ("v1.36.3", (1, 36)),
        ("v1.30.2-eks-1552ad0", (1, 30)),
        ("1.31+", (1, 31)),
        ("v2.0.0", (2, 0)),
        ("v1.9.1", (1, 9)),
        ("", (0, 0)),
        ("unknown", (0, 0)),
    ],
)
def test_the_version_of_a_kubelet_is_read(text: str, version: tuple[int, int]) -> None:
    assert kubelet_version(text) == version


def test_without_nodes_there_is_no_oldest_kubelet() -> None:
    assert FactsCache("own").facts.oldest_kubelet is None


def test_the_oldest_kubelet_follows_the_nodes() -> None:
    cache = FactsCache("own")
    reports = [
        (cache.node_seen, node("new", 1, "v1.36.0"), (1, 36)),
        (cache.node_seen, node("old", 2, "v1.28.0"), (1, 28)),
        (cache.node_seen, node("old-too", 3, "v1.28.4"), (1, 28)),
        (cache.node_gone, node("old", 4, "v1.28.0"), (1, 28)),
        (cache.node_seen, node("old", 2, "v1.28.0"), (1, 28)),
        (cache.node_seen, node("old-too", 5, "v1.29.0"), (1, 29)),
        (cache.node_seen, node("strange", 6, "unknown"), (0, 0)),
        (cache.node_gone, node("strange", 7, "unknown"), (1, 29)),
        (cache.node_gone, node("old-too", 8, "v1.29.0"), (1, 36)),
        (cache.node_gone, node("new", 9, "v1.36.0"), None),
        (cache.node_gone, node("never-seen", 10, "v1.1.0"), None),
    ]
    for report, resource, oldest in reports:
        report(resource)
        assert cache.facts.oldest_kubelet == oldest, resource
    assert cache.facts.kubelets == {}


def test_facts_in_use_see_a_node_that_joined_meanwhile() -> None:
    cache = FactsCache("own")
    facts = cache.facts
    cache.node_seen(node("a", 1, "v1.33.0"))
    assert facts.kubelets == {"a": (1, 33)}


OLD_AND_NEW = ClusterFacts(kubelets={"old": (1, 32), "new": (1, 33)}, oldest_kubelet=(1, 32))


@pytest.mark.parametrize(
    ("facts", "since", "node", "expected"),
    [
        (ClusterFacts(), (1, 33), "", True),
        (ClusterFacts(), (1, 33), "unknown", True),
        (OLD_AND_NEW, (1, 29), "", True),
        (OLD_AND_NEW, (1, 33), "", False),
        (OLD_AND_NEW, (1, 33), "new", True),
        (OLD_AND_NEW, (1, 33), "old", False),
        (OLD_AND_NEW, (1, 33), "unknown", False),
        (ClusterFacts(oldest_kubelet=(2, 0)), (1, 33), "", True),
        (ClusterFacts(oldest_kubelet=(0, 0)), (1, 29), "", False),
    ],
)
def test_native_sidecars_run_on_the_pods_own_node_or_else_on_every_node(
    facts: ClusterFacts, since: tuple[int, int], node: str, expected: bool
) -> None:
    assert facts.runs_native_sidecars(since, node) is expected


def test_a_namespace_is_known_with_its_latest_labels() -> None:
    cache = FactsCache("own")
    cache.namespace_seen(namespace("shop", 1, team="a"))
    cache.namespace_seen(namespace("shop", 3, team="b"))
    cache.namespace_seen(namespace("shop", 2, team="late"))
    assert cache.facts.namespace("shop").labels == {"team": "b"}


def test_facts_in_use_see_a_namespace_that_was_made_meanwhile() -> None:
    cache = FactsCache("own")
    facts = cache.facts
    cache.namespace_seen(namespace("shop", 1, team="a"))
    assert facts.namespace("shop").labels == {"team": "a"}


def test_a_namespace_that_is_gone_is_known_no_longer() -> None:
    cache = FactsCache("own")
    cache.namespace_seen(namespace("shop", 1, team="a"))
    cache.namespace_gone(namespace("shop", 2))
    cache.namespace_seen(namespace("shop", 1, team="late"))
    assert cache.facts.namespace("shop").labels == {}


def test_the_own_namespace_is_excluded_like_those_of_the_system() -> None:
    assert {"own", "kube-system"} <= FactsCache("own").facts.excluded_namespaces
