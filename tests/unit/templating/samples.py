"""A context like the one that templates get, and short ways to render and to fail."""

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar_injector.errors import TemplateError
from sidecar_injector.templating import compile_template

POD = {
    "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"note": "a: [b"}},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
            },
            {"name": "log", "image": "log:2"},
        ],
        "initContainers": [],
        "volumes": [],
    },
}
VALUES = {
    "port": 15001,
    "ratio": 0.5,
    "debug": False,
    "nothing": None,
    "text": "abc",
    "list": ["b", "a", "b"],
    "map": {"x": 1, "y": {"z": [2]}},
    "resources": {"limits": {"cpu": "1"}},
}
CONTEXT: Mapping[str, Any] = {
    "pod": POD,
    "namespace": {"name": "shop", "labels": {"team": "blue"}, "annotations": {}},
    "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    "values": VALUES,
    "revision": "main",
    "nativeSidecars": True,
}


def render(source: str, **variables: object) -> dict[str, Any]:
    """Render a template with the sample context."""
    return compile_template("config/template", source).render({**CONTEXT, **variables}).tree


def value_of(expression: str, **variables: object) -> Any:
    """Evaluate an expression by printing it as the whole value of a key."""
    return render("{% set result = " + expression + " %}\nvalue: {{ result }}\n", **variables)["value"]


def failure(source: str, **variables: object) -> TemplateError:
    """Compile and render a template that has to fail."""
    with pytest.raises(TemplateError) as caught:
        render(source, **variables)
    return caught.value
