"""The running operator of the cluster tests, for cases that go through it."""

from tests.cluster.conftest import configs, operator

__all__ = ["configs", "operator"]
