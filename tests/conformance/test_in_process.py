"""Istio's own cases through our pipeline: the Pod that comes out is the one that Istio's suite expects."""

import copy
import json
from typing import Any

import jsonpatch
import pytest

from sidecar_injector.errors import ConfigError, PodRejected
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio.vocabulary import OVERRIDES
from tests.conformance.cases import WITHOUT, Case, differences, expected_pod, load_cases, load_rows

CASES = load_cases()
ROWS = load_rows()

pytestmark = pytest.mark.skipif(not CASES, reason=WITHOUT)

each_case = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])


def admitted(case: Case, pod: dict[str, Any]) -> Outcome:
    config = accept(case.resource)
    return admit(parse_review(case.review(pod)), config, profile_for(config), case.facts)


def patched(pod: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    return jsonpatch.apply_patch(copy.deepcopy(pod), json.loads(json.dumps(outcome.patch)))


@each_case
def test_the_pod_comes_out_as_istio_has_it(case: Case) -> None:
    if error := case.data.get("expectedError"):
        with pytest.raises(PodRejected, match=error):
            admitted(case, case.pod)
        return
    outcome = admitted(case, case.pod)
    if case.data["expected"] is None:
        assert not outcome.patch
        return
    assert differences(expected_pod(case), patched(case.pod, outcome)) == []


@each_case
def test_a_second_injection_changes_nothing(case: Case) -> None:
    if case.data.get("expectedError"):
        return
    once = patched(case.pod, admitted(case, case.pod))
    assert admitted(case, once).patch == ()


@each_case
def test_an_injection_by_another_revision_is_as_if_it_had_been_the_first(case: Case) -> None:
    if not case.data.get("expected"):
        return
    newer = Case({**case.data, "values": {**case.data["values"], "edited": True}})
    once = patched(case.pod, admitted(case, case.pod))
    again = without_empty_overrides(patched(once, admitted(newer, once)))
    assert admitted(newer, again).patch == ()
    assert differences(without_empty_overrides(patched(case.pod, admitted(newer, case.pod))), again) == []


def without_empty_overrides(pod: dict[str, Any]) -> dict[str, Any]:
    """The Pod without empty maps in what is remembered of its user: to the API server they are not there."""
    notes = pod["metadata"]["annotations"]
    if OVERRIDES in notes:
        notes[OVERRIDES] = notes[OVERRIDES].replace(',"resources":{}', "")
    return pod


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}-{row['name']}" for number, row in enumerate(ROWS)])
def test_the_decision_is_the_one_of_istios_table(row: dict[str, Any]) -> None:
    assert decided(row) is row["inject"]


def decided(row: dict[str, Any]) -> bool:
    case = Case({**CASES[0].data, "id": row["name"], "namespace": row["namespace"]})
    match = {
        "policy": row["policy"].capitalize(),
        "neverInject": row["neverInjectSelector"] or [],
        "alwaysInject": row["alwaysInjectSelector"] or [],
    }
    resource = {**case.resource, "spec": {**case.resource["spec"], "match": match}}
    if row["policy"] not in ("enabled", "disabled"):  # Istio injects nothing by such a config; here it is refused
        with pytest.raises(ConfigError, match=r"spec\.match\.policy"):
            accept(resource)
        return False
    config = accept(resource)
    pod = {
        "metadata": {"name": "pod", "labels": row["labels"], "annotations": row["annotations"]},
        "spec": {"containers": [{"name": "app", "image": "app"}], "hostNetwork": row["hostNetwork"]},
    }
    return admit(parse_review(case.review(pod)), config, profile_for(config), ClusterFacts()).decision.inject
