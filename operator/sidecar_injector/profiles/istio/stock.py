"""The templates that come with the profile, and the config to start from, as package data."""

from collections.abc import Mapping
from importlib import resources

STOCK = ("sidecar", "gateway", "grpc-agent", "grpc-simple")

_INDENT = " " * 8


def stock_templates() -> Mapping[str, str]:
    """Return the stock templates: their texts by their names."""
    folder = resources.files("sidecar_injector.profiles.istio").joinpath("templates")
    return {name: folder.joinpath(f"{name}.yaml").read_text("utf-8") for name in STOCK}


def stock_config() -> str:
    """Return the text of a complete SidecarInjectorConfig with the stock templates, and comments."""
    head = resources.files("sidecar_injector.profiles.istio").joinpath("config.yaml").read_text("utf-8")
    return head + "\n".join(_entry(name, text) for name, text in stock_templates().items())


def _entry(name: str, text: str) -> str:
    lines = [f"{_INDENT}{line}" if line else "" for line in text.splitlines()]
    return "\n".join([f"    - name: {name}", "      template: |", *lines, ""])
