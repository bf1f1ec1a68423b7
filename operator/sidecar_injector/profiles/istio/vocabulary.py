"""Istio's names: the labels and annotations that it reads and writes, and the names of what it injects.

Source: https://istio.io/latest/docs/reference/config/annotations/ and .../labels/. What each means, and what is allowed
in it, stands in `keys`.
"""

# Whether and what to inject.
INJECT = "sidecar.istio.io/inject"
INJECTION = "istio-injection"
REVISION = "istio.io/rev"
TEMPLATES = "inject.istio.io/templates"
NATIVE_SIDECAR = "sidecar.istio.io/nativeSidecar"
STATUS = "sidecar.istio.io/status"
OVERRIDES = "proxy.istio.io/overrides"

# The proxy's container.
PROXY_IMAGE = "sidecar.istio.io/proxyImage"
PROXY_IMAGE_TYPE = "sidecar.istio.io/proxyImageType"
PROXY_CPU = "sidecar.istio.io/proxyCPU"
PROXY_MEMORY = "sidecar.istio.io/proxyMemory"
PROXY_CPU_LIMIT = "sidecar.istio.io/proxyCPULimit"
PROXY_MEMORY_LIMIT = "sidecar.istio.io/proxyMemoryLimit"
LOG_LEVEL = "sidecar.istio.io/logLevel"
COMPONENT_LOG_LEVEL = "sidecar.istio.io/componentLogLevel"
AGENT_LOG_LEVEL = "sidecar.istio.io/agentLogLevel"
BOOTSTRAP_OVERRIDE = "sidecar.istio.io/bootstrapOverride"
USER_VOLUME = "sidecar.istio.io/userVolume"
USER_VOLUME_MOUNT = "sidecar.istio.io/userVolumeMount"
CAP_NET_BIND_SERVICE = "sidecar.istio.io/capNetBindService"
PROXY_CONFIG = "proxy.istio.io/config"
STATUS_PORT = "status.sidecar.istio.io/port"
READINESS_INITIAL_DELAY = "readiness.status.sidecar.istio.io/initialDelaySeconds"
READINESS_PERIOD = "readiness.status.sidecar.istio.io/periodSeconds"
READINESS_FAILURES = "readiness.status.sidecar.istio.io/failureThreshold"
READINESS_PORTS = "readiness.status.sidecar.istio.io/applicationPorts"
DATADOG_ENV = "apm.datadoghq.com/env"
OTEL_NAMESPACE = "resource.opentelemetry.io/service.namespace"
OTEL_VERSION = "resource.opentelemetry.io/service.version"
OTEL_INSTANCE = "resource.opentelemetry.io/service.instance.id"

# Traffic capture.
INTERCEPTION_MODE = "sidecar.istio.io/interceptionMode"
INCLUDE_OUTBOUND_RANGES = "traffic.sidecar.istio.io/includeOutboundIPRanges"
EXCLUDE_OUTBOUND_RANGES = "traffic.sidecar.istio.io/excludeOutboundIPRanges"
INCLUDE_INBOUND_PORTS = "traffic.sidecar.istio.io/includeInboundPorts"
EXCLUDE_INBOUND_PORTS = "traffic.sidecar.istio.io/excludeInboundPorts"
INCLUDE_OUTBOUND_PORTS = "traffic.sidecar.istio.io/includeOutboundPorts"
EXCLUDE_OUTBOUND_PORTS = "traffic.sidecar.istio.io/excludeOutboundPorts"
EXCLUDE_INTERFACES = "traffic.sidecar.istio.io/excludeInterfaces"
KUBEVIRT_INTERFACES = "traffic.sidecar.istio.io/kubevirtInterfaces"
REROUTE_INTERFACES = "istio.io/reroute-virtual-interfaces"
NETWORKS = "k8s.v1.cni.cncf.io/networks"

# Probes, metrics, kubectl, naming.
REWRITE_PROBES = "sidecar.istio.io/rewriteAppHTTPProbers"
MERGE_METRICS = "prometheus.istio.io/merge-metrics"
SCRAPE_TARGETS = "prometheus.istio.io/scrape-targets"
SECURE_PORT = "prometheus.istio.io/secure-port"
SCRAPE = "prometheus.io/scrape"
SCRAPE_PORT = "prometheus.io/port"
SCRAPE_PATH = "prometheus.io/path"
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
DEFAULT_LOGS_CONTAINER = "kubectl.kubernetes.io/default-logs-container"
TLS_MODE = "security.istio.io/tlsMode"
CANONICAL_NAME = "service.istio.io/canonical-name"
CANONICAL_REVISION = "service.istio.io/canonical-revision"
WORKLOAD_NAME = "service.istio.io/workload-name"
NETWORK = "topology.istio.io/network"
TUNNEL = "networking.istio.io/tunnel"

# On the Namespaces of OpenShift.
OPENSHIFT_UIDS = "openshift.io/sa.scc.uid-range"
OPENSHIFT_GROUPS = "openshift.io/sa.scc.supplemental-groups"

TPROXY = "TPROXY"
"""The interception mode in which the proxy sees where a connection came from, for which it has to be root."""
NAMESPACE_OF_NONE = "default"
"""The Namespace of a Pod that names none."""

# What is injected.
PROXY = "istio-proxy"
INIT = "istio-init"
VALIDATION = "istio-validation"
PROXY_ID = 1337
"""User and group of the proxy, whose own traffic is not captured."""
DEFAULT_REVISION = "default"

# Environment variables of the proxy.
CLUSTER_VARIABLE = "ISTIO_META_CLUSTER_ID"
NETWORK_VARIABLE = "ISTIO_META_NETWORK"
PROBERS_VARIABLE = "ISTIO_KUBE_APP_PROBERS"
SCRAPE_VARIABLE = "ISTIO_PROMETHEUS_ANNOTATIONS"
SECURE_PORT_VARIABLE = "ENVOY_SECURE_MERGED_METRICS_PORT"

CORE_DUMP = "enable-core-dump"
"""An init container of Istio's older releases: a Pod that was injected by one may still have it."""

# Read by the agent in the Pod, not by the injector.
STATS_PREFIXES = "sidecar.istio.io/statsInclusionPrefixes"
STATS_SUFFIXES = "sidecar.istio.io/statsInclusionSuffixes"
STATS_REGEXPS = "sidecar.istio.io/statsInclusionRegexps"
STATS_BUCKETS = "sidecar.istio.io/statsHistogramBuckets"
STATS_BINS = "sidecar.istio.io/statsHistogramBins"
STATS_FLUSH = "sidecar.istio.io/statsFlushInterval"
STATS_EVICTION = "sidecar.istio.io/statsEvictionInterval"
STATS_COMPRESSION = "sidecar.istio.io/statsCompression"
STATS_TAGS = "sidecar.istio.io/extraStatTags"
DISCOVERY_ADDRESS = "sidecar.istio.io/discoveryAddress"

# Of other parts of Istio, or of older releases: known, so that they are not taken for mistakes.
DATAPLANE_MODE = "istio.io/dataplane-mode"
USE_WAYPOINT = "istio.io/use-waypoint"
USE_WAYPOINT_NAMESPACE = "istio.io/use-waypoint-namespace"
CLUSTER = "topology.istio.io/cluster"
ENABLE_CORE_DUMP = "sidecar.istio.io/enableCoreDump"
CONTROL_PLANE_AUTH = "sidecar.istio.io/controlPlaneAuthPolicy"
