"""The operator as it is run: its own process, under its ServiceAccount, against a real API server."""

import base64
import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.context import Progress, SkippedError
from benchmarks.inputs import NAMESPACE_LABELS
from benchmarks.load.orders import Target
from benchmarks.servers.running import INJECT, OWN_NAME
from benchmarks.workloads import NAMESPACES
from sidecar_injector import names
from sidecar_injector.settings import TABLE
from tests.cluster import operator_process
from tests.cluster.operator_process import ROOT
from tests.kubernetes.binary import BuildError, ensure_binary
from tests.kubernetes.cluster import ClusterError, wait_until
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.toolchain import ToolchainError

REMEMBERED = "remembered_mib"
"""The setting for remembered decisions; 0 switches them off."""
READY_SECONDS = 180


class Operator(operator_process.Operator):
    """One replica, whose process can be looked at."""

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process
        return self._process.pid

    def wait(self) -> None:
        """Wait until it is ready, with however many configs to be compiled before."""
        wait_until(self._is_ready, seconds=READY_SECONDS, what="the operator is ready")

    def remembered(self) -> dict[str, float]:
        """Return how many Pods were found among earlier ones, and how many not, as the metrics say."""
        pattern = re.compile(
            rf'^{names.APP.replace("-", "_")}_remembered\w*\{{.*result="(\w+)".*\}} (\S+)$', re.MULTILINE
        )
        return {result: float(value) for result, value in pattern.findall(self.metrics())}


def start_cluster(stack: contextlib.ExitStack, progress: Progress) -> ControlPlane:
    """Start a control plane with the operator's manifest in it, until the stack is closed; raises SkippedError."""
    progress.say("a control plane: the API server, etcd, controllers and scheduler of the tests")
    try:
        ensure_binary()
        cluster = stack.enter_context(ControlPlane())
    except (BuildError, ToolchainError, ClusterError) as error:
        raise SkippedError(f"there is no control plane to measure with: {error}") from None
    cluster.kubectl("apply", "-f", str(ROOT / "manifests" / "install.yaml"))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{names.PLURAL}.{names.GROUP}", "--timeout=20s")
    cluster.kubectl("apply", "-f-", input=[_namespace(name) for name in NAMESPACES])
    for name in NAMESPACES:
        cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=20s")
    return cluster


def remembers() -> bool:
    """Tell whether this version remembers decisions at all."""
    return any(row.name == REMEMBERED for row in TABLE)


@contextlib.contextmanager
def operator(cluster: ControlPlane, name: str, **settings: Any) -> Iterator[Operator]:
    """Run one replica for a while."""
    running = Operator(cluster, name)
    try:
        running.start(wait=False, **settings)
        running.wait()
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def configs(cluster: ControlPlane, resources: Sequence[dict[str, Any]]) -> Iterator[None]:
    """Have configs there for a while, and no others. No operator may run yet: its webhook would judge each of them."""
    for kind in ("mutatingwebhookconfiguration", "validatingwebhookconfiguration"):
        cluster.kubectl("delete", kind, names.APP, "--ignore-not-found")
    for resource in resources:
        document = {**resource, "metadata": {"name": resource["metadata"]["name"]}}
        answer = cluster.request("POST", f"/apis/{names.API_VERSION}/{names.PLURAL}", document)
        if answer.status != 201:
            raise ClusterError(f"{document['metadata']['name']} was not created: {answer.body}")
    try:
        yield
    finally:
        for kind in ("mutatingwebhookconfiguration", "validatingwebhookconfiguration"):
            cluster.kubectl("delete", kind, names.APP, "--ignore-not-found")
        cluster.kubectl("delete", names.PLURAL, "--all")


def wait_for(cluster: ControlPlane, config: str = "istio") -> None:
    """Wait until all replicas serve a config, and API servers call them for it."""
    cluster.kubectl("wait", "--for=condition=Ready", f"sic/{config}", f"--timeout={READY_SECONDS}s")


def target(cluster: ControlPlane, running: Operator, title: str) -> Target:
    """Return how a replica is called, as API servers do: for the Service, trusting the CA that they are told of."""
    found: dict[str, Any] = cluster.get("mutatingwebhookconfiguration", names.APP)
    authority = base64.b64decode(found["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    return Target(title, "127.0.0.1", running.webhook_port, INJECT, OWN_NAME, authority, running.pid)


def _namespace(name: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": NAMESPACE_LABELS}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
