"""`import-istio` reads Istio's ConfigMaps from a real API server, which takes the config that it writes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar_injector.names import GROUP, PLURAL
from tests.cluster.operator_process import ROOT
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixture import MakeNamespace
from tests.unit.cli.istio_installation import injection, installation

pytestmark = pytest.mark.cluster

EXTRA = """\
spec:
  containers:
  {{- range .Spec.Containers }}
  - name: {{ .Name }}
    env:
    - name: REGION
      value: {{ annotation $.ObjectMeta `example.org/region` "eu" | quote }}
  {{- end }}
"""


def run(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command against the cluster."""
    command = [sys.executable, "-m", "sidecar_injector", "import-istio", *arguments]
    environment = cluster.environment | {"PYTHONPATH": str(ROOT / "operator")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def create(cluster: Cluster, namespace: str, *revisions: str) -> None:
    """Create the ConfigMaps of these revisions of Istio."""
    config = injection(templates={"region": EXTRA}, defaultTemplates=["sidecar", "region"])
    objects: dict[str, dict[str, Any]] = {}
    for revision in revisions:
        for each in installation(config, revision=revision):
            metadata = {"name": each["metadata"]["name"], "namespace": namespace}
            objects[metadata["name"]] = {**each, "metadata": metadata}
    cluster.kubectl("create", "-f-", input=list(objects.values()))


def test_an_installation_is_imported_from_the_cluster(
    control_plane: Cluster, namespace: MakeNamespace, tmp_path: Path
) -> None:
    crd = ROOT / "crds" / "sidecarinjectorconfigs.yaml"
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(crd))
    control_plane.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=20s")
    istio = namespace("istio")
    create(control_plane, istio, "", "canary")
    for revision, name in (("", "istio"), ("canary", "istio-canary")):
        arguments = ("--namespace", istio, *(("--revision", revision) if revision else ()))
        done = run(control_plane, *arguments)
        assert done.returncode == 0, done.stderr
        assert f"of ConfigMap {istio}/istio-sidecar-injector" in done.stderr
        config = yaml.safe_load(done.stdout)
        assert config["metadata"]["name"] == name
        assert config["spec"]["defaultTemplates"] == ["sidecar", "region"]
        control_plane.kubectl("apply", "--dry-run=server", "--warnings-as-errors", "-f-", input=done.stdout)


def test_what_kubectl_prints_is_imported_alike(
    control_plane: Cluster, namespace: MakeNamespace, tmp_path: Path
) -> None:
    istio = namespace("istio")
    create(control_plane, istio, "")
    printed = tmp_path / "configmaps.yaml"
    printed.write_text(control_plane.kubectl("get", "configmaps", "-n", istio, "-o", "yaml").stdout)
    assert run(control_plane, "-f", str(printed)).stdout == run(control_plane, "-n", istio).stdout != ""


def test_a_cluster_without_that_revision_is_told(control_plane: Cluster, namespace: MakeNamespace) -> None:
    istio = namespace("istio")
    absent = run(control_plane, "-n", istio)
    assert (absent.returncode, absent.stdout) == (2, "")
    assert f"namespace {istio}: has no ConfigMap istio-sidecar-injector; --namespace names the one" in absent.stderr
    create(control_plane, istio, "canary")
    other = run(control_plane, "-n", istio)
    assert other.returncode == 2
    assert (
        "has no ConfigMap istio-sidecar-injector, but that of revision canary; name one by --revision" in other.stderr
    )


def test_istios_webhook_that_was_kept_as_the_page_has_it_comes_back(control_plane: Cluster) -> None:
    page = (ROOT / "docs" / "how-to" / "move-from-istio.md").read_text()
    fields = re.findall(r"^  grep -vE '(.+)' > istio-webhooks.yaml$", page, re.MULTILINE)[0]
    name = "istio-sidecar-injector-of-a-test"
    entry = {
        "name": "namespace.sidecar-injector.istio.io",
        "clientConfig": {"url": "https://127.0.0.1:1/inject"},
        "namespaceSelector": {"matchLabels": {"istio-injection": "of-a-test"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
    }
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name, "labels": {"app": "sidecar-injector-of-a-test"}},
        "webhooks": [entry],
    }
    selected = ("mutatingwebhookconfiguration", "-l", "app=sidecar-injector-of-a-test")
    try:
        control_plane.kubectl("create", "-f-", input=webhook)
        printed = control_plane.kubectl("get", *selected, "-o", "yaml").stdout
        kept = "".join(line for line in printed.splitlines(keepends=True) if not re.search(fields, line))
        control_plane.kubectl("delete", "mutatingwebhookconfiguration", name)
        control_plane.kubectl("apply", "-f-", input=kept)
        assert control_plane.get("mutatingwebhookconfiguration", name)["webhooks"]
    finally:
        control_plane.kubectl("delete", "--ignore-not-found", "mutatingwebhookconfiguration", name)
