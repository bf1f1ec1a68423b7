"""A whole Kubernetes node, on which Pods really run: needs root on Linux and some Debian packages, no container engine.

Everything runs in namespaces and cgroups of its own (`sandbox.py`). Its network leads nowhere; the API server can be
reached from the machine at a port of the loopback interface. Images come from tarballs, never from a registry.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.kubernetes import components, node_components
from tests.kubernetes.binary import ensure_binary
from tests.kubernetes.cluster import ClusterError, wait_until
from tests.kubernetes.components import Programs
from tests.kubernetes.node_components import API_SERVER_PORT, CONTAINERD_SOCKET, FAKE_NODES, NODE, NODE_CLIENTS
from tests.kubernetes.own_cluster import OwnCluster
from tests.kubernetes.packages import PackageError, ensure_packages
from tests.kubernetes.pki import client_certificate, server_entry, write_kubeconfig
from tests.kubernetes.sandbox import CGROUPS_FILE, PID_FILE

PACKAGES = ("containerd", "runc", "containernetworking-plugins", "iptables", "conntrack")
EXIT_SECONDS = 10


class NodeImpossibleError(Exception):
    """This machine cannot have such a node; the message says why."""


def require_node() -> None:
    """Raise NodeImpossibleError unless this machine can have such a node; install the packages that it takes."""
    if sys.platform != "linux":
        raise NodeImpossibleError(f"A whole Kubernetes node needs Linux; this is {sys.platform}.")
    if os.geteuid() != 0:
        raise NodeImpossibleError("A whole Kubernetes node needs root, and this is another user.")
    try:
        ensure_packages(*PACKAGES)
        run(["unshare", "--net", "--mount", "--pid", "--fork", "mount", "--make-rprivate", "/"])
    except (PackageError, ClusterError) as error:
        raise NodeImpossibleError(f"A whole Kubernetes node is not possible here. {error}") from None


class Node(OwnCluster):
    """A node and its control plane, with these images (tarballs in docker's format) in it.

    `fake_nodes` join it if wanted: Nodes that only pretend to run Pods, for Pods with `ON_FAKE_NODES` in their spec.
    """

    supervisor_program = "sandbox.py"
    # Hundreds of containers may have to go.
    stop_seconds = 60

    def __init__(self, images: Iterable[Path], *, fake_nodes: int = 0, audit: bool = False) -> None:
        super().__init__(Programs.of_binary(ensure_binary()), audit=audit)
        self._images = list(images)
        self._fake_nodes = fake_nodes

    def load(self, image: Path) -> None:
        """Import an image from a tarball; raises ClusterError."""
        with image.open("rb") as tarball:
            imported = subprocess.run(
                self.inside("ctr", "--namespace", "k8s.io", "images", "import", "--snapshotter", "overlayfs", "-"),
                stdin=tarball,
                capture_output=True,
                text=True,
            )
        if imported.returncode != 0:
            raise ClusterError(f"containerd did not take {image}:\n{imported.stdout}{imported.stderr}")

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs a command in the node's namespaces, as root."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--ipc", "--pid", *command]

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in the node's namespaces, as root, and return what it printed; raises ClusterError."""
        return run(self.inside(*command), check=check)

    @property
    def pid(self) -> int:
        """Id of the sandbox's first process, on the machine."""
        return int((self.directory / PID_FILE).read_text())

    @property
    def cgroups(self) -> list[Path]:
        """Directories of the node's own cgroups, on the machine."""
        return [Path(line) for line in (self.directory / CGROUPS_FILE).read_text().splitlines()]

    def signal(self, component: str, number: int) -> None:
        """Send a signal to a component: "etcd", "kube-apiserver", "kubelet", "kube-proxy", "dns", "containerd", …."""
        self._tell({"name": component, "signal": number})

    def restart(self, component: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Kill a component with SIGKILL, wait for its end, do something, and start it again."""
        ended = self.directory / f"{component}.exit"
        self.signal(component, signal.SIGKILL)
        wait_until(ended.exists, seconds=EXIT_SECONDS, what=f"{component} has ended")
        ended.unlink()
        try:
            meanwhile()
        finally:
            self._tell(self._started[component])

    def wait_until_ready(self) -> None:
        """Wait until the API server is ready; raises ClusterError with the components' logs."""
        self._wait("the API server is ready", lambda: self._fetch("/readyz") == b"ok")

    def _start(self) -> None:
        require_node()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(socket.SOMAXCONN)
            self._start_supervisor(NODE.api_server, str(listener.fileno()), inherit=[listener.fileno()])
            self._configure(listener.getsockname()[1])
            self._start_components(listener.fileno())

    def _configure(self, port: int) -> None:
        layout, inside = self._layout, f"https://{NODE.api_server}:{API_SERVER_PORT}"
        credentials = components.write_credentials(layout, inside, NODE, NODE_CLIENTS)
        components.write_audit_policy(layout)
        node_components.write_files(layout, credentials)
        server = f"https://127.0.0.1:{port}"
        entry = server_entry(server, credentials.ca.certificate)
        write_kubeconfig(layout.kubeconfig("admin"), entry, client_certificate(credentials.admin))
        self._use(server, credentials)

    def _start_components(self, listener: int) -> None:
        layout, credentials = self._layout, self._credentials
        self._run("containerd", node_components.containerd(layout), program=["containerd"])
        self._run("etcd", components.etcd(layout))
        special = node_components.api_server(credentials)
        self._run(
            "kube-apiserver",
            components.kube_apiserver(layout, credentials, API_SERVER_PORT, special, addresses=NODE, audit=self._audit),
        )
        self._run("relay", node_components.relay(listener), inherit=[listener])
        with ThreadPoolExecutor(1) as importer:
            imported = importer.submit(self._load_images)
            self.wait_until_ready()
            self._run("kube-controller-manager", components.kube_controller_manager(layout, credentials, NODE))
            self._run("kube-scheduler", components.kube_scheduler(layout))
            self._run("kubelet", node_components.kubelet(layout))
            self._run("kube-proxy", node_components.kube_proxy(layout))
            self._run("dns", node_components.dns(layout))
            self._run("fake-nodes", components.fake_nodes(layout, self._fake_nodes, **FAKE_NODES))
            self._wait_for_default_account()
            self._wait_for_nodes(1 + self._fake_nodes)
            imported.result()

    def _load_images(self) -> None:
        listening = Path(f"/proc/{self.pid}/root{CONTAINERD_SOCKET}")
        self._wait("containerd listens", listening.exists)
        for image in self._images:
            self.load(image)


def run(command: Sequence[str], *, check: bool = True) -> str:
    """Run a command and return what it printed; raises ClusterError."""
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
