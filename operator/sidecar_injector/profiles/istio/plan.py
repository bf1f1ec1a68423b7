"""How profile Istio injects one Pod: what it works out beforehand, and the rules that finish what templates gave."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.overlay import defined_names
from sidecar_injector.injection.profile import FinishingRule
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.view import Pod, annotations, part, with_annotations, with_spec
from sidecar_injector.profiles.istio import context, openshift, probes
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.environment import cluster_environment, with_environment
from sidecar_injector.profiles.istio.identity import workload_of
from sidecar_injector.profiles.istio.metadata import with_injected_annotations, with_network_label
from sidecar_injector.profiles.istio.native import wants_native, with_containers_moved
from sidecar_injector.profiles.istio.order import order_containers
from sidecar_injector.profiles.istio.overrides import overrides_of, with_overrides_noted, without_auto_images
from sidecar_injector.profiles.istio.prometheus import merge_metrics, secure_port
from sidecar_injector.profiles.istio.proxy_user import with_proxy_user
from sidecar_injector.profiles.istio.settings import Settings, settings_of
from sidecar_injector.profiles.istio.status import RECORD
from sidecar_injector.profiles.istio.steering import Steering, steers
from sidecar_injector.profiles.istio.telemetry import otel_resource_attributes
from sidecar_injector.profiles.istio.view import Earlier, earlier_injection, without_earlier, without_leftovers


@dataclass(frozen=True)
class IstioPlan:
    """Everything about one Pod that templates and rules need, each worked out once.

    pod -- the Pod as its user wrote it, or as Istio has injected it earlier
    """

    subject: Subject
    pod: Pod
    settings: Settings
    earlier: Earlier
    native: bool

    # --- what is in force for this Pod

    @cached_property
    def steering(self) -> Steering:
        """What the config and the Pod say of the proxy."""
        settings = self.settings
        return Steering(settings.values, settings.mesh, self.pod) if steers(self.pod) else settings.unsteered

    @cached_property
    def view(self) -> Pod:
        """The Pod as templates see it: without what Istio has injected earlier."""
        return without_earlier(self.pod, self.earlier, self.steering.agent_port)

    @cached_property
    def proxy_ids(self) -> tuple[int, int]:
        """User and group of the proxy. With TPROXY it is root, and its traffic is told by Istio's own group."""
        if self.steering.interception_mode == v.TPROXY:
            return v.PROXY_ID, v.PROXY_ID
        return openshift.proxy_ids(self._namespace_annotations)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Variables of the proxy that tell in which cluster and network it is."""
        return cluster_environment(self.pod, self.settings.values, self.subject.parameters)

    @property
    def _namespace_annotations(self) -> Mapping[str, str]:
        return self.subject.facts.namespace(self.subject.namespace).annotations

    # --- what templates see

    def context(self) -> Mapping[str, object]:
        """Return the variables that profile Istio adds, or knows better."""
        namespace = self.subject.namespace or str(part(self.pod, "metadata").get("namespace") or "")
        return {
            "values": self.settings.values,
            "meshConfig": self.settings.mesh,
            "proxyConfig": self.steering.proxy_config,
            "workload": context.workload_context(self.view, workload_of(self.view), namespace),
            "proxy": self._proxy(namespace),
        }

    def _proxy(self, namespace: str) -> dict[str, object]:
        """Return what templates see as `proxy`: what is steered, and what depends on all of the Pod."""
        view, notes = self.view, annotations(self.view)
        uid, gid = self.proxy_ids
        apps = context.app_containers(view)
        first = next(iter(apps), None)
        return {
            **self.steering.proxy,
            "uid": uid,
            "gid": gid,
            "appContainers": apps,
            "defaultContainer": notes.get(v.DEFAULT_CONTAINER) or first,
            "defaultLogsContainer": notes.get(v.DEFAULT_LOGS_CONTAINER) or first,
            "podPorts": context.pod_ports(view),
            "otelResourceAttributes": otel_resource_attributes(view, namespace) if self.settings.by_conventions else "",
        }

    # --- merging

    @property
    def replaceable_volumes(self) -> Collection[str]:
        """Names of the volumes that Istio's own injection has left."""
        return self.earlier.names.get("volumes", ())

    def base(self, pod: Pod, overlays: Sequence[Overlay]) -> Pod:
        """Return the Pod with the user's own containers where the templates' will be, ready for their images."""
        kept = without_leftovers(pod, self.earlier, overlays, native=self.native)
        moved = with_containers_moved(kept, overlays, native=self.native)
        return without_auto_images(moved, defined_names(overlays))

    def users(self, merged: Pod, overlays: Sequence[Overlay]) -> Pod:
        """Return what the user wrote of containers; what an earlier injection gave is no user's."""
        return with_spec(self.pod, **overrides_of(self.pod, merged, self.earlier, overlays))

    # --- finishing

    def finishing(self, merged: Pod, overlays: Sequence[Overlay]) -> Sequence[FinishingRule]:
        """Return Istio's rules, in Istio's order."""
        values, mesh = self.settings.values, self.settings.mesh
        overrides = overrides_of(self.pod, merged, self.earlier, overlays)
        network = self.environment.get(v.NETWORK_VARIABLE, "")
        return (
            FinishingRule("overrides", lambda pod: with_overrides_noted(pod, overrides, self.earlier)),
            FinishingRule("proxy_user", lambda pod: with_proxy_user(pod, overrides, self.steering.interception_mode)),
            FinishingRule("environment", lambda pod: with_environment(pod, self.environment)),
            FinishingRule("prometheus", lambda pod: merge_metrics(pod, mesh, self.steering.agent_port)),
            FinishingRule("secure port", secure_port),
            FinishingRule("probes", self._with_probes),
            FinishingRule("network label", lambda pod: with_network_label(pod, network)),
            FinishingRule("injected annotations", lambda pod: with_injected_annotations(pod, values)),
            FinishingRule("foreign status", _without_foreign_status),
            FinishingRule("order", lambda pod: order_containers(pod, self.steering.hold)),
        )

    def _rewrites_probes(self, pod: Pod) -> bool:
        return bool(self.steering.probe_port) and probes.wants_rewrite(pod, self.settings.values)

    def _with_probes(self, pod: Pod) -> Pod:
        return probes.rewrite_probes(pod, self.steering.probe_port) if self._rewrites_probes(pod) else pod

    @property
    def settled(self) -> bool:
        """Whether the rules would leave the containers of a Pod alone: a container that came later has probes, too."""
        return not (self._rewrites_probes(self.pod) and probes.unrewritten(self.pod, self.steering.probe_port))


def plan(subject: Subject) -> IstioPlan:
    """Return the plan for a Pod, whose annotations have been checked. Raises PodRejected."""
    pod = openshift.without_scc_user(subject.pod, subject.facts.namespace(subject.namespace).annotations)
    return IstioPlan(subject, pod, settings_of(subject.config), earlier_injection(pod), wants_native(subject))


def _without_foreign_status(pod: Pod) -> Pod:
    """Return the Pod without what Istio noted of its own injection: what we note takes its place."""
    notes = annotations(pod)
    if v.STATUS not in notes or RECORD.entries(notes[v.STATUS]):
        return pod
    return with_annotations(pod, {key: value for key, value in notes.items() if key != v.STATUS})
