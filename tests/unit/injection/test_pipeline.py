"""What comes of a Pod: where containers go, what is merged, what is refused."""

import json
from types import MappingProxyType

import pytest

from sidecar_injector.errors import MergeError, PodRejected, TemplateRenderError
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.workload import workload_of
from sidecar_injector.names import STATUS, TEMPLATES, Reason
from tests.unit.injection.support import LOG, config, container, container_names, injected, outcome, pod

OLD_NODES = ClusterFacts(oldest_kubelet=(1, 28))
SIDECAR = "spec: {sidecars: [{name: %s, image: registry.example/%s:1}]}"
PLAIN = "spec: {containers: [{name: %s, image: registry.example/%s:1}], initContainers: [{name: %s-init, image: i}]}"


def templates(*entries):
    return [{"name": f"t{i}", "template": text, **more} for i, (text, more) in enumerate(entries)]


# --- native or classic


@pytest.mark.parametrize(
    ("mode", "facts", "field"),
    [
        ("Auto", ClusterFacts(), "initContainers"),
        ("Auto", OLD_NODES, "containers"),
        ("Native", OLD_NODES, "initContainers"),
        ("Classic", ClusterFacts(), "containers"),
    ],
)
def test_a_sidecar_is_lowered_to_what_the_mode_and_the_nodes_allow(mode, facts, field):
    result = injected(pod(), config(sidecarMode=mode), facts=facts)
    assert "log" in container_names(result, field)
    assert container(result, "log").get("restartPolicy") == ("Always" if field == "initContainers" else None)
    assert "sidecars" not in result["spec"]


def test_templates_are_told_whether_sidecars_are_native():
    compiled = config("metadata: {labels: {native: '{{ nativeSidecars }}'}}")
    assert injected(pod(), compiled)["metadata"]["labels"]["native"] == "true"
    assert injected(pod(), compiled, facts=OLD_NODES)["metadata"]["labels"]["native"] == "false"


def test_a_template_that_addresses_a_container_finds_it_where_it_became_a_native_sidecar():
    second = "spec: {containers: [{name: log, env: [{name: EXTRA, value: 'yes'}]}]}"
    compiled = config(templates=templates((LOG, {}), (second, {})))
    for facts in (ClusterFacts(), OLD_NODES):
        result = injected(pod(), compiled, facts=facts)
        assert container(result, "log")["env"] == [{"name": "EXTRA", "value": "yes"}]
        assert container_names(result).count("log") + container_names(result, "initContainers").count("log") == 1


# --- positions


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ({}, ["a", "b", "new"]),
        ({"at": "Last"}, ["a", "b", "new"]),
        ({"at": "First"}, ["new", "a", "b"]),
        ({"before": ["b"]}, ["a", "new", "b"]),
        ({"after": ["a"]}, ["a", "new", "b"]),
        ({"after": ["missing", "a"]}, ["a", "new", "b"]),
        ({"before": ["missing"]}, ["a", "b", "new"]),
    ],
)
def test_a_new_container_goes_where_the_template_says(position, expected):
    compiled = config(templates=templates((PLAIN % ("new", "new", "new"), {"position": position} if position else {})))
    assert container_names(injected(pod("a", "b"), compiled)) == expected


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ({}, ["new-init", "a"]),
        ({"at": "First"}, ["new-init", "a"]),
        ({"at": "Last"}, ["a", "new-init"]),
        ({"after": ["a"]}, ["a", "new-init"]),
    ],
)
def test_a_new_init_container_goes_first_unless_told_otherwise(position, expected):
    compiled = config(templates=templates((PLAIN % ("new", "new", "new"), {"position": position} if position else {})))
    result = injected(pod(initContainers=[{"name": "a", "image": "i"}]), compiled)
    assert container_names(result, "initContainers") == expected


def test_several_templates_that_want_to_be_first_stand_in_their_order():
    compiled = config(templates=templates((SIDECAR % ("one", "one"), {}), (SIDECAR % ("two", "two"), {})))
    result = injected(pod(initContainers=[{"name": "mine", "image": "i"}]), compiled)
    assert container_names(result, "initContainers") == ["one", "two", "mine"]


def test_the_users_containers_keep_their_order_whatever_order_a_template_names_them_in():
    compiled = config(
        "spec: {containers: [{name: b, tty: true}, {name: a, tty: true}]}".replace(
            "b,", "{{ pod.spec.containers[-1].name }},"
        ).replace("a,", "{{ pod.spec.containers[0].name }},")
    )
    assert container_names(injected(pod("a", "b"), compiled)) == ["a", "b"]


# --- what the user wrote wins


def test_the_users_container_of_the_same_name_wins_field_by_field():
    mine = {"name": "log", "image": "mine:2", "args": ["mine"], "env": [{"name": "A", "value": "mine"}]}
    result = injected(pod("app", mine), config())
    merged = container(result, "log")
    assert (merged["image"], merged["args"]) == ("mine:2", ["mine"])
    assert merged["volumeMounts"] == [{"name": "logs", "mountPath": "/logs"}]
    assert container_names(result) == ["app", "log"]


def test_image_auto_keeps_the_injected_image_and_moves_to_where_the_template_puts_it():
    stub = {"name": "log", "image": "auto", "resources": {"limits": {"cpu": "1"}}}
    result = injected(pod("app", stub), config())
    assert container_names(result) == ["app"]
    merged = container(result, "log")
    assert merged["image"] == "registry.example/log:1"
    assert merged["resources"] == {"limits": {"cpu": "1"}}
    assert merged["restartPolicy"] == "Always"


def test_a_pod_of_nothing_but_a_placeholder_keeps_a_container():
    result = injected(pod({"name": "log", "image": "auto"}), config())
    assert container_names(result) == ["log"]
    assert container(result, "log")["image"] == "registry.example/log:1"
    assert "restartPolicy" not in container(result, "log")


def test_a_placeholder_that_no_template_provides_is_left_alone_with_a_warning():
    result = outcome(pod("app", {"name": "proxy", "image": "auto"}), config())
    assert container(result.pod, "proxy")["image"] == "auto"
    assert any("'proxy'" in warning for warning in result.warnings)


def test_a_volume_of_the_pod_is_not_replaced_by_a_templates():
    mine = {"name": "logs", "persistentVolumeClaim": {"claimName": "mine"}}
    assert injected(pod(volumes=[mine]), config())["spec"]["volumes"] == [mine]


def test_a_later_template_replaces_an_earlier_ones_volume_source_whole():
    second = "spec: {volumes: [{name: logs, configMap: {name: other}}]}"
    result = injected(pod(), config(templates=templates((LOG, {}), (second, {}))))
    assert result["spec"]["volumes"] == [{"name": "logs", "configMap": {"name": "other"}}]


def test_a_label_of_the_pod_is_neither_changed_nor_removed_because_controllers_select_by_it():
    template = "metadata: {labels: {app: ours, tier: null, added: 'yes'}, annotations: {note: ours}}"
    result = injected(pod(labels={"app": "web", "tier": "db"}, annotations={"note": "mine"}), config(template))
    assert result["metadata"]["labels"] == {"app": "web", "tier": "db", "added": "yes"}
    assert result["metadata"]["annotations"]["note"] == "ours"


# --- conflicts


def test_conflict_policy_skip_leaves_the_pod_alone():
    result = outcome(pod("app", "log"), config(conflictPolicy="Skip"))
    assert (result.decision.reason, result.patch) == (Reason.CONFLICT_SKIPPED, ())


def test_conflict_policy_reject_refuses_the_pod_and_names_the_container():
    with pytest.raises(PodRejected, match="container log") as caught:
        outcome(pod("app", "log"), config(conflictPolicy="Reject"))
    assert caught.value.reason == Reason.CONFLICT_REJECTED


@pytest.mark.parametrize("policy", ["Skip", "Reject"])
def test_asking_for_the_injected_image_is_no_conflict(policy):
    stub = {"name": "log", "image": "auto"}
    assert outcome(pod("app", stub), config(conflictPolicy=policy)).decision.inject


@pytest.mark.parametrize("policy", ["Skip", "Reject"])
def test_changing_the_users_containers_is_no_conflict(policy):
    every = (
        "spec:\n  containers:\n{% for c in pod.spec.containers %}\n  - {name: {{ c.name }}, tty: true}\n{% endfor %}\n"
    )
    assert outcome(pod("app", "log"), config(every, conflictPolicy=policy)).decision.inject


# --- modes, status, templates by annotation


def test_audit_mode_changes_nothing_and_says_what_it_would_have_done():
    result = outcome(pod(), config(mode="Audit"))
    assert (result.decision.reason, result.patch) == (Reason.AUDITED, ())
    assert "would have injected container log" in result.warnings[-1]


def test_the_status_annotation_names_revision_templates_and_what_was_added():
    compiled = config()
    entry = json.loads(injected(pod(), compiled)["metadata"]["annotations"][STATUS])["logging"]
    assert entry["revision"] == compiled.digest
    assert (entry["templates"], entry["initContainers"], entry["volumes"]) == (["main"], ["log"], ["logs"])


def test_two_configs_inject_one_pod_and_neither_sees_the_other_as_its_own():
    first, second = config(), config(SIDECAR % ("proxy", "proxy"), name="mesh")
    both = injected(injected(pod(), first), second)
    assert sorted(container_names(both, "initContainers")) == ["log", "proxy"]
    assert sorted(json.loads(both["metadata"]["annotations"][STATUS])) == ["logging", "mesh"]
    assert outcome(both, first).patch == outcome(both, second).patch == ()


def test_a_pod_whose_sidecar_was_taken_away_is_injected_again():
    result = json.loads(json.dumps(injected(pod(), config())))
    result["spec"]["initContainers"] = []
    assert "log" in container_names(injected(result, config()), "initContainers")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        '{"logging": 1}',
        '{"logging": {"revision": 5}}',
        '{"logging": {"revision": "x", "undo": [["a"]]}}',
        "[" * 100_000,
    ],
)
def test_a_status_annotation_that_is_not_ours_to_read_tells_of_nothing(text):
    result = outcome(pod(annotations={STATUS: text}), config())
    assert "log" in container_names(result.pod, "initContainers")
    assert outcome(result.pod, config()).patch == ()


def test_a_pod_may_name_its_templates_and_aliases():
    compiled = config(
        templates=templates((SIDECAR % ("a", "a"), {}), (SIDECAR % ("b", "b"), {}), (SIDECAR % ("c", "c"), {})),
        defaultTemplates=["t0"],
        aliases=[{"name": "both", "templates": ["t1", "t2"]}],
    )
    for text, expected in ((None, ["a"]), ("t1", ["b"]), (" t2 , t0", ["c", "a"]), ("both", ["b", "c"])):
        asking = pod(annotations=None if text is None else {TEMPLATES: text})
        assert container_names(injected(asking, compiled), "initContainers") == expected


def test_an_unknown_template_refuses_the_pod_and_lists_the_known_ones():
    with pytest.raises(PodRejected, match=r"nope.*main") as caught:
        outcome(pod(annotations={TEMPLATES: "nope"}), config())
    assert caught.value.reason == Reason.UNKNOWN_TEMPLATE


def test_a_template_that_adds_nothing_leaves_no_trace():
    result = outcome(pod(), config("{% if 'x' in pod.metadata.labels %}\nmetadata: {labels: {y: '1'}}\n{% endif %}\n"))
    assert (result.decision.reason, result.patch) == (Reason.NOTHING_TO_INJECT, ())


def test_a_template_that_adds_an_empty_map_has_injected_though_there_is_nothing_to_undo():
    result = outcome(pod(), config("spec: {nodeSelector: {}}"))
    assert result.decision.reason == Reason.INJECTED
    assert {"op": "add", "path": "/spec/nodeSelector", "value": {}} in result.patch


def test_the_last_of_two_variables_of_one_name_in_a_template_is_what_a_container_gets():
    template = """
spec:
  containers:
  {%- for container in pod.spec.containers %}
  - name: {{ container.name }}
    env: [{name: A, value: first}, {name: B, value: b}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  {%- endfor %}
"""
    app = {"name": "app", "image": "registry.example/app:1", "env": [{"name": "C", "value": "c"}]}
    (container,) = injected(pod(app), config(template))["spec"]["containers"]
    assert [item["name"] for item in container["env"]] == ["B", "A", "C"]
    assert "value" not in container["env"][1]


REFUSING = "metadata: {labels: {team: {{ pod.metadata.labels['team'] | required('the label team is missing') }}}}"


@pytest.mark.parametrize("policy", ["Fail", "Ignore"])
def test_a_template_may_refuse_a_pod_whatever_the_failure_policy(policy):
    compiled = config(REFUSING, failurePolicy=policy)
    assert outcome(pod(labels={"team": "shop"}), compiled).decision.inject is False
    with pytest.raises(PodRejected, match=r"^the label team is missing$") as caught:
        outcome(pod(), compiled)
    assert caught.value.reason == Reason.TEMPLATE_REFUSED


# --- data of the wrong type


@pytest.mark.parametrize(
    ("expression", "field", "expected"),
    [
        ("8080", "value", "8080"),
        ("true", "value", "true"),
        ("1.5", "value", "1.5"),
    ],
)
def test_what_is_printed_into_a_field_of_type_string_becomes_a_string(expression, field, expected):
    template = "spec: {sidecars: [{name: log, image: i, env: [{name: A, value: {{ X }}}], args: [{{ X }}]}]}"
    compiled = config(template.replace("X", expression))
    made = container(injected(pod(), compiled), "log")
    assert (made["env"][0]["value"], made["args"]) == (expected, [expected])


PORT = """spec:
  sidecars:
  - name: log
    image: i
    ports:
    - containerPort: {{ pod.metadata.annotations['port'] | default('80') }}
"""


def test_the_text_of_a_number_is_a_number_where_the_field_is_one():
    compiled = config(PORT)
    result = injected(pod(annotations={"port": "9090"}), compiled)
    assert container(result, "log")["ports"] == [{"containerPort": 9090}]


def test_text_that_is_no_number_is_an_error_at_the_templates_line():
    with pytest.raises(TemplateRenderError, match=r"logging/main:6.*containerPort.*'http'.*whole number"):
        outcome(pod(annotations={"port": "http"}), config(PORT))


def test_a_name_taken_by_another_container_of_the_result_is_an_error():
    template = "spec: {containers: [{name: a, image: i}], initContainers: [{name: {{ NAME }}, image: i}]}"
    compiled = config(template.replace("NAME", "pod.metadata.labels['n'] | default('b')"))
    assert outcome(pod("app"), compiled).decision.inject
    with pytest.raises(MergeError, match=r"\[a\].*taken by another container"):
        outcome(pod("app", labels={"n": "a"}), compiled)


def test_an_injected_container_without_an_image_is_an_error_that_tells_how_to_change_containers():
    template = "spec: {containers: [{name: x, image: {{ pod.metadata.labels['i'] | default('i') }}}]}"
    with pytest.raises(MergeError, match=r"gives no image.*loop over pod.spec.containers"):
        outcome(pod("app", labels={"i": ""}), config(template))


def test_a_mount_without_a_volume_is_an_error_that_names_both():
    template = LOG.replace("emptyDir", "{{ pod.metadata.labels['v'] | default('emptyDir') }}")
    compiled = config(
        template.replace("- name: logs\n    ", "- name: {{ pod.metadata.labels['v'] | default('logs') }}\n    ")
    )
    with pytest.raises(MergeError, match=r"volumeMounts\[/logs\]: volume 'logs' is neither"):
        outcome(pod("app", labels={"v": "gone"}), compiled)


# --- workloads


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (None, {}, ("v1", "Pod", "pod")),
        (("apps/v1", "ReplicaSet", "web-5d8f"), {"pod-template-hash": "5d8f"}, ("apps/v1", "Deployment", "web")),
        (("apps/v1", "ReplicaSet", "web-5d8f"), {}, ("apps/v1", "ReplicaSet", "web-5d8f")),
        (("batch/v1", "Job", "report-29384710"), {}, ("batch/v1", "CronJob", "report")),
        (("batch/v1", "Job", "report"), {}, ("batch/v1", "Job", "report")),
        (("apps/v1", "StatefulSet", "db"), {}, ("apps/v1", "StatefulSet", "db")),
    ],
)
def test_the_workload_is_told_from_the_owner_reference(owner, labels, expected):
    made = pod(labels=labels)
    if owner:
        made["metadata"]["ownerReferences"] = [
            dict(zip(("apiVersion", "kind", "name"), owner, strict=True), controller=True)
        ]
    workload = workload_of(made)
    assert (workload.api_version, workload.kind, workload.name) == expected


def test_labels_of_the_namespace_can_be_printed_as_a_whole():
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", MappingProxyType({"team": "a"}))})
    result = outcome(pod(), config("metadata:\n  annotations: {{ namespace.labels }}"), facts=facts)
    assert json.loads(json.dumps(result.patch))
    assert result.pod["metadata"]["annotations"]["team"] == "a"
