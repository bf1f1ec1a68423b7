"""The webhook server as an HTTP server: what is refused, and how it stops."""

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sidecar_injector.certificates import issue
from sidecar_injector.config import CompiledConfig
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.serving import admission, bodies, judging
from tests.contract.harness import Service, config, exchange, pod, review, review_of_config, service


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with service(max_body_bytes=100_000) as running:
        yield running


PODS_V2 = {"group": "", "version": "v2", "resource": "pods"}
MISSHAPEN = {**pod(), "spec": {"containers": [{"name": "proxy", "image": "a:1", "resources": "many"}]}}


def without(key: str) -> dict[str, Any]:
    changed = review()
    del changed["request"][key]
    return changed


@pytest.mark.parametrize(
    ("path", "body", "status", "reason", "text"),
    [
        ("/", review(), 404, "UnknownPath", "known are /validate and /inject/<config>"),
        ("/inject", review(), 404, "UnknownPath", "known are"),
        ("/inject/mes", review(), 404, "UnknownPath", "unknown SidecarInjectorConfig 'mes': there are mesh"),
        ("/healthz", review(), 404, "UnknownPath", "known are"),
        ("/inject/mesh", b"", 400, "Malformed", "body is not JSON"),
        ("/inject/mesh", b"{}", 400, "Malformed", "expected kind AdmissionReview"),
        ("/inject/mesh", b"[]", 400, "Malformed", "expected an object"),
        ("/inject/mesh", b"null", 400, "Malformed", "expected an object"),
        ("/inject/mesh", b'"text"', 400, "Malformed", "expected an object"),
        ("/inject/mesh", b"\xff\xfe", 400, "Malformed", "not UTF-8"),
        ("/inject/mesh", b"[" * 50_000, 400, "Malformed", "nested too deeply"),
        ("/inject/mesh", b'{"kind": "a", "kind": "b"}', 400, "Malformed", "'kind' occurs twice"),
        ("/inject/mesh", b'{"a": Infinity}', 400, "Malformed", "Infinity"),
        ("/inject/mesh", {**review(), "apiVersion": "admission.k8s.io/v1beta1"}, 400, "Malformed", "v1beta1"),
        ("/inject/mesh", {**review(), "kind": "Pod"}, 400, "Malformed", "expected kind AdmissionReview"),
        ("/inject/mesh", {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}, 400, "Malformed", "request"),
        ("/inject/mesh", {**review(), "request": None}, 400, "Malformed", "request"),
        ("/inject/mesh", {**review(), "request": []}, 400, "Malformed", "request"),
        ("/inject/mesh", without("uid"), 400, "Malformed", "request.uid"),
        ("/inject/mesh", without("operation"), 400, "Malformed", "request.operation"),
        ("/inject/mesh", without("object"), 400, "Malformed", "request.object"),
        ("/inject/mesh", review(operation="PATCH"), 400, "Malformed", "request.operation"),
        ("/inject/mesh", review({**pod(), "spec": []}), 400, "Malformed", "request.object.spec"),
        ("/inject/mesh", review({**pod(), "metadata": {"labels": {"a": 1}}}), 400, "Malformed", "labels"),
        ("/inject/mesh", review(resource={"resource": "pods"}), 400, "Malformed", "request.resource.version"),
        ("/inject/mesh", review(oldObject="Pod"), 400, "Malformed", "request.oldObject"),
        (
            "/inject/mesh",
            review(resource=PODS_V2),
            400,
            "Malformed",
            "request.resource.version: found 'v2', Pods are of",
        ),
        (
            "/inject/mesh",
            review(MISSHAPEN),
            400,
            "Malformed",
            "request.object.spec.containers[0].resources: expected an",
        ),
        ("/validate", b"{}", 400, "Malformed", "expected kind AdmissionReview"),
        ("/inject/mesh", b"x" * 100_001, 413, "BodyTooLarge", "at most 100000 are taken"),
    ],
)
def test_what_is_no_review_that_we_serve_is_refused_with_the_cause(
    shared: Service, path: str, body: Any, status: int, reason: str, text: str
) -> None:
    before = shared.rejections(reason)
    reply = shared.post(path, body)
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert text in reply.text
    assert shared.rejections(reason) == before + 1


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/yaml", "application/x-www-form-urlencoded"])
def test_other_content_types_are_refused(shared: Service, content_type: str | None) -> None:
    before = shared.rejections("UnsupportedContentType")
    reply = shared.post("/inject/mesh", review(), content_type)
    assert (reply.status, shared.rejections("UnsupportedContentType")) == (415, before + 1)


def test_a_content_type_with_parameters_is_taken(shared: Service) -> None:
    assert shared.post("/inject/mesh", review(), "application/json; charset=utf-8").reason == "Injected"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(shared: Service, method: str) -> None:
    before = shared.rejections("MethodNotAllowed")
    assert shared.post("/inject/mesh", review(), method=method).status == 405
    assert shared.rejections("MethodNotAllowed") == before + 1


def test_a_compressed_body_is_refused(shared: Service) -> None:
    before = shared.rejections("UnsupportedContentType")
    with contextlib.closing(shared.connect()) as connection:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        connection.request("POST", "/inject/mesh", b"{}", headers)
        answer = connection.getresponse()
        assert (answer.status, b"Content-Encoding 'gzip'" in answer.read()) == (415, True)
    assert shared.rejections("UnsupportedContentType") == before + 1


@pytest.mark.parametrize("metadata", [None, {}, {"labels": None, "annotations": None}, {"name": None}])
def test_a_pod_without_metadata_is_injected(shared: Service, metadata: object) -> None:
    assert shared.admit({**pod(), "metadata": metadata}).reason == "Injected"


@pytest.mark.parametrize("request_", [{"userInfo": None}, {"resource": {"version": "v1", "resource": "pods"}}])
def test_what_the_injector_can_do_without_may_be_missing_from_a_review(
    shared: Service, request_: dict[str, Any]
) -> None:
    assert shared.admit(**request_).reason == "Injected"


def test_a_query_is_no_part_of_the_path(shared: Service) -> None:
    assert shared.post("/inject/mesh?timeout=5s", review()).reason == "Injected"


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/inject/mesh", {}),
        ("/inject/mesh/cluster/east/net/n1", {"cluster": "east", "net": "n1"}),
        ("/inject/mesh/cluster/two%20words/root/--slash--etc/odd", {"cluster": "two words", "root": "/etc"}),
        ("/inject/mesh/:ENV:cluster=east:ENV:root=/etc", {"cluster": "east", "root": "/etc"}),
    ],
)
def test_what_follows_the_config_in_the_path_reaches_the_injection(
    shared: Service, monkeypatch: pytest.MonkeyPatch, path: str, parameters: dict[str, str]
) -> None:
    seen: list[Mapping[str, str]] = []

    def spying(*args: Any, parameters: Mapping[str, str]) -> Outcome:
        seen.append(parameters)
        return admit(*args, parameters=parameters)

    monkeypatch.setattr(admission, "admit", spying)
    found = pod(annotations={"path": path})  # that it was not asked about before
    assert shared.post(path, review(found)).reason == "Injected"
    assert seen == [parameters]


def test_a_proxy_of_profile_istio_learns_its_cluster_from_the_path() -> None:
    template = "spec: {containers: [{name: istio-proxy, image: example.org/proxy:1}]}"
    with service() as running:
        running.offer(config("istio", template=template, profile="Istio"))
        reply = running.post("/inject/istio/cluster/east/root/--slash--etc", review())
    added = [operation["value"] for operation in reply.patch if operation["path"].startswith("/spec/containers")]
    assert [container["env"] for container in added] == [
        [{"name": "ISTIO_META_CLUSTER_ID", "value": "east"}, {"name": "ROOT", "value": "/etc"}]
    ]


def test_a_body_that_does_not_announce_its_length_is_limited_too(shared: Service) -> None:
    connection = shared.connect()
    chunks = (b"x" * 10_000 for _ in range(30))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/inject/mesh", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_after_a_refusal_the_server_goes_on(shared: Service) -> None:
    for body in (b"\x00" * 1000, b"{", b"x" * 200_000):
        shared.post("/inject/mesh", body)
    assert shared.admit().reason == "Injected"


def test_what_is_no_http_does_no_harm(shared: Service) -> None:
    context = ssl.create_default_context(cadata=shared.tls.ca_bundle.decode())
    context.check_hostname = False
    assert shared.server.port
    with socket.create_connection(("127.0.0.1", shared.server.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with (
        socket.create_connection(("127.0.0.1", shared.server.port)) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert shared.admit().reason == "Injected"


def test_a_body_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.1)
    with service() as running, contextlib.closing(running.connect()) as connection:
        connection.putrequest("POST", "/inject/mesh")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"{")
        assert connection.getresponse().status == 408
        assert running.rejections("BodyTooSlow") == 1


def test_too_many_requests_at_a_time_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(_: object) -> CompiledConfig:
        entered.set()
        release.wait(10)
        raise ZeroDivisionError

    with service(max_in_flight=1) as running:
        monkeypatch.setattr(judging, "accept", slow)
        waiting = threading.Thread(target=running.post, args=("/validate", review_of_config(config("new"))))
        waiting.start()
        assert entered.wait(10)
        reply = running.admit()
        release.set()
        waiting.join()
        assert reply.status == 503
        assert "1 requests are in flight" in reply.text
        assert running.rejections("TooManyRequests") == 1
        assert running.admit().reason == "Injected"
        assert running.count("sidecar_injector_requests_in_flight") == 0


def test_while_it_drains_it_still_answers_and_closes_each_connection() -> None:
    with service(drain_seconds=1.0) as running:
        old = running.connect()
        assert "Connection" not in exchange(old, "/inject/mesh", review()).headers
        running.begin_to_stop()
        while not running.server.draining:
            time.sleep(0.01)
        for connection in (old, running.connect()):
            reply = exchange(connection, "/inject/mesh", review())
            assert reply.reason == "Injected"
            assert reply.headers["Connection"] == "close"
            connection.close()
        port = running.server.port
        assert port
        deadline = time.monotonic() + 5
        while running.server.port is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()


def test_a_request_in_flight_is_answered_after_the_listener_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()
    real, replies = judging.accept, []

    def slow(resource: Any) -> CompiledConfig:
        entered.set()
        release.wait(10)
        return real(resource)

    with service() as running:
        monkeypatch.setattr(judging, "accept", slow)
        review_ = review_of_config(config("new"))
        waiting = threading.Thread(target=lambda: replies.append(running.post("/validate", review_)))
        waiting.start()
        assert entered.wait(10)
        running.begin_to_stop()
        while running.server.port is not None:
            time.sleep(0.01)
        release.set()
        waiting.join(10)
    assert [reply.response["allowed"] for reply in replies] == [True]


def test_a_renewed_certificate_costs_no_connection() -> None:
    with service() as running:
        kept = running.connect()
        exchange(kept, "/inject/mesh", review())
        before = presented(running)
        assert running.tls.authority
        running.tls._install(issue(running.tls.authority, ["sidecar-injector"], datetime.datetime.now(datetime.UTC)))
        assert exchange(kept, "/inject/mesh", review()).reason == "Injected"
        assert presented(running) != before
        assert running.admit().reason == "Injected"
        kept.close()


def presented(running: Service) -> bytes:
    with contextlib.closing(running.connect()) as connection:
        connection.connect()
        certificate: bytes = connection.sock.getpeercert(binary_form=True)
        return certificate
