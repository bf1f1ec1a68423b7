"""What is in force for a proxy by the config and by what its Pod says of it; most Pods say nothing.

A Pod steers its proxy by annotations, and by resources of its own as a whole. All that such a Pod can change, and
nothing else, is worked out here. For Pods that say the same it is the same, and most of them are of one workload, so
what was worked out latest is kept with the config (`settings`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

from sidecar_injector.injection.view import Pod, annotations, part
from sidecar_injector.profiles.istio import context, images, proxy_config
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.proxy_config import DEFAULTS
from sidecar_injector.profiles.istio.reading import at, map_at
from sidecar_injector.profiles.istio.user_volumes import user_items

STEERING = frozenset(
    (
        v.PROXY_IMAGE,
        v.PROXY_IMAGE_TYPE,
        v.PROXY_CPU,
        v.PROXY_MEMORY,
        v.PROXY_CPU_LIMIT,
        v.PROXY_MEMORY_LIMIT,
        v.LOG_LEVEL,
        v.COMPONENT_LOG_LEVEL,
        v.AGENT_LOG_LEVEL,
        v.USER_VOLUME,
        v.USER_VOLUME_MOUNT,
        v.CAP_NET_BIND_SERVICE,
        v.PROXY_CONFIG,
        v.STATUS_PORT,
        v.READINESS_INITIAL_DELAY,
        v.READINESS_PERIOD,
        v.READINESS_FAILURES,
        v.DATADOG_ENV,
        v.INTERCEPTION_MODE,
        v.INCLUDE_OUTBOUND_RANGES,
        v.EXCLUDE_OUTBOUND_RANGES,
        v.INCLUDE_INBOUND_PORTS,
        v.EXCLUDE_INBOUND_PORTS,
        v.INCLUDE_OUTBOUND_PORTS,
        v.EXCLUDE_OUTBOUND_PORTS,
        v.EXCLUDE_INTERFACES,
        v.KUBEVIRT_INTERFACES,
        v.REROUTE_INTERFACES,
        v.NETWORKS,
    )
)
"""The annotations that are read here: a Pod with any of them steers its proxy."""

Said = tuple[tuple[str, str], ...]
"""Those that a Pod has, with their values, in order."""


@dataclass(frozen=True)
class Steering:
    """What is in force for some Pods; each thing is worked out when it is first asked for.

    values, mesh -- of the config
    pod          -- its annotations and the resources in its spec are read, and no more
    usual        -- what is in force for all that steer nothing; None: this is it
    """

    values: Mapping[str, object]
    mesh: Mapping[str, object]
    pod: Pod
    usual: "Steering | None" = None

    @cached_property
    def proxy_config(self) -> Mapping[str, object]:
        """ProxyConfig: Istio's defaults, the mesh's over them, the Pod's annotation over both.

        Raises PodRejected for an annotation that is none.
        """
        return proxy_config.effective(map_at(self.mesh, "defaultConfig"), annotations(self.pod).get(v.PROXY_CONFIG))

    @cached_property
    def _of_the_mesh(self) -> Mapping[str, object]:
        """What is the same for all Pods of a config."""
        return self.usual._of_the_mesh if self.usual else context.of_the_mesh(self.values, self.mesh)

    @cached_property
    def _config(self) -> str:
        """ProxyConfig as the proxy reads it."""
        if self.usual and self.usual.proxy_config is self.proxy_config:
            return self.usual._config
        return f"{proxy_config.to_json(self.proxy_config)}\n"

    @cached_property
    def agent_port(self) -> int:
        """Port of the agent, where it merges metrics and answers probes."""
        return _port(self.proxy_config.get("statusPort"))

    @cached_property
    def status_port(self) -> int:
        """Port that probes of the proxy go by; 0: the proxy is not probed."""
        return _port(annotations(self.pod).get(v.STATUS_PORT, at(self.values, "global", "proxy", "statusPort")))

    @cached_property
    def probe_port(self) -> int:
        """Port to which the probes of the application are sent."""
        return _port(annotations(self.pod).get(v.STATUS_PORT, self.agent_port))

    @property
    def _uncaptured(self) -> tuple[int, ...]:
        """The agent's ports. Istio leaves out the one of the status alone, which is right while the other is usual."""
        moved = self.agent_port != DEFAULTS["statusPort"]
        return (self.status_port, self.agent_port) if moved else (self.status_port,)

    @cached_property
    def interception_mode(self) -> str:
        """How traffic is captured: REDIRECT, TPROXY or NONE."""
        stated = annotations(self.pod).get(v.INTERCEPTION_MODE) or self.proxy_config.get("interceptionMode")
        return str(stated or "REDIRECT")

    @cached_property
    def hold(self) -> bool:
        """Whether the application waits for the proxy."""
        return bool(
            at(self.values, "global", "proxy", "holdApplicationUntilProxyStarts")
            or self.proxy_config.get("holdApplicationUntilProxyStarts")
        )

    @cached_property
    def proxy(self) -> Mapping[str, object]:
        """What templates see of all this as `proxy`; the places of what depends on all of the Pod are kept (None)."""
        pod, values, notes = self.pod, self.values, annotations(self.pod)
        stated, metadata = map_at(values, "global", "proxy"), map_at(self.proxy_config, "proxyMetadata")
        return {
            "image": images.proxy_image(pod, values, self.proxy_config),
            "initImage": images.init_image(pod, values, self.proxy_config),
            "uid": None,
            "gid": None,
            "interceptionMode": self.interception_mode,
            "statusPort": self.status_port,
            "config": self._config,
            "metadata": metadata,
            "capture": context.capture(pod, values, self._uncaptured),
            "resources": context.resources(pod, values),
            "readiness": context.readiness(pod, values),
            "capabilities": context.capabilities(pod, values, self.interception_mode),
            "hbone": metadata.get("ISTIO_META_ENABLE_HBONE") == "true",
            "traceIptables": metadata.get("IPTABLES_TRACE_LOGGING") == "true",
            "holdApplication": self.hold,
            "logLevel": notes.get(v.LOG_LEVEL, stated.get("logLevel")),
            "componentLogLevel": notes.get(v.COMPONENT_LOG_LEVEL, stated.get("componentLogLevel")),
            "agentLogLevel": notes.get(v.AGENT_LOG_LEVEL, at(values, "global", "logging", "level")),
            **self._of_the_mesh,
            **dict.fromkeys(("appContainers", "defaultContainer", "defaultLogsContainer", "podPorts")),
            "otelResourceAttributes": None,
            "datadog": context.datadog(pod, values),
            "lightstepCerts": context.lightstep_certificates(values, self.proxy_config),
            "userVolumes": user_items(pod, v.USER_VOLUME),
            "userVolumeMounts": user_items(pod, v.USER_VOLUME_MOUNT),
            "networks": context.networks(pod),
        }


class Steerings:
    """What is in force for the Pods of a config.

    usual -- for all that steer nothing
    """

    def __init__(self, values: Mapping[str, object], mesh: Mapping[str, object]) -> None:
        self.usual = Steering(values, mesh, {})
        self._worked_out = partial(_worked_out, values, mesh, self.usual)
        self._latest = lru_cache(_KEPT)(self._worked_out)

    def of(self, pod: Pod) -> Steering:
        """Return what is in force for a Pod."""
        shared = any(part(part(pod, "spec"), "resources").values())
        notes = annotations(pod)
        if STEERING.isdisjoint(notes):
            if not shared:
                return self.usual
            return self._latest((), shared)
        said = tuple([(key, notes[key]) for key in sorted(STEERING.intersection(notes))])
        short = sum([len(text) for _, text in said]) <= _KEPT_LENGTH
        return self._latest(said, shared) if short else self._worked_out(said, shared)


_KEPT, _KEPT_LENGTH = 64, 4096
"""How many Steerings a config keeps, and how many characters the annotations may have upon which one depends."""


def _worked_out(
    values: Mapping[str, object], mesh: Mapping[str, object], usual: Steering, said: Said, shared: bool
) -> Steering:
    """Return what is in force for Pods that have these annotations, and share resources as a whole or not.

    It knows no more of any of them, so it is the same for all.
    """
    spec = {"resources": _SHARED} if shared else {}
    return Steering(values, mesh, {"metadata": {"annotations": dict(said)}, "spec": spec}, usual)


_SHARED: Mapping[str, object] = {"limits": {"cpu": "1"}}
"""Stands for resources of a Pod as a whole: how much it is does not matter."""


def _port(value: object) -> int:
    """Return a port that an annotation or a value gives; 0 for none."""
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 0
