"""SidecarInjectorConfigs to try things on: the minimal one, and edits of it."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

MINIMAL: dict[str, Any] = {
    "apiVersion": "sidecarinjector.dev/v1alpha1",
    "kind": "SidecarInjectorConfig",
    "metadata": {"name": "proxy"},
    "spec": {"templates": [{"name": "main", "template": "spec: {}"}]},
}
MAIN = MINIMAL["spec"]["templates"][0]


def edited(**changes: object) -> dict[str, Any]:
    """Return the minimal resource with fields changed; `spec__match__policy` is the field spec.match.policy."""
    resource = copy.deepcopy(MINIMAL)
    for name, value in changes.items():
        *parents, field = name.split("__")
        target = resource
        for parent in parents:
            target = target.setdefault(parent, {})
        target[field] = copy.deepcopy(value)
    return resource


def with_spec(**fields: object) -> dict[str, Any]:
    """Return the minimal resource with fields of spec changed."""
    return edited(**{f"spec__{name}": value for name, value in fields.items()})


def with_match(**fields: object) -> dict[str, Any]:
    """Return the minimal resource with fields of spec.match changed."""
    return edited(**{f"spec__match__{name}": value for name, value in fields.items()})


def with_overrides(*overrides: dict[str, Any]) -> dict[str, Any]:
    """Return the minimal resource with overrides."""
    return with_spec(overrides=list(overrides))


def with_template(**fields: object) -> dict[str, Any]:
    """Return the minimal resource with fields of its template changed."""
    return with_spec(templates=[{**MAIN, **fields}])


def without(*path: str) -> dict[str, Any]:
    """Return the minimal resource without a field."""
    resource = copy.deepcopy(MINIMAL)
    target = resource
    for parent in path[:-1]:
        target = target[parent]
    del target[path[-1]]
    return resource


def templates(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "template": "spec: {}"} for name in names]


def requirement(operator: str, values: Sequence[object] | None = None, key: str = "tier") -> dict[str, Any]:
    return {
        "matchExpressions": [{"key": key, "operator": operator, **({"values": values} if values is not None else {})}]
    }


class Refused(NamedTuple):
    """A resource that is refused, with the path and a part of the message that the parser gives."""

    title: str
    resource: dict[str, Any]
    path: str
    message: str
