"""The revision of a config: a digest of everything that can change what is injected."""

import hashlib
import json

from sidecar_injector.config.model import SidecarInjectorConfig, Spec, TemplateSpec

DIGITS = 10


def digest(config: SidecarInjectorConfig, default_names: tuple[str, ...]) -> str:
    """Return ten hexadecimal digits; equal ones mean that the same Pod gets the same sidecars.

    What decides whether a Pod is injected at all (match, mode, failurePolicy, timeoutSeconds, reinvocationPolicy,
    order) is left out: editing it makes no running sidecar outdated.
    """
    spec = config.spec
    content = {
        "name": config.name,
        "profile": spec.profile,
        "revision": spec.revision,
        "templates": [_template(template) for template in spec.templates],
        "defaults": default_names,
        "aliases": _sorted_aliases(spec),
        "values": spec.values,
        "meshConfig": spec.mesh_config,
        "sidecarMode": spec.sidecar_mode,
        "conflictPolicy": spec.conflict_policy,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:DIGITS]


def _template(template: TemplateSpec) -> list[object]:
    position = template.position
    return [template.name, template.template, template.delimiters, [position.at, position.before, position.after]]


def _sorted_aliases(spec: Spec) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(spec.aliases.items())
