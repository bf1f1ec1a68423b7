"""What accompanies a review through Kopf."""

import pytest

from sidecar_injector.serving.exchange import Answer, for_kopf

RESOURCE = {"group": "sidecarinjector.dev", "version": "v1alpha1", "resource": "sidecarinjectorconfigs"}
OBJECT = {"kind": "Pod", "metadata": {"uid": "1"}, "spec": {"containers": [{}]}}


def review(**request: object) -> dict[str, object]:
    found = {"uid": "1", "operation": "CREATE", "resource": RESOURCE, "object": OBJECT, **request}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": found}


def test_kopf_gets_what_it_chooses_a_handler_by() -> None:
    request = for_kopf(review(operation="UPDATE", subResource="status"))["request"]
    assert (request["operation"], request["resource"], request["subResource"]) == ("UPDATE", RESOURCE, "status")


def test_kopf_gets_nothing_of_the_object_to_copy_compare_or_remember() -> None:
    request = for_kopf(review(oldObject=OBJECT))["request"]
    assert request["object"] == {"metadata": {}}
    assert "oldObject" not in request


@pytest.mark.parametrize("user", [{}, {"userInfo": None}, {"userInfo": {"username": "me"}}])
def test_a_review_is_acceptable_to_kopf_without_a_user(user: dict[str, object]) -> None:
    assert for_kopf(review(**user))["request"]["userInfo"] == {}


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer("error", ""), "Failed"),
        (Answer(b"{}", "", denied=True), "Denied"),
        (Answer(b"{}", ""), "Unchanged"),
        (Answer(b"{}", "", patch=b"[]"), "Patched"),
    ],
)
def test_the_result_is_read_off_the_answer(answer: Answer, result: str) -> None:
    assert answer.result == result
