"""The policies of the security page do what the page says, and without them it is as the page says."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import ROOT, Operator
from tests.cluster.pods import images, make, pod
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

PAGE = (ROOT / "docs" / "security.md").read_text()
FILES = {name: text for text, name in re.findall(r"^```yaml\n(# (\S+)\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)}
ENABLED = {"istio-injection": "enabled"}
APP, SIDECAR = "example.org/app:1", "example.org/proxy:1"

Enforce = Callable[[str, Callable[[], str]], None]


@pytest.fixture
def enforce(control_plane: Cluster) -> Iterator[Enforce]:
    """What applies a file of the page and waits until an attempt that breaks its policy is refused."""
    applied: list[str] = []

    def apply(name: str, attempt: Callable[[], str]) -> None:
        applied.append(FILES[name])
        control_plane.kubectl("apply", "--warnings-as-errors", "-f-", input=FILES[name])
        wait_until(lambda: "ValidatingAdmissionPolicy" in attempt(), seconds=20, what=f"{name} is in force")

    yield apply
    for text in applied:
        control_plane.kubectl("delete", "-f-", input=text)


def attempt(cluster: Cluster, namespace: str, wanted: dict[str, Any]) -> str:
    """Try to create a Pod; return why it is refused, or nothing."""
    done = cluster.kubectl("create", "-n", namespace, "--dry-run=server", "-f-", input=wanted, check=False)
    return done.stderr if done.returncode else ""


def with_image(image: str, **metadata: Any) -> dict[str, Any]:
    return {**pod("other", **metadata), "spec": {"containers": [{"name": "app", "image": image}]}}


OPTED_OUT = pod("out", labels={names.INJECT: "false"})


def forged(revision: str) -> dict[str, Any]:
    """A Pod that claims to have been injected."""
    entry = {"revision": revision, "templates": ["sidecar"], "undo": {}}
    return pod("forged", annotations={names.STATUS: json.dumps({"mesh": entry})})


def test_a_forged_status_annotation_is_as_good_as_opting_out(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    status: Any = control_plane.get("sic", "mesh")["status"]
    assert images(make(control_plane, namespace("shop", ENABLED), forged(status["currentRevision"]))) == [APP]


def test_the_sidecar_can_be_required_of_the_finished_pod(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, enforce: Enforce
) -> None:
    configs(config())
    status: Any = control_plane.get("sic", "mesh")["status"]
    shop = namespace("shop", ENABLED)
    enforce("sidecar-required.yaml", lambda: attempt(control_plane, shop, OPTED_OUT))
    assert images(make(control_plane, shop, pod("good"))) == [APP, SIDECAR]
    assert "lacks it" in attempt(control_plane, shop, forged(status["currentRevision"]))
    own = pod("own")
    own["spec"]["containers"].append({"name": "proxy", "image": "example.org/none-of-it:1"})
    assert "lacks it" in attempt(control_plane, shop, own)
    assert attempt(control_plane, namespace("plain"), OPTED_OUT) == ""


def test_what_was_let_through_while_nobody_answered_is_refused_where_the_sidecar_is_required(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace, enforce: Enforce
) -> None:
    configs(config(failurePolicy="Ignore"))
    shop = namespace("shop", ENABLED)
    enforce("sidecar-required.yaml", lambda: attempt(control_plane, shop, OPTED_OUT))
    with operator.stopped():
        assert "lacks it" in attempt(control_plane, shop, pod("late"))


@pytest.mark.parametrize("label", [names.INJECT, "sidecar.istio.io/inject"])
def test_opting_out_can_be_refused(
    control_plane: Cluster, configs: Configs, namespace: MakeNamespace, enforce: Enforce, label: str
) -> None:
    configs(config())
    shop = namespace("shop", ENABLED)
    enforce("no-opting-out.yaml", lambda: attempt(control_plane, shop, pod("out", labels={label: "false"})))
    for labels in ({label: "true"}, {"app": "web"}, {}):
        assert attempt(control_plane, shop, pod("in", labels=labels)) == ""
    assert attempt(control_plane, namespace("plain"), OPTED_OUT) == ""


def test_guardrails_can_be_kept_for_some(control_plane: Cluster, operator: Operator, enforce: Enforce) -> None:
    loose = config(guardrails={"allow": ["Privileged"]})
    someone = ("--as=somebody", "--as-group=system:masters")
    dry = ("create", "--dry-run=server", "-f-")

    def refusal(wanted: dict[str, Any], *who: str) -> str:
        done = control_plane.kubectl(*dry, *who, input=wanted, check=False)
        return done.stderr if done.returncode else ""

    assert refusal(loose, *someone) == ""
    enforce("guardrails.yaml", lambda: refusal(loose, *someone))
    assert refusal(config(), *someone) == ""
    assert refusal(config(guardrails={"allow": []}), *someone) == ""
    assert refusal(loose, *someone, "--as-group=mesh-admins") == ""


def test_images_of_the_system_can_be_held_to_its_registries(control_plane: Cluster, enforce: Enforce) -> None:
    enforce("system-images.yaml", lambda: attempt(control_plane, "kube-system", with_image(APP)))
    assert attempt(control_plane, "kube-system", with_image("registry.example.org/system/dns:1")) == ""
    assert attempt(control_plane, "default", with_image(APP)) == ""


def test_every_file_of_the_page_is_a_policy_with_its_binding() -> None:
    for text in FILES.values():
        policy, binding = yaml.safe_load_all(text)
        assert (policy["kind"], binding["kind"]) == ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert set(FILES) == {"sidecar-required.yaml", "no-opting-out.yaml", "guardrails.yaml", "system-images.yaml"}
