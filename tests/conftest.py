"""Fixtures for every test, and what Hypothesis is to do without: deadlines, which a busy machine breaks."""

from hypothesis import HealthCheck, settings

from tests.kubernetes.fixture import control_plane, controllers, namespace, node, node_namespace, possible_node

__all__ = ["control_plane", "controllers", "namespace", "node", "node_namespace", "possible_node"]

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
