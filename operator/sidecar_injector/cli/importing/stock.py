"""Is a template under one of Istio's names Istio's own?

It is not compared with Istio's text. What every version of it has in common tells that it is one, and what no version
has tells that somebody changed it: names of containers, variables and volumes that are not Istio's, images that are
written out, labels and annotations of others, values that Istio does not have.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

NOT_INJECTED = ("kube-gateway", "waypoint", "agentgateway")
"""Templates that are no injection: istiod makes Deployments of them. The names of some go on behind these."""

_MARKS: Mapping[str, Sequence[str]] = {
    "sidecar": (r"-\s+name:\s+istio-proxy", r"-\s+proxy\s+-\s+sidecar\b", r"--proxyLogLevel"),
    "gateway": (r"-\s+name:\s+istio-proxy", r"-\s+proxy\s+-\s+router\b", r"--proxyLogLevel"),
    "grpc-agent": (r"-\s+name:\s+istio-proxy", r"GRPC_XDS_BOOTSTRAP", r"ISTIO_META_GENERATOR|DISABLE_ENVOY"),
    "grpc-simple": (r"GRPC_XDS_BOOTSTRAP", r"initContainers:"),
}
"""What all versions of a template have."""

_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}|^\s*#.*$", re.S | re.M)
_NAME = re.compile(r"""(?:-\s+|\{\s*)name:\s*["']?([A-Za-z][\w.-]*)["']?\s*(?:$|[,}])""", re.M)
_IMAGE = re.compile(r"""\bimage:\s*["']?([A-Za-z][^\s"'{]*)["']?\s*$""", re.M)
_KEY = re.compile(r"""^\s*["']?([\w-]+(?:\.[\w-]+)+)/[\w.-]+["']?\s*:""", re.M)
_AMOUNT = re.compile(r"""^\s*(cpu|memory):\s*["']?(\d\S*?)["']?\s*$""", re.M)
_VALUE = re.compile(r"\.Values\.(\w+)")
_HOST_PATH = re.compile(r"\bhostPath:")

_NAMES = re.compile(
    r"istio-(?:proxy|init|validation)|enable-core-dump|grpc-bootstrap-init|grpc-io-proxyless-bootstrap"
    r"|http-envoy-prom|mesh-metrics"
    r"|workload-socket|credential-socket|workload-certs|gke-workload-certificate|custom-bootstrap-volume|envoy"
    r"|istio-(?:envoy|data|podinfo|token|certs|ca-crl|xds|ca-root-cert)|istiod-ca-cert|lightstep-certs|lightstep\.cacert"
    r"|net\.ipv4\.ip_unprivileged_port_start"
    r"|(?:ISTIO|PILOT|PROXY|GRPC|XDS|CANONICAL|OTEL|DD|STACKDRIVER|LIGHTSTEP)_\w+|OUTPUT_CERTS|DISABLE_ENVOY|POD_\w+"
    r"|INSTANCE_IPS?|SERVICE_ACCOUNT|HOST_IP|CA_ADDR|JWT_POLICY|TRUST_DOMAIN|GOMEMLIMIT|GOMAXPROCS|GODEBUG"
    r"|COMPLIANCE_POLICY|REWRITE_PROBE_\w+|CREDENTIAL_\w+|ENABLE_\w+"
)
_DOMAINS = re.compile(
    r"(?:[\w.-]+\.)?istio\.io|(?:[\w-]+\.)*(?:kubernetes|k8s)\.io|k8s\.v1\.cni\.cncf\.io|prometheus\.io"
)
_VALUES = ("gateways", "global", "istio_cni", "meshConfig", "pilot", "revision", "sidecarInjectorWebhook")
_IMAGES = {"grpc-simple": re.compile(r"(?:[\w./-]+/)?busybox(?::\S+)?")}


class Verdict(Enum):
    """What a template under one of Istio's names is."""

    STOCK = auto()
    CHANGED = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Finding:
    """The verdict on a template, and what in it is not Istio's."""

    verdict: Verdict
    foreign: tuple[str, ...] = ()


def is_injected(name: str) -> bool:
    """Tell whether the template of this name, if it is Istio's, is injected into Pods."""
    return not name.startswith(NOT_INJECTED)


def judge(name: str, text: str) -> Finding:
    """Judge a template under one of the names for which we have a template of our own."""
    plain = _COMMENT.sub("", text)
    if not all(re.search(mark, plain) for mark in _MARKS[name]):
        return Finding(Verdict.OTHER)
    foreign = tuple(dict.fromkeys(_foreign(name, plain)))
    return Finding(Verdict.CHANGED, foreign) if foreign else Finding(Verdict.STOCK)


def _foreign(name: str, text: str) -> Iterator[str]:
    for found in _NAME.findall(text):
        if not _NAMES.fullmatch(found):
            yield f"name {found}"
    for image in _IMAGE.findall(text):
        if name not in _IMAGES or not _IMAGES[name].fullmatch(image):
            yield f"image {image}"
    for domain in _KEY.findall(text):
        if not _DOMAINS.fullmatch(domain):
            yield f"a label or annotation of {domain}"
    for resource, amount in _AMOUNT.findall(text):
        yield f"{resource}: {amount}"
    for value in _VALUE.findall(text):
        if value not in _VALUES:
            yield f".Values.{value}"
    if _HOST_PATH.search(text):
        yield "a hostPath volume"
