"""The proxy is told its cluster and network, and what else the webhook's URL says."""

import copy

import pytest

from sidecar_injector.profiles.istio.environment import cluster_environment, stated_environment, with_environment

CLUSTER, NETWORK = "ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK"


def values(cluster="", network=""):
    return {"global": {"multiCluster": {"clusterName": cluster}, "network": network}}


SAID = {
    "nothing": ({}, {}, None, {}),
    "values of another shape": ({"global": {"multiCluster": None}}, {}, None, {}),
    "empty values": (values(), {}, None, {}),
    "values": (values("c", "n"), {}, None, {CLUSTER: "c", NETWORK: "n"}),
    "a number": (values(network=1), {}, None, {NETWORK: "1"}),
    "the URL's cluster": ({}, {"cluster": "c1"}, None, {CLUSTER: "c1"}),
    "the URL's network": ({}, {"net": "n1"}, None, {NETWORK: "n1"}),
    "the URL before the values": (
        values("c", "n"), {"cluster": "c1", "net": "n1"}, None, {CLUSTER: "c1", NETWORK: "n1"}
    ),
    "an empty parameter": (values("c"), {"cluster": ""}, None, {CLUSTER: "c"}),
    "another parameter": ({}, {"my_proxy_mode": "router"}, None, {"MY_PROXY_MODE": "router"}),
    "an upper case one": ({}, {"Cluster": "c1"}, None, {"CLUSTER": "c1"}),
    "a variable's own name, the last one first": ({}, {"net": "a", "istio_meta_network": "b"}, None, {NETWORK: "b"}),
    "a parameter without a name": ({}, {"": "a"}, None, {}),
    "slashes": ({}, {"k": "/v1/a"}, None, {"K": "/v1/a"}),
    "the label before all": (values(network="n"), {"net": "n1"}, "n2", {NETWORK: "n2"}),
    "an empty label": (values(network="n"), {}, "", {NETWORK: "n"}),
}  # fmt: skip


@pytest.mark.parametrize(("given", "parameters", "label", "expected"), SAID.values(), ids=SAID)
def test_the_label_goes_before_the_url_and_the_url_before_the_values(given, parameters, label, expected):
    labels = {} if label is None else {"topology.istio.io/network": label}
    assert cluster_environment({"metadata": {"labels": labels}}, stated_environment(given), parameters) == expected


def proxied(names, field="containers"):
    env = [{"name": name, "value": "old"} for name in names.split()]
    return {"spec": {"containers": [{"name": "app"}], field: [{"name": "istio-proxy", "env": env}]}}


def environment(result, field="containers"):
    return {entry["name"]: entry["value"] for entry in result["spec"][field][0]["env"]}


@pytest.mark.parametrize("field", ["containers", "initContainers"])
@pytest.mark.parametrize(
    ("present", "variables", "expected"),
    [
        ("", {"B": "1", "A": "2"}, "A B"),
        ("X Y", {"B": "1", "A": "2"}, "X Y A B"),
        ("A X B Y", {"B": "1", "A": "2"}, "X Y A B"),
        ("A X A", {"A": "2"}, "X A"),
        (f"{NETWORK} X", {NETWORK: "n"}, f"X {NETWORK}"),
        ("X ISTIO_KUBE_APP_PROBERS", {"A": "1"}, "X A ISTIO_KUBE_APP_PROBERS"),
        (
            "A ISTIO_PROMETHEUS_ANNOTATIONS ISTIO_KUBE_APP_PROBERS",
            {"A": "1"},
            "A ISTIO_PROMETHEUS_ANNOTATIONS ISTIO_KUBE_APP_PROBERS",
        ),
        ("ISTIO_KUBE_APP_PROBERS X", {"A": "1"}, "ISTIO_KUBE_APP_PROBERS X A"),
    ],
)
def test_variables_stand_once_and_sorted_before_what_later_rules_append(present, variables, expected, field):
    given = proxied(present, field)
    before = copy.deepcopy(given)
    result = with_environment(given, variables)
    assert " ".join(entry["name"] for entry in result["spec"][field][0]["env"]) == expected
    assert {name: environment(result, field)[name] for name in variables} == variables
    assert given == before
    assert with_environment(result, variables) is result


def test_without_variables_or_the_proxy_nothing_is_done():
    given = proxied("X")
    assert with_environment(given, {}) is given
    bare = {"spec": {"containers": [{"name": "app"}]}}
    assert with_environment(bare, {"A": "1"}) is bare


def test_a_proxy_without_an_environment_gets_one():
    result = with_environment({"spec": {"containers": [{"name": "istio-proxy"}]}}, {"A": "1"})
    assert environment(result) == {"A": "1"}
