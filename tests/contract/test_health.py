"""/livez, /readyz and /metrics."""

import asyncio
import http.client
import json
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar_injector.names import Metric
from sidecar_injector.serving.health import HealthServer
from sidecar_injector.serving.metrics import Metrics
from tests.contract.harness import Service, config, service


def ask(path: str, problems: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, str]:
    """Start a health server, send it one request, and return status and body."""

    async def unready() -> Mapping[str, str]:
        return problems or {}

    async def play() -> tuple[int, str]:
        server = HealthServer("127.0.0.1", 0, unready, Metrics())
        await server.start()
        assert server._listener
        port = server._listener.sockets[0].getsockname()[1]
        try:
            return await asyncio.to_thread(_fetch, port, method, path)
        finally:
            await server.stop()

    return asyncio.run(play())


def _fetch(port: int, method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_is_alive_even_when_it_is_not_ready() -> None:
    assert ask("/livez", {"configs": "not listed yet"})[0] == 200


def test_it_is_ready_when_every_check_is_content() -> None:
    status, body = ask("/readyz", {"configs": "", "listener": ""})
    assert (status, json.loads(body)) == (200, {"ready": True, "checks": {"configs": "ok", "listener": "ok"}})


def test_otherwise_it_says_which_check_is_not() -> None:
    status, body = ask("/readyz", {"configs": "", "listener": "closed"})
    assert (status, json.loads(body)) == (503, {"ready": False, "checks": {"configs": "ok", "listener": "closed"}})


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "GET", 404), ("/inject/mesh", "GET", 404), ("/livez", "POST", 405)]
)
def test_other_requests_are_refused(path: str, method: str, status: int) -> None:
    assert ask(path, method=method)[0] == status


def test_metrics_have_the_text_format_of_prometheus() -> None:
    status, body = ask("/metrics")
    families = {family.name for family in text_string_to_metric_families(body)}
    assert status == 200
    assert {metric.removesuffix("_total") for metric in Metric} <= families


def gauges(running: Service, metric: Metric) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(running.metrics.text().decode())
    (family,) = [family for family in families if family.name == metric]
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def test_metrics_tell_which_version_of_each_config_is_served() -> None:
    with service() as running:
        running.offer(config(generation=2), config("other"), config(generation=3, template="spec: {{ nothing }}"))
        revision = running.live.snapshot.compiled("mesh").digest  # type: ignore[union-attr]
        assert gauges(running, Metric.CONFIG_GENERATION) == {("mesh",): 2, ("other",): 1}
        assert gauges(running, Metric.CONFIG_ACCEPTED) == {("mesh",): 0, ("other",): 1}
        assert ("mesh", revision) in gauges(running, Metric.CONFIG_INFO)
        assert running.count(Metric.CONFIG_ERRORS, config="mesh") == 1
        running.live.remove(config("mesh", generation=4))
        assert gauges(running, Metric.CONFIG_ACCEPTED) == {("other",): 1}


def test_a_config_shows_one_revision_at_a_time() -> None:
    with service() as running:
        running.offer(config(generation=2, template="spec: {containers: [{name: p, image: example.org/p:2}]}"))
        assert len(gauges(running, Metric.CONFIG_INFO)) == 1


def test_metrics_tell_when_certificates_expire() -> None:
    with service() as running:
        expiry = gauges(running, Metric.CERTIFICATE_EXPIRY)
        assert expiry[("ca",)] > expiry[("serving",)] > 1_700_000_000
