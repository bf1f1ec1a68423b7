"""Taking an injection out again: exactly what it did, and nothing of what others did since."""

import json
import time

import pytest

from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.status import Record, without_injection
from sidecar_injector.names import STATUS, Reason
from tests.unit.injection.support import LOG, config, container_names, injected, outcome, pod

OTHER = """
spec:
  containers: [{name: other, image: i}]
  initContainers: [{name: other-init, image: i}]
  volumes: [{name: other, emptyDir: {}}]
"""
STUB = {"name": "log", "image": "auto"}
INIT = {"name": "init", "image": "i"}
REMOVAL = """
spec:
  containers: [{$patch: delete, name: helper}]
  hostAliases: [{$patch: replace}]
  sidecars: [{name: log, image: l}]
"""
ALIASES = [{"ip": "10.0.0.1", "hostnames": ["a"]}]
PODS = {
    "an ordinary one": pod("app"),
    "a placeholder behind": pod("app", STUB),
    "a placeholder in front": pod(STUB, "app"),
    "a placeholder behind an init container": pod("app", initContainers=[INIT, STUB]),
    "a placeholder that is the only init container": pod("app", initContainers=[STUB]),
    "what the template removes": pod("helper", "app", "last", hostAliases=ALIASES),
}
REVISIONS = {
    "native": (LOG, LOG.replace("/logs", "/var/log"), "Native"),
    "classic": (LOG, LOG.replace("/logs", "/var/log"), "Classic"),
    "removing": (REMOVAL, REMOVAL.replace("log, image", "log, tty: true, image"), "Native"),
}


def sent(obj):
    return json.loads(json.dumps(obj))


@pytest.mark.parametrize("original", PODS.values(), ids=list(PODS))
@pytest.mark.parametrize(("old", "new", "mode"), REVISIONS.values(), ids=list(REVISIONS))
def test_a_new_revision_keeps_what_another_config_has_added_since(original, old, new, mode):
    first, second = (config(template, sidecarMode=mode) for template in (old, new))
    other = config(OTHER, name="other")
    both = sent(injected(sent(injected(original, first)), other))
    again = sent(injected(both, second))
    assert "other" in container_names(again)
    assert "other-init" in container_names(again, "initContainers")
    assert outcome(again, other).decision.reason == Reason.ALREADY_INJECTED
    for names in (("logging", "other"), ("other", "logging")):
        restored = again
        for name in names:
            restored = sent(without_injection(restored, name, Record()))
        spec = {key: value for key, value in restored["spec"].items() if value != []}  # to the API server, absent
        assert {**restored, "spec": spec} == original


def test_the_status_does_not_repeat_lists_that_a_placeholder_stands_in():
    result = injected(pod("app", STUB), config())
    undo = json.loads(result["metadata"]["annotations"][STATUS])["logging"]["undo"]
    assert undo["spec"]["containers"] == {"": [["app", STUB]]}
    assert "registry.example/app:1" not in json.dumps(undo)


@pytest.mark.parametrize(
    "node",
    [
        "remove",
        1,
        None,
        [],
        [1, 2],
        {"": 1},
        {"": [1]},
        {"": [["app", 1]]},
        {"": [[1, {}]]},
        {"": [["app"]]},
        {"app": {"env": 0}},
    ],
)
def test_an_undo_that_no_injection_writes_is_not_read(node):
    entry = {"logging": {"revision": "x", "undo": {"spec": {"containers": node}}}}
    result = injected(pod("app", annotations={STATUS: json.dumps(entry)}), config(), facts=ClusterFacts())
    assert container_names(result) == ["app"]


def test_an_undo_deeper_than_any_pod_is_not_read():
    undo = '{"spec":' * 30_000 + "1" + "}" * 30_000
    text = f'{{"logging": {{"revision": "x", "undo": {undo}}}}}'
    assert outcome(pod(annotations={STATUS: text}), config()).decision.reason == Reason.INJECTED
    shallower = {"logging": {"revision": "x", "undo": nested(200)}}
    assert outcome(pod(annotations={STATUS: json.dumps(shallower)}), config()).decision.reason == Reason.INJECTED


def nested(depth):
    return {"spec": nested(depth - 1)} if depth else "-"


def test_an_item_whose_neighbour_is_gone_comes_back_at_the_end():
    result = sent(injected(pod("app", STUB, "last"), config()))
    result["spec"]["containers"] = [{"name": "renamed", "image": "i"}, {"name": "last", "image": "i"}]
    assert container_names(without_injection(result, "logging", Record())) == ["renamed", "last", "log"]


def test_a_forged_annotation_of_many_steps_on_a_large_pod_costs_little():
    names = [f"c{number}" for number in range(4000)]
    undo = {"spec": {"containers": {name: {"env": "-"} for name in names}}}
    forged = pod(*names, annotations={STATUS: json.dumps({"logging": {"revision": "x", "undo": undo}})})
    compiled = config()
    started = time.process_time()
    assert outcome(forged, compiled).decision.inject
    assert time.process_time() - started < 2, "step by step and container by container, it took seconds"


def test_in_audit_mode_an_earlier_injection_stays_even_where_nothing_is_to_be_injected_now():
    result = outcome(sent(injected(pod(), config())), config("metadata: {}", mode="Audit"))
    assert (result.decision.reason, result.patch) == (Reason.NOTHING_TO_INJECT, ())
