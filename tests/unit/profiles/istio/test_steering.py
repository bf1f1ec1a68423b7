"""What a Pod says of its proxy, and what holds for all Pods that say nothing."""

import pytest

from sidecar_injector.profiles.istio.plan import plan
from sidecar_injector.profiles.istio.settings import settings_of
from sidecar_injector.profiles.istio.steering import STEERING, Steering, Steerings
from tests.unit.profiles.istio.support import stock, subject

DATADOG = {"proxy": {"tracer": "datadog"}}


class Asked(dict):
    """A map that knows which of its keys were asked for."""

    def __init__(self, *args):
        super().__init__(*args)
        self.keys_asked = set()

    def get(self, key, default=None):
        self.keys_asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.keys_asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.keys_asked.add(key)
        return super().__contains__(key)


def everything(steering):
    parts = ("proxy_config", "agent_port", "status_port", "probe_port", "interception_mode", "hold", "proxy")
    return {name: getattr(steering, name) for name in parts}


def test_what_is_read_of_a_pod_is_what_makes_it_steer():
    notes, spec = Asked({"example.com/note": "any"}), Asked({"resources": {}})
    metadata = Asked({"annotations": notes})
    pod = Asked({"metadata": metadata, "spec": spec})
    settings = settings_of(stock(glob=DATADOG))
    everything(Steering(settings.values, settings.mesh, pod))
    assert notes.keys_asked == STEERING
    assert metadata.keys_asked == {"annotations"}
    assert spec.keys_asked == {"resources"}
    assert pod.keys_asked == {"metadata", "spec"}


@pytest.mark.parametrize("key", sorted(STEERING))
def test_each_annotation_makes_a_pod_steer(key):
    steerings = Steerings({}, {})
    assert steerings.of({"metadata": {"annotations": {key: ""}}}) is not steerings.usual


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, False),
        ({"metadata": {"annotations": {"sidecar.istio.io/inject": "true"}}, "spec": {}}, False),
        ({"spec": {"resources": {}}}, False),
        ({"spec": {"resources": {"limits": {}}}}, False),
        ({"spec": {"resources": {"limits": {"cpu": "1"}}}}, True),
    ],
)
def test_what_else_makes_a_pod_steer(pod, expected):
    steerings = Steerings({}, {})
    assert (steerings.of(pod) is not steerings.usual) is expected


def planned(given, spec=None, /, **annotations):
    spec = {"containers": [{"name": "app"}], **(spec or {})}
    pod = {"metadata": {"name": "web", "annotations": annotations}, "spec": spec}
    return plan(subject(pod, given))


LOUD = {"sidecar.istio.io/logLevel": "debug"}


def test_pods_that_say_the_same_have_the_same_steering():
    given = stock(glob=DATADOG)
    quiet, loud = planned(given), planned(given, **LOUD)
    assert quiet.steering is planned(given, **{"example.com/note": "any"}).steering
    assert loud.steering is planned(given, **{"example.com/note": "any"}, **LOUD).steering
    assert loud.steering is not quiet.steering
    assert loud.steering is not planned(given, **{**LOUD, "sidecar.istio.io/agentLogLevel": "debug"}).steering
    assert loud.steering is not planned(stock(glob=DATADOG), **LOUD).steering
    assert loud.context()["proxy"]["logLevel"] == "debug"
    assert quiet.context()["proxy"]["logLevel"] == "warning"


def test_of_steerings_the_latest_are_kept_and_none_that_depends_on_a_long_text():
    given = stock()
    first = planned(given, **LOUD).steering
    for number in range(64):
        planned(given, **{"sidecar.istio.io/logLevel": f"level-{number}"})
    assert planned(given, **LOUD).steering is not first
    long = {"sidecar.istio.io/logLevel": "d" * 5000}
    assert planned(given, **long).steering is not planned(given, **long).steering


STEERED = {
    "nothing": {},
    "levels": LOUD,
    "traffic": {"traffic.sidecar.istio.io/excludeOutboundPorts": "5432", "sidecar.istio.io/interceptionMode": "TPROXY"},
    "amounts": {"sidecar.istio.io/proxyCPU": "100m", "sidecar.istio.io/proxyMemoryLimit": "1Gi"},
    "the proxy's config": {"proxy.istio.io/config": '{"statusPort": 15999, "holdApplicationUntilProxyStarts": true}'},
    "volumes": {"sidecar.istio.io/userVolume": '{"data": {"emptyDir": {}}}'},
    "Datadog": {"apm.datadoghq.com/env": '{"DD_ENV": "test"}'},
}


@pytest.mark.parametrize("annotations", STEERED.values(), ids=STEERED)
@pytest.mark.parametrize("resources", [{}, {"limits": {}}, {"requests": {"memory": "1Gi"}}])
def test_what_is_kept_with_the_config_is_what_a_steering_of_the_pods_own_would_say(annotations, resources):
    found = planned(stock(glob=DATADOG), {"resources": resources}, **annotations)
    of_its_own = Steering(found.settings.values, found.settings.mesh, found.pod)
    assert everything(found.steering) == everything(of_its_own)
