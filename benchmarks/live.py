"""Section `live`: from the moment when an edit of a config is sent to the API server until a Pod, created through the
API server, comes back injected as the edited config says."""

import json
import time
from typing import Any

from benchmarks import inputs
from benchmarks.context import Bench
from benchmarks.figures import spread
from benchmarks.servers import operators
from demo.probe import Probe, Sample
from sidecar_injector import names
from tests.kubernetes.cluster import ClusterError
from tests.kubernetes.control_plane import ControlPlane

NAMESPACE = "shop"
PATIENCE_SECONDS = 10
PAUSE_SECONDS = 0.25
"""Between edits, as no two are made at once: the status of one is written while the next one waits."""
TRIES = 5
PATH = f"/apis/{names.API_VERSION}/{names.PLURAL}/istio"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "probe-"},
    "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]},
}


def measure(bench: Bench) -> dict[str, Any]:
    """Edit the stock config again and again, while Pods are created all the time."""
    cluster = bench.cluster
    answered, live = [], []
    with operators.configs(cluster, [inputs.stock_resource()]), operators.operator(cluster, "live"):
        operators.wait_for(cluster)
        with Probe(cluster.kubeconfig, NAMESPACE, POD) as probe:
            for turn in range(bench.plan.edits):
                bench.progress.say(f"edit {turn + 1} of {bench.plan.edits}")
                tag = f"benchmark-{turn}"
                sent, back = _edit(cluster, tag)
                sample = probe.first(lambda sample, tag=tag: _has(sample, tag), PATIENCE_SECONDS)  # type: ignore[misc]
                if sample is None:
                    raise ClusterError(f"no Pod was injected as edited within {PATIENCE_SECONDS} s")
                answered.append((back - sent) * 1000)
                live.append((sample.answered - sent) * 1000)
                probe.samples.clear()
                time.sleep(PAUSE_SECONDS)
    return {"answered_millis": spread(answered).as_json(), "live_millis": spread(live).as_json()}


def _edit(cluster: ControlPlane, tag: str) -> tuple[float, float]:
    """Have proxies of another image; return when that was sent, and when the API server had answered."""
    for _ in range(TRIES):
        config = cluster.request("GET", PATH).body
        config["spec"]["values"]["global"]["tag"] = tag
        sent = time.monotonic()
        answer = cluster.request("PUT", PATH, config)
        if answer.status == 200:
            return sent, time.monotonic()
        if answer.status != 409:  # somebody has written the status meanwhile
            raise ClusterError(f"the edit was refused: {answer.body}")
    raise ClusterError(f"the edit met other writes {TRIES} times in turn")


def _has(sample: Sample, tag: str) -> bool:
    return sample.status == 201 and f":{tag}" in json.dumps(sample.answer["spec"])
