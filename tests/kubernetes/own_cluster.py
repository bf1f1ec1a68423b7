"""A cluster of our own: its components are processes that a supervisor owns, its files are in one directory."""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from tests.kubernetes.cluster import Cluster, ClusterError, WaitedInVainError, wait_until
from tests.kubernetes.components import Credentials, Layout, Programs

READY_SECONDS = 60
FETCH_SECONDS = 5
REQUEST_SECONDS = 30
LOG_LINES = 15
UNREADY = "node.kubernetes.io/"
"""What the keys of those taints begin with that Kubernetes gives to a node which is not ready."""
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
    code: int
    """HTTP status of the answer."""


@dataclass(frozen=True)
class Answer:
    """What the API server says: a status such as 201, and an object, perhaps a Status that tells what is wrong."""

    status: int
    body: dict[str, Any]


class OwnCluster(Cluster):
    """What ControlPlane and Node share: starting and stopping components, and asking how they are.

    `server` is the API server's URL and `ca` the file with its CA. With `audit`, every request to the API server is
    recorded and `audited` tells about them.
    """

    server: str
    ca: Path
    supervisor_program = "supervisor.py"
    stop_seconds = 15

    def __init__(self, programs: Programs, *, audit: bool) -> None:
        self._programs = programs
        self._audit = audit
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._started: dict[str, dict[str, object]] = {}

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
            supervisor.communicate(timeout=self.stop_seconds)
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
            raise ClusterError("The supervisor of the cluster's processes has ended, and they with it.")
        for name in self._started:
            ended = self.directory / f"{name}.exit"
            if ended.exists():
                raise ClusterError(
                    f"{name} ended with exit code {ended.read_text()}. The end of its log:\n{self.logs(name)}"
                )

    def audited(self) -> Counter[AuditedRequest]:
        """Return how often each kind of request was made since the start; needs `audit`."""
        return Counter(map(_audited, self.audit_events()))

    def audit_events(self) -> Iterator[dict[str, Any]]:
        """Yield every event of the audit log so far (audit.k8s.io/v1, with `responseStatus`); needs `audit`."""
        with self._layout.audit_log.open() as log:
            # The last line may be unfinished.
            yield from (json.loads(line) for line in log if line.endswith("\n"))

    def request(self, method: str, path: str, body: object = None, *, seconds: float = REQUEST_SECONDS) -> Answer:
        """Make a request to the API server as the administrator; raises OSError where there is no answer.

        Faster than kubectl by the time that a process takes to start; may be called by several threads.
        """
        request = Request(self.server + path, method=method, headers={"Content-Type": "application/json"})
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with self._http.open(request, timeout=seconds) as response:
                return Answer(response.status, json.load(response))
        except HTTPError as error:
            return Answer(error.code, json.load(error))

    def logs(self, component: str, lines: int = LOG_LINES) -> str:
        """Return the last lines of what a component printed."""
        path = self.directory / f"{component}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _start(self) -> None:
        raise NotImplementedError

    def _start_supervisor(self, *arguments: str, inherit: Sequence[int] = ()) -> None:
        """Start the process that owns everything else; the directory is there afterwards."""
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", str(HERE / self.supervisor_program), str(os.getpid()), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=inherit,
            start_new_session=True,
        )
        assert self._supervisor.stdout
        directory = self._supervisor.stdout.readline().decode().strip()
        if not directory:
            raise ClusterError("The supervisor of the cluster's processes did not start.")
        self.directory = Path(directory)
        self._layout = Layout(self.directory)

    def _use(self, server: str, credentials: Credentials) -> None:
        """Become a client of the API server at this URL, and the administrator."""
        self.server = server
        self._credentials = credentials
        self.ca = credentials.ca.certificate
        self.kubeconfig = self._layout.kubeconfig("admin")
        self.kubectl_command = self._programs.commands["kubectl"]
        self._layout.programs.mkdir()
        (self._layout.programs / "kubectl").symlink_to(self.kubectl_command[0])
        tls = ssl.create_default_context(cafile=self.ca)
        tls.load_cert_chain(credentials.admin.certificate, credentials.admin.key)
        # Whatever HTTPS_PROXY says: this is on the loopback interface.
        self._http = build_opener(ProxyHandler({}), HTTPSHandler(context=tls))

    def _run(
        self, name: str, arguments: Sequence[str], program: Sequence[str] = (), inherit: Sequence[int] = ()
    ) -> None:
        argv = [*(program or self._programs.commands[name]), *arguments]
        self._started[name] = {"name": name, "argv": argv, "inherit": list(inherit)}
        self._tell(self._started[name])

    def _tell(self, command: dict[str, object]) -> None:
        assert self._supervisor
        assert self._supervisor.stdin
        try:
            self._supervisor.stdin.write(json.dumps(command).encode() + b"\n")
            self._supervisor.stdin.flush()
        except BrokenPipeError:
            self.check()
            raise

    def _wait_for_default_account(self) -> None:
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("the namespace default has its ServiceAccount", lambda: bool(self._fetch(account)))

    def _wait_for_nodes(self, count: int) -> None:
        def are_ready() -> bool:
            nodes = json.loads(self._fetch("/api/v1/nodes") or b'{"items": []}')["items"]
            return len([node for node in nodes if _is_ready(node)]) == count

        self._wait(f"{count} nodes are ready", are_ready)

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
    return ready and not any(taint["key"].startswith(UNREADY) for taint in node["spec"].get("taints", []))


def _audited(event: dict[str, Any]) -> AuditedRequest:
    target = event.get("objectRef", {})
    return AuditedRequest(
        user=event["user"].get("username", ""),
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", event["requestURI"].partition("?")[0]),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        allowed=event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow",
        code=event.get("responseStatus", {}).get("code", 0),
    )
