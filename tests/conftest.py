"""Fixtures for every test, figures, and what Hypothesis is to do without: deadlines, which a busy machine breaks."""

from hypothesis import HealthCheck, settings

from tests.figures import figures, pytest_terminal_summary
from tests.kubernetes.fixture import control_plane, controllers, namespace, node, node_namespace, possible_node

__all__ = [
    "control_plane",
    "controllers",
    "figures",
    "namespace",
    "node",
    "node_namespace",
    "possible_node",
    "pytest_terminal_summary",
]

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
