"""The operator as the cluster tests run it, too: its own ServiceAccount, its own RBAC, reached through its Service."""

import re
import urllib.request

from tests.cluster import operator_process


class Operator(operator_process.Operator):
    """One replica, whose metrics can be read."""

    def metric(self, name: str) -> dict[str, float]:
        """Return the samples of a metric: what is between the braces, and the value."""
        pattern = re.compile(rf"^{name}(?:\{{(.*)\}})? (\S+)$", re.MULTILINE)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}/metrics", timeout=5) as response:
            return {labels: float(value) for labels, value in pattern.findall(response.read().decode())}
