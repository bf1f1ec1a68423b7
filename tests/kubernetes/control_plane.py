"""A real Kubernetes control plane on the loopback interface, in about five seconds and without privileges."""

import json
import socket
import sys

from tests.kubernetes import components
from tests.kubernetes.binary import ensure_binary
from tests.kubernetes.components import Programs
from tests.kubernetes.own_cluster import HERE, AuditedRequest, OwnCluster

__all__ = ["AuditedRequest", "ControlPlane"]


class ControlPlane(OwnCluster):
    """etcd, kube-apiserver and, where their programs are there, controllers, a scheduler and fake nodes."""

    can_route = True

    def __init__(self, programs: Programs | None = None, *, audit: bool = False, nodes: int = 2) -> None:
        super().__init__(programs or Programs.of_binary(ensure_binary()), audit=audit)
        self._nodes = nodes
        self.has_controllers = self._programs.have_controllers

    def route(self, service: str, namespace: str, port: int, *local_ports: int) -> None:
        """From now on, lead the API server's new connections to this Service's port to these on 127.0.0.1, in turn."""
        routes = json.loads(self._layout.routes.read_text())
        routes[f"{namespace}/{service}:{port}"] = local_ports
        unfinished = self._layout.routes.with_suffix(".new")
        unfinished.write_text(json.dumps(routes))
        unfinished.replace(self._layout.routes)

    def _start(self) -> None:
        self._start_supervisor()
        with socket.socket() as held:
            # Nobody else can be given this port between now and the moment when the API server listens on it.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind((components.LOOPBACK.api_server, 0))
            port: int = held.getsockname()[1]
            server = f"https://127.0.0.1:{port}"
            self._use(server, components.write_credentials(self._layout, server))
            self._start_api_server(port)
        if self.has_controllers:
            self._start_controllers()

    def _start_api_server(self, port: int) -> None:
        layout, credentials = self._layout, self._credentials
        components.write_audit_policy(layout)
        components.write_egress(layout)
        self._run("etcd", components.etcd(layout))
        special = components.on_the_loopback_interface(layout, controllers=self.has_controllers)
        self._run("kube-apiserver", components.kube_apiserver(layout, credentials, port, special, audit=self._audit))
        proxy = [sys.executable, "-I", str(HERE / "egress.py")]
        self._run("egress", components.egress(layout, credentials, self.server), program=proxy)
        self._wait("the API server is ready", lambda: self._fetch("/readyz") == b"ok")

    def _start_controllers(self) -> None:
        self._run("kube-controller-manager", components.kube_controller_manager(self._layout, self._credentials))
        self._run("kube-scheduler", components.kube_scheduler(self._layout))
        self._run("fake-nodes", components.fake_nodes(self._layout, self._nodes))
        self._wait_for_default_account()
        self._wait_for_nodes(self._nodes)
