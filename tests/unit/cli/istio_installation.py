"""An installation of Istio, as its ConfigMaps have it, for tests.

The templates under Istio's names are not Istio's: they have what tells Istio's own, and nothing more.
"""

import json
from typing import Any

from sidecar_injector.templating import dump_yaml

SIDECAR = """\
spec:
  containers:
  - name: istio-proxy
    image: "{{ .ProxyImage }}"
    args:
    - proxy
    - sidecar
    - --proxyLogLevel={{ .Values.global.proxy.logLevel }}
    env:
    - name: PROXY_CONFIG
      value: |
             {{ protoToJSON .ProxyConfig }}
"""
GATEWAY = SIDECAR.replace("- sidecar", "- router")
GRPC_AGENT = """\
spec:
  containers:
  - name: istio-proxy
    args: [proxy, sidecar]
    env:
    - name: DISABLE_ENVOY
      value: "true"
  {{- range .Spec.Containers }}
  - name: {{ .Name }}
    env:
    - name: GRPC_XDS_BOOTSTRAP
      value: {{ env "X" "y" }}
  {{- end }}
"""
GRPC_SIMPLE = """\
spec:
  initContainers:
  - name: grpc-bootstrap-init
    image: busybox:1.28
    env:
    - name: GRPC_XDS_BOOTSTRAP
      value: {{ env "X" "y" }}
"""
STOCK = {"sidecar": SIDECAR, "gateway": GATEWAY, "grpc-agent": GRPC_AGENT, "grpc-simple": GRPC_SIMPLE}
NOT_INJECTED = {"kube-gateway": "kind: Deployment", "waypoint": "kind: Deployment", "agentgateway-waypoint": "a: b"}

VALUES: dict[str, Any] = {
    "global": {"hub": "example.org/istio", "tag": "1.28.0", "proxy": {"logLevel": "warning"}},
    "revision": "",
    "sidecarInjectorWebhook": {"reinvocationPolicy": "Never"},
}
MESH: dict[str, Any] = {"trustDomain": "cluster.local", "defaultConfig": {"discoveryAddress": "istiod:15012"}}


def injection(**fields: Any) -> dict[str, Any]:
    """Return the document `config`; templates given are added to Istio's."""
    templates = {**STOCK, **fields.pop("templates", {})}
    return {"policy": "enabled", "defaultTemplates": ["sidecar"], "templates": templates, **fields}


def config_map(name: str, namespace: str = "istio-system", **data: str) -> dict[str, Any]:
    """Return a ConfigMap."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def installation(
    config: dict[str, Any] | None = None,
    values: dict[str, Any] | None = None,
    mesh: dict[str, Any] | None = None,
    revision: str = "",
) -> list[dict[str, Any]]:
    """Return the ConfigMaps of one revision, with another that has nothing to do with it."""
    suffix = f"-{revision}" if revision else ""
    documents = {
        "config": dump_yaml(injection() if config is None else config),
        "values": json.dumps(VALUES if values is None else values),
    }
    return [
        config_map("istio-ca-root-cert", **{"root-cert.pem": "x"}),
        config_map(f"istio{suffix}", mesh=dump_yaml(MESH if mesh is None else mesh), meshNetworks="networks: {}"),
        config_map(f"istio-sidecar-injector{suffix}", **documents),
    ]
