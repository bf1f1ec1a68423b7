"""All functions of Istio's template language that are translated, and the call of one."""

# The functions register themselves.
from sidecar_injector.cli.go_templates import functions_data, functions_logic, functions_text  # noqa: F401
from sidecar_injector.cli.go_templates.calls import call, plain

__all__ = ["call", "plain"]
