"""The Pods that are measured with: many different ones, as API servers send them, and all of them are injected."""

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks import inputs
from benchmarks.workloads import NAMESPACES, WORKLOADS, Owner, Workload, pod
from benchmarks.workloads.pods import Hole
from benchmarks.workloads.reviews import Values, encoded, envelope, filled
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import Reason
from sidecar_injector.profiles import profile_for

by_name = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)


def containers(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [*found["spec"].get("initContainers", []), *found["spec"]["containers"]]


def test_there_are_at_least_fifty_and_their_names_differ() -> None:
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS) >= 50
    assert {workload.namespace for workload in WORKLOADS} == set(NAMESPACES)


def test_every_kind_of_owner_probe_and_volume_is_among_them() -> None:
    pods = [pod(workload) for workload in WORKLOADS]
    assert {workload.owner for workload in WORKLOADS} == set(Owner)
    probes = [c[p] for found in pods for c in containers(found) for p in ("livenessProbe", "readinessProbe") if p in c]
    assert {key for probe in probes for key in probe} >= {"httpGet", "tcpSocket", "grpc", "exec"}
    volumes = [volume for found in pods for volume in found["spec"].get("volumes", [])]
    sources = {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "hostPath", "projected"}
    assert {key for volume in volumes for key in volume} == {"name", *sources}
    assert any(c.get("restartPolicy") == "Always" for found in pods for c in containers(found))


def test_reviews_are_as_large_as_real_ones() -> None:
    sizes = sorted(len(encoded(filled(workload))) for workload in WORKLOADS)
    assert sizes[0] > 2_000
    assert 5_000 < sizes[len(sizes) // 2] < 8_000
    assert sizes[-3] > 20_000
    assert sizes[-1] < 40_000


@by_name
def test_the_stock_config_injects_it(workload: Workload) -> None:
    config = inputs.stock()
    outcome = admit(inputs.request(workload), config, profile_for(config), inputs.facts())
    assert outcome.decision.reason == Reason.INJECTED
    assert outcome.patch
    assert outcome.warnings == ()


@by_name
def test_names_within_a_pod_are_unique(workload: Workload) -> None:
    found = pod(workload)
    lists = [containers(found), found["spec"].get("volumes", []), *(c.get("env", []) for c in containers(found))]
    assert [Counter(item["name"] for item in each).most_common(1)[0][1] for each in lists if each] == [
        1 for each in lists if each
    ]


@by_name
def test_every_mount_has_its_volume(workload: Workload) -> None:
    found = pod(workload)
    volumes = {volume["name"] for volume in found["spec"].get("volumes", [])}
    assert {mount["name"] for c in containers(found) for mount in c.get("volumeMounts", [])} == volumes


@by_name
def test_two_pods_of_one_workload_differ_in_what_pods_of_one_owner_differ_in_only(workload: Workload) -> None:
    values = Values()
    one, other = (json.loads(envelope(workload).fill(values)) for _ in range(2))
    paths = {path for path, first, second in differences(one, other) if first != second}
    allowed = {"uid", "name", "time", "job-name", "batch.kubernetes.io/job-name", "generateName"}
    allowed |= {"values", "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"}
    assert "uid" in paths
    assert paths <= allowed
    assert not any(hole.value in json.dumps([one, other]) for hole in Hole)


def differences(one: Any, other: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """Return the leaves of two documents of the same form, each with the key it stands under."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return [leaf for member in one for leaf in differences(one[member], other[member], member)]
    if isinstance(one, list):
        assert len(one) == len(other)
        return [leaf for pair in zip(one, other, strict=True) for leaf in differences(*pair, key)]
    return [(key, one, other)]


def test_no_uid_comes_twice_and_the_length_stays() -> None:
    values, found = Values(seed=7), envelope(WORKLOADS[0])
    bodies = [bytes(found.fill(values)) for _ in range(500)]
    assert len({json.loads(body)["request"]["uid"] for body in bodies}) == 500
    assert {len(body) for body in bodies} == {len(found)}


def test_a_review_is_written_as_go_writes_it() -> None:
    assert encoded({"a": "1 < 2 && ü"}) == '{"a":"1 \\u003c 2 \\u0026\\u0026 ü"}'.encode()
    assert b"\\u0026" in encoded(filled(next(each for each in WORKLOADS if each.name == "recommend")))


def test_requests_of_different_seeds_have_different_uids() -> None:
    one, other = (json.loads(envelope(WORKLOADS[0]).fill(Values(seed))) for seed in (1, 2))
    assert one["request"]["uid"] != other["request"]["uid"]


def test_what_is_read_is_a_review_for_the_creation_of_a_pod() -> None:
    request = parse_review(filled(WORKLOADS[0]))
    assert request.creates_pod
    assert request.namespace == WORKLOADS[0].namespace
