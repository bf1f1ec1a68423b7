"""The comparison of what is granted with what is used would notice every kind of difference."""

import collections

import pytest

from tests.cluster.rights import Comparison, Right, granted, refused, used
from tests.kubernetes.own_cluster import AuditedRequest

PODS = Right("", "pods", "get", "shop", "web")


def request(
    verb: str, name: str = "", *, namespace: str = "", subresource: str = "", code: int = 200
) -> AuditedRequest:
    return AuditedRequest("u", verb, "", "pods", subresource, namespace, name, code != 403, code)


def test_a_rule_grants_every_combination_that_it_names() -> None:
    rule = {"apiGroups": ["", "a"], "resources": ["b"], "verbs": ["get", "list"], "resourceNames": ["x", "y"]}
    role = {"kind": "Role", "metadata": {"name": "r", "namespace": "n"}, "rules": [rule]}
    found = granted([role, {"kind": "Service"}])
    assert len(found) == 8
    assert Right("a", "b", "list", "n", "y") in found


def test_a_cluster_role_grants_everywhere_and_on_any_object() -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    (found,) = granted([{"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [rule]}])
    assert found.covers(PODS)
    assert not PODS.covers(found)


def test_a_post_needs_the_right_to_create_any_object() -> None:
    assert used([request("create", "web", namespace="shop", code=201)]) == {Right("", "pods", "create", "shop")}


def test_server_side_apply_needs_the_right_to_create_only_where_there_was_nothing() -> None:
    patch = Right("", "pods", "patch", "shop", "web")
    assert used([request("patch", "web", namespace="shop")]) == {patch}
    create = Right("", "pods", "create", "shop", "web")
    assert used([request("patch", "web", namespace="shop", code=201)]) == {patch, create}


def test_a_subresource_is_a_resource_of_its_own() -> None:
    (right,) = used([request("patch", "web", subresource="status")])
    assert right.resource == "pods/status"


def test_requests_that_are_not_about_resources_need_no_right_of_a_role() -> None:
    assert used([AuditedRequest("u", "get", "", "/version", "", "", "", True, 200)]) == set()


@pytest.mark.parametrize(
    ("has", "uses", "problem"),
    [
        ({PODS}, {PODS}, None),
        (set(), {PODS}, "missing: get pods web in namespace shop"),
        ({PODS}, set(), "never used: get pods web in namespace shop"),
        ({Right("", "pods", "get", "bar", "web"), PODS}, {PODS}, "never used: get pods web in namespace bar"),
        (
            {Right("", "pods", "get", "shop")},
            {PODS},
            "too wide: get pods in namespace shop, used for the name web only",
        ),
        (
            {Right("", "pods", "list")},
            {Right("", "pods", "list", "shop")},
            "too wide: list pods in the whole cluster, used for the namespace shop only",
        ),
        (
            {PODS, Right("", "pods", "get", "shop")},
            {PODS, Right("", "pods", "get", "shop", "db")},
            "redundant: get pods web in namespace shop, beside: get pods in namespace shop",
        ),
        ({Right("", "pods", "list")}, {Right("", "pods", "list")}, None),
        ({Right("", "pods", "list", "shop")}, {Right("", "pods", "list", "shop")}, None),
        ({Right("", "nodes", "list")}, {Right("", "nodes", "list", name="a")}, None),
    ],
)
def test_each_kind_of_difference_is_told(has: set[Right], uses: set[Right], problem: str | None) -> None:
    assert Comparison(frozenset(has), frozenset(uses)).problems() == ([problem] if problem else [])


def test_what_was_refused_is_told() -> None:
    counted = collections.Counter([request("get", "web", namespace="shop", code=403), request("list")])
    assert refused(counted) == ["1 times refused: get pods web in namespace shop"]
