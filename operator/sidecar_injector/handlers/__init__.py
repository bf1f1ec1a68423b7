"""The operator's handlers. Importing this package registers them with Kopf, once, however often it is imported."""

from sidecar_injector.handlers import admission, lifecycle, watching

__all__ = ["admission", "lifecycle", "watching"]
