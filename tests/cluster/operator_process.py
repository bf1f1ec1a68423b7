"""The operator as a process of this machine: under its own ServiceAccount, reached through its Service."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509

from sidecar_injector import names
from tests.kubernetes.cluster import Cluster, ClusterError, wait_until
from tests.kubernetes.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
USER = f"system:serviceaccount:{names.APP}:{names.APP}"
READY_SECONDS = 30
STOP_SECONDS = 30
LOG_LINES = 40

RUN = (sys.executable, "-m", "sidecar_injector", "run")
KOPF_RUN = (sys.executable, "-m", "kopf", "run", "operator/main.py")


class Operator:
    """One replica, which can be stopped and started again on the same ports."""

    def __init__(self, cluster: Cluster, name: str = "") -> None:
        self.name = name
        self._log = cluster.directory / f"operator-under-test{name and '-'}{name}.log"
        self._kubeconfig = cluster.kubeconfig_for_service_account(names.APP, names.APP)
        self._webhook_port, self._health_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        cluster.route(names.APP, names.APP, 443, self._webhook_port)

    def start(self, command: tuple[str, ...] = RUN, *, wait: bool = True, **settings: object) -> None:
        """Start and, unless told not to, wait until ready; `settings` are the operator's own, by their names."""
        chosen = {
            "namespace": names.APP,
            "kubeconfig": self._kubeconfig,
            "listen_address": "127.0.0.1",
            "listen_port": self._webhook_port,
            "health_address": "127.0.0.1",
            "health_port": self._health_port,
            "drain_seconds": 0,
            "replica_name": self.name,
            **settings,
        }
        variables = {f"SIDECAR_INJECTOR_{name.upper()}": str(value) for name, value in chosen.items()}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                # Kopf asks for the user's name, which a user without an account has not.
                env={**os.environ, "USER": names.APP, "PYTHONPATH": str(ROOT / "operator"), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        try:
            wait_until(self._is_ready, seconds=READY_SECONDS, what="the operator is ready")
        except ClusterError as error:
            raise AssertionError(f"{error} Its log:\n{self.log()}") from None

    def terminate(self) -> None:
        """Send SIGTERM."""
        assert self._process
        self._process.terminate()

    def stop(self) -> int:
        """Send SIGTERM if that was not done yet, and return the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        finally:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kill it, as the kernel does when memory runs out: nothing is put in order."""
        self.signal(signal.SIGKILL)
        assert self._process
        self._process.wait()
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT for a machine that hangs."""
        assert self._process
        self._process.send_signal(number)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Do without the operator for a while."""
        assert self.stop() == 0, self.log()
        try:
            yield
        finally:
            self.start()

    @property
    def running(self) -> bool:
        """Tell whether it was started, and not stopped."""
        return self._process is not None

    @property
    def process_id(self) -> int:
        """Return the id of its process."""
        assert self._process
        return self._process.pid

    @property
    def health_port(self) -> int:
        """Port of probes and metrics on this machine."""
        return self._health_port

    @property
    def webhook_port(self) -> int:
        """Port of the webhook on this machine."""
        return self._webhook_port

    def readiness(self) -> dict[str, Any]:
        """Return what /readyz says."""
        try:
            return self._get("/readyz")
        except urllib.error.HTTPError as error:
            found: dict[str, Any] = json.load(error)
            return found

    def presented(self) -> str:
        """Return the certificate that it presents, as PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self._webhook_port))

    def certificate(self) -> x509.Certificate:
        """Return the certificate that it presents."""
        return x509.load_pem_x509_certificate(self.presented().encode())

    def metrics(self) -> str:
        """Return its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}/metrics", timeout=5) as response:
            found: bytes = response.read()
        return found.decode()

    def log(self) -> str:
        """Return the end of what the operator logged."""
        return "\n".join(self.whole_log().splitlines()[-LOG_LINES:])

    def whole_log(self) -> str:
        """Return everything that the operator logged, in earlier lives too."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _is_ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"the operator ended; its log:\n{self.log()}"
        try:
            return bool(self.readiness()["ready"])
        except OSError:
            return False

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}{path}", timeout=5) as response:
            found: dict[str, Any] = json.load(response)
            return found


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Measured:
    """How long something took, in seconds."""

    seconds: float


@contextlib.contextmanager
def measured() -> Iterator[Measured]:
    """Measure what is done inside."""
    result, started = Measured(), time.monotonic()
    yield result
    result.seconds = time.monotonic() - started
