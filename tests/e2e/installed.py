"""The operator in a whole node: installed from the production manifests as they are, with an image built here."""

import subprocess
from pathlib import Path
from typing import Any

from sidecar_injector import names
from tests.kubernetes.cluster import ClusterError
from tests.kubernetes.node import Node

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
ROLLOUT_SECONDS = 90
SELECTOR = f"app.kubernetes.io/name={names.APP}"
LOG_LINES = 40


class InstalledOperator:
    """The operator's Deployment and its Pods."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def install(self) -> None:
        """Apply the manifests and wait until all replicas are ready."""
        self._node.kubectl("apply", "--warnings-as-errors", "-k", str(MANIFESTS / "default"))
        self.wait()

    def wait(self) -> None:
        """Wait until the rollout is complete; the error has what the replicas logged."""
        try:
            self.kubectl("rollout", "status", f"deployment/{names.APP}", f"--timeout={ROLLOUT_SECONDS}s")
        except ClusterError as error:
            pods = self.kubectl("get", "pods,events").stdout
            raise ClusterError(f"{error}\n{pods}\n{self.logs()}") from None

    def pods(self) -> list[dict[str, Any]]:
        """Return the Pods that are not being deleted."""
        pods = self._node.get("pods", "-n", names.APP, "-l", SELECTOR)["items"]
        assert isinstance(pods, list)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def pod_names(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods()]

    def logs(self) -> str:
        """Return the end of what the replicas logged."""
        return self.kubectl("logs", "-l", SELECTOR, "--prefix", f"--tail={LOG_LINES}", check=False).stdout

    def kubectl(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the operator's namespace."""
        return self._node.kubectl("--namespace", names.APP, *args, check=check)
