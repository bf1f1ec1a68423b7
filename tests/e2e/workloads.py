"""A config with a sidecar that does something, and what it is injected into."""

from collections.abc import Mapping
from typing import Any

from sidecar_injector import names
from tests.kubernetes.images import BUSYBOX

CONFIG = "greeter"
LABELS = {"example.org/greeter": "enabled"}
"""Of the namespaces whose Pods the config is for."""
SIDECAR = "greeter"
PORT = 8099
GREETING = "hello from the sidecar"
OPTED_OUT = {names.INJECT: "false"}

# It writes to no disk: namespaces may demand a root filesystem that is read-only.
TEMPLATE = """\
spec:
  sidecars:
    - name: {{ values.name }}
      image: {{ values.image }}
      command: [nc, -ll, -p, "{{ values.port }}", -e, echo, "{{ values.greeting }}"]
      startupProbe:
        tcpSocket:
          port: {{ values.port }}
        periodSeconds: 1
      securityContext: {{ values.securityContext }}
"""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def config(name: str = CONFIG, labels: Mapping[str, str] = LABELS, **spec: Any) -> dict[str, Any]:
    """Return a config that adds a sidecar which greets everybody who connects to its port."""
    values = {"name": SIDECAR, "image": BUSYBOX, "port": PORT, "greeting": GREETING, "securityContext": RESTRICTED}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": {
            "profile": "Generic",
            "match": {"namespaceSelector": {"matchLabels": dict(labels)}},
            "values": values,
            "templates": [{"name": "greeter", "template": TEMPLATE}],
            **spec,
        },
    }


def pod_spec(command: list[str], **spec: Any) -> dict[str, Any]:
    """Return the spec of a Pod that fits into a restricted namespace."""
    container = {"name": "app", "image": BUSYBOX, "command": command, "securityContext": RESTRICTED}
    return {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        **spec,
    }


def pod(name: str, labels: Mapping[str, str] = {}, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": pod_spec(["sleep", "3600"], **spec),
    }


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(["sleep", "3600"])},
        },
    }


def job(name: str, command: list[str]) -> dict[str, Any]:
    template = {"spec": pod_spec(command, restartPolicy="Never")}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


def greet(port: int = PORT) -> list[str]:
    """Return the command that prints what the sidecar says."""
    return ["nc", "127.0.0.1", str(port)]
