"""What templates see in profile Istio, described: a row for each name, by which the reference page is made.

The values themselves are worked out in `plan` and `context`; a test holds the rows against those.
"""

from typing import NamedTuple

from sidecar_injector.profiles.istio import vocabulary as v

TEXT, NUMBER, FLAG, LIST, MAP = "text", "number", "true or false", "list", "map"


class Described(NamedTuple):
    """A name that templates see: what kind of value it has, what it means, and where the value comes from."""

    name: str
    kind: str
    meaning: str
    source: str


VARIABLES: tuple[Described, ...] = (
    Described("proxy", MAP, "What was worked out for the proxy of this Pod.", "see [below](#proxy)"),
    Described("workload", MAP, "What the Pod belongs to, as Istio's telemetry names it.", "see [below](#workload)"),
    Described("values", MAP, "The values.", "`spec.values` over [their defaults](#values)"),
    Described("meshConfig", MAP, "The MeshConfig.", "`spec.meshConfig` over [its defaults](#meshconfig)"),
    Described(
        "proxyConfig",
        MAP,
        "The ProxyConfig in force for the Pod.",
        f"annotation `{v.PROXY_CONFIG}`, over `meshConfig.defaultConfig`, over [the defaults](#proxyconfig)",
    ),
)
"""The variables that profile Istio adds, or fills in another way than other profiles do."""


def _beats(annotation: str, path: str) -> str:
    return f"annotation `{annotation}`, else `{path}` of the values"


def _image(part: str) -> str:
    return (
        f"annotation `{v.PROXY_IMAGE}` if it has a `/`; else `global.{part}.image` if that has one; else made of "
        f"`global.hub`, this name and `global.tag`. The tag's suffix: annotation `{v.PROXY_IMAGE_TYPE}`, else "
        "`proxyConfig.image.imageType`, else `global.variant`"
    )


def _identity(kind: str) -> str:
    return f"the highest {kind} that OpenShift gives to the Namespace, but not with TPROXY; else {v.PROXY_ID}"


_RESOURCES = ", ".join(f"`{key}`" for key in (v.PROXY_CPU, v.PROXY_MEMORY, v.PROXY_CPU_LIMIT, v.PROXY_MEMORY_LIMIT))

PROXY: tuple[Described, ...] = (
    Described("image", TEXT, "Image of the proxy.", _image("proxy")),
    Described("initImage", TEXT, "Image of the init container.", "as `image`, by `global.proxy_init.image`"),
    Described("uid", NUMBER, "User of the proxy, by whom its own traffic is told.", _identity("user")),
    Described("gid", NUMBER, "Group of the proxy.", _identity("group")),
    Described(
        "interceptionMode",
        TEXT,
        "How traffic is captured: REDIRECT, TPROXY or NONE.",
        f"annotation `{v.INTERCEPTION_MODE}`, else `proxyConfig.interceptionMode`, else REDIRECT",
    ),
    Described(
        "statusPort",
        NUMBER,
        "Port of the agent; 0: the proxy is not probed.",
        _beats(v.STATUS_PORT, "global.proxy.statusPort"),
    ),
    Described(
        "config",
        TEXT,
        "The ProxyConfig as the agent reads it: JSON without what is Istio's default, and a line end.",
        "`proxyConfig`",
    ),
    Described(
        "metadata",
        MAP,
        "Variables for the proxy and its init container.",
        "`proxyConfig.proxyMetadata`, in which annotation and mesh are merged key by key",
    ),
    Described("capture", MAP, "Which traffic is captured.", "see [below](#proxycapture)"),
    Described(
        "resources",
        MAP,
        "Resources of the proxy and its init container.",
        f"annotations {_RESOURCES}: one of them takes the place of all values; else `global.proxy.resources`, without "
        "nulls",
    ),
    Described("readiness", MAP, "Timing of the proxy's readiness probe.", "see [below](#proxyreadiness)"),
    Described(
        "capabilities",
        LIST,
        "Capabilities that the proxy needs; with any of them it has to be root.",
        f"`NET_ADMIN` with TPROXY; `NET_BIND_SERVICE` if annotation `{v.CAP_NET_BIND_SERVICE}`, else "
        "`global.proxy.capNetBindService`, is true",
    ),
    Described(
        "hbone",
        FLAG,
        "Whether the Pod can be tunnelled to.",
        "`ISTIO_META_ENABLE_HBONE` of `metadata` is `true`",
    ),
    Described(
        "traceIptables",
        FLAG,
        "Whether the rules of capture are traced, for which the proxy has to be privileged.",
        "`IPTABLES_TRACE_LOGGING` of `metadata` is `true`",
    ),
    Described(
        "holdApplication",
        FLAG,
        "Whether the application waits for the proxy.",
        "`global.proxy.holdApplicationUntilProxyStarts` or `proxyConfig.holdApplicationUntilProxyStarts`: one that is "
        "true is enough",
    ),
    Described("logLevel", TEXT, "What the proxy logs.", _beats(v.LOG_LEVEL, "global.proxy.logLevel")),
    Described(
        "componentLogLevel",
        TEXT,
        "What components of the proxy log.",
        _beats(v.COMPONENT_LOG_LEVEL, "global.proxy.componentLogLevel"),
    ),
    Described(
        "agentLogLevel",
        TEXT,
        "What the agent and the init container log.",
        _beats(v.AGENT_LOG_LEVEL, "global.logging.level"),
    ),
    Described(
        "caAddress",
        TEXT,
        "Where the proxy gets its certificate.",
        "`global.caAddress`, else istiod of `revision` in `global.istioNamespace` of the values, port 15012",
    ),
    Described(
        "clusterTrustBundle",
        TEXT,
        "Name of the ClusterTrustBundle that has the mesh's root certificate; empty: a ConfigMap has it.",
        "given if `pilot.env.ENABLE_CLUSTER_TRUST_BUNDLE_API` is true",
    ),
    Described(
        "clusterID",
        TEXT,
        "Name of the cluster. `cluster` in the path of the webhook wins over it, after the templates.",
        "`global.multiCluster.clusterName`, else Kubernetes",
    ),
    Described(
        "network",
        TEXT,
        f"Network of the Pod; empty: not known. Label `{v.NETWORK}`, else `net` in the path of the webhook, wins over "
        "it, after the templates.",
        "`global.network`",
    ),
    Described("meshID", TEXT, "Name of the mesh.", "`global.meshID`, else `trustDomain`"),
    Described("trustDomain", TEXT, "Trust domain.", "`global.trustDomain`, else `meshConfig.trustDomain`"),
    Described(
        "inboundTrafficPolicy",
        TEXT,
        "`localhost` or `passthrough`: how the proxy addresses the application.",
        "`localhost` if `meshConfig.inboundTrafficPolicy.mode` is LOCALHOST",
    ),
    Described(
        "compliancePolicy",
        TEXT,
        "Policy for cryptography, such as `fips-140-3`; empty: none.",
        "`pilot.env.COMPLIANCE_POLICY` of the values",
    ),
    Described(
        "appContainers",
        LIST,
        "Names of the ordinary containers that are not the proxy's.",
        f"the Pod: all of `spec.containers` but {v.PROXY}",
    ),
    Described(
        "defaultContainer",
        TEXT,
        "Container that kubectl takes if none is named; null without a container of the application.",
        f"annotation `{v.DEFAULT_CONTAINER}`, else the first of `appContainers`",
    ),
    Described(
        "defaultLogsContainer",
        TEXT,
        "The same for `kubectl logs`.",
        f"annotation `{v.DEFAULT_LOGS_CONTAINER}`, else the first of `appContainers`",
    ),
    Described("podPorts", LIST, "Ports of these containers, as they declare them.", "the Pod"),
    Described(
        "otelResourceAttributes",
        TEXT,
        "Attributes of the service by OpenTelemetry's conventions; empty: nobody asked for them.",
        "an `opentelemetry` provider of `meshConfig.extensionProviders` with `serviceAttributeEnrichment: "
        f"OTEL_SEMANTIC_CONVENTIONS`; annotations `{v.OTEL_NAMESPACE}`, `{v.OTEL_VERSION}`, `{v.OTEL_INSTANCE}`",
    ),
    Described(
        "datadog",
        MAP,
        "Variables for Datadog's tracer.",
        f"annotation `{v.DATADOG_ENV}` if `global.proxy.tracer` is datadog; else none",
    ),
    Described(
        "lightstepCerts",
        TEXT,
        "Directory of Lightstep's certificate authority; empty: there is none.",
        "`proxyConfig.tracing.tlsSettings.caCertificates` if `global.proxy.tracer` is lightstep",
    ),
    Described("userVolumes", LIST, "Volumes to add.", f"annotation `{v.USER_VOLUME}`"),
    Described("userVolumeMounts", LIST, "Mounts to add to the proxy.", f"annotation `{v.USER_VOLUME_MOUNT}`"),
    Described(
        "networks",
        TEXT,
        "Networks for Multus, Istio's among them.",
        f"annotation `{v.NETWORKS}`, to which `default/istio-cni` is appended",
    ),
)
"""`proxy`."""

CAPTURE: tuple[Described, ...] = (
    Described(
        "includeOutboundIPRanges",
        TEXT,
        "Destinations that go through the proxy.",
        _beats(v.INCLUDE_OUTBOUND_RANGES, "global.proxy.includeIPRanges"),
    ),
    Described(
        "excludeOutboundIPRanges",
        TEXT,
        "Destinations that bypass it.",
        _beats(v.EXCLUDE_OUTBOUND_RANGES, "global.proxy.excludeIPRanges"),
    ),
    Described(
        "includeInboundPorts",
        TEXT,
        "Ports of the Pod that go through the proxy.",
        _beats(v.INCLUDE_INBOUND_PORTS, "global.proxy.includeInboundPorts"),
    ),
    Described(
        "excludeInboundPorts",
        TEXT,
        "Ports of the Pod that bypass it, `proxy.statusPort` among them.",
        _beats(v.EXCLUDE_INBOUND_PORTS, "global.proxy.excludeInboundPorts"),
    ),
    Described(
        "includeOutboundPorts",
        TEXT,
        "Destination ports that go through the proxy. Undefined if nobody says anything.",
        _beats(v.INCLUDE_OUTBOUND_PORTS, "global.proxy.includeOutboundPorts"),
    ),
    Described(
        "excludeOutboundPorts",
        TEXT,
        "Destination ports that bypass it. Undefined if nobody says anything.",
        _beats(v.EXCLUDE_OUTBOUND_PORTS, "global.proxy.excludeOutboundPorts"),
    ),
    Described(
        "rerouteInterfaces",
        TEXT,
        "Interfaces whose inbound traffic counts as outbound. Undefined without an annotation.",
        f"annotation `{v.REROUTE_INTERFACES}`, else annotation `{v.KUBEVIRT_INTERFACES}`",
    ),
    Described(
        "excludeInterfaces",
        TEXT,
        "Interfaces whose traffic is left alone. Undefined without an annotation.",
        f"annotation `{v.EXCLUDE_INTERFACES}`",
    ),
)
"""`proxy.capture`."""

READINESS: tuple[Described, ...] = tuple(
    Described(name, f"{NUMBER}, or text of one", meaning, _beats(annotation, f"global.proxy.{path}"))
    for name, meaning, annotation, path in (
        (
            "initialDelaySeconds",
            "Seconds until the first probe.",
            v.READINESS_INITIAL_DELAY,
            "readinessInitialDelaySeconds",
        ),
        ("periodSeconds", "Seconds between two probes.", v.READINESS_PERIOD, "readinessPeriodSeconds"),
        (
            "failureThreshold",
            "Failures after which the proxy counts as not ready.",
            v.READINESS_FAILURES,
            "readinessFailureThreshold",
        ),
    )
)
"""`proxy.readiness`."""

WORKLOAD: tuple[Described, ...] = (
    Described("apiVersion", TEXT, "Its API version.", "the controller of the Pod, else `v1`"),
    Described(
        "kind",
        TEXT,
        "Its kind.",
        "the controller: the Deployment or Rollout behind a ReplicaSet, the CronJob behind a Job, the DeploymentConfig "
        "behind a ReplicationController; else Pod",
    ),
    Described("name", TEXT, "Its name.", "likewise; else the Pod's name, or `generateName` without the dash"),
    Described("reportedName", TEXT, "The name that the proxy reports.", f"label `{v.WORKLOAD_NAME}`, else `name`"),
    Described("namespace", TEXT, "Its namespace.", "the request, else `default`"),
    Described("owner", TEXT, "All of that as the proxy reports it: `kubernetes://apis/…`.", "the four above"),
    Described(
        "canonicalName",
        TEXT,
        "Name of its service in telemetry, fit for a label: 63 characters, of which the first and the last are "
        "letters or digits.",
        f"label `{v.CANONICAL_NAME}`, else label `app.kubernetes.io/name`, else label `app`, else `name`",
    ),
    Described(
        "canonicalRevision",
        TEXT,
        "Version of its service in telemetry, likewise fit for a label.",
        f"label `{v.CANONICAL_REVISION}`, else label `app.kubernetes.io/version`, else label `version`, else latest",
    ),
)
"""`workload`."""
