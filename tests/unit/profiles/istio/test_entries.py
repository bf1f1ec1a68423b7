"""For which Pods a config of profile Istio is called."""

from typing import Any

import pytest

from sidecar_injector.config import CompiledConfig, compile_config, parse_config
from sidecar_injector.profiles.istio.entries import entries, problems
from tests.unit.config.resources import with_spec
from tests.unit.profiles.istio.truth_table import NAMESPACES, PODS, rows

BY_DEFAULT = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}


def config(revision: str = "default", **spec: Any) -> CompiledConfig:
    return compile_config(parse_config(with_spec(profile="Istio", revision=revision, **spec)))


def kinds(compiled: CompiledConfig) -> list[str]:
    return [entry.kind for entry in entries(compiled)]


@pytest.mark.parametrize("enabled_by_default", [False, True])
def test_labels_of_namespace_and_pod_ask_for_one_revision_or_none_by_the_truth_table(enabled_by_default: bool) -> None:
    values = BY_DEFAULT if enabled_by_default else {}
    revisions = ("default", "canary")
    registered = [(name, entry) for name in revisions for entry in entries(config(name, values=values))]
    found = {
        (namespace, pod): [
            revision for revision, entry in registered if entry.selects(NAMESPACES[namespace], PODS[pod])
        ]
        for namespace, pod, _ in rows()
    }
    expected = {
        (namespace, pod): [revision] if revision else []
        for namespace, pod, revision in rows(enabled_by_default=enabled_by_default)
    }
    assert found == expected


def test_the_table_has_every_combination() -> None:
    assert {(namespace, pod) for namespace, pod, _ in rows()} == {(a, b) for a in NAMESPACES for b in PODS}


@pytest.mark.parametrize(
    ("revision", "values", "expected"),
    [
        ("default", {}, ["rev.namespace", "rev.object", "namespace", "object"]),
        ("default", BY_DEFAULT, ["rev.namespace", "rev.object", "namespace", "object", "auto"]),
        ("default", {"sidecarInjectorWebhook": None}, ["rev.namespace", "rev.object", "namespace", "object"]),
        ("canary", {}, ["rev.namespace", "rev.object"]),
        ("canary", BY_DEFAULT, ["rev.namespace", "rev.object"]),
    ],
)
def test_only_revision_default_answers_to_more_than_its_name(
    revision: str, values: dict[str, Any], expected: list[str]
) -> None:
    assert kinds(config(revision, values=values)) == expected


def test_a_namespace_selector_takes_the_place_of_the_table() -> None:
    (entry,) = entries(config(match={"namespaceSelector": {"matchLabels": {"team": "a"}}}, values=BY_DEFAULT))
    assert entry.kind == ""
    assert entry.selects({"team": "a", "istio-injection": "disabled"}, {"istio.io/rev": "other"})
    assert not entry.selects({"team": "a"}, {"sidecar.istio.io/inject": "false"})
    assert not entry.selects({"istio-injection": "enabled"}, {})


@pytest.mark.parametrize("namespaces", [{}, {"namespaceSelector": {"matchLabels": {"team": "a"}}}])
def test_a_pod_selector_narrows_every_entry(namespaces: dict[str, Any]) -> None:
    match = {"podSelector": {"matchLabels": {"app": "web"}}, **namespaces}
    for entry in entries(config(match=match, values=BY_DEFAULT)):
        assert ("app", "web") in entry.pods.match_labels, entry.kind


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"values": BY_DEFAULT}, "is true and so selects the Pods of every namespace without labels"),
        ({"values": BY_DEFAULT, "failurePolicy": "Ignore"}, None),
        ({"values": BY_DEFAULT, "revision": "canary"}, None),
        ({"values": BY_DEFAULT, "match": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}, None),
        ({"values": {"sidecarInjectorWebhook": {"enableNamespacesByDefault": False}}}, None),
        ({"values": {"sidecarInjectorWebhook": {"enableNamespacesByDefault": None}}}, None),
        ({"values": {"sidecarInjectorWebhook": {}}}, None),
        ({"values": {"sidecarInjectorWebhook": []}}, None),
        ({}, None),
        (
            {"values": {"sidecarInjectorWebhook": {"enableNamespacesByDefault": "true"}}, "failurePolicy": "Ignore"},
            "is text; true or false is expected",
        ),
        ({"values": {"sidecarInjectorWebhook": {"enableNamespacesByDefault": 1}}}, "is the number 1; true or false"),
    ],
)
def test_a_config_that_may_stop_the_cluster_has_a_problem(spec: dict[str, Any], expected: str | None) -> None:
    found = problems(config(**spec))
    assert len(found) == (expected is not None)
    for problem in found:
        assert problem.path == "spec.values.sidecarInjectorWebhook.enableNamespacesByDefault"
        assert expected is not None
        assert expected in problem.message


def test_with_failure_policy_fail_no_entry_selects_a_pod_without_labels_in_a_namespace_without_labels() -> None:
    for revision in ("default", "canary"):
        for entry in entries(config(revision)):
            assert not entry.selects({}, {}), entry.kind
