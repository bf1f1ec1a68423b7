"""A breach of the guardrails obeys the config's failurePolicy, and has the same reason everywhere."""

import json

from sidecar_injector.config import Snapshot
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import GROUP, Reason
from sidecar_injector.serving.admission import inject
from tests.unit.injection.support import config, pod, review
from tests.unit.injection.test_guardrails import AS_THE_POD_SAYS, ROOT


def answer(compiled, obj, facts=None):
    snapshot = Snapshot().with_accepted(compiled)
    return inject(parse_review(review(obj)), snapshot, compiled.name, facts or ClusterFacts(), {})


def test_with_fail_the_call_fails_with_the_text():
    found = answer(config(AS_THE_POD_SAYS, name="mesh"), pod(annotations=ROOT))
    assert (found.reason, found.failed) == (Reason.GUARDRAIL_BREACHED, True)
    assert isinstance(found.body, str)
    assert found.body.startswith("GuardrailBreached: SidecarInjectorConfig mesh: template main: ")
    assert "does not have Privileged" in found.body


def test_with_ignore_the_pod_is_admitted_as_it_is_with_a_warning_and_the_reason():
    found = answer(config(AS_THE_POD_SAYS, name="mesh", failurePolicy="Ignore"), pod(annotations=ROOT))
    response = json.loads(found.body)
    assert (found.reason, found.failed) == (Reason.GUARDRAIL_BREACHED, True)
    assert response["allowed"] is True
    assert "patch" not in response
    assert response["auditAnnotations"]["reason"] == "GuardrailBreached"
    assert "did not inject this Pod: GuardrailBreached: template main" in response["warnings"][0]


def test_an_override_turned_to_what_is_not_allowed_refuses_the_pod_whatever_the_failure_policy():
    level = {"name": "level", "type": "Integer", "maximum": 3}
    compiled = config("metadata: {labels: {a: b}}", overrides=[level], failurePolicy="Ignore")
    facts = ClusterFacts(namespaces={"shop": NamespaceFacts("shop", {}, {f"{GROUP}/level": "4"})})
    for found in (
        answer(compiled, pod(annotations={f"{GROUP}/level": "4"})),
        answer(compiled, pod(), facts),
    ):
        response = json.loads(found.body)
        assert (response["allowed"], found.reason) == (False, Reason.INVALID_ANNOTATION)
        assert "is '4'; allowed: a whole number up to 3" in response["status"]["message"]
