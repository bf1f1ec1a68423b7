"""From templates to overlays: each template sees the same Pod, the one that its user wrote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.config.model import Position
from sidecar_injector.errors import Place
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.once import once
from sidecar_injector.injection.overrides import override_values
from sidecar_injector.injection.profile import Plan
from sidecar_injector.injection.schema import SIDECARS
from sidecar_injector.injection.spots import OVERLAY_SPOT
from sidecar_injector.injection.view import Container, Pod, containers, for_templates, items, names_of
from sidecar_injector.injection.workload import workload_of


@dataclass(frozen=True)
class Overlay:
    """What one template yielded: a partial Pod, where its containers go, and where in the template each part stands.

    conforms -- whether it is known to conform to the schema of a Pod
    plain    -- whether it is known to have neither directives nor nulls in it
    """

    template: str
    position: Position
    tree: Mapping[str, object]
    place: Callable[[Sequence[str | int]], Place]
    conforms: bool = False
    plain: bool = False

    @once
    def containers(self) -> tuple[Container, ...]:
        """All containers that it defines or changes."""
        return (*containers(self.tree), *items(self.tree, SIDECARS))

    @once
    def given(self) -> dict[str, Container]:
        """These containers by name; of two of one name, the last."""
        return dict(zip(names_of(self.containers), self.containers, strict=True))

    @once
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self.given)

    @once
    def defined(self) -> frozenset[str]:
        """The names of those that it defines, rather than changes: they have an image."""
        return frozenset(names_of([item for item in self.containers if item.get("image")]))


def render(subject: Subject, plan: Plan, names: Sequence[str]) -> list[Overlay]:
    """Render the named templates for a Pod, in order. Raises TemplateError, and PodRejected as `template_context`."""
    context = template_context(subject, plan)
    overlays = []
    for name in names:
        compiled = subject.config.templates[name]
        rendered = compiled.template.render(context, OVERLAY_SPOT)
        overlays.append(
            Overlay(name, compiled.spec.position, rendered.tree, rendered.place, rendered.fits, rendered.plain)
        )
    return overlays


def template_context(subject: Subject, plan: Plan) -> dict[str, object]:
    """Return the variables of a template, by name. Raises PodRejected for overrides turned to what is not allowed."""
    spec, namespace = subject.config.spec, subject.facts.namespace(subject.namespace)
    pod, overrides, known_better = for_templates(plan.view), override_values(subject), plan.context()
    return {
        "pod": pod,
        "namespace": {"name": namespace.name, "labels": namespace.labels, "annotations": namespace.annotations},
        "workload": known_better.get("workload") or _workload(plan.view),
        "values": spec.values,
        "meshConfig": spec.mesh_config,
        "proxyConfig": spec.mesh_config.get("defaultConfig") or {},
        "revision": spec.revision,
        "nativeSidecars": plan.native,
        "cluster": {"version": subject.facts.version},
        "config": {"name": subject.config.name},
        "overrides": overrides,
        **known_better,
    }


def _workload(pod: Pod) -> dict[str, object]:
    workload = workload_of(pod)
    return {"apiVersion": workload.api_version, "kind": workload.kind, "name": workload.name}
