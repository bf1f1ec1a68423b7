"""What tests may do with a cluster, whichever it is."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.kubernetes.pki import write_kubeconfig

KUBECTL_SECONDS = 120
POLL_SECONDS = 0.02

Result = TypeVar("Result")


class ClusterError(Exception):
    """The cluster did not do what it was asked for."""


class WaitedInVainError(ClusterError):
    """Something has not happened in time."""


class KubectlError(ClusterError):
    """kubectl failed; the message has its whole output."""


def wait_until(condition: Callable[[], Result | None], *, seconds: float, what: str) -> Result:
    """Return the first true result of `condition`; raises WaitedInVainError."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise WaitedInVainError(f"Waited {seconds:g} s in vain until {what}.")
        time.sleep(POLL_SECONDS)
    return result


class Cluster:
    """A running cluster.

    `kubeconfig` is the administrator's, `directory` takes files that live as long as the cluster is in use,
    `has_controllers` tells whether Deployments, Jobs, ServiceAccounts and so on come to life, and `can_route` whether
    `route` works.
    """

    has_controllers = True
    can_route = False
    directory: Path
    kubeconfig: Path
    kubectl_command: Sequence[str] = ("kubectl",)

    def start(self) -> Self:
        """Make the cluster ready for use; raises ClusterError."""
        return self

    def stop(self) -> None:
        """Leave nothing behind. May be called at any time and more than once."""

    def check(self) -> None:
        """Raise ClusterError if the cluster is known to be broken."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment for programs that shall use this cluster as its administrator."""
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.directory / "kubectl-cache"),
            "KUBERC": "off",
        }

    def kubectl(
        self,
        *args: str,
        input: object = None,  # noqa: A002  (as subprocess calls it)
        check: bool = True,
        kubeconfig: Path | None = None,
        seconds: float = KUBECTL_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return what it said.

        `input` is for `-f -`: text, or an object (a list of objects) that is passed as JSON. `kubeconfig` is for acting
        as somebody else than the administrator. Raises KubectlError when it fails, unless `check` is False.
        """
        environment = self.environment | ({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {})
        done = subprocess.run(
            [*self.kubectl_command, *args],
            input=_as_text(input),
            stdin=subprocess.DEVNULL if input is None else None,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if check and done.returncode != 0:
            self.check()
            raise KubectlError(f"kubectl {' '.join(args)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def get(self, *args: str) -> dict[str, object]:
        """Return what `kubectl get ARGS -o json` prints."""
        found: dict[str, object] = json.loads(self.kubectl("get", *args, "-o", "json").stdout)
        return found

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """Write a kubeconfig with which to act as this ServiceAccount, with its permissions only."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration=24h").stdout.strip()
        view = self.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json").stdout
        cluster = json.loads(view)["clusters"][0]["cluster"]
        path = self.directory / f"{namespace}.{name}.kubeconfig"
        return write_kubeconfig(path, cluster, {"token": token}, namespace)

    def route(self, service: str, namespace: str, port: int, *local_ports: int) -> None:
        """From now on, lead the API server's new connections to this Service's port to these on 127.0.0.1, in turn."""
        raise ClusterError(f"This cluster cannot lead calls of {namespace}/{service}:{port} to this machine.")


class ExistingCluster(Cluster):
    """The cluster of somebody's KUBECONFIG. Nothing is started, and nothing of it is stopped."""

    def __init__(self, kubeconfig: str, kubectl_command: Sequence[str]) -> None:
        self._given = kubeconfig
        self.kubectl_command = kubectl_command

    def start(self) -> Self:
        """Check that the cluster answers; raises KubectlError."""
        # Removed when it is garbage, at the end of the interpreter at the latest.
        self._scratch = tempfile.TemporaryDirectory(prefix="sidecar-injector-")
        self.directory = Path(self._scratch.name)
        self.kubeconfig = self.directory / "admin.kubeconfig"
        self.kubeconfig.touch(mode=0o600)
        view = ("config", "view", "--raw", "--flatten", "--minify", "-o", "json", "--kubeconfig", self._given)
        self.kubeconfig.write_text(self.kubectl(*view).stdout)
        self.kubectl("get", "--raw", "/readyz")
        return self


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        value = {"apiVersion": "v1", "kind": "List", "items": value}
    return json.dumps(value)
