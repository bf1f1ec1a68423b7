"""Every label and annotation that Istio's injector knows, one table: what it is for, and what is allowed in it.

Checks, warnings and the reference page are made from it. Sources: https://istio.io/latest/docs/reference/config/labels/
and …/annotations/, and the pages of kubectl and OpenShift for theirs.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar_injector.profiles.istio import formats as f
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.annotations import ANNOTATIONS
from sidecar_injector.profiles.istio.key import Direction, Key, Place, Theme

__all__ = ["BY_NAME", "KEYS", "PREFIXES", "Direction", "Key", "Place", "Theme"]

_LABEL, _ANNOTATION, _NAMESPACE = (Place.POD_LABEL,), (Place.POD_ANNOTATION,), (Place.NAMESPACE_LABEL,)
_NAMESPACE_ANNOTATION = (Place.NAMESPACE_ANNOTATION,)
_POD_OR_NAMESPACE = (Place.POD_LABEL, Place.NAMESPACE_LABEL)
_READ, _WRITTEN, _BOTH = Direction.READ, Direction.WRITTEN, Direction.BOTH
_AGENT, _ELSEWHERE = Direction.AGENT, Direction.ELSEWHERE


def _of_agent(name: str, meaning: str, allowed: str, deprecated: str = "") -> Key:
    return Key(name, _ANNOTATION, _AGENT, meaning, f.Format(allowed), deprecated=deprecated)


_LABELS = (
    Key(
        v.INJECT,
        (Place.POD_LABEL, Place.POD_ANNOTATION),
        _READ,
        "Whether the Pod is injected.",
        f.SWITCH,
        "the label wins over the annotation, and both win over `match.neverInject`, `alwaysInject` and `policy`",
        Theme.INJECTION,
    ),
    Key(
        v.REVISION,
        (Place.POD_LABEL, Place.NAMESPACE_LABEL, Place.POD_ANNOTATION),
        _BOTH,
        "As a label: the revision that is to inject. As an annotation, written: the revision that did.",
        f.Format("a revision"),
        f"`{v.INJECTION}` wins over it, and the Namespace's label wins over the Pod's",
    ),
    Key(
        v.INJECTION,
        _NAMESPACE,
        _READ,
        f"`enabled`: revision `{v.DEFAULT_REVISION}` injects the Namespace's Pods. Anything else: no revision does.",
        f.Format("enabled, disabled"),
        f"wins over `{v.REVISION}`",
    ),
    Key(
        v.CANONICAL_NAME,
        _LABEL,
        _BOTH,
        "Name of the service that the workload belongs to, in metrics; written unless it is there.",
        f.Format("a label value"),
        "label `app.kubernetes.io/name`, else label `app`, else the workload's name",
    ),
    Key(
        v.CANONICAL_REVISION,
        _LABEL,
        _BOTH,
        "Version of that service, in metrics; written unless it is there.",
        f.Format("a label value"),
        "label `app.kubernetes.io/version`, else label `version`, else `latest`",
    ),
    Key(
        v.WORKLOAD_NAME,
        _LABEL,
        _READ,
        "Name of the workload that the proxy reports.",
        f.Format("a label value"),
        "the workload's name",
    ),
    Key(
        v.NETWORK,
        _LABEL,
        _BOTH,
        "Network that the Pod is in; written if it is known.",
        f.Format("a network of the mesh"),
        "wins over `net` in the path of the webhook, which wins over `global.network` of the values",
    ),
    Key(
        v.TLS_MODE,
        _LABEL,
        _WRITTEN,
        "Whether the Pod can be reached by mutual TLS; written unless it is there.",
        f.Format("istio, disabled"),
        "`istio`",
    ),
    Key(
        v.TUNNEL,
        _LABEL,
        _WRITTEN,
        "How the Pod can be tunnelled to; written if the proxy's metadata have `ISTIO_META_ENABLE_HBONE: true`, "
        "unless it is there.",
        f.Format("http"),
        "`http`",
    ),
    Key(
        v.DATAPLANE_MODE,
        _POD_OR_NAMESPACE,
        _ELSEWHERE,
        "Whether the ambient mesh captures traffic. It leaves Pods with a sidecar alone.",
        f.Format("ambient, none"),
    ),
    Key(v.USE_WAYPOINT, _POD_OR_NAMESPACE, _ELSEWHERE, "Waypoint of the ambient mesh.", f.ANY),
    Key(
        v.USE_WAYPOINT_NAMESPACE,
        _POD_OR_NAMESPACE,
        _ELSEWHERE,
        "Namespace of that waypoint.",
        f.ANY,
    ),
    Key(v.CLUSTER, _LABEL, _ELSEWHERE, "Cluster of the Pod; Istio itself knows it better.", f.ANY),
)

_OF_NAMESPACES = (
    Key(
        v.OPENSHIFT_UIDS,
        _NAMESPACE_ANNOTATION,
        _READ,
        "Users of the Namespace's Pods on OpenShift; the proxy gets the highest.",
        f.Format("first/count or first-last"),
        f"user {v.PROXY_ID}",
    ),
    Key(
        v.OPENSHIFT_GROUPS,
        _NAMESPACE_ANNOTATION,
        _READ,
        "Groups of the Namespace's Pods on OpenShift; the proxy gets the highest of the first range.",
        f.Format("first/count or first-last, with commas between several"),
        f"group {v.PROXY_ID}",
    ),
)

_OURS = (
    Key(
        v.STATUS,
        _ANNOTATION,
        _BOTH,
        "What was injected, by which revision; a second injection goes by it.",
        f.Format("JSON, not to be edited"),
    ),
    Key(
        v.OVERRIDES,
        _ANNOTATION,
        _BOTH,
        "What the Pod's author had written of injected containers, for a second injection.",
        f.OVERRIDES,
    ),
    Key(
        v.SECURE_PORT,
        _ANNOTATION,
        _WRITTEN,
        "Port of the agent where metrics are served with TLS, if there is one; written unless it is there.",
        f.Format("a port"),
    ),
    Key(
        v.DEFAULT_CONTAINER,
        _ANNOTATION,
        _WRITTEN,
        "Container that `kubectl exec` means; written unless it is there.",
        f.Format("the name of a container"),
        "the app's first container",
    ),
    Key(
        v.DEFAULT_LOGS_CONTAINER,
        _ANNOTATION,
        _WRITTEN,
        "Container that `kubectl logs` means; written unless it is there.",
        f.Format("the name of a container"),
        "the app's first container",
    ),
)

_MATCHER = f"use `proxyStatsMatcher` in `{v.PROXY_CONFIG}`"

_OF_THE_AGENT = (
    _of_agent(v.STATS_PREFIXES, "Statistics to keep, by the start of their names.", "prefixes, commas", _MATCHER),
    _of_agent(v.STATS_SUFFIXES, "Statistics to keep, by the end of their names.", "suffixes, commas", _MATCHER),
    _of_agent(v.STATS_REGEXPS, "Statistics to keep, by their names.", "regular expressions, commas", _MATCHER),
    _of_agent(v.STATS_BUCKETS, "Buckets of histograms, by the start of their names.", "a JSON object of lists"),
    _of_agent(v.STATS_BINS, "Number of bins of histograms.", "as the agent has it"),
    _of_agent(v.STATS_FLUSH, "How often statistics are flushed.", "a duration such as 10s"),
    _of_agent(
        v.STATS_EVICTION, "After which time unused statistics go.", f"a duration, a multiple of `{v.STATS_FLUSH}`"
    ),
    _of_agent(
        v.STATS_COMPRESSION,
        "How statistics are compressed.",
        "as the agent has it",
        f"use `statsCompression` in `{v.PROXY_CONFIG}`",
    ),
    _of_agent(v.STATS_TAGS, "More tags to take out of the names of statistics.", "names with commas between them"),
    _of_agent(
        v.DISCOVERY_ADDRESS,
        "Address of the control plane.",
        "host:port",
        f"use `discoveryAddress` in `{v.PROXY_CONFIG}`",
    ),
)

_IN_VAIN = tuple(
    Key(name, _ANNOTATION, _ELSEWHERE, meaning, f.ANY, deprecated="it has no effect any more")
    for name, meaning in (
        (v.READINESS_PORTS, "Ports of the app that the proxy's readiness depended on."),
        (v.ENABLE_CORE_DUMP, "Whether the proxy could write core dumps."),
        (v.CONTROL_PLANE_AUTH, "How the proxy proved itself to the control plane."),
    )
)

KEYS: tuple[Key, ...] = (
    *_LABELS,
    *_OF_NAMESPACES,
    *ANNOTATIONS,
    *_OURS,
    *_OF_THE_AGENT,
    *_IN_VAIN,
)

BY_NAME: Mapping[str, Key] = MappingProxyType({key.name: key for key in KEYS})

PREFIXES: frozenset[str] = frozenset(
    prefix for prefix, slash, _ in (key.name.partition("/") for key in KEYS) if slash and prefix.endswith("istio.io")
)
"""What stands before the `/` in Istio's own keys."""
