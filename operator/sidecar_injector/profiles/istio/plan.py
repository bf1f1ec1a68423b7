"""How profile Istio injects one Pod: what it works out beforehand, and the rules that finish what templates gave."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, cast

from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.overlay import defined_names
from sidecar_injector.injection.profile import FinishingRule
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.view import Pod, annotations, part, with_annotations
from sidecar_injector.profiles.istio import context, openshift
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.environment import cluster_environment, with_environment
from sidecar_injector.profiles.istio.identity import workload_of
from sidecar_injector.profiles.istio.metadata import with_injected_annotations, with_network_label
from sidecar_injector.profiles.istio.native import wants_native, with_containers_moved
from sidecar_injector.profiles.istio.order import order_containers
from sidecar_injector.profiles.istio.overrides import (
    Overrides,
    has_any_of,
    overrides_of,
    with_overrides_noted,
    without_auto_images,
)
from sidecar_injector.profiles.istio.probes import rewrite_probes, wants_rewrite
from sidecar_injector.profiles.istio.prometheus import merge_metrics, secure_port
from sidecar_injector.profiles.istio.proxy_user import with_proxy_user
from sidecar_injector.profiles.istio.settings import Settings, settings_of
from sidecar_injector.profiles.istio.status import RECORD
from sidecar_injector.profiles.istio.steering import Steering
from sidecar_injector.profiles.istio.telemetry import otel_resource_attributes
from sidecar_injector.profiles.istio.view import Earlier, earlier_injection, without_earlier, without_leftovers


class IstioPlan(NamedTuple):
    """Everything about one Pod that templates and rules need, each worked out once.

    pod         -- the Pod as its user wrote it, or as Istio has injected it earlier
    view        -- the Pod as templates see it: without what Istio has injected earlier
    steering    -- what the config and the Pod say of the proxy
    environment -- variables of the proxy that tell in which cluster and network it is
    """

    subject: Subject
    pod: Pod
    view: Pod
    settings: Settings
    steering: Steering
    earlier: Earlier
    native: bool
    environment: Mapping[str, str]

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
        uid, gid = self._proxy_ids
        apps = context.app_containers(view)
        first = apps[0] if apps else None
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

    @property
    def _proxy_ids(self) -> tuple[int, int]:
        """User and group of the proxy. With TPROXY it is root, and its traffic is told by Istio's own group."""
        if self.steering.interception_mode == v.TPROXY:
            return v.PROXY_ID, v.PROXY_ID
        return openshift.proxy_ids(_namespace_annotations(self.subject))

    # --- merging

    @property
    def replaceable_volumes(self) -> Collection[str]:
        """Names of the volumes that Istio's own injection has left."""
        return self.earlier.names.get("volumes", ())

    def base(self, pod: Pod, overlays: Sequence[Overlay]) -> Pod:
        """Return the Pod with the user's own containers where the templates' will be, ready for their images."""
        kept = without_leftovers(pod, self.earlier, overlays, native=self.native)
        if not has_any_of(kept, overlays):
            return kept
        moved = with_containers_moved(kept, overlays, native=self.native)
        return without_auto_images(moved, defined_names(overlays))

    def users(self, merged: Pod, overlays: Sequence[Overlay]) -> Pod:
        """Return what the user wrote of containers; what an earlier injection gave is no user's."""
        return {"spec": overrides_of(self.pod, merged, self.earlier, overlays)}

    # --- finishing

    def finishing(self, users: Pod) -> Sequence[FinishingRule["IstioPlan"]]:
        """Return Istio's rules, in Istio's order; most users have said nothing of containers that are injected."""
        overrides = cast(Overrides, part(users, "spec"))
        return (*_of_overrides(overrides), *RULES) if any(overrides.values()) else RULES


def _of_overrides(overrides: Overrides) -> Sequence[FinishingRule[IstioPlan]]:
    """Return the rules on what the user wrote of containers that are injected."""
    return (
        FinishingRule("overrides", lambda plan, pod: with_overrides_noted(pod, overrides, plan.earlier)),
        FinishingRule("proxy_user", lambda plan, pod: with_proxy_user(pod, overrides, plan.steering.interception_mode)),
    )


RULES: Sequence[FinishingRule[IstioPlan]] = (
    FinishingRule("environment", lambda plan, pod: with_environment(pod, plan.environment)),
    FinishingRule("prometheus", lambda plan, pod: merge_metrics(pod, plan.settings.mesh, plan.steering.agent_port)),
    FinishingRule("secure port", lambda _, pod: secure_port(pod)),
    FinishingRule("probes", lambda plan, pod: _with_probes(pod, plan.steering, plan.settings)),
    FinishingRule(
        "network label", lambda plan, pod: with_network_label(pod, plan.environment.get(v.NETWORK_VARIABLE, ""))
    ),
    FinishingRule(
        "injected annotations", lambda plan, pod: with_injected_annotations(pod, plan.settings.injected_annotations)
    ),
    FinishingRule("foreign status", lambda _, pod: _without_foreign_status(pod)),
    FinishingRule("order", lambda plan, pod: order_containers(pod, plan.steering.hold)),
)


def plan(subject: Subject) -> IstioPlan:
    """Return the plan for a Pod, whose annotations have been checked. Raises PodRejected."""
    pod, settings = _without_scc_user(subject), settings_of(subject.config)
    steering, earlier = settings.steerings.of(pod), earlier_injection(pod)
    view = without_earlier(pod, earlier, steering.agent_port)
    environment = cluster_environment(pod, settings.environment, subject.parameters)
    return IstioPlan(subject, pod, view, settings, steering, earlier, wants_native(subject), environment)


def settled(subject: Subject) -> bool:
    """Tell whether the rules would leave the containers of a Pod alone: one that came later has probes, too.

    Raises PodRejected, as `plan` does, for what an earlier injection has noted if it cannot be read.
    """
    pod, settings = _without_scc_user(subject), settings_of(subject.config)
    earlier_injection(pod)
    return _with_probes(pod, settings.steerings.of(pod), settings) is pod


def _without_scc_user(subject: Subject) -> Pod:
    return openshift.without_scc_user(subject.pod, _namespace_annotations(subject))


def _namespace_annotations(subject: Subject) -> Mapping[str, str]:
    return subject.facts.namespace(subject.namespace).annotations


def _with_probes(pod: Pod, steering: Steering, settings: Settings) -> Pod:
    rewrites = steering.probe_port and wants_rewrite(pod, default=settings.rewrites_probes)
    return rewrite_probes(pod, steering.probe_port) if rewrites else pod


def _without_foreign_status(pod: Pod) -> Pod:
    """Return the Pod without what Istio noted of its own injection: what we note takes its place."""
    notes = annotations(pod)
    if v.STATUS not in notes or RECORD.entries(notes[v.STATUS]):
        return pod
    return with_annotations(pod, {key: value for key, value in notes.items() if key != v.STATUS})
