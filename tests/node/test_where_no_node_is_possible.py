"""Where no whole node is possible, tests that want one are skipped with the reason; in continuous integration, fail."""

import os
import sys

import pytest

from tests.kubernetes import node
from tests.kubernetes.fixture import skip_or_fail_without_node
from tests.kubernetes.node import NodeImpossibleError, require_node
from tests.kubernetes.packages import PackageError


def without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def on_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")


def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*names: str) -> None:
        raise PackageError(f"Missing Debian packages: {names[0]}.")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(node, "ensure_packages", missing)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (without_root, "needs root"),
        (on_another_system, "needs Linux; this is darwin"),
        (without_packages, "Missing Debian packages: containerd"),
    ],
)
def test_the_reason_is_told(obstacle: object, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(obstacle)
    obstacle(monkeypatch)
    with pytest.raises(NodeImpossibleError, match=reason):
        require_node()
    with pytest.raises(pytest.skip.Exception, match=reason):
        skip_or_fail_without_node({})
    with pytest.raises(pytest.fail.Exception, match=f"{reason}.*The variable CI is set"):
        skip_or_fail_without_node({"CI": "true"})
