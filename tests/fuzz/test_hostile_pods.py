"""What somebody who may create Pods, and no more, can cost: bounded, whatever annotations and lists say."""

import json
import time
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import parse_review
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.keys import KEYS
from sidecar_injector.serving import admission, requests
from tests.unit.injection.support import config, review
from tests.unit.profiles.istio.support import stock

MOST_SECONDS = 0.5
"""Of CPU for one admission of the largest Pods that an API server takes; an ordinary one takes a millisecond or two."""
SIZE = 250_000
"""Characters: an API server takes 256 KiB of annotations in all."""
EACH_CONTAINER = """
spec:
  containers:
{% for container in pod.spec.containers %}
  - {name: {{ container.name }}, env: [{name: TEAM, value: {{ container.name }}}]}
{% endfor %}
"""
CONFIGS = {"stock Istio": stock(), "stock generic": config(), "every container": config(EACH_CONTAINER, name="each")}

PAYLOADS = {
    "one word": "a" * SIZE,
    "digits": "1" * SIZE,
    "spaces": " " * SIZE,
    "lines": "\n" * SIZE,
    "quotes": '"' * SIZE,
    "commas": "," * SIZE,
    "wide letters": "é" * (SIZE // 2),
    "almost a name": "a-" * (SIZE // 2) + "!",
    "ports": ",".join(["8080"] * (SIZE // 5)),
    "ranges": ",".join(["10.0.0.0/8"] * (SIZE // 11)),
    "durations": "1s" * (SIZE // 2),
    "names of templates": ",".join(f"t{n}" for n in range(SIZE // 7)),
    "deep JSON": "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "JSON as deep as Python reads it": '{"a":' * 900 + "1" + "}" * 900,
    "JSON beyond all numbers": '{"a":1e999,"b":NaN}',
    "much JSON": "{" + ",".join(f'"k{n}":1' for n in range(SIZE // 12)) + "}",
    "many JSON objects": "[" + "{}," * (SIZE // 3 - 2) + "{}]",
    "volumes": "{" + ",".join(f'"v{n}":{{"emptyDir":{{}}}}' for n in range(SIZE // 24)) + "}",
    "a list of volumes": "[" + ",".join(f'{{"name":"v{n}","emptyDir":{{}}}}' for n in range(SIZE // 32)) + "]",
    "mounts": "{" + ",".join(f'"v{n}":{{"mountPath":"/v{n}"}}' for n in range(SIZE // 30)) + "}",
    "fields unheard of": '{"a":{' + ",".join(f'"K{n}":"v"' for n in range(SIZE // 12)) + "}}",
    "containers": json.dumps({"containers": [{"name": f"c{n}", "image": "x"} for n in range(SIZE // 32)]}),
    "a status": json.dumps({"initContainers": [f"a{n}" for n in range(SIZE // 12)], "containers": [], "volumes": []}),
    "settings": "proxyMetadata:\n" + "".join(f"  K{n}: v\n" for n in range(SIZE // 14)),
    "a YAML list": "- a\n" * (SIZE // 4),
    "deep YAML": "[" * SIZE,
    "billion laughs": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 15)),
    "YAML anchors": "".join(f"a{n}: &a{n} x\n" for n in range(SIZE // 14)),
}


def pod(annotations: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "shop", "annotations": dict(annotations or {})},
        "spec": {"containers": [{"name": "app", "image": "a:1"}], **spec},
    }


def named(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": f"n{number}", **fields} for number in range(count)]


def containers(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "app", "image": "a:1", **fields}])


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


LARGE_PODS = {
    "30,000 annotations": pod({f"a/{number}": "" for number in range(30_000)}),
    "annotations almost Istio's": pod({f"sidecar.istio.io/injec{number}": "" for number in range(8000)}),
    "annotations almost ours": pod({f"sidecarinjector.dev/injec{number}": "" for number in range(8000)}),
    "10,000 variables": containers(env=named(10_000, value="x")),
    "one variable 10,000 times": containers(env=[{"name": "A", "value": "x"}] * 10_000),
    "10,000 variables of the proxy": pod(containers=[{"name": "istio-proxy", "image": "auto", "env": named(10_000)}]),
    "1,000 containers": pod(containers=named(1000, image="a:1")),
    "1,000 containers with probes": pod(
        containers=named(1000, image="a:1", readinessProbe={"httpGet": {"path": "/", "port": 80}})
    ),
    "one container 1,000 times": pod(containers=[{"name": "istio-proxy", "image": "auto"}] * 1000),
    "10,000 init containers": pod(initContainers=named(10_000, image="a:1")),
    "10,000 volumes": pod(volumes=named(10_000, emptyDir={})),
    "20,000 ports": containers(ports=[{"containerPort": number} for number in range(1, 20_000)]),
    "20,000 mounts": containers(volumeMounts=[{"name": "v", "mountPath": f"/{number}"} for number in range(20_000)]),
    "30,000 pull secrets": pod(imagePullSecrets=named(30_000)),
    "a long argument": containers(args=["x" * 2_000_000]),
    "a deep field": pod(securityContext=deep(150)),
}
PARSED = (
    "proxy.istio.io/config",
    "proxy.istio.io/overrides",
    "sidecar.istio.io/status",
    "sidecar.istio.io/userVolume",
    "sidecar.istio.io/userVolumeMount",
    "inject.istio.io/templates",
    "prometheus.istio.io/scrape-targets",
    "k8s.v1.cni.cncf.io/networks",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "sidecar.istio.io/proxyCPU",
    "sidecarinjector.dev/status",
    "sidecarinjector.dev/templates",
    "example.com/level",
)
"""Annotations with a syntax of their own; all others of profile Istio are tried with one payload."""


def admitted(found: dict[str, Any], compiled: CompiledConfig) -> tuple[float, str]:
    """Admit as the server does, from the bytes to the answer's bytes: CPU time and the reason that users see."""
    body = json.dumps(review(found)).encode()
    start = time.process_time()
    request = parse_review(requests.decode(body))
    answer = admission.inject(request, Snapshot().with_accepted(compiled), compiled.name, ClusterFacts(), {})
    assert answer.body
    return time.process_time() - start, str(answer.reason)


def check(found: dict[str, Any], compiled: CompiledConfig) -> None:
    spent, reason = admitted(found, compiled)
    assert reason != Reason.INTERNAL_ERROR
    for _ in range(2):
        spent = min(spent, admitted(found, compiled)[0]) if spent > MOST_SECONDS else spent
    assert spent < MOST_SECONDS


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_an_annotation_costs_little_whatever_it_says(payload: str) -> None:
    for key, compiled in product(PARSED, CONFIGS.values()):
        if compiled.name == "istio" or "istio" not in key:
            check(pod({key: payload}), compiled)


def test_every_annotation_of_istio_may_be_as_long_as_can_be() -> None:
    for key in KEYS:
        check(pod({key.name: PAYLOADS["almost a name"]}), CONFIGS["stock Istio"])


@pytest.mark.parametrize("name", LARGE_PODS)
def test_a_large_pod_costs_in_proportion(name: str) -> None:
    for compiled in CONFIGS.values():
        check(LARGE_PODS[name], compiled)
