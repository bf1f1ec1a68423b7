"""The revision of a config: a digest of everything that can change what is injected."""

import hashlib
import json
from dataclasses import asdict

from sidecar_injector.config.model import OverrideSpec, SidecarInjectorConfig, Spec, TemplateSpec

DIGITS = 10


def digest(config: SidecarInjectorConfig, default_names: tuple[str, ...]) -> str:
    """Return ten hexadecimal digits; equal ones mean that the same Pod gets the same sidecars.

    What decides whether a Pod is injected at all (match, mode, guardrails, failurePolicy, timeoutSeconds,
    reinvocationPolicy, order) is left out: editing it makes no running sidecar outdated.
    """
    spec = config.spec
    content: dict[str, object] = {
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
    if spec.overrides:  # a config without any keeps the digest that it had before there were some
        content["overrides"] = [_override(override) for override in sorted(spec.overrides, key=lambda o: o.name)]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:DIGITS]


def _template(template: TemplateSpec) -> list[object]:
    position = template.position
    return [template.name, template.template, template.delimiters, [position.at, position.before, position.after]]


def _override(override: OverrideSpec) -> dict[str, object]:
    return {**asdict(override), "sources": sorted(override.sources)}


def _sorted_aliases(spec: Spec) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(spec.aliases.items())
