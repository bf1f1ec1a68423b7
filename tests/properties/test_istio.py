"""Profile Istio with its stock templates, for every Pod: what is injected twice, meddled with, or taken out again."""

import copy
import json

import jsonpatch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.patch import same
from sidecar_injector.injection.status import without_injection
from sidecar_injector.injection.validity import faults
from sidecar_injector.names import NAMESPACE_NAME, Reason
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio import Istio
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.status import RECORD
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.templating import load_all_yaml
from tests.properties.pods import PORTS, pods, some
from tests.properties.test_injection import meddling, stripped_of_nothing
from tests.unit.injection.support import outcome

_STOCK = load_all_yaml(stock_config(), "stock config")[0].value


def config(**values):
    """The stock config with some of `values.global` replaced."""
    resource = copy.deepcopy(_STOCK)
    resource["spec"]["values"]["global"] |= values
    return accept(resource)


CONFIGS = {"stock": config(), "network": config(network="n1", multiCluster={"clusterName": "c1"}, logAsJson=True)}
NEXT = config(tag="1.30.0", imagePullPolicy="Always")
CONFIG = st.sampled_from(sorted(CONFIGS))
CLUSTERS = {
    "new nodes": ClusterFacts(),
    "old nodes": ClusterFacts(oldest_kubelet=(1, 32)),
    "OpenShift": ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, {v.OPENSHIFT_UIDS: "1000/10"})}),
}
CLUSTER = st.sampled_from(sorted(CLUSTERS))

HANDLERS = st.sampled_from(
    [
        {"httpGet": {"port": 80}},
        {"httpGet": {"path": "/x", "port": "http", "scheme": "HTTPS"}},
        {"tcpSocket": {"port": 8080}},
        {"grpc": {"port": 9090, "service": ""}},
        {"exec": {"command": ["true"]}},
    ]
)
PROBES = some({"readinessProbe": HANDLERS, "livenessProbe": HANDLERS, "startupProbe": HANDLERS})
ANNOTATIONS = some(
    {
        v.TEMPLATES: st.sampled_from(["sidecar", "gateway", "grpc-agent", "grpc-simple", "sidecar, grpc-simple"]),
        v.NATIVE_SIDECAR: st.sampled_from(["true", "false", "maybe"]),
        v.INTERCEPTION_MODE: st.sampled_from(["REDIRECT", "TPROXY", "NONE"]),
        v.SCRAPE: st.sampled_from(["true", "false"]),
        "prometheus-io/port": st.sampled_from(["8080", "15020"]),
        v.SCRAPE_TARGETS: st.sampled_from(["8080", "8080:/m,9100", "nonsense"]),
        v.PROXY_CONFIG: st.sampled_from(["holdApplicationUntilProxyStarts: true", '{"proxyMetadata": {"A": "b: c"}}']),
        v.STATUS_PORT: st.sampled_from(["0", "15020", "15099"]),
        v.USER_VOLUME: st.sampled_from(['{"u": {"emptyDir": {}}}', "no json"]),
        v.PROXY_CPU: st.just("1"),
        v.REWRITE_PROBES: st.sampled_from(["true", "false"]),
    }
)
POD_LABELS = st.dictionaries(st.sampled_from(["app", "version", v.NETWORK, v.TLS_MODE]), st.sampled_from(["a", "b"]))
PROXIES = st.none() | some(
    {
        "image": st.sampled_from(["auto", "example.com/proxy:1"]),
        "securityContext": st.sampled_from([{"runAsUser": 1234}, {"runAsGroup": 7}, {}]),
        "env": st.just([{"name": "PROXY_CONFIG", "value": "mine"}, {"name": "MINE", "value": "x"}]),
        "resources": st.just({"limits": {"cpu": "3"}}),
        "ports": PORTS,
        "volumeMounts": st.just([{"name": "data", "mountPath": "/mine"}]),
    },
    required=("image",),
)


@st.composite
def istio_pods(draw):
    """Pods of any shape, with probes, with annotations of Istio's, and with a proxy of their user's own."""
    pod = copy.deepcopy(draw(pods()))
    pod["metadata"] = {**pod["metadata"], "annotations": draw(ANNOTATIONS), "labels": draw(POD_LABELS)}
    spec = pod["spec"]
    for container in spec["containers"]:
        container.update(copy.deepcopy(draw(PROBES)))
    proxy = draw(PROXIES)
    if proxy is not None:
        spec["containers"].append({"name": v.PROXY, **copy.deepcopy(proxy)})
        spec.setdefault("volumes", []).append({"name": "data", "emptyDir": {}}) if not any(
            volume["name"] == "data" for volume in spec.get("volumes", [])
        ) else None
    return pod


few = settings(max_examples=40, deadline=None)
"""Each example is one or more whole injections, and drawing its Pod takes longer than those."""


def as_json(value):
    return json.loads(json.dumps(value))


@few
@given(istio_pods(), CONFIG, CLUSTER)
def test_the_patch_makes_the_injected_pod_and_it_is_as_valid_as_it_was(pod, name, cluster):
    compiled, facts = CONFIGS[name], CLUSTERS[cluster]
    untouched = copy.deepcopy(pod)
    result = outcome(pod, compiled, facts=facts)
    assert result.decision.reason == Reason.INJECTED
    assert same(jsonpatch.JsonPatch(list(result.patch)).apply(as_json(pod)), result.pod)
    assert same(pod, untouched)
    assert kinds_of_faults(as_json(result.pod)) <= kinds_of_faults(pod)


def kinds_of_faults(pod):
    """What is wrong with a Pod; where in its lists depends on what was injected."""
    return {(path[-1], message) for path, message in faults(pod)}


@few
@given(istio_pods(), CONFIG, CLUSTER, st.data())
def test_injecting_twice_is_injecting_once_whatever_another_webhook_did(pod, name, cluster, data):
    compiled, facts = CONFIGS[name], CLUSTERS[cluster]
    once = as_json(outcome(pod, compiled, facts=facts).pod)
    assert outcome(once, compiled, facts=facts).patch == ()
    meddled = data.draw(meddling(once))
    assert outcome(meddled, compiled, facts=facts).patch == ()


@few
@given(istio_pods(), CONFIG, CLUSTER)
def test_the_users_pod_can_be_had_back(pod, name, cluster):
    compiled, facts = CONFIGS[name], CLUSTERS[cluster]
    injected = as_json(outcome(pod, compiled, facts=facts).pod)
    assert stripped_of_nothing(without_injection(injected, compiled.name, RECORD)) == stripped_of_nothing(pod)


@few
@given(istio_pods(), CONFIG, CLUSTER)
def test_a_new_revision_leaves_nothing_of_the_old_one(pod, name, cluster):
    compiled, facts = CONFIGS[name], CLUSTERS[cluster]
    again = outcome(as_json(outcome(pod, compiled, facts=facts).pod), NEXT, facts=facts).pod
    assert without_status(again) == without_status(outcome(pod, NEXT, facts=facts).pod)


def without_status(pod):
    """The Pod but for what is noted of the injection: whether an empty map was there before makes no difference."""
    pod = as_json(pod)
    notes = pod["metadata"]["annotations"]
    del notes[v.STATUS]
    if v.OVERRIDES in notes:
        notes[v.OVERRIDES] = json.loads(notes[v.OVERRIDES])
    return stripped_of_nothing(pod)


@few
@given(istio_pods(), CONFIG, CLUSTER)
def test_a_container_that_comes_later_is_probed_through_the_agent_too(pod, name, cluster):
    compiled, facts = CONFIGS[name], CLUSTERS[cluster]
    once = as_json(outcome(pod, compiled, facts=facts).pod)
    assume(once["metadata"]["annotations"].get(v.REWRITE_PROBES, "true") == "true")
    assume(pod["metadata"]["annotations"].get(v.STATUS_PORT) != "0")
    assume(
        any(item["name"] == v.PROXY for name in ("containers", "initContainers") for item in once["spec"].get(name, []))
    )
    late = {"name": "late", "image": "example.com/late:1", "readinessProbe": {"httpGet": {"port": 1}}}
    once["spec"]["containers"].append(late)
    twice = as_json(outcome(once, compiled, facts=facts).pod)
    probe = next(item for item in twice["spec"]["containers"] if item["name"] == "late")["readinessProbe"]
    assert probe["httpGet"]["path"] == "/app-health/late/readyz"
    assert outcome(twice, compiled, facts=facts).patch == ()


LABELS = st.fixed_dictionaries(
    {},
    optional={
        v.INJECTION: st.sampled_from(["enabled", "disabled", ""]),
        v.REVISION: st.sampled_from(["default", "canary"]),
        v.INJECT: st.sampled_from(["true", "false", "yes", ""]),
    },
)


def stated(**spec):
    return accept({**_STOCK, "spec": {**_STOCK["spec"], **spec}})


SELECTING = {
    "default": stated(),
    "canary": stated(revision="canary"),
    "namespaces": stated(match={"namespaceSelector": {"matchLabels": {v.REVISION: "canary"}}}),
    "pods": stated(match={"podSelector": {"matchLabels": {v.REVISION: "canary"}}}),
}


@given(LABELS, LABELS, st.sampled_from(sorted(SELECTING)))
def test_the_rules_of_selection_say_what_the_entries_of_the_webhook_do(namespace, labels, name):
    compiled = SELECTING[name]
    profile = Istio()
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app"}]}}
    subject = Subject(pod, "shop", compiled, ClusterFacts(), namespace)
    known = {**namespace, NAMESPACE_NAME: "shop"}
    called = any(entry.namespaces.matches(known) and entry.pods.matches(labels) for entry in profile.entries(compiled))
    selection = [rule for rule in profile.rules if rule.name in BEFORE_THE_CALL]
    skipped = [decision for rule in selection if (decision := rule.decide(subject)) is not None]
    assert len(selection) == len(BEFORE_THE_CALL)
    assert called is not bool(skipped)
    assert all(decision.message and decision.remedy for decision in skipped)


BEFORE_THE_CALL = ("opt-out label", "labels that ask for a revision", "labels of the namespace", "labels of the Pod")
