"""What a user says of a container that templates change too: it is taken as it stands, and the Pod stays valid."""

import pytest

from sidecar_injector.injection.facts import ClusterFacts
from tests.unit.injection.support import config, container, injected, pod

VARIABLE_FOR_ALL = """
spec:
  containers:
{% for container in pod.spec.containers %}
  - {name: {{ container.name }}, env: [{name: A, value: ours}]}
{% endfor %}
"""
WITH_PROBE = """
spec:
  sidecars:
  - name: log
    image: registry.example/log:1
    livenessProbe: {httpGet: {path: /live, port: 80}, periodSeconds: 3}
    lifecycle: {preStop: {sleep: {seconds: 1}}, postStart: {exec: {command: [start]}}}
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: B, value: ours}]
    volumeMounts: [{name: logs, mountPath: /a, subPath: ours}]
  volumes: [{name: logs, emptyDir: {}}]
"""
FROM_FIELD = {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
UDP_AND_TCP = [
    {"containerPort": 53, "name": "dns", "protocol": "UDP"},
    {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
]
TWICE = [{"name": "P", "value": "1"}, {"name": "Q", "value": "$(P)"}, {"name": "P", "value": "$(P):2"}]


@pytest.mark.parametrize(
    ("field", "mine", "expected"),
    [
        ("ports", UDP_AND_TCP, UDP_AND_TCP),
        ("env", TWICE, [{"name": "A", "value": "ours"}, *TWICE]),
        ("env", [FROM_FIELD], [FROM_FIELD]),
        ("env", None, [{"name": "A", "value": "ours"}]),
        ("env", [], [{"name": "A", "value": "ours"}]),
        ("resources", {"limits": None}, {"limits": None}),
        ("lifecycle", "of no known shape", "of no known shape"),
    ],
)
def test_what_a_container_lists_is_kept_when_a_template_adds_to_it(field, mine, expected):
    result = injected(pod({"name": "app", "image": "i", field: mine}), config(VARIABLE_FOR_ALL))
    assert container(result, "app")[field] == expected


def test_an_item_of_a_list_is_the_users_or_the_templates_and_never_made_of_both():
    mount = {"name": "mine", "mountPath": "/a"}
    stub = {"name": "log", "image": "auto", "env": [{"name": "A", "value": "mine"}], "volumeMounts": [mount]}
    result = container(
        injected(pod("app", stub, volumes=[{"name": "mine", "emptyDir": {}}]), config(WITH_PROBE)), "log"
    )
    assert result["env"] == [{"name": "A", "value": "mine"}, {"name": "B", "value": "ours"}]
    assert result["volumeMounts"] == [mount]


def test_a_probe_or_hook_has_the_users_handler_alone():
    mine = {"livenessProbe": {"exec": {"command": ["x"]}}, "lifecycle": {"preStop": {"exec": {"command": ["stop"]}}}}
    result = container(injected(pod("app", {"name": "log", "image": "auto", **mine}), config(WITH_PROBE)), "log")
    assert result["livenessProbe"] == mine["livenessProbe"]
    assert result["lifecycle"] == {**mine["lifecycle"], "postStart": {"exec": {"command": ["start"]}}}


def test_a_probe_without_a_handler_changes_the_templates_probe():
    stub = {"name": "log", "image": "auto", "livenessProbe": {"periodSeconds": 9}}
    probe = container(injected(pod("app", stub), config(WITH_PROBE)), "log")["livenessProbe"]
    assert probe == {"httpGet": {"path": "/live", "port": 80}, "periodSeconds": 9}


def test_a_placeholder_among_the_init_containers_serves_a_sidecar_of_either_kind():
    stub = {"name": "log", "image": "auto", "restartPolicy": "Always", "tty": True}
    for facts, restart_policy in ((ClusterFacts(), "Always"), (ClusterFacts(oldest_kubelet=(1, 28)), None)):
        found = container(injected(pod("app", initContainers=[stub]), config(), facts=facts), "log")
        assert (found["image"], found.get("restartPolicy"), found["tty"]) == (
            "registry.example/log:1",
            restart_policy,
            True,
        )


def test_a_template_may_take_a_mount_away_from_what_another_template_made():
    sidecar = "spec: {sidecars: [{name: s, image: i, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v}]}"
    removal = "spec: {containers: [{name: s, volumeMounts: [{$patch: delete, mountPath: /v}]}]}"
    entries = [{"name": "one", "template": sidecar}, {"name": "two", "template": removal}]
    assert container(injected(pod("app"), config(templates=entries)), "s")["volumeMounts"] == []
