"""Rewrite what is generated: manifests/install.yaml, the sample of profile Istio, and reference pages.

usage: python hack/generate.py

`kubectl` has to be on the PATH, or KUBECTL has to name it with its arguments.
"""

import os
import pathlib
import shlex
import subprocess

from sidecar_injector import settings
from sidecar_injector.profiles.istio import stock
from sidecar_injector.templating import reference

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = "# Rendered from manifests/default by hack/generate.py; do not edit.\n"


def install(kubectl: list[str]) -> str:
    """Return manifests/install.yaml."""
    command = [*kubectl, "kustomize", str(ROOT / "manifests" / "default")]
    return HEADER + subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    (ROOT / "manifests" / "install.yaml").write_text(install(shlex.split(os.environ.get("KUBECTL", "kubectl"))))
    (ROOT / "manifests" / "samples" / "istio.yaml").write_text(stock.stock_config())
    (ROOT / "docs" / "reference" / "settings.md").write_text(settings.reference())
    (ROOT / "docs" / "reference" / "templates.md").write_text(reference.page())
