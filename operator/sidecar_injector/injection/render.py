"""From templates to overlays: each template sees the same Pod, the one that its user wrote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.config.model import Position, SidecarMode
from sidecar_injector.errors import Place
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.profile import Profile
from sidecar_injector.injection.view import Pod, for_templates
from sidecar_injector.injection.workload import workload_of


@dataclass(frozen=True)
class Overlay:
    """What one template yielded: a partial Pod, where its containers go, and where in the template each part stands."""

    template: str
    position: Position
    tree: Mapping[str, object]
    place: Callable[[Sequence[str | int]], Place]


def render(subject: Subject, profile: Profile, names: Sequence[str], pod: Pod) -> list[Overlay]:
    """Render the named templates for `pod`, in order. Raises TemplateError."""
    context = template_context(subject, profile, pod)
    overlays = []
    for name in names:
        compiled = subject.config.templates[name]
        rendered = compiled.template.render(context)
        overlays.append(Overlay(name, compiled.spec.position, rendered.tree, rendered.place))
    return overlays


def template_context(subject: Subject, profile: Profile, pod: Pod) -> dict[str, object]:
    """Return the variables of a template, by name."""
    spec, namespace, workload = subject.config.spec, subject.facts.namespace(subject.namespace), workload_of(pod)
    return {
        "pod": for_templates(pod),
        "namespace": {"name": namespace.name, "labels": namespace.labels, "annotations": namespace.annotations},
        "workload": {"apiVersion": workload.api_version, "kind": workload.kind, "name": workload.name},
        "values": spec.values,
        "meshConfig": spec.mesh_config,
        "proxyConfig": spec.mesh_config.get("defaultConfig") or {},
        "revision": spec.revision,
        "nativeSidecars": native_sidecars(subject),
        "cluster": {"version": subject.facts.version},
        "config": {"name": subject.config.name},
        **profile.context(subject),
    }


def native_sidecars(subject: Subject) -> bool:
    """Tell whether sidecars become native ones: as the config says, or as every node can."""
    mode = subject.config.spec.sidecar_mode
    return mode is SidecarMode.NATIVE or (mode is SidecarMode.AUTO and subject.facts.native_sidecars)
