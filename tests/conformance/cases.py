"""The cases of Istio's own suite, and the SidecarInjectorConfig of each: the stock one with the case's settings put in.

ISTIO_CONFORMANCE names the folder that has them; by default it is looked for beside the checkout. A user's machine may
not have it: then the tests skip.
"""

import copy
import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sidecar_injector.config.model import Guardrail
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.templating import load_all_yaml

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("ISTIO_CONFORMANCE") or HERE.parents[2] / "shared" / "istio-conformance")
WITHOUT = f"there are no conformance cases in {FOLDER}: name their folder in ISTIO_CONFORMANCE"

Object = dict[str, Any]

NEW_KUBELET, OLD_KUBELET = (1, 34), (1, 28)
_RANGE = "1000620000/10000"
OPENSHIFT = {
    "openshift.io/sa.scc.uid-range": _RANGE,
    "openshift.io/sa.scc.supplemental-groups": _RANGE,
}
_STOCK: Object = load_all_yaml(stock_config(), "stock config")[0].value


@dataclass(frozen=True)
class Case:
    """One recorded case (the folder's README says what its fields mean)."""

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def config_name(self) -> str:
        """A DNS label that no other case has."""
        plain = "".join(letter if letter.isalnum() else "-" for letter in self.id.lower())
        return f"c{sum(self.id.encode()) % 997}-{plain}"[:60].rstrip("-")

    @property
    def namespace(self) -> str:
        return str(self.data["namespace"])

    @property
    def pod(self) -> Object:
        return copy.deepcopy(self.data["pod"])

    @property
    def native(self) -> Mapping[str, Any]:
        return self.data["nativeSidecars"]

    @cached_property
    def resource(self) -> Object:
        """The stock config with the values, mesh config, default templates and own templates of this case."""
        config = copy.deepcopy(_STOCK)
        config["metadata"]["name"] = self.config_name
        spec = config["spec"]
        spec["values"] = copy.deepcopy(self.data["values"])
        spec["meshConfig"] = copy.deepcopy(self.data["meshConfig"])
        spec["defaultTemplates"] = self.data["defaultTemplates"]
        for name in self.data.get("customTemplates") or {}:
            spec["templates"].append({"name": name, "template": (HERE / "templates" / f"{name}.yaml").read_text()})
        spec["guardrails"] = {"allow": [str(guardrail) for guardrail in Guardrail]}  # Istio has none
        if self.native["mode"] == "disabled":
            spec["sidecarMode"] = "Classic"
        if policy := self.data.get("compliancePolicy"):
            spec["values"]["pilot"]["env"]["COMPLIANCE_POLICY"] = policy
        return config

    @property
    def namespace_annotations(self) -> dict[str, str]:
        return OPENSHIFT if self.data.get("platform") == "openshift" else {}

    @property
    def facts(self) -> ClusterFacts:
        kubelet = NEW_KUBELET if self.native["nodesSupportThem"] else OLD_KUBELET
        namespace = NamespaceFacts(self.namespace, {}, self.namespace_annotations)
        return ClusterFacts("v1.36.0", {"node": kubelet}, kubelet, {self.namespace: namespace})

    def review(self, pod: Object) -> Object:
        """The AdmissionReview of the Pod's creation."""
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": self.id,
                "operation": "CREATE",
                "namespace": self.namespace,
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "object": pod,
            },
        }


def load_cases() -> list[Case]:
    """All cases of the folder, none if it is not there."""
    return [Case(json.loads(path.read_text())) for path in sorted(FOLDER.glob("cases/*.json"))]


def load_rows() -> list[Object]:
    """The rows of Istio's injection decision table, none if they are not there."""
    path = FOLDER / "injection-required.json"
    return json.loads(path.read_text()) if path.exists() else []


def compare() -> Any:
    """The module `compare` that lies in the folder: `differences` is the comparison that counts."""
    spec = importlib.util.spec_from_file_location("istio_conformance_compare", FOLDER / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(expected: Object, got: Object) -> list[str]:
    """Where two Pods differ, by the folder's own comparison."""
    found: list[str] = compare().differences(expected, got)
    return found


SPIRE = "sidecar-spire"
"""Declared deviation: the recorded Pod has istio-proxy in both lists, once without an image, which is invalid."""


def expected_pod(case: Case) -> Object:
    """The Pod that has to come out; for the declared deviation, with the second istio-proxy merged into the first."""
    pod = copy.deepcopy(case.data["expected"])
    if case.id == SPIRE:
        spec = pod["spec"]
        second = next(item for item in spec["containers"] if item["name"] == "istio-proxy")
        spec["containers"].remove(second)
        proxy = next(item for item in spec["initContainers"] if item["name"] == "istio-proxy")
        mounts = {mount["mountPath"]: mount for mount in second["volumeMounts"]}
        proxy["volumeMounts"] = [mounts.get(mount["mountPath"], mount) for mount in proxy["volumeMounts"]]
    return pod
