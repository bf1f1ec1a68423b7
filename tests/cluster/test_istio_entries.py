"""Which revision injects a Pod, on a real API server: the labels of its Namespace and its own, in all combinations."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import Operator
from tests.cluster.pods import pod
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixture import MakeNamespace
from tests.unit.profiles.istio.truth_table import NAMESPACES, PODS, Row, rows

pytestmark = pytest.mark.cluster

MARK = "example.org/revision"
TEMPLATE = f'metadata: {{annotations: {{{MARK}: "{{{{ revision }}}}"}}}}'
SHOWN = r'jsonpath={.metadata.name}={.metadata.annotations.example\.org/revision}{"\n"}'
BY_DEFAULT = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}


def revision(name: str, **spec: Any) -> dict[str, Any]:
    """Return a config of this revision, which writes its name upon the Pods that it is called for."""
    mark = {"name": "mark", "template": TEMPLATE}
    wanted = {"profile": "Istio", "revision": name, "templates": [mark], "values": {}, **spec}
    return {**config(f"mesh-{name}"), "spec": wanted}


def revisions_of(cluster: Cluster, namespace: str, pods: Iterable[str]) -> dict[str, str | None]:
    """Create these Pods of the table in a Namespace; return which revision wrote its name upon each."""
    wanted = {"apiVersion": "v1", "kind": "List", "items": [pod(name, labels=dict(PODS[name])) for name in pods]}
    lines = cluster.kubectl("create", "-n", namespace, "-o", SHOWN, "-f-", input=wanted).stdout.splitlines()
    return {name: mark or None for name, _, mark in (line.partition("=") for line in lines)}


def injected(cluster: Cluster, namespace: MakeNamespace, namespaces: Iterable[str] = NAMESPACES) -> list[Row]:
    """Create every Pod of the table in each of these Namespaces; return the table as it came out."""
    found: list[Row] = []
    for name in namespaces:
        by_pod = revisions_of(cluster, namespace(name, NAMESPACES[name]), PODS)
        found += [Row(name, each, by_pod[each]) for each in PODS]
    return found


def test_labels_of_namespace_and_pod_decide_which_revision_injects(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(revision("default"), revision("canary"))
    assert injected(control_plane, namespace) == list(rows())


def test_a_namespace_without_labels_may_be_enabled_by_default(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(revision("default", values=BY_DEFAULT, failurePolicy="Ignore"), revision("canary"))
    expected = [row for row in rows(enabled_by_default=True) if row.namespace in ("plain", "disabled")]
    assert injected(control_plane, namespace, ("plain", "disabled")) == expected


def test_what_may_stop_the_cluster_is_refused(control_plane: Cluster, operator: Operator) -> None:
    refused = control_plane.kubectl("apply", "-f-", input=revision("default", values=BY_DEFAULT), check=False)
    assert refused.returncode != 0
    assert "spec.values.sidecarInjectorWebhook.enableNamespacesByDefault: is true" in refused.stderr


def test_a_stated_namespace_selector_takes_the_place_of_the_table(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(revision("default", match={"namespaceSelector": {"matchLabels": {"team": "a"}}}))
    mine = namespace("mine", {"team": "a", "istio-injection": "disabled"})
    assert revisions_of(control_plane, mine, ("silent", "out", "other")) == {
        "silent": "default",
        "out": None,
        "other": "default",
    }
    assert revisions_of(control_plane, namespace("foreign", NAMESPACES["enabled"]), ("silent",)) == {"silent": None}


def test_a_pod_selector_narrows_what_the_labels_ask_for(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(revision("default", match={"podSelector": {"matchLabels": {"app": "web"}}}))
    found = revisions_of(control_plane, namespace("enabled", NAMESPACES["enabled"]), ("silent", "in"))
    assert found == {"silent": "default", "in": None}


def test_the_system_and_the_operators_own_namespace_are_left_out_of_every_entry(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(revision("default", values=BY_DEFAULT, failurePolicy="Ignore"))
    found = control_plane.get("mutatingwebhookconfiguration", "sidecar-injector")
    entries: Any = found["webhooks"]
    assert [entry["name"] for entry in entries] == [
        f"{kind}.mesh-default.inject.sidecarinjector.dev"
        for kind in ("rev.namespace", "rev.object", "namespace", "object", "auto")
    ]
    for entry in entries:
        (excluded,) = [
            expression["values"]
            for expression in entry["namespaceSelector"]["matchExpressions"]
            if expression["key"] == "kubernetes.io/metadata.name"
        ]
        assert {"kube-system", "sidecar-injector"} <= set(excluded), entry["name"]


def test_a_cel_expression_that_does_not_compile_is_told_once_for_all_entries(
    control_plane: Cluster, operator: Operator
) -> None:
    match = {"conditions": [{"name": "typo", "expression": "object.metadata.nmae != ''  &&"}]}
    refused = control_plane.kubectl("apply", "-f-", input=revision("default", match=match), check=False)
    assert refused.returncode != 0
    assert refused.stderr.count("spec.match.conditions[0].expression: ") == 1
