"""The annotations of Pods that users set: how the proxy is injected, and what its container looks like.

Source: https://istio.io/latest/docs/reference/config/annotations/, and for keys that are not Istio's own the pages of
Multus, Prometheus, OpenTelemetry and Datadog.
"""

from sidecar_injector.profiles.istio import formats as f
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.key import Direction, Key, Place, Theme


def _annotation(
    theme: Theme, name: str, meaning: str, allowed: f.Format, default: str, *, deprecated: str = "", also: bool = False
) -> Key:
    """Return an annotation that users set; `also`: the injector writes it, too."""
    direction = Direction.BOTH if also else Direction.READ
    return Key(name, (Place.POD_ANNOTATION,), direction, meaning, allowed, default, theme, deprecated)


def _value(path: str) -> str:
    return f"`{path}` of the values"


_INJECTION = (
    _annotation(
        Theme.INJECTION,
        v.TEMPLATES,
        "Templates to inject, in this order.",
        f.Format("names of templates or aliases with commas between them; else the Pod is refused"),
        "`defaultTemplates` of the config",
    ),
    _annotation(
        Theme.INJECTION,
        v.NATIVE_SIDECAR,
        "Whether the proxy is an init container that stays, or an ordinary container.",
        f.LENIENT_BOOL,
        "wins over `sidecarMode` and the age of the nodes",
    ),
)

_PROXY_RESOURCES = "one of the four takes the place of all `global.proxy.resources` of the values"

_PROXY = tuple(
    _annotation(Theme.PROXY, *row)
    for row in (
        (v.PROXY_IMAGE, "Image of the proxy and of its init container.", f.IMAGE, "wins over all settings of images"),
        (
            v.PROXY_IMAGE_TYPE,
            "Variant of the image: a suffix of its tag; `default` is none.",
            f.Format("a suffix such as debug or distroless, or default"),
            f"wins over `image.imageType` of the ProxyConfig, which wins over {_value('global.variant')}",
        ),
        (v.PROXY_CPU, "CPU that the proxy and its init container request.", f.QUANTITIES, _PROXY_RESOURCES),
        (v.PROXY_MEMORY, "Memory that they request.", f.QUANTITIES, _PROXY_RESOURCES),
        (v.PROXY_CPU_LIMIT, "Most CPU that they get.", f.QUANTITIES, _PROXY_RESOURCES),
        (v.PROXY_MEMORY_LIMIT, "Most memory that they get.", f.QUANTITIES, _PROXY_RESOURCES),
        (
            v.LOG_LEVEL,
            "What the proxy logs.",
            f.Format("trace, debug, info, warning, error, critical, off"),
            _value("global.proxy.logLevel"),
        ),
        (
            v.COMPONENT_LOG_LEVEL,
            "What components of the proxy log.",
            f.Format("component:level with commas between them"),
            _value("global.proxy.componentLogLevel"),
        ),
        (
            v.AGENT_LOG_LEVEL,
            "What the agent and the init container log.",
            f.Format("scope:level with commas between them"),
            _value("global.logging.level"),
        ),
        (
            v.BOOTSTRAP_OVERRIDE,
            "ConfigMap with the proxy's bootstrap configuration, in key `custom_bootstrap.json`.",
            f.CONFIG_MAP,
            "the agent's own",
        ),
        (v.USER_VOLUME, "Volumes to add, by name.", f.VOLUMES, "none"),
        (v.USER_VOLUME_MOUNT, "Mounts to add to the proxy, by the volume's name.", f.MOUNTS, "none"),
        (
            v.CAP_NET_BIND_SERVICE,
            "Whether the proxy may listen on ports below 1024: it gets `NET_BIND_SERVICE`, and runs as root.",
            f.ONLY_TRUE,
            _value("global.proxy.capNetBindService"),
        ),
        (
            v.PROXY_CONFIG,
            "The proxy's configuration, over that of the mesh: field by field, `proxyMetadata` key by key.",
            f.PROXY_CONFIG,
            "wins over `meshConfig.defaultConfig`",
        ),
    )
)

_STATUS = tuple(
    _annotation(Theme.STATUS, *row)
    for row in (
        (
            v.STATUS_PORT,
            "Port of the agent for probes; 0: the proxy is not probed.",
            f.UINT16,
            _value("global.proxy.statusPort"),
        ),
        (
            v.READINESS_INITIAL_DELAY,
            "Seconds until the proxy is first probed for readiness.",
            f.INT32,
            _value("global.proxy.readinessInitialDelaySeconds"),
        ),
        (
            v.READINESS_PERIOD,
            "Seconds between two such probes.",
            f.INT32,
            _value("global.proxy.readinessPeriodSeconds"),
        ),
        (
            v.READINESS_FAILURES,
            "Failures after which the proxy counts as not ready.",
            f.INT32,
            _value("global.proxy.readinessFailureThreshold"),
        ),
    )
)

_CAPTURE = (
    *(
        _annotation(Theme.CAPTURE, name, meaning, allowed, default, also=True)
        for name, meaning, allowed, default in (
            (
                v.INTERCEPTION_MODE,
                "How traffic is sent through the proxy; `NONE`: not at all.",
                f.MODE,
                "wins over `interceptionMode` of the ProxyConfig, which is REDIRECT by default",
            ),
            (
                v.INCLUDE_OUTBOUND_RANGES,
                "Destinations that go through the proxy; nothing: none.",
                f.RANGES_OR_STAR,
                _value("global.proxy.includeIPRanges"),
            ),
            (
                v.EXCLUDE_OUTBOUND_RANGES,
                "Destinations that bypass the proxy, where all others go through it.",
                f.RANGES,
                _value("global.proxy.excludeIPRanges"),
            ),
            (
                v.INCLUDE_INBOUND_PORTS,
                "Ports of the Pod whose traffic goes through the proxy; nothing: none.",
                f.PORTS_OR_STAR,
                _value("global.proxy.includeInboundPorts"),
            ),
            (
                v.EXCLUDE_INBOUND_PORTS,
                "Ports of the Pod that bypass the proxy, where all others go through it; the proxy's own always do.",
                f.PORTS,
                _value("global.proxy.excludeInboundPorts"),
            ),
            (
                v.INCLUDE_OUTBOUND_PORTS,
                "Destination ports that go through the proxy, whatever the address.",
                f.PORTS_OR_STAR,
                _value("global.proxy.includeOutboundPorts"),
            ),
            (
                v.EXCLUDE_OUTBOUND_PORTS,
                "Destination ports that bypass the proxy.",
                f.PORTS,
                _value("global.proxy.excludeOutboundPorts"),
            ),
        )
    ),
    _annotation(Theme.CAPTURE, v.EXCLUDE_INTERFACES, "Interfaces whose traffic is left alone.", f.INTERFACES, "none"),
    _annotation(
        Theme.CAPTURE,
        v.REROUTE_INTERFACES,
        "Interfaces of virtual machines or containers in the Pod: what comes in by them is outbound traffic.",
        f.INTERFACES,
        f"none; wins over `{v.KUBEVIRT_INTERFACES}`",
    ),
    _annotation(
        Theme.CAPTURE,
        v.KUBEVIRT_INTERFACES,
        "The same, under its earlier name.",
        f.INTERFACES,
        "none",
        deprecated=f"use `{v.REROUTE_INTERFACES}`",
    ),
    _annotation(
        Theme.CAPTURE,
        v.NETWORKS,
        "Networks of the Pod; with CNI and Multus, Istio's is appended.",
        f.NETWORKS,
        "`default/istio-cni`",
        also=True,
    ),
)

_METRICS = (
    _annotation(
        Theme.METRICS,
        v.REWRITE_PROBES,
        "Whether the kubelet's probes go to the agent, which passes them on.",
        f.LENIENT_BOOL,
        f"wins over {_value('sidecarInjectorWebhook.rewriteAppHTTPProbe')}",
    ),
    _annotation(
        Theme.METRICS,
        v.MERGE_METRICS,
        "Whether the agent serves the app's metrics together with the proxy's.",
        f.BOOL,
        "wins over `meshConfig.enablePrometheusMerge`",
    ),
    _annotation(
        Theme.METRICS,
        v.SCRAPE,
        "Whether the app has metrics. Becomes `true` where metrics are merged.",
        f.Format("true, false"),
        "nothing is merged if it is false",
        also=True,
    ),
    _annotation(
        Theme.METRICS,
        v.SCRAPE_PORT,
        "Port of the app's metrics. Becomes the agent's where metrics are merged.",
        f.Format("a port that is none of the proxy's; else the Pod is refused"),
        "80",
        also=True,
    ),
    _annotation(
        Theme.METRICS,
        v.SCRAPE_PATH,
        "Path of the app's metrics. Becomes `/stats/prometheus` where metrics are merged.",
        f.Format("a path"),
        "`/metrics`",
        also=True,
    ),
    _annotation(
        Theme.METRICS,
        v.SCRAPE_TARGETS,
        "Several ports and paths of the app's metrics. A port of the proxy's among them refuses the Pod.",
        f.TARGETS,
        f"wins over `{v.SCRAPE_PORT}` and `{v.SCRAPE_PATH}`",
    ),
)

_TELEMETRY = tuple(
    _annotation(Theme.TELEMETRY, *row)
    for row in (
        (v.DATADOG_ENV, "Variables for the proxy where Datadog traces.", f.VARIABLES, "none"),
        (v.OTEL_NAMESPACE, "`service.namespace` in the telemetry of OpenTelemetry.", f.ANY, "the Pod's namespace"),
        (
            v.OTEL_VERSION,
            "`service.version`.",
            f.ANY,
            "label `app.kubernetes.io/version`, else the only container's image tag",
        ),
        (v.OTEL_INSTANCE, "`service.instance.id`.", f.ANY, "namespace, Pod and first container with dots between them"),
    )
)

ANNOTATIONS: tuple[Key, ...] = (*_INJECTION, *_PROXY, *_STATUS, *_CAPTURE, *_METRICS, *_TELEMETRY)
