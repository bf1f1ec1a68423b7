"""From templates to overlays: each template sees the same Pod, the one that its user wrote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.config.model import Position
from sidecar_injector.errors import Place
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.overrides import override_values
from sidecar_injector.injection.profile import Plan
from sidecar_injector.injection.view import for_templates
from sidecar_injector.injection.workload import workload_of


@dataclass(frozen=True)
class Overlay:
    """What one template yielded: a partial Pod, where its containers go, and where in the template each part stands."""

    template: str
    position: Position
    tree: Mapping[str, object]
    place: Callable[[Sequence[str | int]], Place]


def render(subject: Subject, plan: Plan, names: Sequence[str]) -> list[Overlay]:
    """Render the named templates for a Pod, in order. Raises TemplateError, and PodRejected as `template_context`."""
    context = template_context(subject, plan)
    overlays = []
    for name in names:
        compiled = subject.config.templates[name]
        rendered = compiled.template.render(context)
        overlays.append(Overlay(name, compiled.spec.position, rendered.tree, rendered.place))
    return overlays


def template_context(subject: Subject, plan: Plan) -> dict[str, object]:
    """Return the variables of a template, by name. Raises PodRejected for overrides turned to what is not allowed."""
    spec, namespace, workload = subject.config.spec, subject.facts.namespace(subject.namespace), workload_of(plan.view)
    return {
        "pod": for_templates(plan.view),
        "namespace": {"name": namespace.name, "labels": namespace.labels, "annotations": namespace.annotations},
        "workload": {"apiVersion": workload.api_version, "kind": workload.kind, "name": workload.name},
        "values": spec.values,
        "meshConfig": spec.mesh_config,
        "proxyConfig": spec.mesh_config.get("defaultConfig") or {},
        "revision": spec.revision,
        "nativeSidecars": plan.native,
        "cluster": {"version": subject.facts.version},
        "config": {"name": subject.config.name},
        "overrides": override_values(subject),
        **plan.context(),
    }
