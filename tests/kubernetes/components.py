"""How each component of the control plane is run: files, and command lines as tables."""

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.kubernetes.pki import Authority, KeyPair, client_certificate, server_entry, write_kubeconfig, write_rsa_key

ISSUER = "https://kubernetes.default.svc.cluster.local"

CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "fake-nodes")
PROGRAMS = ("etcd", "kube-apiserver", *CONTROLLERS, "kubectl", "kubelet", "kube-proxy", "dns", "relay")
CLIENTS: Mapping[str, tuple[str, str | None]] = {
    "admin": ("test-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", None),
    "kube-scheduler": ("system:kube-scheduler", None),
    # No Node authorizer applies to it, because its user name is not a node's: it speaks for all of them.
    "fake-nodes": ("test-fake-nodes", "system:masters"),
}
"""Client certificates: user and group of each."""


@dataclass(frozen=True)
class Addresses:
    """Where the API server listens, and the ClusterIPs, whose first one is its Service's."""

    api_server: str
    services: str

    @property
    def first_service(self) -> str:
        return str(ipaddress.ip_network(self.services)[1])


LOOPBACK = Addresses("127.0.0.1", services="127.96.0.0/16")
"""ClusterIPs are loopback addresses: were anything to bypass the egress proxy, it would not leave the machine."""


@dataclass(frozen=True)
class Programs:
    """How each program's command line begins, by the program's name."""

    commands: Mapping[str, Sequence[str]]

    @classmethod
    def of_binary(cls, binary: Path) -> Self:
        """Return the programs of our multi-call binary."""
        return cls({name: (str(binary), name) for name in PROGRAMS})

    @classmethod
    def in_directory(cls, directory: Path) -> Self:
        """Return those programs that are in this directory under their own names."""
        found = {name: (str(directory / name),) for name in PROGRAMS if os.access(directory / name, os.X_OK)}
        return cls(found)

    @property
    def have_controllers(self) -> bool:
        """Tell whether Deployments, Jobs and so on will come to life."""
        return all(name in self.commands for name in CONTROLLERS)


@dataclass(frozen=True)
class Layout:
    """The files of one control plane, all in one directory with a short path."""

    directory: Path

    @property
    def etcd_socket(self) -> str:
        return f"unix://{self.directory}/etcd.sock"

    @property
    def peer_socket(self) -> str:
        return f"unix://{self.directory}/peer.sock"

    @property
    def egress_socket(self) -> Path:
        return self.directory / "egress.sock"

    @property
    def egress_config(self) -> Path:
        return self.directory / "egress.json"

    @property
    def routes(self) -> Path:
        return self.directory / "routes.json"

    @property
    def audit_policy(self) -> Path:
        return self.directory / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        return self.directory / "audit.log"

    @property
    def programs(self) -> Path:
        return self.directory / "bin"

    def kubeconfig(self, user: str) -> Path:
        return self.directory / f"{user}.kubeconfig"


@dataclass(frozen=True)
class Credentials:
    """What the components identify themselves with."""

    authority: Authority
    server: KeyPair
    clients: Mapping[str, KeyPair]
    service_accounts: Path

    @property
    def ca(self) -> KeyPair:
        return self.authority.files

    @property
    def admin(self) -> KeyPair:
        return self.clients["admin"]


def write_credentials(
    layout: Layout,
    server: str,
    addresses: Addresses = LOOPBACK,
    clients: Mapping[str, tuple[str, str | None]] = CLIENTS,
) -> Credentials:
    """Write the keys, certificates and the `clients`' kubeconfigs for an API server at this URL."""
    authority = Authority(layout.directory / "pki")
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    names += ["127.0.0.1", addresses.api_server, addresses.first_service]
    issued = {name: authority.issue(name, user, group) for name, (user, group) in clients.items()}
    entry = server_entry(server, authority.files.certificate)
    for name, files in issued.items():
        write_kubeconfig(layout.kubeconfig(name), entry, client_certificate(files))
    return Credentials(
        authority=authority,
        server=authority.issue("kube-apiserver", "kube-apiserver", hosts=dict.fromkeys(names)),
        clients=issued,
        service_accounts=write_rsa_key(layout.directory / "pki" / "service-accounts.key"),
    )


def write_audit_policy(layout: Layout) -> None:
    """Write which requests the API server shall record: all of them, once, without their bodies."""
    audit = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }
    layout.audit_policy.write_text(json.dumps(audit))


def write_egress(layout: Layout) -> None:
    """Write the configuration that makes the API server call webhooks through our egress proxy."""
    transport = {"uds": {"udsName": str(layout.egress_socket)}}
    # Only `cluster`: with an `etcd` entry the API server could not reach etcd on its unix socket any more.
    selection = {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}}
    egress = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [selection],
    }
    layout.egress_config.write_text(json.dumps(egress))
    layout.routes.write_text("{}")


def etcd(layout: Layout) -> list[str]:
    """Return etcd's arguments: unix sockets only."""
    # One member never dials the advertised addresses, but they have to look like some.
    peer = "http://127.0.0.1:2380"
    return flags(
        {
            "data-dir": layout.directory / "etcd",
            "listen-client-urls": layout.etcd_socket,
            "listen-peer-urls": layout.peer_socket,
            "advertise-client-urls": "http://127.0.0.1:2379",
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        }
    )


def kube_apiserver(
    layout: Layout,
    credentials: Credentials,
    port: int,
    special: Mapping[str, object],
    *,
    addresses: Addresses = LOOPBACK,
    audit: bool = False,
) -> list[str]:
    """Return kube-apiserver's arguments, `special` among them."""
    settings: dict[str, object] = {
        "etcd-servers": layout.etcd_socket,
        "bind-address": addresses.api_server,
        # Without it, it looks for the default route's address, and a machine may have none.
        "advertise-address": addresses.api_server,
        "secure-port": port,
        "tls-cert-file": credentials.server.certificate,
        "tls-private-key-file": credentials.server.key,
        "client-ca-file": credentials.ca.certificate,
        "service-account-key-file": credentials.service_accounts,
        "service-account-signing-key-file": credentials.service_accounts,
        "service-account-issuer": ISSUER,
        "api-audiences": ISSUER,
        "service-cluster-ip-range": addresses.services,
        "authorization-mode": "Node,RBAC",
        "allow-privileged": "true",
        "profiling": "false",
    }
    if audit:
        settings |= {"audit-policy-file": layout.audit_policy, "audit-log-path": layout.audit_log}
    return flags({**settings, **special})


def on_the_loopback_interface(layout: Layout, *, controllers: bool) -> dict[str, object]:
    """Return what is special about an API server there. The caller holds its port with SO_REUSEPORT until it has it."""
    settings: dict[str, object] = {
        "endpoint-reconciler-type": "none",
        "permit-port-sharing": "true",
        "egress-selector-config-file": layout.egress_config,
    }
    if not controllers:
        # It refuses Pods in a namespace without a `default` ServiceAccount, which a controller would have made.
        settings["disable-admission-plugins"] = "ServiceAccount"
    return settings


def kube_controller_manager(layout: Layout, credentials: Credentials, addresses: Addresses = LOOPBACK) -> list[str]:
    """Return kube-controller-manager's arguments."""
    kubeconfig = layout.kubeconfig("kube-controller-manager")
    return flags(
        {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "leader-elect": "false",
            "use-service-account-credentials": "true",
            "service-account-private-key-file": credentials.service_accounts,
            "root-ca-file": credentials.ca.certificate,
            "cluster-signing-cert-file": credentials.ca.certificate,
            "cluster-signing-key-file": credentials.ca.key,
            "service-cluster-ip-range": addresses.services,
            "secure-port": "0",
            "profiling": "false",
            # The usual limits make everything in an empty cluster wait for seconds.
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
        }
    )


def kube_scheduler(layout: Layout) -> list[str]:
    """Return kube-scheduler's arguments."""
    return flags(
        {
            "kubeconfig": layout.kubeconfig("kube-scheduler"),
            "leader-elect": "false",
            "secure-port": "0",
            "profiling": "false",
            "kube-api-qps": 1000,
            "kube-api-burst": 2000,
        }
    )


def fake_nodes(layout: Layout, count: int, **naming: str) -> list[str]:
    """Return the arguments of our stand-in for kubelets; `naming` may have a `prefix` and a `mark`."""
    return flags({"kubeconfig": layout.kubeconfig("fake-nodes"), "nodes": count, **naming})


def egress(layout: Layout, credentials: Credentials, server: str) -> list[str]:
    """Return the arguments of our egress proxy."""
    return [
        *map(str, (layout.egress_socket, layout.routes, server)),
        *map(str, (credentials.ca.certificate, credentials.admin.certificate, credentials.admin.key)),
    ]


def flags(settings: Mapping[str, object]) -> list[str]:
    """Spell settings as command line flags."""
    return [f"--{name}={value}" for name, value in settings.items()]
