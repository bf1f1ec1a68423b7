"""What a template leaves empty."""

import pytest

from tests.unit.injection.support import config, injected, pod

SIDECAR = """
spec:
  sidecars:
  - {name: log, image: log}
"""
FULL = pod(
    labels={"app": "web"},
    annotations={"example.com/note": "any"},
    initContainers=[{"name": "setup", "image": "registry.example/setup:1"}],
    volumes=[{"name": "data", "emptyDir": {}}],
    imagePullSecrets=[{"name": "registry"}],
    tolerations=[{"key": "dedicated", "operator": "Exists"}],
    nodeSelector={"disk": "ssd"},
    securityContext={"runAsUser": 1000},
)


@pytest.mark.parametrize(
    "empty",
    [
        "  volumes:\n{% for name in [] %}\n  - {name: {{ name }}}\n{% endfor %}\n",
        "  imagePullSecrets:\n",
        "  tolerations:\n",
        "  nodeSelector:\n",
        "  securityContext:\n",
        "  initContainers:\n",
        "metadata:\n",
        "metadata:\n  labels:\n  annotations:\n",
    ],
)
def test_a_list_or_map_that_a_template_leaves_empty_takes_nothing_from_the_pod(empty):
    found, expected = injected(FULL, config(SIDECAR + empty)), injected(FULL, config(SIDECAR))
    assert found["spec"] == expected["spec"]
    for field in ("name", "labels"):
        assert found["metadata"][field] == expected["metadata"][field]
    assert found["metadata"]["annotations"]["example.com/note"] == "any"
