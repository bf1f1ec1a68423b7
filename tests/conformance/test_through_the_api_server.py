"""A sample of Istio's own cases, created on a real API server: what it stores has all that is expected."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.conftest import Configs
from tests.conformance.cases import FOLDER, WITHOUT, Case, compare, expected_pod, load_cases
from tests.kubernetes.cluster import Cluster

SAMPLE = (
    "hello",
    "hello-probes",
    "hello-tproxy",
    "hello.cni",
    "hello-fips-140-3",
    "gateway",
    "grpc-agent",
    "grpc-simple",
    "native-sidecar",
    "native-sidecar-opt-out",
    "proxy-override",
    "sidecar-spire",
    "traffic-annotations",
)
CASES = [case for case in load_cases() if case.id in SAMPLE]
CHANGED = {("/metadata/ownerReferences/0", "uid")}
"""What the test itself has changed: an owner needs an identity."""
NAMESPACE = "default"
"""Where Istio's suite takes Pods to be that name no namespace."""

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(not CASES, reason=WITHOUT)]


@pytest.fixture(scope="module")
def labelled(control_plane: Cluster) -> Iterator[None]:
    control_plane.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    yield
    control_plane.kubectl("label", "namespace", NAMESPACE, "istio-injection-")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
@pytest.mark.usefixtures("labelled")
def test_the_stored_pod_has_all_that_istio_expects(control_plane: Cluster, configs: Configs, case: Case) -> None:
    configs(case.resource)
    pod = {"apiVersion": "v1", "kind": "Pod", **case.pod}
    for owner in pod["metadata"].get("ownerReferences", []):
        owner["uid"] = "12345678-1234-1234-1234-123456789012"
    answer = control_plane.kubectl("create", "--dry-run=server", "-n", NAMESPACE, "-o", "json", "-f-", input=pod)
    expected = expected_pod(case)
    assert missing(expected, json.loads(answer.stdout)) == []


def missing(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Where the stored Pod lacks something of the expected one; what the API server has added does not count."""
    normal = compare().normal
    wanted = {key: value for key, value in normal(expected).items() if key in ("metadata", "spec")}
    return list(_missing(wanted, normal(got), ""))


def _missing(expected: Any, got: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, value in expected.items():
            if (path, key) not in CHANGED:
                yield from _missing(value, got.get(key), f"{path}/{key}")
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        # The API server appends to a list, so what is expected comes first, and in order.
        for index, item in enumerate(expected):
            yield from _missing(item, got[index] if index < len(got) else None, f"{path}/{index}")
    elif expected != got:
        yield f"{path}: expected {expected!r}, got {got!r}"


def test_the_sample_is_there() -> None:
    assert {case.id for case in CASES} == set(SAMPLE) & {case.id for case in load_cases()}
    assert (FOLDER / "compare.py").exists()
