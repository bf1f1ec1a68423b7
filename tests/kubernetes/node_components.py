"""How each component of a node is run: command lines as tables, configuration files as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kubernetes.components import CLIENTS, Addresses, Credentials, Layout, flags

NAME = "node"
NODE = Addresses("10.99.0.1", services="10.96.0.0/16")
API_SERVER_PORT = 6443
POD_RANGE = "10.244.0.0/22"
MAX_PODS = 500
"""As many as two cores can bear, and fewer than POD_RANGE has addresses."""
MARK = "test.local/fake"
FAKE_NODES = {"prefix": "fake-", "mark": MARK}
ON_FAKE_NODES: Mapping[str, object] = {
    "nodeSelector": {MARK: "true"},
    "tolerations": [{"key": MARK, "operator": "Exists"}],
}
"""What the spec of a Pod has that shall only seem to run."""

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
CNI_PROGRAMS = "/usr/lib/cni"
CNI_FILE = "10-bridge.conflist"
PAUSE_IMAGE = "test.local/pause:1"

NODE_CLIENTS: Mapping[str, tuple[str, str | None]] = {
    **CLIENTS,
    "kubelet": (f"system:node:{NAME}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy", None),
    "dns": ("test-dns", "system:masters"),
}


@dataclass(frozen=True)
class Files:
    """The files of a node, next to those of its control plane."""

    directory: Path

    @property
    def containerd(self) -> Path:
        return self.directory / "containerd.toml"

    @property
    def cni(self) -> Path:
        return self.directory / "cni"

    @property
    def kubelet(self) -> Path:
        return self.directory / "kubelet.json"

    @property
    def kube_proxy(self) -> Path:
        return self.directory / "kube-proxy.json"


def api_server(credentials: Credentials) -> dict[str, object]:
    """Return what is special about an API server that has a real kubelet."""
    return {
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-client-certificate": credentials.admin.certificate,
        "kubelet-client-key": credentials.admin.key,
        "kubelet-certificate-authority": credentials.ca.certificate,
        "kubelet-preferred-address-types": "InternalIP",
    }


def write_files(layout: Layout, credentials: Credentials) -> None:
    """Write the configuration of containerd, of the Pods' network, of the kubelet and of kube-proxy."""
    files = Files(layout.directory)
    files.containerd.write_text(_containerd(files))
    files.cni.mkdir()
    (files.cni / CNI_FILE).write_text(json.dumps(_pod_network()))
    files.kubelet.write_text(json.dumps(_kubelet(credentials)))
    files.kube_proxy.write_text(json.dumps(_kube_proxy(layout)))


def containerd(layout: Layout) -> list[str]:
    """Return containerd's arguments."""
    return ["--config", str(Files(layout.directory).containerd)]


def kubelet(layout: Layout) -> list[str]:
    """Return the kubelet's arguments."""
    return flags(
        {
            "kubeconfig": layout.kubeconfig("kubelet"),
            "config": Files(layout.directory).kubelet,
            "node-ip": NODE.api_server,
            "hostname-override": NAME,
            "root-dir": layout.directory / "kubelet",
        }
    )


def kube_proxy(layout: Layout) -> list[str]:
    """Return kube-proxy's arguments."""
    return flags({"config": Files(layout.directory).kube_proxy})


def dns(layout: Layout) -> list[str]:
    """Return the arguments of our name server."""
    return flags({"kubeconfig": layout.kubeconfig("dns"), "listen": f"{NODE.api_server}:53"})


def relay(listener: int) -> list[str]:
    """Return the arguments of what leads from a listening socket of the machine to the API server."""
    return flags({"listener": listener, "to": f"{NODE.api_server}:{API_SERVER_PORT}"})


def _containerd(files: Files) -> str:
    # Nobody may lower oom_score_adj in a virtual machine or container that forbids it.
    return f"""\
version = 2
root = "{files.directory}/containerd"
state = "/run/containerd"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  disable_hugetlb_controller = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{files.cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def _pod_network() -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_RANGE}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    port_map = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, port_map]}


def _kubelet(credentials: Credentials) -> dict[str, object]:
    serving = credentials.authority.issue("kubelet-serving", NAME, hosts=[NAME, NODE.api_server])
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE.api_server,
        "healthzPort": 0,
        "readOnlyPort": 0,
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(credentials.ca.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        # Since 1.35 it refuses version 1 otherwise.
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [NODE.api_server],
        "clusterDomain": "cluster.local",
        "resolvConf": "/dev/null",
        "makeIPTablesUtilChains": False,
        "imageGCHighThresholdPercent": 100,
        # It shall not evict Pods because a developer's disk is nearly full.
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        "maxPods": MAX_PODS,
        "serializeImagePulls": False,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "shutdownGracePeriod": "0s",
    }


def _kube_proxy(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(layout.kubeconfig("kube-proxy"))},
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": NAME,
        "bindAddress": "0.0.0.0",
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Zeros: these would be settings of the whole machine.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
