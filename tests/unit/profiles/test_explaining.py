"""Explanations of what runs: Pods and workloads as a cluster has them, made by hand."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import Request
from sidecar_injector.injection.workload import Workload
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.explaining import Explanation, Known, RunningPod, Situation, Target, Verdict, explain
from sidecar_injector.profiles.explaining.model import Failure
from sidecar_injector.profiles.explaining.remedies import and_then, change_field, label_pods, restart
from sidecar_injector.profiles.explaining.running import as_sent, edited_at, is_running, running_pod, set_at, target_of
from tests.unit.cli.situations import ENABLED, config, generic
from tests.unit.profiles.istio.truth_table import NAMESPACES, PODS, Row, rows

BEFORE, AFTER = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"
ISTIO, MESH = accept(config()), accept(generic())
DEPLOYMENT = Target("Deployment", "shop", "web", ("spec", "template"), exists=True)
BARE = Target("Pod", "shop", "web", exists=True, owner=Workload("v1", "Pod", "web"))
OF_DEPLOYMENT = replace(BARE, name="web-1", owner=Workload("apps/v1", "Deployment", "web"), controlled=True)
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "annotations": {"a": "b"}},
    "spec": {
        "containers": [{"name": "app", "image": "example.org/app:1", "livenessProbe": {"httpGet": {"port": 80}}}],
        "volumes": [{"name": "kube-api-access-x", "projected": {}}],
    },
}


def known(compiled: Any = ISTIO, **fields: Any) -> Known:
    return Known(compiled.name, compiled, **fields)


def situation(target: Target, *configs: Known, labels: Mapping[str, str] = ENABLED, **fields: Any) -> Situation:
    namespace = NamespaceFacts("shop", labels)
    facts = ClusterFacts(namespaces={"shop": namespace})
    return Situation(target, POD, configs or (known(),), facts, namespace, labels, **fields)


def injected(pod: Mapping[str, Any], *configs: Any) -> Mapping[str, Any]:
    for each in configs:
        request = Request("1", "CREATE", "shop", "web", False, "", "pods", "", "", pod)
        outcome: Outcome = admit(request, each, profile_for(each), ClusterFacts())
        assert outcome.patch
        pod = outcome.pod
    return pod


def explained(target: Target, *pods: RunningPod, **fields: Any) -> Explanation:
    return explain(situation(target, **fields), pods)


# --- what a Pod says of itself


@pytest.mark.parametrize("configs", [(ISTIO,), (MESH,), (ISTIO, MESH), (MESH, ISTIO)])
def test_a_pod_is_led_back_to_what_was_sent(configs: tuple[Any, ...]) -> None:
    live = injected(POD, *configs)
    server = {"uid": "1", "resourceVersion": "2", "creationTimestamp": BEFORE, "managedFields": [{}]}
    live = {
        **live,
        "metadata": {**live["metadata"], **server},
        "spec": {**live["spec"], "nodeName": "n", "ephemeralContainers": []},
        "status": {"phase": "Running"},
    }
    assert as_sent(live, [each.name for each in configs]) == POD
    assert dict(running_pod(live).by) == {each.name: each.digest for each in configs}
    assert running_pod(live).created == BEFORE


def test_a_pod_that_istiod_has_injected_is_told_from_ours() -> None:
    live = {**POD, "metadata": {**POD["metadata"], "annotations": {"sidecar.istio.io/status": '{"revision":"x"}'}}}
    assert running_pod(live).foreign
    assert not running_pod(injected(POD, ISTIO)).foreign
    result = explained(BARE, running_pod(live))
    assert result.headline == (
        "Pod shop/web is injected by Istio's own injector (annotation sidecar.istio.io/status), not by this one"
    )
    assert result.verdict is Verdict.INJECTED


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"status": {"phase": "Pending"}}, True),
        ({"status": {"phase": "Succeeded"}}, False),
        ({"status": {"phase": "Failed"}}, False),
        ({"metadata": {"deletionTimestamp": BEFORE}}, False),
    ],
)
def test_pods_that_are_over_do_not_count(fields: dict[str, Any], counts: bool) -> None:
    assert is_running(fields) is counts


def test_a_pod_knows_its_workload() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "controller": True}
    labels = {"pod-template-hash": "abc"}
    live = {"metadata": {"namespace": "shop", "name": "web-abc-1", "labels": labels, "ownerReferences": [owner]}}
    found = target_of(live, {"metadata": {"labels": {"on": "it"}}})
    assert (found.owner, found.controlled) == (Workload("apps/v1", "Deployment", "web"), True)
    assert (found.labels, found.annotations) == ({"on": "it"}, {})


def test_the_api_server_has_noted_who_set_what_when() -> None:
    fields = {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}, "f:spec": {"f:mode": {}}}
    entries = [
        {"time": BEFORE, "fieldsV1": fields},
        {"time": AFTER, "fieldsV1": {"f:metadata": {"f:labels": {"f:b": {}}}}},
        {"time": AFTER, "subresource": "status", "fieldsV1": fields},
        {"fieldsV1": {}},
    ]
    resource = {"metadata": {"managedFields": entries}}
    assert set_at(resource, "metadata", "labels") == {"a": BEFORE, "b": AFTER}
    assert edited_at(resource) == BEFORE
    assert edited_at({"metadata": {}}) == ""


# --- Pods that run, and what would be injected now


def by(*revisions: tuple[str, str], name: str = "web-1", created: str = BEFORE) -> RunningPod:
    return RunningPod(name, created, dict(revisions))


NOW = ("istio", ISTIO.digest)
RESTART = "kubectl rollout restart deployment/web -n shop"


def test_a_pod_that_would_not_be_injected_any_more() -> None:
    result = explained(OF_DEPLOYMENT, by(NOW), labels={"istio-injection": "disabled"})
    assert result.headline == (
        f"Pod shop/web-1 is injected by istio (revision {ISTIO.digest}), but would not be if it were created now: "
        "namespace shop has the label istio-injection=disabled, which keeps every Pod in it from being injected. "
        "To have it injected again: kubectl label namespace shop --overwrite istio-injection=enabled"
    )
    assert (result.verdict, result.reason) == (Verdict.INJECTED, "NoLongerInjected")


def test_a_pod_of_a_config_that_is_gone() -> None:
    result = explained(OF_DEPLOYMENT, by(("old", "0123456789"), NOW))
    assert result.headline.startswith(
        f"Pod shop/web-1 is injected by old (revision 0123456789) and istio (revision {ISTIO.digest}), but would not "
        "be if it were created now: there is no config old any more"
    )


def test_a_pod_that_lacks_one_config_of_two() -> None:
    result = explain(situation(OF_DEPLOYMENT, known(), known(MESH, created=AFTER)), [by(NOW)])
    assert result.headline == (
        "Pod shop/web-1 has no sidecar of config mesh, although config mesh would inject it now: it was created at "
        f"{BEFORE}, before config mesh was ({AFTER}). To inject it: {RESTART}"
    )
    assert (result.verdict, result.reason) == (Verdict.NOT_INJECTED, "Missed")


IGNORING = accept(config(failurePolicy="Ignore"))
CONDITIONAL = accept(config(match={"conditions": [{"name": "no-batch", "expression": "true"}]}))


@pytest.mark.parametrize(
    ("config", "fields", "why"),
    [
        (known(created=AFTER), {}, f"it was created at {BEFORE}, before config istio was ({AFTER})"),
        (
            known(created=BEFORE),
            {"labelled": {"istio-injection": AFTER, "team": AFTER}},
            f"it was created at {BEFORE}, before namespace shop got its label istio-injection ({AFTER})",
        ),
        (
            known(created=BEFORE, edited=AFTER),
            {"labelled": {"istio-injection": BEFORE}},
            f"it was created at {BEFORE}, before config istio was last changed ({AFTER})",
        ),
        (
            known(CONDITIONAL),
            {},
            "the API server may have found one of spec.match.conditions of config istio to be false (no-batch: true)",
        ),
        (
            known(IGNORING),
            {},
            f"it was created at {BEFORE}, when the injector failed or did not answer, which failurePolicy Ignore of "
            "istio lets pass",
        ),
        (
            known(),
            {},
            f"it was created at {BEFORE}, when the API server did not call the injector: its webhook was missing, or "
            "labels were others",
        ),
    ],
)
def test_why_a_pod_has_missed_its_injection(config: Known, fields: dict[str, Any], why: str) -> None:
    result = explain(situation(OF_DEPLOYMENT, config, **fields), [by()])
    assert result.headline == (
        f"Pod shop/web-1 has no sidecar, although config istio would inject it now: {why}. To inject it: "
        f"{'see to it that they are true (kubectl edit sic istio); then: ' * (config.serving is CONDITIONAL)}{RESTART}"
    )


def test_a_workload_is_only_injected_if_its_pods_are() -> None:
    pods = [by(NOW), by(("istio", "0123456789"), name="web-2"), by(name="web-3")]
    result = explain(situation(DEPLOYMENT, known(created=AFTER)), pods)
    assert result.headline == (
        "1 of 3 running Pods of Deployment shop/web have no sidecar, although config istio injects new ones: web-3 was "
        f"created at {BEFORE}, before config istio was ({AFTER}). To inject them: {RESTART}"
    )
    assert result.verdict is Verdict.NOT_INJECTED
    running = result.running
    assert running is not None
    assert [running.total, running.current, len(running.outdated), len(running.missing)] == [3, 1, 1, 1]


def test_what_runs_with_a_sidecar_needs_no_restart() -> None:
    result = explained(DEPLOYMENT, by(NOW), labels={})
    assert result.headline.endswith(
        "To inject them: kubectl label namespace shop istio-injection=enabled. 1 of 1 that run still have a sidecar"
    )


def test_the_last_failure_of_the_webhook_counts_if_no_pod_was_created_since() -> None:
    failure = Failure('failed calling webhook "x"', AFTER)
    result = explain(situation(DEPLOYMENT), [by(NOW)], failure)
    assert result.headline == (
        "Pods of Deployment shop/web cannot be created: the API server said at "
        f'{AFTER}: failed calling webhook "x". To fix it: see whether the injector runs: kubectl rollout status '
        "deployment/sidecar-injector -n sidecar-injector"
    )
    assert explain(situation(DEPLOYMENT), [by(NOW, created=AFTER)], failure).verdict is Verdict.INJECTED


def test_a_config_whose_serving_version_cannot_be_read_still_tells_whom_it_selects() -> None:
    unreadable = Known("istio", None, "0123456789", ("spec.templates[0]: is wrong",), selection=ISTIO)
    assert explain(situation(DEPLOYMENT, unreadable)).headline == (
        "Pods of Deployment shop/web are injected by istio (revision 0123456789): an earlier version of it goes on "
        "serving, revision 0123456789, which cannot be read from here. But the latest edit of config istio is not "
        "accepted, and not in force: spec.templates[0]: is wrong. To fix it: kubectl edit sic istio"
    )
    assert explain(situation(DEPLOYMENT, unreadable, labels={})).reason == "NamespaceNotSelected"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, "there is no SidecarInjectorConfig in the cluster. To inject it: sidecar-injector config istio |"),
        (
            {"installed": False},
            "the injector is not installed: the cluster does not know SidecarInjectorConfigs "
            "(sidecarinjector.dev/v1alpha1). To inject it: kubectl apply -f manifests/install.yaml",
        ),
    ],
)
def test_a_cluster_without_configs(fields: dict[str, Any], cause: str) -> None:
    bare = replace(situation(BARE, **fields), configs=())
    assert explain(bare).headline.startswith(f"Pod shop/web is not injected: {cause}")


# --- remedies


PATCH = (
    "kubectl patch deployment web -n shop "
    """-p '{"spec":{"template":{"metadata":{"labels":{"k":"v","x":null}}}}}'"""
)


@pytest.mark.parametrize(
    ("target", "label", "again"),
    [
        (
            DEPLOYMENT,
            PATCH,
            "kubectl rollout restart deployment/web -n shop",
        ),
        (
            replace(DEPLOYMENT, kind="CronJob", path=("spec", "jobTemplate", "spec", "template")),
            "kubectl patch cronjob web -n shop -p "
            """'{"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"labels":{"k":"v","x":null}}}}}}}'""",
            "kubectl create job --from=cronjob/web web-again -n shop",
        ),
        (
            replace(DEPLOYMENT, kind="Job"),
            'set the label k: "v" and take the label x off in spec.template.metadata.labels of its manifest, and '
            "create it again",
            "delete the Job, and create it again from its manifest: kubectl replace --force -f FILE",
        ),
        (
            BARE,
            'set the label k: "v" and take the label x off in metadata.labels of its manifest, and create it again',
            "delete the Pod, and create it again from its manifest: kubectl replace --force -f FILE",
        ),
        (
            OF_DEPLOYMENT,
            PATCH,
            "kubectl rollout restart deployment/web -n shop",
        ),
        (
            replace(OF_DEPLOYMENT, owner=Workload("argoproj.io/v1alpha1", "Rollout", "web")),
            'set the label k: "v" and take the label x off in metadata.labels of what makes it, Rollout web',
            "kubectl delete pod web-1 -n shop",
        ),
        (
            replace(DEPLOYMENT, exists=False, file="app.yaml"),
            'set the label k: "v" and take the label x off in spec.template.metadata.labels of Deployment web in '
            "app.yaml",
            "",
        ),
        (
            Target("Namespace", "shop", "shop", exists=True),
            'set the label k: "v" and take the label x off (of Pods; in a workload: in spec.template.metadata.labels)',
            "",
        ),
    ],
)
def test_remedies_fit_the_object(target: Target, label: str, again: str) -> None:
    assert label_pods(target, {"k": "v", "x": None}) == label
    assert restart(target) == again


def test_fields_are_named_where_they_can_be_edited() -> None:
    assert change_field(OF_DEPLOYMENT, "spec") == "spec.template.spec (kubectl edit deployment web -n shop)"
    assert change_field(BARE, "spec") == "spec of its manifest, and create it again"


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("kubectl a", "kubectl b", "kubectl a && kubectl b"),
        ("do this", "kubectl b", "do this; then: kubectl b"),
        ("kubectl edit x (spec.y)", "kubectl b", "kubectl edit x (spec.y); then: kubectl b"),
        ("kubectl a", "", "kubectl a"),
        ("", "kubectl b", "kubectl b"),
    ],
)
def test_two_commands_are_one_line_to_paste(first: str, second: str, both: str) -> None:
    assert and_then(first, second) == both


# --- the whole truth table


CANARY = accept(config("istio-canary", revision="canary"))


def asked(labels: Mapping[str, str], pod_labels: Mapping[str, str]) -> Explanation:
    pod = {**POD, "metadata": {**POD["metadata"], "labels": pod_labels}}
    target = replace(DEPLOYMENT, exists=False, file="app.yaml")
    return explain(replace(situation(target, known(), known(CANARY), labels=labels), pod=pod))


def remedied(remedy: str, labels: Mapping[str, str], pod_labels: Mapping[str, str]) -> Explanation:
    """Do what the remedy says, step by step, and ask again."""
    changed, wanted = dict(labels), dict(pod_labels)
    for step in remedy.split("; then: "):
        if command := re.fullmatch(r"kubectl label namespace shop (?:--overwrite )?(.+)", step):
            for pair in command[1].split():
                key, equals, value = pair.partition("=")
                changed.pop(key.removesuffix("-"), None)
                changed |= {key: value} if equals else {}
        else:
            label = re.fullmatch(r'set the label (\S+): "(\S+)" in spec\.template\.metadata\.labels of .+', step)
            assert label, f"not a remedy: {step}"
            wanted[label[1]] = label[2]
    return asked(changed, wanted)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.namespace}/{row.pod}")
def test_the_verdict_is_the_tables_and_every_remedy_helps(row: Row) -> None:
    labels, pod_labels = NAMESPACES[row.namespace], PODS[row.pod]
    result = asked(labels, pod_labels)
    revisions = {ISTIO.name: "default", CANARY.name: "canary"}
    by = {revisions[found.config] for found in result.configs if found.verdict is Verdict.INJECTED}
    assert by == ({row.revision} if row.revision else set())
    assert (result.verdict is Verdict.INJECTED) is bool(row.revision)
    if not row.revision:
        assert result.remedies, result.headline
        for remedy in result.remedies:
            assert remedied(remedy, labels, pod_labels).verdict is Verdict.INJECTED, f"{result.headline}\n{remedy}"
