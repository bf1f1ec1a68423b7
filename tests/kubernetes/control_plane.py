"""A real Kubernetes control plane on the loopback interface, in about five seconds and without privileges."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from tests.kubernetes import components
from tests.kubernetes.binary import ensure_binary
from tests.kubernetes.cluster import Cluster, ClusterError, WaitedInVainError, wait_until
from tests.kubernetes.components import Layout, Programs

READY_SECONDS = 60
STOP_SECONDS = 15
FETCH_SECONDS = 5
LOG_LINES = 15
HERE = Path(__file__).parent


@dataclass(frozen=True)
class AuditedRequest:
    """One kind of request that somebody made to the API server, from its audit log."""

    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    allowed: bool


class ControlPlane(Cluster):
    """etcd, kube-apiserver and, where their programs are there, controllers, a scheduler and fake nodes.

    `server` is the API server's URL and `ca` the file with its CA. With `audit`, every request to the API server is
    recorded and `audited` tells about them.
    """

    can_route = True
    server: str
    ca: Path

    def __init__(self, programs: Programs | None = None, *, audit: bool = False, nodes: int = 2) -> None:
        self._programs = programs or Programs.of_binary(ensure_binary())
        self._audit = audit
        self._nodes = nodes
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._started: list[str] = []
        self.has_controllers = self._programs.have_controllers

    def start(self) -> Self:
        """Start everything and wait until it is ready for use; raises ClusterError with the end of the log at fault."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Kill everything and remove all files."""
        supervisor, self._supervisor = self._supervisor, None
        if not supervisor:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.communicate(timeout=STOP_SECONDS)
        # Only if somebody else killed it or it hangs; the components die with it.
        supervisor.kill()
        supervisor.wait()
        if self._started:
            shutil.rmtree(self.directory, ignore_errors=True)
        self._started.clear()

    @property
    def environment(self) -> dict[str, str]:
        """The environment for programs that shall use this cluster as its administrator; there is a kubectl on PATH."""
        environment = super().environment
        return environment | {"PATH": f"{self._layout.programs}{os.pathsep}{environment.get('PATH', '')}"}

    def check(self) -> None:
        """Raise ClusterError, with the end of its log, if a component has ended."""
        if self._supervisor and self._supervisor.poll() is not None:
            raise ClusterError("The supervisor of the control plane's processes has ended, and they with it.")
        for name in self._started:
            ended = self.directory / f"{name}.exit"
            if ended.exists():
                raise ClusterError(
                    f"{name} ended with exit code {ended.read_text()}. The end of its log:\n{self.logs(name)}"
                )

    def route(self, service: str, namespace: str, port: int, local_port: int) -> None:
        """From now on, lead the API server's calls to this Service's port to a port on 127.0.0.1."""
        routes = json.loads(self._layout.routes.read_text())
        routes[f"{namespace}/{service}:{port}"] = local_port
        unfinished = self._layout.routes.with_suffix(".new")
        unfinished.write_text(json.dumps(routes))
        unfinished.replace(self._layout.routes)

    def audited(self) -> Counter[AuditedRequest]:
        """Return how often each kind of request was made since the start; needs `audit`."""
        complete, _, _ = self._layout.audit_log.read_text().rpartition("\n")
        return Counter(_audited(json.loads(line)) for line in complete.splitlines())

    def logs(self, component: str, lines: int = LOG_LINES) -> str:
        """Return the last lines of what a component printed."""
        path = self.directory / f"{component}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _start(self) -> None:
        self._start_supervisor()
        self._layout = Layout(self.directory)
        with socket.socket() as held:
            # Nobody else can be given this port between now and the moment when the API server listens on it.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("127.0.0.1", 0))
            port: int = held.getsockname()[1]
            self._configure(port)
            self._start_api_server(port)
        if self.has_controllers:
            self._start_controllers()

    def _start_supervisor(self) -> None:
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", str(HERE / "supervisor.py"), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._supervisor.stdout
        directory = self._supervisor.stdout.readline().decode().strip()
        if not directory:
            raise ClusterError("The supervisor of the control plane's processes did not start.")
        self.directory = Path(directory)

    def _configure(self, port: int) -> None:
        self.server = f"https://127.0.0.1:{port}"
        self._credentials = components.write_credentials(self._layout, self.server)
        components.write_configuration(self._layout)
        self.ca = self._credentials.ca.certificate
        self.kubeconfig = self._layout.kubeconfig("admin")
        self.kubectl_command = self._programs.commands["kubectl"]
        self._layout.programs.mkdir()
        (self._layout.programs / "kubectl").symlink_to(self.kubectl_command[0])
        tls = ssl.create_default_context(cafile=self.ca)
        tls.load_cert_chain(self._credentials.admin.certificate, self._credentials.admin.key)
        # Whatever HTTPS_PROXY says: this is on the loopback interface.
        self._http = build_opener(ProxyHandler({}), HTTPSHandler(context=tls))

    def _start_api_server(self, port: int) -> None:
        layout, credentials = self._layout, self._credentials
        self._run("etcd", components.etcd(layout))
        self._run(
            "kube-apiserver",
            components.kube_apiserver(layout, credentials, port, controllers=self.has_controllers, audit=self._audit),
        )
        proxy = [sys.executable, "-I", str(HERE / "egress.py")]
        self._run("egress", components.egress(layout, credentials, self.server), program=proxy)
        self._wait("the API server is ready", lambda: self._fetch("/readyz") == b"ok")

    def _start_controllers(self) -> None:
        self._run("kube-controller-manager", components.kube_controller_manager(self._layout, self._credentials))
        self._run("kube-scheduler", components.kube_scheduler(self._layout))
        self._run("fake-nodes", components.fake_nodes(self._layout, self._nodes))
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("the namespace default has its ServiceAccount", lambda: bool(self._fetch(account)))
        self._wait(f"{self._nodes} nodes are ready", self._nodes_are_ready)

    def _nodes_are_ready(self) -> bool:
        nodes = json.loads(self._fetch("/api/v1/nodes") or b'{"items": []}')["items"]
        return len([node for node in nodes if _is_ready(node)]) == self._nodes

    def _run(self, name: str, arguments: list[str], program: list[str] | None = None) -> None:
        assert self._supervisor
        assert self._supervisor.stdin
        command = {"name": name, "argv": [*(program or self._programs.commands[name]), *arguments]}
        try:
            self._supervisor.stdin.write(json.dumps(command).encode() + b"\n")
            self._supervisor.stdin.flush()
        except BrokenPipeError:
            self.check()
            raise
        self._started.append(name)

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        def check() -> bool:
            self.check()
            return condition()

        try:
            wait_until(check, seconds=READY_SECONDS, what=what)
        except WaitedInVainError as error:
            logs = "\n".join(f"--- {name}\n{self.logs(name)}" for name in self._started)
            raise ClusterError(f"{error}\n{logs}") from None

    def _fetch(self, path: str) -> bytes:
        try:
            with self._http.open(self.server + path, timeout=FETCH_SECONDS) as response:
                body: bytes = response.read()
                return body
        except OSError:
            return b""


def _is_ready(node: dict[str, Any]) -> bool:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))
    return ready and not node["spec"].get("taints")


def _audited(event: dict[str, Any]) -> AuditedRequest:
    target = event.get("objectRef", {})
    return AuditedRequest(
        user=event["user"]["username"],
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", event["requestURI"].partition("?")[0]),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        allowed=event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow",
    )
