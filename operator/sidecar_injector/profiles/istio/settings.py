"""What a config says of the mesh, with what Istio fills in: worked out once a config, not once a Pod."""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.profiles.istio.environment import stated_environment
from sidecar_injector.profiles.istio.mesh import effective_mesh
from sidecar_injector.profiles.istio.metadata import injected_annotations
from sidecar_injector.profiles.istio.probes import rewrites_probes
from sidecar_injector.profiles.istio.reading import map_at
from sidecar_injector.profiles.istio.steering import Steerings
from sidecar_injector.profiles.istio.telemetry import names_by_conventions

VALUES: Mapping[str, object] = {
    "revision": "",
    "gateways": {"securityContext": {}, "seccompProfile": {}},
    "global": {
        "caAddress": "",
        "caName": "",
        "hub": "registry.istio.io/release",
        "imagePullPolicy": "",
        "imagePullSecrets": [],
        "istioNamespace": "istio-system",
        "logAsJson": False,
        "logging": {"level": "default:info"},
        "meshID": "",
        "mountMtlsCerts": False,
        "multiCluster": {"clusterName": ""},
        "nativeNftables": False,
        "network": "",
        "pilotCertProvider": "istiod",
        "proxy": {
            "capNetBindService": "",
            "clusterDomain": "cluster.local",
            "componentLogLevel": "misc:error",
            "excludeIPRanges": "",
            "excludeInboundPorts": "",
            "excludeOutboundPorts": "",
            "holdApplicationUntilProxyStarts": False,
            "image": "proxyv2",
            "includeIPRanges": "*",
            "includeInboundPorts": "*",
            "includeOutboundPorts": "",
            "lifecycle": {},
            "logLevel": "warning",
            "outlierLogPath": "",
            "privileged": False,
            "readinessFailureThreshold": 4,
            "readinessInitialDelaySeconds": 0,
            "readinessPeriodSeconds": 15,
            "resources": {},
            "seccompProfile": {},
            "startupProbe": {"enabled": True, "failureThreshold": 600},
            "statusPort": 15020,
            "tracer": "none",
        },
        "proxy_init": {"forceApplyIptables": False, "image": ""},
        "sds": {"token": {"aud": "istio-ca"}},
        "sts": {"servicePort": 0},
        "tag": "1.29.0",
        "trustBundleName": "",
        "trustDomain": "",
        "variant": "",
    },
    "pilot": {"cni": {"enabled": False, "provider": "default"}, "crlConfigMapName": "", "env": {}},
    "sidecarInjectorWebhook": {"injectedAnnotations": {}, "rewriteAppHTTPProbe": True},
}
"""What the values are where a config says nothing of them: every name that the stock templates read is there, so that
the document of an older Istio, or a short one written by hand, can be used as it is."""

_MEMO = "istio"


@dataclass(frozen=True)
class Settings:
    """What a config says.

    values         -- `spec.values` over VALUES
    mesh           -- `spec.meshConfig` over Istio's built-in defaults
    steerings      -- what is in force for proxies, by what their Pods say of them
    by_conventions -- whether traces name services by OpenTelemetry's conventions
    environment    -- variables of the proxy that say where it is
    injected_annotations -- those that every Pod gets
    rewrites_probes      -- whether probes go to the agent, in Pods that do not say
    """

    values: Mapping[str, object]
    mesh: Mapping[str, object]
    steerings: Steerings
    by_conventions: bool
    environment: Mapping[str, str]
    injected_annotations: Mapping[str, str]
    rewrites_probes: bool


def settings_of(config: CompiledConfig) -> Settings:
    """Return the settings of a config."""
    found = config.derived.get(_MEMO)
    if not isinstance(found, Settings):
        values, mesh = _values(config.spec.values), effective_mesh(config.spec.mesh_config)
        found = config.derived[_MEMO] = Settings(
            values,
            mesh,
            Steerings(values, mesh),
            names_by_conventions(mesh),
            stated_environment(values),
            injected_annotations(values),
            rewrites_probes(values),
        )
    return found


def _values(given: Mapping[str, object]) -> Mapping[str, object]:
    values = _over(VALUES, given)
    older = map_at(given, "istio_cni")  # where releases before 1.24 have it
    if older.get("enabled") and not map_at(given, "pilot", "cni"):
        values = _over(values, {"pilot": {"cni": {"enabled": True, "provider": older.get("provider") or "default"}}})
    return values


def _over(defaults: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """Return the given values over the defaults: maps of the defaults merge, everything else is replaced."""
    result = {**defaults, **{key: value for key, value in given.items() if value is not None or key not in defaults}}
    for key, default in defaults.items():
        value = given.get(key)
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            result[key] = _over(default, value)
    return result
