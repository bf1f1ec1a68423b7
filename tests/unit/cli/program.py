"""Calling the command line in tests."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sidecar_injector.cli import main


def call(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    """Run a command; the result has exit_code, stdout and stderr."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def config(name: str = "agent", **spec: Any) -> dict[str, Any]:
    """Return a SidecarInjectorConfig that adds a container of its own name."""
    template = f'spec: {{sidecars: [{{name: {name}, image: "example.org/{name}:1"}}]}}'
    return {
        "apiVersion": "sidecarinjector.dev/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": name},
        "spec": {"profile": "Generic", "templates": [{"name": "main", "template": template}], **spec},
    }


def pod(name: str = "web", **metadata: Any) -> dict[str, Any]:
    """Return a Pod with one container."""
    spec = {"containers": [{"name": "app", "image": "example.org/app:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def write(path: Path, *objects: Any) -> Path:
    """Write objects as a file of several documents."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n---\n".join(json.dumps(value) for value in objects))
    return path
