"""A Pod that is like an earlier one gets what it would have got without that: the same answer, byte for byte."""

import base64
import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import parse_review
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.serving import admission
from sidecar_injector.serving.anonymous import NOBODYS, anonymous
from sidecar_injector.serving.exchange import Answer, Exchange, exchange_about
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.remembered import Remembered
from sidecar_injector.serving.server import response_text
from tests.conformance.cases import WITHOUT, Case, load_cases
from tests.contract.harness import review
from tests.properties.pods import pods
from tests.properties.test_istio import ANNOTATIONS, CLUSTER, CLUSTERS, CONFIG, CONFIGS

CASES = load_cases()
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
VOLUMES = st.text(ALPHABET, min_size=5, max_size=5).map("kube-api-access-".__add__)
COPIES_EVERYTHING = """\
metadata:
  annotations:
    seen: {{ pod.spec.volumes | tojson | tojson }}
spec:
  containers:
    - name: copier
      image: example.org/copier:1
      volumeMounts: {{ pod.spec.containers[0].volumeMounts | default([]) }}
"""
COPIER = accept(
    {
        "apiVersion": "sidecarinjector.dev/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": "copier", "uid": "copier", "generation": 1, "resourceVersion": "1"},
        "spec": {"profile": "Generic", "templates": [{"name": "copier", "template": COPIES_EVERYTHING}]},
    }
)


class Webhook:
    """What the server does with a review, without the network and without Kopf."""

    def __init__(self, mib: int = 1) -> None:
        self.memory = Remembered(mib << 20, Metrics())
        self.hits = 0

    def ask(self, asked: dict[str, Any], config: CompiledConfig, facts: ClusterFacts = CLUSTERS["new nodes"]) -> bytes:
        body, volume = anonymous(json.dumps(asked).encode())
        request = parse_review(json.loads(body))
        snapshot = Snapshot().with_accepted(config)
        exchange = exchange_about(request, snapshot, config.name, MappingProxyType({}), facts)
        return response_text(request, self._answer(exchange), volume)

    def _answer(self, exchange: Exchange) -> Answer:
        key = self.memory.key(exchange)
        found = self.memory.recall(key, exchange) if key else None
        if found is not None:
            self.hits += 1
            return found
        answer = admission.inject(
            exchange.request, exchange.snapshot, exchange.config, exchange.facts, exchange.parameters
        )
        if key:
            self.memory.keep(key, exchange, answer)
        return answer


def with_token(pod: dict[str, Any], volume: str, time: int) -> dict[str, Any]:
    """Return a Pod as the API server sends it: with the volume of its ServiceAccount's token, and its bookkeeping."""
    spec = pod["spec"]
    mount = {"name": volume, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    containers = [{**item, "volumeMounts": [*(item.get("volumeMounts") or []), mount]} for item in spec["containers"]]
    volumes = [*(spec.get("volumes") or []), {"name": volume, "projected": {"sources": []}}]
    metadata = {
        **pod.get("metadata", {}),
        "managedFields": [{"manager": "kcm", "time": f"2026-01-01T00:00:{time:02}Z"}],
    }
    return {**pod, "metadata": metadata, "spec": {**spec, "containers": containers, "volumes": volumes}}


def annotated(pod: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    metadata = pod.get("metadata", {})
    return {**pod, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}}


def same_with_and_without(
    pod: dict[str, Any], volumes: list[str], config: CompiledConfig, facts: ClusterFacts, *, hits: int
) -> None:
    """Ask about Pods that differ in what is drawn by lot, of a webhook that remembers and of one that does not."""
    remembering, forgetful = Webhook(), Webhook(mib=0)
    for number, volume in enumerate(volumes):
        asked = review(with_token(pod, volume, number), uid=str(number))
        assert remembering.ask(asked, config, facts) == forgetful.ask(asked, config, facts)
    assert remembering.hits in (0, hits)  # none where the answer is that it failed


@given(pods(), ANNOTATIONS, st.lists(VOLUMES, min_size=2, max_size=3), CONFIG, CLUSTER)
def test_pods_of_one_workload_get_what_they_would_get_anew(
    pod: dict[str, Any], annotations: dict[str, str], volumes: list[str], config: str, cluster: str
) -> None:
    same_with_and_without(
        annotated(pod, annotations), volumes, CONFIGS[config], CLUSTERS[cluster], hits=len(volumes) - 1
    )


@given(pods(), st.lists(VOLUMES, min_size=2, max_size=3, unique=True))
def test_what_a_template_copies_of_the_volume_has_the_name_that_it_has_in_this_pod(
    pod: dict[str, Any], volumes: list[str]
) -> None:
    remembering = Webhook()
    for number, volume in enumerate(volumes):
        answer = remembering.ask(review(with_token(pod, volume, number)), COPIER)
        assume(answer.startswith(b"{"))  # the Pod mounts no volume that it has not
        patch = base64.b64decode(json.loads(answer)["response"]["patch"])
        assert (NOBODYS in patch, volume.encode() in patch) == (False, True)
    same_with_and_without(pod, volumes, COPIER, CLUSTERS["new nodes"], hits=len(volumes) - 1)


@given(st.lists(pods(), min_size=2, max_size=4), st.data())
def test_pods_that_differ_get_each_its_own_answer(several: list[dict[str, Any]], data: st.DataObject) -> None:
    remembering, forgetful = Webhook(), Webhook(mib=0)
    for number in range(2 * len(several)):
        asked = review(data.draw(st.sampled_from(several)), uid=str(number))
        assert remembering.ask(asked, CONFIGS["stock"]) == forgetful.ask(asked, CONFIGS["stock"])


@pytest.mark.skipif(not CASES, reason=WITHOUT)
@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_second_answer_to_a_case_of_istio_is_the_first(case: Case) -> None:
    config = accept(case.resource)
    remembering, forgetful = Webhook(), Webhook(mib=0)
    for _ in range(2):
        assert remembering.ask(case.review(case.pod), config, case.facts) == forgetful.ask(
            case.review(case.pod), config, case.facts
        )
    assert remembering.hits == (0 if forgetful_failed(forgetful, case, config) else 1)


def forgetful_failed(webhook: Webhook, case: Case, config: CompiledConfig) -> bool:
    """Tell whether the answer to a case is a failure, which is not remembered."""
    return b'"allowed"' not in webhook.ask(case.review(case.pod), config, case.facts)
