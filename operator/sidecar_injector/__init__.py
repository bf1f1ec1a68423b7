"""A Kubernetes operator that injects sidecars from templates that render data, not text."""

__version__ = "0.1.0"
