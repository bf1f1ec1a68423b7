"""A malformed AdmissionReview is answered with what is wrong and where."""

import pytest

from sidecar_injector.errors import ReviewError
from sidecar_injector.injection.review import parse_review
from tests.unit.injection.support import pod, review

CASES = [
    ([], "the body: found a list, expected an object"),
    (None, "the body: found nothing"),
    ({}, "expected kind AdmissionReview"),
    ({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"}, "v1beta1"),
    ({"kind": "Pod", "apiVersion": "v1"}, "found 'Pod'"),
    ({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}, "request: missing"),
    ({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": None}, "request: found nothing"),
    (review(pod(), uid=""), "request.uid: missing"),
    (review(pod(), uid=5), "request.uid: found a number, expected a string"),
    (review(pod(), operation="CREATES"), "request.operation: found 'CREATES', allowed are CREATE"),
    (review(None), "request.object: missing"),
    (review([]), "request.object: missing"),
    (review("pod"), "request.object: found a string"),
    (review({"kind": "Deployment"}), "request.object.kind: found 'Deployment'"),
    (review({"metadata": {}}), "request.object.spec: found nothing"),
    (review(pod(labels={"a": 1})), "request.object.metadata.labels['a']: found a number"),
    (review(pod(annotations=["a"])), "request.object.metadata.annotations: found a list"),
    (review(pod(volumes={"a": 1})), "request.object.spec.volumes: found an object, expected a list"),
    (review(pod(initContainers=[1])), "request.object.spec.initContainers[0]: found a number"),
    (review(pod({"name": True})), "request.object.spec.containers[0].name: found a boolean"),
    (review(pod(), resource=None) | {}, None),
]


@pytest.mark.parametrize(("body", "fragment"), [case for case in CASES if case[1]])
def test_what_is_wrong_is_named(body, fragment):
    with pytest.raises(ReviewError) as caught:
        parse_review(body)
    assert fragment in str(caught.value)
    assert caught.value.status == 400


def test_nulls_and_absent_fields_of_a_pod_are_fine():
    bare = {"metadata": None, "spec": {"containers": None, "initContainers": None, "volumes": None}}
    assert parse_review(review(bare)).creates_pod


def test_the_deletion_of_a_pod_carries_no_object():
    assert not parse_review(review(None, operation="DELETE")).creates_pod


def test_the_bookkeeping_of_server_side_apply_is_left_out_and_nothing_else() -> None:
    found = pod(labels={"a": "b"})
    found["metadata"]["managedFields"] = [{"time": "2026-01-01T00:00:00Z"}]
    body = review(found)
    assert parse_review(body).pod == pod(labels={"a": "b"})
    assert "managedFields" in found["metadata"]
