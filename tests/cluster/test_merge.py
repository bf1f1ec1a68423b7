"""The strategic merge is Kubernetes' own: the same patches on the same Pods, merged by `kubectl patch --local`."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sidecar_injector.errors import MergeError
from sidecar_injector.injection.merge import strategic_merge
from tests.kubernetes.binary import ensure_binary
from tests.properties.pods import patches, pods

CASES = 300

pytestmark = pytest.mark.cluster


def generated(count):
    """Draw fresh pairs of Pod and patch: other ones in every run."""
    drawn = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(pods(), patches())
    def draw(pod, patch):
        drawn.append((pod, patch))

    draw()
    return drawn


def by_kubectl(kubectl, pod, patch):
    """Return the merged Pod, or None where kubectl refuses the patch."""
    command = [
        kubectl,
        "kubectl",
        "patch",
        "--local",
        "--type=strategic",
        "-f",
        "-",
        "-o",
        "json",
        "-p",
        json.dumps(patch),
    ]
    done = subprocess.run(command, input=json.dumps(pod), capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def by_us(pod, patch):
    try:
        return strategic_merge(pod, patch)
    except MergeError:
        return None


def as_go_has_it(value):
    """Drop what Go's types do not tell apart from absence: empty lists, maps and strings, zero, false, null."""
    if isinstance(value, dict):
        kept = {key: as_go_has_it(item) for key, item in value.items() if key not in ("status", "creationTimestamp")}
        return {key: item for key, item in kept.items() if item}
    return [as_go_has_it(item) for item in value] if isinstance(value, list) else value


def test_random_patches_merge_as_kubectl_merges_them():
    kubectl = str(ensure_binary())
    compared, refused = 0, 0
    for pod, patch in generated(CASES + 60):
        expected, got = by_kubectl(kubectl, pod, patch), by_us(pod, patch)
        if expected is None or got is None:
            refused += 1
            assert expected is None, f"only we refuse the patch {patch}"
            continue
        assert as_go_has_it(got) == as_go_has_it(expected), json.dumps({"pod": pod, "patch": patch})
        compared += 1
    assert compared >= CASES, f"only {compared} cases were compared, {refused} were refused"


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"containers": [{"image": "nameless"}]}},
        {"spec": {"containers": [{"name": "app", "$patch": "merge"}]}},
        {"spec": {"nodeSelector": {"$patch": "unheard-of"}}},
        {
            "spec": {
                "volumes": [{"name": "a"}, {"name": "b"}],
                "$setElementOrder/volumes": [{"name": "b"}, {"name": "a"}],
            }
        },
        {"spec": {"securityContext": {"$retainKeys": ["fsGroup"], "runAsUser": 1}}},
    ],
)
def test_patches_that_kubectl_refuses_are_refused(patch):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {
            "containers": [{"name": "app", "image": "i"}],
            "nodeSelector": {"a": "b"},
            "securityContext": {"fsGroup": 1},
            "volumes": [{"name": "a", "emptyDir": {}}],
        },
    }
    assert by_kubectl(str(ensure_binary()), pod, patch) is None
    assert by_us(pod, patch) is None
