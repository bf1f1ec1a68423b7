"""Fixtures for every test."""

from tests.kubernetes.fixture import control_plane, controllers, namespace

__all__ = ["control_plane", "controllers", "namespace"]
