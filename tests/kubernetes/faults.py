"""What can go wrong with a node, done to it on purpose."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kubernetes.cluster import ClusterError
from tests.kubernetes.node import Node, run


@dataclass(frozen=True)
class Faults:
    """Does harm to a node's components, and to the containers and connections of Pods."""

    node: Node

    def restart_api_server(self, down_seconds: float = 0, *, wait: bool = True) -> None:
        """Kill the API server, and start it again after a while; wait until it is ready."""
        self.restart("kube-apiserver", down_seconds)
        if wait:
            self.node.wait_until_ready()

    def restart(self, component: str, down_seconds: float = 0) -> None:
        """Kill any component ("kubelet", "kube-proxy", "etcd", "dns", …), and start it again after a while."""
        self.node.restart(component, lambda: time.sleep(down_seconds))

    @contextlib.contextmanager
    def paused(self, component: str) -> Iterator[None]:
        """Let a component do nothing for a while; connections to it stay open."""
        self.node.signal(component, signal.SIGSTOP)
        try:
            yield
        finally:
            self.node.signal(component, signal.SIGCONT)

    def pause_etcd(self, seconds: float) -> None:
        """Let the API server wait for its store that long."""
        with self.paused("etcd"):
            time.sleep(seconds)

    def kill(self, namespace: str, pod: str, container: str = "", number: int = signal.SIGKILL) -> None:
        """Send a signal to the main process of a container, of the Pod's first one if none is named.

        It reaches even a process that would ignore it if it came from inside the container.
        """
        os.kill(self.main_process(namespace, pod, container), number)

    @contextlib.contextmanager
    def frozen(self, namespace: str, pod: str, container: str = "") -> Iterator[None]:
        """Stop all processes of a container for a while, as an overloaded machine would."""
        stopped = self.processes(namespace, pod, container)
        _signal(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(stopped, signal.SIGCONT)

    def cut_connections(self, namespace: str, pod: str, *, to_port: int = 443) -> None:
        """Reset the TCP connections that a Pod has made to a port: at 443 those to the API server, its watches."""
        self.in_network_of(namespace, pod, "ss", "--kill", "state", "established", f"( dport = :{to_port} )")

    @contextlib.contextmanager
    def cut_off(self, namespace: str, pod: str) -> Iterator[None]:
        """Lose all packets between a Pod and the API server for a while. Its webhook gets no calls either."""
        address = str(self._pod(namespace, pod)["status"]["podIP"])
        with contextlib.ExitStack() as undone:
            for chain, side in (("INPUT", "--source"), ("OUTPUT", "--destination")):
                rule = (chain, side, address, "--protocol", "tcp", "--jump", "DROP")
                self.node.run("iptables", "--wait", "--insert", *rule)
                undone.callback(self.node.run, "iptables", "--wait", "--delete", *rule)
            yield

    def in_network_of(self, namespace: str, pod: str, *command: str) -> str:
        """Run a program of this machine in a Pod's network, as root; return what it printed or raise ClusterError."""
        process = self.processes(namespace, pod)[0]
        return run(["nsenter", "--target", str(process), "--net", *command])

    def processes(self, namespace: str, pod: str, container: str = "") -> list[int]:
        """Return the ids, on this machine, of a container's processes; raises ClusterError if it does not run."""
        name = self._container_id(namespace, pod, container)
        for cgroup in self.node.cgroups:
            for path, directories, _ in os.walk(cgroup):
                if name in directories:
                    return [int(line) for line in Path(path, name, "cgroup.procs").read_text().split()]
        raise ClusterError(f"Container {container!r} of Pod {namespace}/{pod} has no processes.")

    def main_process(self, namespace: str, pod: str, container: str = "") -> int:
        """Return the id, on this machine, of the process that is number 1 in the container."""
        for process in self.processes(namespace, pod, container):
            with contextlib.suppress(FileNotFoundError):
                if _numbers(process)[-1] == 1:
                    return process
        raise ClusterError(f"Container {container!r} of Pod {namespace}/{pod} has no process with number 1.")

    def _container_id(self, namespace: str, pod: str, container: str) -> str:
        status = self._pod(namespace, pod)["status"]
        statuses = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
        for each in statuses:
            if container in ("", each["name"]) and "running" in each["state"]:
                return str(each["containerID"].rpartition("/")[2])
        found = {each["name"]: "/".join(each["state"]) for each in statuses}
        raise ClusterError(f"Pod {namespace}/{pod}: container {container!r} is not running; there are {found}.")

    def _pod(self, namespace: str, pod: str) -> dict[str, Any]:
        return self.node.get("pod", pod, "--namespace", namespace)


def _numbers(process: int) -> list[int]:
    """Return a process's ids in all the PID namespaces that it is in, the innermost one last."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return [int(number) for number in line.split()[1:]]
    return [process]


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
