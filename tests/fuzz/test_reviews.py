"""The review endpoint on reviews that are not quite what an API server sends: an answer, always, and a sensible one."""

import base64
import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector import names
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.templating import load_all_yaml
from tests.contract.harness import Reply, Service, config, exchange, review, review_of_config, service
from tests.fuzz.mutation import mangled, mutated
from tests.fuzz.profile import FUZZ
from tests.properties.pods import odd_pods, pods

STOCK = load_all_yaml(stock_config(), "stock config")[0].value
ISTIO = STOCK["metadata"]["name"]
ISTIO_NOTES = st.fixed_dictionaries(
    {},
    optional={
        "sidecar.istio.io/userVolume": st.just('{"a":{"emptyDir":{}}}'),
        "proxy.istio.io/config": st.just("{concurrency: 2, proxyMetadata: {A: b}}"),
        "inject.istio.io/templates": st.sampled_from(["sidecar", "gateway", "grpc-agent,x"]),
        "sidecar.istio.io/status": st.just('{"containers":["istio-proxy"],"volumes":["workload-socket"]}'),
        "proxy.istio.io/overrides": st.just('{"containers":[{"name":"istio-proxy","image":"x"}]}'),
        "traffic.sidecar.istio.io/includeInboundPorts": st.just("80,90"),
        names.STATUS: st.just('{"mesh":{"revision":"0","templates":["sidecar"]}}'),
    },
)


@st.composite
def reviews(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a review as an API server sends it."""
    found = draw(pods() | odd_pods())
    notes = found["metadata"].get("annotations") or {}
    found["metadata"]["annotations"] = {**notes, **draw(ISTIO_NOTES)}
    operation = draw(st.sampled_from(["CREATE", "CREATE", "CREATE", "CREATE", "UPDATE", "DELETE"]))
    return review(found, operation=operation)


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with service() as started:
        started.offer({**STOCK, "metadata": {**config(ISTIO)["metadata"]}}, config("lenient", failurePolicy="Ignore"))
        yield started


class Caller:
    """Posts over one connection, and opens another where the server has closed it."""

    def __init__(self, running: Service) -> None:
        self._running = running
        self._connection = running.connect()

    def post(self, path: str, body: Any) -> Reply:
        try:
            return exchange(self._connection, path, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            self._connection = self._running.connect()
            return exchange(self._connection, path, body)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def caller(running: Service) -> Iterator[Caller]:
    with contextlib.closing(Caller(running)) as made:
        yield made


CONFIGS = st.sampled_from(["mesh", "lenient", ISTIO])


def judge(reply: Reply, body: Any) -> None:
    """See that an answer is one: of the right review, with a reason, its patch fitting the Pod; no defect of ours."""
    assert reply.text
    assert "nternal error" not in reply.text
    assert "InternalError" not in reply.text
    if reply.status != 200:
        assert reply.status in (400, 413, 415, 500, 503)
        assert reply.headers["Content-Type"].startswith("text/plain")
        return
    sent = json.loads(body) if isinstance(body, bytes) else body
    response = reply.response
    assert response["uid"] == sent["request"]["uid"]
    assert response["allowed"] in (True, False)
    assert response["allowed"] or response["status"]["message"]
    if "patch" in response:
        operations = json.loads(base64.b64decode(response["patch"]))
        jsonpatch.apply_patch(sent["request"]["object"], operations)


@settings(FUZZ)
@given(mutated(reviews()), CONFIGS)
def test_mutated_reviews_are_answered(caller: Caller, body: Any, name: str) -> None:
    judge(caller.post(f"/inject/{name}", body), body)


@settings(FUZZ)
@given(mangled(reviews()), CONFIGS)
def test_mangled_reviews_are_answered(caller: Caller, body: bytes, name: str) -> None:
    judge(caller.post(f"/inject/{name}", body), body)


@settings(FUZZ)
@given(mutated(st.sampled_from([review_of_config(config("new")), review_of_config(config("new"), oldObject=config())])))
def test_mutated_reviews_of_configs_are_answered(caller: Caller, body: Any) -> None:
    judge(caller.post("/validate", body), body)


@settings(FUZZ)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_answered(caller: Caller, body: bytes) -> None:
    judge(caller.post("/inject/mesh", body), body)


@settings(FUZZ)
@given(st.text(alphabet="/injectmeshvaldt%:ENV=-.?#2e", max_size=60))
def test_any_path_is_answered(caller: Caller, path: str) -> None:
    reply = caller.post("/" + path, review())
    assert reply.status in (200, 400, 404)
    assert reply.text


def test_afterwards_it_serves_as_before(running: Service) -> None:
    assert running.admit().reason == "Injected"
    assert running.server._bodies.held == 0
    assert running.server._in_flight == 0
