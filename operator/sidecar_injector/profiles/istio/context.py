"""What Istio's templates see beside `pod`, `values` and the rest: what was worked out for this Pod, as data."""

from collections.abc import Iterator, Mapping, Sequence

from sidecar_injector.injection.json_text import json_of
from sidecar_injector.injection.view import Pod, annotations, items, labels, part
from sidecar_injector.injection.workload import Workload
from sidecar_injector.profiles.istio import multus
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.proxy_config_checks import VARIABLE
from sidecar_injector.profiles.istio.reading import at, map_at
from sidecar_injector.templating.shapes.shared import SharedMap

_LABEL_LENGTH = 63
_LABEL_ENDS = "-_."
DEFAULT_CLUSTER = "Kubernetes"
ISTIO_CNI_NETWORK = "default/istio-cni"
LIGHTSTEP_CERTIFICATES = ("tracing", "tlsSettings", "caCertificates")
TRUST_BUNDLE = "istio.io:istiod-ca:root-cert"

Values = Mapping[str, object]


def workload_context(pod: Pod, workload: Workload, namespace: str) -> dict[str, object]:
    """Return the workload that a Pod is part of: what it is, and by what names telemetry knows it."""
    kind, home, notes = f"{workload.kind.lower()}s", namespace or v.NAMESPACE_OF_NONE, labels(pod)
    return {
        "apiVersion": workload.api_version,
        "kind": workload.kind,
        "name": workload.name,
        "reportedName": notes.get(v.WORKLOAD_NAME) or workload.name,
        "namespace": home,
        "owner": f"kubernetes://apis/{workload.api_version}/namespaces/{home}/{kind}/{workload.name}",
        "canonicalName": _first(notes, v.CANONICAL_NAME, "app.kubernetes.io/name", "app") or _cut(workload.name),
        "canonicalRevision": _first(notes, v.CANONICAL_REVISION, "app.kubernetes.io/version", "version") or "latest",
    }


def _first(notes: Mapping[str, str], *keys: str) -> str:
    """Return the first of these labels that is not empty, as it can stand in a label; empty if there is none."""
    for key in keys:
        if value := notes.get(key):
            return _cut(value)
    return ""


def _cut(text: str) -> str:
    """Return a text as it can stand in a label."""
    return text[:_LABEL_LENGTH].strip(_LABEL_ENDS)


def capture(pod: Pod, values: Values, ports: Sequence[int]) -> dict[str, str]:
    """Return which traffic is captured: what the Pod's annotations say, else the values.

    ports -- of the agent, to which nothing is captured

    includeOutboundPorts, excludeOutboundPorts, rerouteInterfaces and excludeInterfaces are there only if someone says
    something of them.
    """
    notes = annotations(pod)
    proxy = map_at(values, "global", "proxy")

    def said(key: str, default: str) -> str:
        return "".join(notes.get(key, str(proxy.get(default) or "")).split())

    found = {
        "includeOutboundIPRanges": said(v.INCLUDE_OUTBOUND_RANGES, "includeIPRanges"),
        "excludeOutboundIPRanges": said(v.EXCLUDE_OUTBOUND_RANGES, "excludeIPRanges"),
        "includeInboundPorts": said(v.INCLUDE_INBOUND_PORTS, "includeInboundPorts"),
        "excludeInboundPorts": _with_ports(said(v.EXCLUDE_INBOUND_PORTS, "excludeInboundPorts"), ports),
    }
    for key, name in (
        (v.INCLUDE_OUTBOUND_PORTS, "includeOutboundPorts"),
        (v.EXCLUDE_OUTBOUND_PORTS, "excludeOutboundPorts"),
    ):
        if key in notes or proxy.get(name):
            found[name] = said(key, name)
    reroute = notes.get(v.REROUTE_INTERFACES, notes.get(v.KUBEVIRT_INTERFACES))
    interfaces = {"rerouteInterfaces": reroute, "excludeInterfaces": notes.get(v.EXCLUDE_INTERFACES)}
    return found | {name: named for name, named in interfaces.items() if named is not None}


def _with_ports(listed: str, ports: Sequence[int]) -> str:
    """Return a comma-separated list with these ports (0: none) at its end, unless they are in it."""
    present = [text for text in listed.split(",") if text]
    return ",".join(dict.fromkeys([*present, *(str(port) for port in ports if port)]))


def resources(pod: Pod, values: Values) -> object:
    """Return the resources of what is injected.

    One annotation about them takes the place of all values, as in Istio: half of a default may make no sense beside it.
    In a Pod that has resources as a whole, all containers share those.
    """
    if any(part(part(pod, "spec"), "resources").values()):
        return {}
    notes = annotations(pod)
    asked = {
        kind: {name: notes[key] for name, key in names if key in notes}
        for kind, names in (
            ("requests", (("cpu", v.PROXY_CPU), ("memory", v.PROXY_MEMORY))),
            ("limits", (("cpu", v.PROXY_CPU_LIMIT), ("memory", v.PROXY_MEMORY_LIMIT))),
        )
    }
    if any(asked.values()):
        return {kind: amounts for kind, amounts in asked.items() if amounts}
    stated = at(values, "global", "proxy", "resources") or {}
    return SharedMap(_without_nulls(stated)) if isinstance(stated, Mapping) else stated


def _without_nulls(value: Mapping[str, object]) -> dict[str, object]:
    kept = {key: _without_nulls(item) if isinstance(item, Mapping) else item for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not None and item != {}}


def readiness(pod: Pod, values: Values) -> dict[str, object]:
    """Return the timing of the proxy's readiness probe."""
    notes, proxy = annotations(pod), map_at(values, "global", "proxy")
    return {
        "initialDelaySeconds": notes.get(v.READINESS_INITIAL_DELAY, proxy.get("readinessInitialDelaySeconds")),
        "periodSeconds": notes.get(v.READINESS_PERIOD, proxy.get("readinessPeriodSeconds")),
        "failureThreshold": notes.get(v.READINESS_FAILURES, proxy.get("readinessFailureThreshold")),
    }


def capabilities(pod: Pod, values: Values, interception_mode: str) -> list[str]:
    """Return the capabilities that the proxy needs; with any of them it has to be root."""
    bind = annotations(pod).get(v.CAP_NET_BIND_SERVICE, str(at(values, "global", "proxy", "capNetBindService")).lower())
    found = ["NET_ADMIN"] if interception_mode == v.TPROXY else []
    return [*found, "NET_BIND_SERVICE"] if bind == "true" else found


def of_the_mesh(values: Values, mesh: Mapping[str, object]) -> dict[str, object]:
    """Return what is the same for all Pods of a config."""
    trust_domain = at(values, "global", "trustDomain") or mesh.get("trustDomain")
    local = at(mesh, "inboundTrafficPolicy", "mode") == "LOCALHOST"
    return {
        "caAddress": ca_address(values),
        "clusterTrustBundle": trust_bundle(values),
        "clusterID": at(values, "global", "multiCluster", "clusterName") or DEFAULT_CLUSTER,
        "network": at(values, "global", "network"),
        "meshID": at(values, "global", "meshID") or trust_domain,
        "trustDomain": trust_domain,
        "inboundTrafficPolicy": "localhost" if local else "passthrough",
        "compliancePolicy": at(values, "pilot", "env", "COMPLIANCE_POLICY") or "",
    }


def ca_address(values: Values) -> str:
    """Return the address of the certificate authority: the configured one, else that of the revision's istiod."""
    stated, revision = at(values, "global", "caAddress"), values.get("revision")
    istiod = f"istiod-{revision}" if revision else "istiod"
    return str(stated or f"{istiod}.{at(values, 'global', 'istioNamespace')}.svc:15012")


def trust_bundle(values: Values) -> str:
    """Return the name of the ClusterTrustBundle that has the mesh's root certificate; empty: a ConfigMap has it."""
    enabled = str(at(values, "pilot", "env", "ENABLE_CLUSTER_TRUST_BUNDLE_API")).lower()
    return TRUST_BUNDLE if enabled == "true" else ""


def app_containers(pod: Pod) -> list[str]:
    """Return the names of the containers that are not the proxy's."""
    return [str(item.get("name")) for item in items(pod, "containers") if item.get("name") != v.PROXY]


def pod_ports(pod: Pod) -> list[object]:
    """Return the ports of the containers that are not the proxy's, as the containers declare them."""
    found: list[object] = []
    for container in items(pod, "containers"):
        ports = container.get("ports")
        if container.get("name") != v.PROXY and isinstance(ports, list):
            found += ports
    return found


def datadog(pod: Pod, values: Values) -> dict[str, str]:
    """Return the variables for Datadog's tracer, of a Pod in a mesh that uses it."""
    if at(values, "global", "proxy", "tracer") != "datadog":
        return {}
    return dict(_texts(annotations(pod).get(v.DATADOG_ENV, "")))


def _texts(text: str) -> Iterator[tuple[str, str]]:
    document = json_of(text)
    for key, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, str | int | float) and VARIABLE.fullmatch(key):
            yield key, str(value).lower() if isinstance(value, bool) else str(value)


def lightstep_certificates(values: Values, proxy_config: Mapping[str, object]) -> str:
    """Return the directory of Lightstep's certificate authority; empty without one."""
    if at(values, "global", "proxy", "tracer") != "lightstep":
        return ""
    path = str(at(proxy_config, *LIGHTSTEP_CERTIFICATES) or "")
    return path[: path.rfind("/") + 1]


def networks(pod: Pod) -> str:
    """Return the networks that Multus attaches, with the one of Istio's CNI plugin."""
    return multus.with_network(annotations(pod).get(v.NETWORKS, ""), ISTIO_CNI_NETWORK)
