"""What is known about the cluster, from reports in any order."""

from typing import Any

import pytest

from sidecar_injector.cluster.facts import FactsCache, runs_native_sidecars


def namespace(name: str, version: int, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version), "labels": labels}}


def node(name: str, version: int, kubelet: str) -> dict[str, Any]:
    nodeinfo = {"kubeletVersion": kubelet}
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "status": {"nodeInfo": nodeinfo}}


@pytest.mark.parametrize(
    ("kubelet", "native"),
    [
        ("v1.28.15", False),
        ("v1.29.0", True),
        ("v1.36.3", True),
        ("v1.30.2-eks-1552ad0", True),
        ("v2.0.0", True),
        ("v1.9.1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_kubelets_run_native_sidecars_since_1_29(kubelet: str, native: bool) -> None:
    assert runs_native_sidecars(kubelet) is native


def test_without_nodes_native_sidecars_are_assumed() -> None:
    assert FactsCache("own").facts.native_sidecars


def test_one_old_node_is_enough_to_do_without_native_sidecars_while_it_is_there() -> None:
    cache = FactsCache("own")
    cache.node_seen(node("new", 1, "v1.36.0"))
    assert cache.facts.native_sidecars
    cache.node_seen(node("old", 2, "v1.28.0"))
    assert not cache.facts.native_sidecars
    cache.node_gone(node("old", 3, "v1.28.0"))
    assert cache.facts.native_sidecars


def test_an_upgraded_node_counts_as_what_it_is_now() -> None:
    cache = FactsCache("own")
    cache.node_seen(node("a", 1, "v1.28.0"))
    cache.node_seen(node("a", 2, "v1.29.0"))
    assert cache.facts.native_sidecars


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
