"""What accompanies a review through Kopf."""

import copy

import pytest

from sidecar_injector.serving.exchange import Answer, for_kopf

REVIEW = {"kind": "AdmissionReview", "request": {"uid": "1", "object": {"kind": "Pod", "spec": {"containers": [{}]}}}}


def test_kopf_gets_an_equal_review_that_a_deep_copy_shares() -> None:
    handed = for_kopf(REVIEW)
    spec = handed["request"]["object"]["spec"]
    assert spec == {"containers": [{}]}
    assert copy.deepcopy(handed["request"]["object"])["spec"] is spec


def test_the_review_itself_stays_as_it_is() -> None:
    before = copy.deepcopy(REVIEW)
    for_kopf(REVIEW)
    assert before == REVIEW
    assert type(REVIEW["request"]["object"]["spec"]) is dict  # type: ignore[index]


def test_a_review_without_a_user_is_made_acceptable_to_kopf() -> None:
    assert for_kopf(REVIEW)["request"]["userInfo"] == {}


@pytest.mark.parametrize("metadata", [None, [], "text", 1, {"uid": "1"}])
def test_kopf_gets_metadata_that_it_can_read_and_nothing_to_remember(metadata: object) -> None:
    review = {"request": {"object": {"metadata": metadata}, "oldObject": {"metadata": metadata}}}
    request = for_kopf(review)["request"]
    assert (request["object"]["metadata"], request["oldObject"]["metadata"]) == ({}, {})


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("error", "Failed"),
        ({"response": {"allowed": False}}, "Denied"),
        ({"response": {"allowed": True}}, "Unchanged"),
        ({"response": {"allowed": True, "patch": "W10="}}, "Patched"),
    ],
)
def test_the_result_is_read_off_the_answer(body: object, result: str) -> None:
    assert Answer(body, "").result == result  # type: ignore[arg-type]
