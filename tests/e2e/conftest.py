"""The operator, installed once for all tests of this directory."""

import pytest

from tests.e2e.installed import MANIFESTS, SELECTOR, InstalledOperator
from tests.kubernetes.node import Node

__all__ = ["MANIFESTS", "SELECTOR", "InstalledOperator"]


@pytest.fixture(scope="session", autouse=True)
def operator(node: Node) -> InstalledOperator:
    """The operator, installed once for all tests of this directory."""
    installed = InstalledOperator(node)
    installed.install()
    return installed
