"""What holds for every Pod and every config: nothing is lost, nothing is changed twice, everything can be undone."""

import copy
import json

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.errors import InjectionError
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.patch import same
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.status import Record, without_injection
from sidecar_injector.names import AUTO_IMAGE, STATUS, Reason
from tests.properties.pods import odd_pods, pods
from tests.unit.injection.support import LOG, config, outcome

INTO_EVERY_CONTAINER = """
metadata:
  labels: {tier: observed}
  annotations: {"example.com/k": "{{ pod.metadata.labels['app'] | default('none') }}"}
spec:
  terminationGracePeriodSeconds: 60
  securityContext: {fsGroup: 7}
  imagePullSecrets: [{name: s2}, {name: pull}]
  tolerations: [{key: dedicated, operator: Exists}]
  containers:
{% for container in pod.spec.containers %}
  - name: {{ container.name }}
    env:
    - {name: A, value: {{ container.name }}}
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    resources: {limits: {cpu: 1}}
    volumeMounts: [{name: shared, mountPath: /a}]
{% endfor %}
  volumes: [{name: shared, emptyDir: {}}, {name: data, configMap: {name: other}}]
"""
SAME_NAMES = """
spec:
  initContainers:
  - {name: setup, image: registry.example/setup:2, args: [x], env: [{name: B, value: ours}]}
  containers:
  - {name: web, image: registry.example/web:2, ports: [{containerPort: 80, name: ours}]}
  - {name: log, image: registry.example/log:2, tty: true}
"""
REMOVALS = """
metadata: {labels: {app: null}}
spec:
  nodeSelector: null
  hostAliases: null
  sidecars: [{name: helper, image: registry.example/helper:1}]
"""
CONFIGS = (
    config(LOG, name="logging"),
    config(LOG.replace("/logs", "/var/log"), name="logging", sidecarMode="Classic"),
    config(INTO_EVERY_CONTAINER, name="env"),
    config(SAME_NAMES, name="same", templates=[{"name": "main", "template": SAME_NAMES, "position": {"at": "First"}}]),
    config(REMOVALS, name="removals"),
)
CONFIG = st.sampled_from(CONFIGS)
FACTS = st.sampled_from([ClusterFacts(), ClusterFacts(oldest_kubelet=(1, 28))])
JSON = st.recursive(st.integers(0, 3) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=4)


def stripped_of_nothing(value):
    """Drop empty maps and lists, and fields that are null: the API server does not tell them from absent ones."""
    if isinstance(value, dict):
        kept = {key: stripped_of_nothing(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, {}, [])}
    return [stripped_of_nothing(item) for item in value] if isinstance(value, list) else value


@given(pods(), CONFIG, FACTS)
def test_the_patch_makes_the_injected_pod_of_the_one_that_came_in(pod, compiled, facts):
    untouched = copy.deepcopy(pod)
    result = outcome(pod, compiled, facts=facts)
    assert same(jsonpatch.JsonPatch(list(result.patch)).apply(json.loads(json.dumps(pod))), result.pod)
    assert same(pod, untouched)


@given(pods(), CONFIG, FACTS)
def test_injecting_twice_is_injecting_once(pod, compiled, facts):
    once = outcome(pod, compiled, facts=facts)
    twice = outcome(json.loads(json.dumps(once.pod)), compiled, facts=facts)
    assert twice.patch == ()
    assert twice.decision.reason in (Reason.ALREADY_INJECTED, Reason.NOTHING_TO_INJECT)


@given(pods(), CONFIG, FACTS, st.data())
def test_injecting_twice_is_a_no_op_whatever_another_webhook_did_in_between(pod, compiled, facts, data):
    once = json.loads(json.dumps(outcome(pod, compiled, facts=facts).pod))
    meddled = data.draw(meddling(once))
    assert outcome(meddled, compiled, facts=facts).patch == () or STATUS not in once["metadata"].get("annotations", {})


def meddling(pod):
    """What other webhooks do: add a container, mount tokens everywhere, label, set an image or a variable of ours."""

    def add_container(target):
        target["spec"]["containers"].insert(0, {"name": "other", "image": "registry.example/other:1"})

    def mount_token(target):
        for container in target["spec"]["containers"] + target["spec"].get("initContainers", []):
            container.setdefault("volumeMounts", []).append({"name": "token", "mountPath": "/token"})

    def label(target):
        target["metadata"].setdefault("labels", {})["other"] = "yes"

    def change_images(target):
        for container in target["spec"]["containers"]:
            container["image"] = f"mirror.example/{container.get('image')}"

    def reverse(target):
        target["spec"]["containers"].reverse()
        target["spec"].get("volumes", []).reverse()

    def meddled(actions):
        target = copy.deepcopy(pod)
        for action in actions:
            action(target)
        return target

    actions = st.sampled_from([add_container, mount_token, label, change_images, reverse])
    return st.lists(actions, unique=True, max_size=4).map(meddled)


@given(pods(), CONFIG, FACTS)
def test_an_injection_can_be_taken_out_again(pod, compiled, facts):
    result = outcome(pod, compiled, facts=facts)
    restored = without_injection(json.loads(json.dumps(result.pod)), compiled.name, Record())
    assert stripped_of_nothing(restored) == stripped_of_nothing(pod)


@given(pods(), FACTS)
def test_injecting_by_a_new_revision_gives_what_it_would_have_given_at_first(pod, facts):
    old, new = CONFIGS[0], CONFIGS[1]
    again = outcome(json.loads(json.dumps(outcome(pod, old, facts=facts).pod)), new, facts=facts).pod
    assert stripped_of_nothing(again) == stripped_of_nothing(outcome(pod, new, facts=facts).pod)


@given(odd_pods(), CONFIG, FACTS)
def test_a_pod_of_odd_shape_keeps_its_word_and_can_be_had_back(pod, compiled, facts):
    result = outcome(pod, compiled, facts=facts)
    assert same(jsonpatch.JsonPatch(list(result.patch)).apply(json.loads(json.dumps(pod))), result.pod)
    for container in [*pod["spec"]["containers"], *(pod["spec"]["initContainers"] or [])]:
        found = next(
            c for f in CONTAINER_LISTS for c in result.pod["spec"].get(f) or [] if c["name"] == container["name"]
        )
        for field in ("env", "ports"):
            mine = container.get(field) or []
            assert [item for item in found.get(field) or [] if item in mine] == mine
        assert not any("value" in variable and "valueFrom" in variable for variable in found.get("env") or [])
    injected = json.loads(json.dumps(result.pod))
    assert outcome(injected, compiled, facts=facts).patch == ()
    assert stripped_of_nothing(without_injection(injected, compiled.name, Record())) == stripped_of_nothing(pod)


@given(odd_pods(), CONFIG.filter(lambda compiled: compiled.name != "logging"), FACTS)
def test_a_new_revision_of_one_config_takes_no_container_of_anothers(pod, other, facts):
    for compiled in (CONFIGS[0], other, CONFIGS[1]):
        before, pod = pod, json.loads(json.dumps(outcome(pod, compiled, facts=facts).pod))
    assert sorted(all_names(pod)) == sorted(all_names(before))


def all_names(pod):
    return [container["name"] for field in CONTAINER_LISTS for container in pod["spec"].get(field) or []]


@given(pods(), JSON, CONFIG)
def test_fields_that_nobody_has_heard_of_survive(pod, value, compiled):
    future = copy.deepcopy(pod)
    holders = [
        future,
        future["metadata"],
        future["spec"],
        *future["spec"]["containers"],
        *future["spec"].get("volumes", []),
    ]
    for holder in holders:
        holder["fieldOfTheFuture"] = value
    result = outcome(future, compiled).pod
    names = {container["name"] for container in pod["spec"]["containers"]}
    survivors = [result, result["metadata"], result["spec"]]
    survivors += [item for item in result["spec"]["containers"] if item["name"] in names]
    survivors += [item for item in result["spec"].get("volumes", []) if item in future["spec"].get("volumes", [])]
    assert [item.get("fieldOfTheFuture") for item in survivors] == [value] * len(holders)


@given(pods(), FACTS)
def test_what_a_user_says_of_a_container_is_kept(pod, facts):
    result = outcome(pod, CONFIGS[3], facts=facts).pod
    by_name = {
        item["name"]: item for field in ("containers", "initContainers") for item in result["spec"].get(field, [])
    }
    for container in pod["spec"]["containers"]:
        kept = by_name[container["name"]]
        assert kept["image"] == container["image"]
        assert kept.get("args", container.get("args")) == container.get("args", kept.get("args"))
        assert {e["name"]: e for e in kept.get("env", [])}.items() >= {
            e["name"]: e for e in container.get("env", [])
        }.items()


@given(pods(), FACTS)
def test_a_placeholder_becomes_the_injected_container(pod, facts):
    stub = {"name": "log", "image": AUTO_IMAGE, "args": ["mine"]}
    containers = [item for item in pod["spec"]["containers"] if item["name"] != "log"]
    asking = {**pod, "spec": {**pod["spec"], "containers": [*containers, stub]}}
    result = outcome(asking, CONFIGS[0], facts=facts).pod
    found = [c for f in ("containers", "initContainers") for c in result["spec"].get(f, []) if c["name"] == "log"]
    assert [(c["image"], c["args"]) for c in found] == [("registry.example/log:1", ["mine"])]


@given(st.text(st.characters(exclude_categories=("Cs",))), FACTS)
def test_no_annotation_breaks_out_of_its_field(value, facts):
    plain = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"annotations": {"example.com/level": "x"}},
        "spec": {"containers": [{"name": "app", "image": "i"}]},
    }
    hostile = json.loads(json.dumps(plain))
    hostile["metadata"]["annotations"]["example.com/level"] = value
    expected, got = (
        json.loads(json.dumps(outcome(item, CONFIGS[0], facts=facts).pod["spec"])) for item in (plain, hostile)
    )
    args = [
        next(c for f in CONTAINER_LISTS for c in spec.get(f, []) if c["name"] == "log").pop("args")
        for spec in (expected, got)
    ]
    assert args == [["--level", "x"], ["--level", value]]
    assert got == expected


KEYS = st.sampled_from(["metadata", "spec", "labels", "annotations", "containers", "volumes", "app", "env", "A", "x"])
LEAVES = st.just("-") | (JSON | st.just({}) | st.none()).map(lambda value: [value])
UNDO = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)


@given(pods(), UNDO)
def test_a_forged_status_annotation_harms_nobody_but_its_pod(pod, undo):
    entry = {"logging": {"revision": "forged", "templates": ["main"], "undo": undo}}
    forged = {**pod, "metadata": {**pod["metadata"], "annotations": {STATUS: json.dumps(entry)}}}
    try:
        result = outcome(forged, CONFIGS[0])
    except InjectionError:
        return
    assert same(jsonpatch.JsonPatch(list(result.patch)).apply(json.loads(json.dumps(forged))), result.pod)
