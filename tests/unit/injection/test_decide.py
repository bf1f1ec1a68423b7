"""Inject or not, and why: the whole table."""

import pytest

from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.names import INJECT, MIRROR_POD, SYSTEM_NAMESPACES, Reason
from tests.unit.injection.support import config, outcome, pod

NEVER = {"match": {"neverInject": [{"matchLabels": {"app": "no"}}]}}
ALWAYS = {
    "match": {"policy": "Disabled", "alwaysInject": [{"matchExpressions": [{"key": "app", "operator": "Exists"}]}]}
}
SELECTED = {"match": {"podSelector": {"matchLabels": {"app": "web"}}}}
OPT_IN = {"match": {"policy": "Disabled"}}

TABLE = [
    ("nothing said", {}, {}, Reason.INJECTED),
    ("mode Disabled", {"mode": "Disabled"}, {}, Reason.DISABLED),
    ("mode Disabled beats asking", {"mode": "Disabled"}, {"labels": {INJECT: "true"}}, Reason.DISABLED),
    ("label false", {}, {"labels": {INJECT: "false"}}, Reason.POD_OPTED_OUT),
    ("annotation false", {}, {"annotations": {INJECT: "false"}}, Reason.POD_OPTED_OUT),
    (
        "label true hides annotation false",
        {},
        {"labels": {INJECT: "true"}, "annotations": {INJECT: "false"}},
        Reason.INJECTED,
    ),
    (
        "label false hides annotation true",
        {},
        {"labels": {INJECT: "false"}, "annotations": {INJECT: "true"}},
        Reason.POD_OPTED_OUT,
    ),
    ("nonsense is as nothing", {}, {"labels": {INJECT: "yes"}}, Reason.INJECTED),
    ("nonsense is as nothing under policy Disabled", OPT_IN, {"labels": {INJECT: "yes"}}, Reason.POLICY_DISABLED),
    ("policy Disabled", OPT_IN, {}, Reason.POLICY_DISABLED),
    ("policy Disabled, asked", OPT_IN, {"labels": {INJECT: "true"}}, Reason.INJECTED),
    ("neverInject", NEVER, {"labels": {"app": "no"}}, Reason.NEVER_INJECT),
    ("neverInject, other label", NEVER, {"labels": {"app": "yes"}}, Reason.INJECTED),
    ("asking beats neverInject", NEVER, {"labels": {"app": "no", INJECT: "true"}}, Reason.INJECTED),
    ("alwaysInject beats the policy", ALWAYS, {"labels": {"app": ""}}, Reason.INJECTED),
    ("opting out beats alwaysInject", ALWAYS, {"labels": {"app": "", INJECT: "false"}}, Reason.POD_OPTED_OUT),
    ("podSelector", SELECTED, {"labels": {"app": "web"}}, Reason.INJECTED),
    ("podSelector, other label", SELECTED, {"labels": {"app": "db"}}, Reason.POD_NOT_SELECTED),
    ("podSelector, no labels", SELECTED, {}, Reason.POD_NOT_SELECTED),
    ("asking does not beat podSelector", SELECTED, {"labels": {INJECT: "true"}}, Reason.POD_NOT_SELECTED),
    ("a mirror Pod", {}, {"annotations": {MIRROR_POD: "x"}}, Reason.MIRROR_POD),
]


@pytest.mark.parametrize(("spec", "says", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_row_of_the_table(spec, says, reason):
    result = outcome(pod(**says), config(**spec))
    assert result.decision.reason == reason
    assert result.decision.inject == bool(result.patch) == (reason == Reason.INJECTED)
    assert result.decision.message


@pytest.mark.parametrize("namespace", SYSTEM_NAMESPACES)
def test_system_namespaces_are_never_injected_even_when_a_pod_asks(namespace):
    result = outcome(pod(labels={INJECT: "true"}), config(), namespace=namespace)
    assert result.decision.reason == Reason.SYSTEM_NAMESPACE


def test_the_namespace_of_the_operator_is_excluded_by_what_it_is_told():
    facts = ClusterFacts(excluded_namespaces=frozenset({"shop"}))
    assert outcome(pod(), config(), facts=facts).decision.reason == Reason.SYSTEM_NAMESPACE


@pytest.mark.parametrize(
    "request_fields",
    [{"operation": "UPDATE"}, {"operation": "DELETE"}, {"subResource": "status"}, {"resource": "deployments"}],
)
def test_what_is_no_creation_of_a_pod_is_let_through(request_fields):
    result = outcome(pod(), config(), **request_fields)
    assert (result.decision.reason, result.patch, result.warnings) == (Reason.NOT_A_POD_CREATION, (), ())


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (None, Reason.INJECTED),
        ({"istio-injection": "enabled"}, Reason.INJECTED),
        ({"istio-injection": "disabled"}, Reason.NAMESPACE_NOT_SELECTED),
        ({}, Reason.NAMESPACE_NOT_SELECTED),
    ],
)
def test_the_namespace_is_looked_at_only_where_its_labels_are_given(labels, reason):
    assert outcome(pod(), config(), namespace_labels=labels).decision.reason == reason


@pytest.mark.parametrize(
    ("says", "fragment"),
    [
        ({"labels": {INJECT: "yes"}}, "allowed are 'true' and 'false'"),
        ({"annotations": {INJECT: "true"}}, "as a label"),
        ({"labels": {"sidecarinjector.dev/injekt": "true"}}, f"did you mean {INJECT}?"),
        ({"annotations": {"sidecarinjector.dev/template": "x"}}, "did you mean sidecarinjector.dev/templates?"),
    ],
)
def test_a_pods_author_is_warned_of_keys_and_values_that_mean_nothing(says, fragment):
    assert any(fragment in warning for warning in outcome(pod(**says), config()).warnings)


def test_a_pod_that_says_all_correctly_is_given_no_warning():
    assert outcome(pod(labels={INJECT: "true"}), config()).warnings == ()
