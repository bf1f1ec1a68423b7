"""What the values and the mesh configuration mean to the injection, described: rows for the reference page.

Their defaults stand in `settings` and `mesh`; a test holds the rows against those.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar_injector.profiles.istio import vocabulary as v


def _but(meaning: str, annotation: str) -> str:
    return f"{meaning} Annotation `{annotation}` wins over it."


_RESOURCES = f"`{v.PROXY_CPU}` and its three siblings"

VALUES_MEANING: Mapping[str, str] = MappingProxyType(
    {
        "revision": "Revision of istiod, whose Service then is `istiod-<revision>`. What Pods ask for is "
        "`spec.revision`.",
        "gateways.securityContext": "Security context of Pods with template `gateway`; empty: ports below 1024 are "
        "opened to all users by a sysctl.",
        "gateways.seccompProfile": "Seccomp profile of gateways.",
        "global.caAddress": "Address of the certificate authority; empty: istiod.",
        "global.caName": "`GkeWorkloadCertificate`: certificates come by that CSI driver.",
        "global.hub": "Registry, and path in it, of the images.",
        "global.imagePullPolicy": "Pull policy of what is injected; empty: Kubernetes' default.",
        "global.imagePullSecrets": "Names of Secrets to pull the images with.",
        "global.istioNamespace": "Namespace of istiod.",
        "global.logAsJson": "Whether proxy and agent log JSON.",
        "global.logging.level": _but("What the agent and the init container log.", v.AGENT_LOG_LEVEL),
        "global.meshID": "Name of the mesh; empty: the trust domain.",
        "global.mountMtlsCerts": "Whether the Secret `istio.<service account>` is mounted.",
        "global.multiCluster.clusterName": "Name of the cluster; empty: Kubernetes. `cluster` in the path of the "
        "webhook wins over it.",
        "global.nativeNftables": "Whether traffic is captured by nftables.",
        "global.network": f"Network of the Pods. `net` in the path of the webhook, and label `{v.NETWORK}`, win over "
        "it.",
        "global.pilotCertProvider": "Who signs istiod's certificate; `istiod`: its CA is mounted.",
        "global.proxy.capNetBindService": _but(
            "`true`: the proxy may listen on ports below 1024, as root.", v.CAP_NET_BIND_SERVICE
        ),
        "global.proxy.clusterDomain": "Domain of the cluster's Services.",
        "global.proxy.componentLogLevel": _but("What components of the proxy log.", v.COMPONENT_LOG_LEVEL),
        "global.proxy.excludeIPRanges": _but("Destinations that bypass the proxy.", v.EXCLUDE_OUTBOUND_RANGES),
        "global.proxy.excludeInboundPorts": _but("Ports of Pods that bypass the proxy.", v.EXCLUDE_INBOUND_PORTS),
        "global.proxy.excludeOutboundPorts": _but("Destination ports that bypass it.", v.EXCLUDE_OUTBOUND_PORTS),
        "global.proxy.holdApplicationUntilProxyStarts": "Whether applications wait for their proxy; so they do if the "
        "ProxyConfig says it.",
        "global.proxy.image": _but("Name of the proxy's image; with a `/`, all of it.", v.PROXY_IMAGE),
        "global.proxy.includeIPRanges": _but(
            "Destinations that go through the proxy; `*`: all.", v.INCLUDE_OUTBOUND_RANGES
        ),
        "global.proxy.includeInboundPorts": _but(
            "Ports of Pods that go through the proxy; `*`: all.", v.INCLUDE_INBOUND_PORTS
        ),
        "global.proxy.includeOutboundPorts": _but(
            "Destination ports that go through it, whatever the address.", v.INCLUDE_OUTBOUND_PORTS
        ),
        "global.proxy.lifecycle": "Hooks of the proxy, in place of those that wait or drain.",
        "global.proxy.logLevel": _but("What the proxy logs.", v.LOG_LEVEL),
        "global.proxy.outlierLogPath": "Where the proxy logs ejected hosts; empty: nowhere.",
        "global.proxy.privileged": "Whether proxy and init container are privileged.",
        "global.proxy.readinessFailureThreshold": _but(
            "Failures after which the proxy counts as not ready.", v.READINESS_FAILURES
        ),
        "global.proxy.readinessInitialDelaySeconds": _but(
            "Seconds until its first readiness probe.", v.READINESS_INITIAL_DELAY
        ),
        "global.proxy.readinessPeriodSeconds": _but("Seconds between two of them.", v.READINESS_PERIOD),
        "global.proxy.resources": "Resources of the proxy and its init container; one of the annotations "
        f"{_RESOURCES} takes the place of all of it.",
        "global.proxy.seccompProfile": "Seccomp profile of the proxy and its init container.",
        "global.proxy.startupProbe.enabled": "Whether the proxy has a startup probe.",
        "global.proxy.startupProbe.failureThreshold": "Failures, one a second, after which it counts as not started.",
        "global.proxy.statusPort": _but("Port of the agent; 0: the proxy is not probed.", v.STATUS_PORT),
        "global.proxy.tracer": "`datadog` and `lightstep` bring variables and certificates of theirs; others nothing.",
        "global.proxy_init.forceApplyIptables": "Whether rules are written even if some are there.",
        "global.proxy_init.image": _but(
            "As `global.proxy.image`, of the init container; empty: proxyv2.", v.PROXY_IMAGE
        ),
        "global.sds.token.aud": "Audience of the proxy's token.",
        "global.sts.servicePort": "Port at which the proxy exchanges tokens; 0: it does not.",
        "global.tag": "Tag of the images.",
        "global.trustBundleName": "ConfigMap that has the root certificate; empty: istio-ca-root-cert.",
        "global.trustDomain": "Trust domain; empty: that of the mesh.",
        "global.variant": _but(
            "Suffix of the images' tags, such as `distroless`; `proxyConfig.image.imageType` wins over it.",
            v.PROXY_IMAGE_TYPE,
        ),
        "pilot.cni.enabled": "Whether Istio's CNI plugin captures traffic: `istio-validation`, which needs no "
        "privileges, takes the place of `istio-init`.",
        "pilot.cni.provider": "`multus`: the Pod is attached to Istio's network by an annotation.",
        "pilot.crlConfigMapName": "ConfigMap with revoked certificates; empty: istio-ca-crl.",
        "pilot.env": "Of istiod's variables, `COMPLIANCE_POLICY` and `ENABLE_CLUSTER_TRUST_BUNDLE_API` are read.",
        "sidecarInjectorWebhook.enableNamespacesByDefault": "Whether Pods are injected where neither Namespace nor Pod "
        "says anything: only by revision `default`, and with `failurePolicy: Ignore`.",
        "sidecarInjectorWebhook.injectedAnnotations": "Annotations for every injected Pod; they win over the Pod's.",
        "sidecarInjectorWebhook.rewriteAppHTTPProbe": _but(
            "Whether probes of the application go by the agent.", v.REWRITE_PROBES
        ),
        "istio_cni": "`pilot.cni` under its name of releases before 1.24; read if that is not given.",
    }
)
"""What each of the values means, by its path."""

WITHOUT_DEFAULT = ("sidecarInjectorWebhook.enableNamespacesByDefault", "istio_cni")
"""Values that are read if they are there, and of which templates see nothing if they are not."""

MESH_MEANING: Mapping[str, str] = MappingProxyType(
    {
        "proxyListenPort": "Port of the proxy for outbound traffic.",
        "proxyInboundListenPort": "Port of the proxy for inbound traffic.",
        "trustDomain": "Trust domain; `global.trustDomain` of the values wins over it.",
        "enablePrometheusMerge": _but("Whether the agent serves metrics of proxy and application.", v.MERGE_METRICS),
        "inboundTrafficPolicy": "`mode: LOCALHOST`: the proxy addresses the application as localhost.",
        "extensionProviders": "Those of kind `opentelemetry` may ask for attributes of the service; merged by name.",
        "defaultConfig": "The ProxyConfig of the mesh; merged field by field.",
    }
)
"""The fields of MeshConfig that the injection goes by."""
