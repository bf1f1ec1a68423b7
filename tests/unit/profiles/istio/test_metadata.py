"""The network's label, and the annotations that the config gives to every Pod."""

import copy

import pytest

from sidecar_injector.profiles.istio.metadata import injected_annotations, with_injected_annotations, with_network_label

LABEL = "topology.istio.io/network"


@pytest.mark.parametrize(
    ("labels", "network", "expected"),
    [
        (None, "n", {LABEL: "n"}),
        ({"a": "b"}, "n", {"a": "b", LABEL: "n"}),
        ({"a": "b"}, "", {"a": "b"}),
        ({LABEL: "mine"}, "n", {LABEL: "mine"}),
        ({LABEL: ""}, "n", {LABEL: ""}),
    ],
)
def test_a_pod_gets_the_label_of_its_network_unless_it_has_one(labels, network, expected):
    given = {"metadata": {"name": "a", "labels": labels}}
    before = copy.deepcopy(given)
    result = with_network_label(given, network)
    assert result["metadata"] == {"name": "a", "labels": expected}
    assert given == before
    assert (result is given) is (labels == expected)
    assert with_network_label(result, network) is result


def values(**annotations):
    return {"sidecarInjectorWebhook": {"injectedAnnotations": annotations}}


@pytest.mark.parametrize(
    ("present", "given", "expected"),
    [
        ({"a": "b"}, {}, {"a": "b"}),
        ({"a": "b"}, {"sidecarInjectorWebhook": {"injectedAnnotations": None}}, {"a": "b"}),
        ({"a": "b"}, values(), {"a": "b"}),
        ({"a": "b"}, values(a="b"), {"a": "b"}),
        ({"a": "b"}, values(a="c", d="e"), {"a": "c", "d": "e"}),
        ({}, values(yes=True, no=False, number=1, text="x", empty=""), {
            "yes": "true", "no": "false", "number": "1", "text": "x", "empty": "",
        }),
        ({"a": "b"}, values(a=None), {"a": "b"}),
    ],
)  # fmt: skip
def test_the_configs_annotations_override_the_pods(present, given, expected):
    pod = {"metadata": {"name": "a", "annotations": present}}
    before = copy.deepcopy(pod)
    result = with_injected_annotations(pod, injected_annotations(given))
    assert result["metadata"] == {"name": "a", "annotations": expected}
    assert pod == before
    assert (result is pod) is (present == expected)
    assert with_injected_annotations(result, injected_annotations(given)) is result


def test_a_pod_without_annotations_gets_them():
    found = with_injected_annotations({}, injected_annotations(values(a="b")))
    assert found == {"metadata": {"annotations": {"a": "b"}}}
