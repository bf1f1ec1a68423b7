"""What a Pod says of its proxy, and what holds for all Pods that say nothing."""

import pytest

from sidecar_injector.profiles.istio.plan import plan
from sidecar_injector.profiles.istio.settings import settings_of
from sidecar_injector.profiles.istio.steering import STEERING, Steering, steers
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
    assert steers({"metadata": {"annotations": {key: ""}}})


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, False),
        ({"metadata": {"annotations": {"sidecar.istio.io/inject": "true"}}, "spec": {}}, False),
        ({"spec": {"resources": {}}}, False),
        ({"spec": {"resources": {"limits": {"cpu": "1"}}}}, True),
    ],
)
def test_what_else_makes_a_pod_steer(pod, expected):
    assert steers(pod) is expected


def planned(given, **annotations):
    pod = {"metadata": {"name": "web", "annotations": annotations}, "spec": {"containers": [{"name": "app"}]}}
    return plan(subject(pod, given))


def test_pods_that_steer_nothing_have_the_same_steering_and_others_their_own():
    given = stock(glob=DATADOG)
    quiet, loud = planned(given), planned(given, **{"sidecar.istio.io/logLevel": "debug"})
    assert quiet.steering is planned(given, **{"example.com/note": "any"}).steering
    assert loud.steering is not quiet.steering
    assert loud.context()["proxy"]["logLevel"] == "debug"
    assert quiet.context()["proxy"]["logLevel"] == "warning"


def test_what_is_kept_with_the_config_is_what_a_steering_of_its_own_would_say():
    given = stock(glob=DATADOG)
    steering = planned(given).steering
    assert everything(steering) == everything(Steering(steering.values, steering.mesh, planned(given).pod))
