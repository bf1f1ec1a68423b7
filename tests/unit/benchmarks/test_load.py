"""What makes load: it calls as API servers do, understands both forms of an answer, and counts what is wrong."""

import base64
import contextlib
import datetime
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import wire
from benchmarks.load.client import Client
from benchmarks.load.orders import Order, Report, Target, target_of
from benchmarks.workloads import WORKLOADS
from sidecar_injector.certificates import issue, new_authority

HOST = "127.0.0.1"
PATCH = base64.b64encode(b'[{"op":"add","path":"/metadata/labels/a","value":"b"}]').decode()
UID = b"705ab4f5-6393-11e8-b7cc-42010a800002"


def answer(uid: str = UID.decode(), **response: Any) -> bytes:
    """The body of a good answer, or of one that is otherwise."""
    good = {"uid": uid, "allowed": True, "patchType": "JSONPatch", "patch": PATCH}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {**good, **response}}
    return json.dumps(review).encode()


def whole(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(body: bytes, size: int = 100) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


class Handler(BaseHTTPRequestHandler):
    """An injector: every tenth review gets no patch if it is told so; answers are in chunks, or whole."""

    protocol_version = "HTTP/1.1"
    requests: list[tuple[str, dict[str, str], dict[str, Any]]]
    in_chunks = False
    forgetful = False

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.path, dict(self.headers), review))
        forgets = self.forgetful and len(self.requests) % 10 == 0
        uid = review["request"]["uid"]
        body = answer(uid) if not forgets else json.dumps({"response": {"uid": uid, "allowed": True}}).encode()
        self.wfile.write(chunked(body) if self.in_chunks else whole(body))

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def injector(directory: Path, **properties: Any) -> Iterator[tuple[Target, type[Handler]]]:
    handler = type("Injector", (Handler,), {"requests": [], **properties})
    now = datetime.datetime.now(datetime.UTC)
    authority = new_authority(now)
    file = directory / "serving.pem"
    file.write_bytes(issue(authority, (HOST,), now).pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ca = authority.bundle_pem.decode()
        try:
            yield Target("it", HOST, server.server_address[1], "/inject?timeout=10s", HOST, ca), handler
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("in_chunks", [False, True], ids=["whole", "in chunks"])
def test_every_workload_is_verified_and_loaded_with(tmp_path: Path, in_chunks: bool) -> None:
    client = Client(WORKLOADS)
    with injector(tmp_path, in_chunks=in_chunks) as (target, handler):
        assert client.verify(target) == {}
        assert len({request[2]["request"]["object"]["metadata"]["labels"]["app"] for request in handler.requests}) > 50
        report = client.run(Order(target, connections=3, requests=100, warm_up=10))
    assert (report.requests, report.errors, len(report.latencies)) == (100, {}, 100)
    uids = [request[2]["request"]["uid"] for request in handler.requests]
    assert len(set(uids)) == len(uids) == len(WORKLOADS) + 110


def test_it_calls_as_api_servers_do(tmp_path: Path) -> None:
    with injector(tmp_path) as (target, handler):
        Client(WORKLOADS[:1]).run(Order(target, connections=1, requests=1))
    path, headers, review = handler.requests[0]
    assert path == "/inject?timeout=10s"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "kube-apiserver-admission"
    assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")


def test_answers_that_are_no_injection_are_errors_and_no_admissions(tmp_path: Path) -> None:
    with injector(tmp_path, forgetful=True) as (target, _):
        report = Client(WORKLOADS).run(Order(target, connections=2, requests=100))
    assert (report.requests, report.errors) == (90, {"no patch": 10})


def test_a_certificate_of_another_ca_is_not_accepted(tmp_path: Path) -> None:
    other = new_authority(datetime.datetime.now(datetime.UTC)).bundle_pem.decode()
    with injector(tmp_path) as (target, _):
        stranger = Target(target.name, HOST, target.port, target.path, HOST, other)
        with pytest.raises(ssl.SSLCertVerificationError):
            Client(WORKLOADS[:1]).verify(stranger)


def test_load_for_a_time_ends_with_it(tmp_path: Path) -> None:
    with injector(tmp_path) as (target, _):
        report = Client(WORKLOADS).run(Order(target, connections=2, seconds=0.1))
    assert report.requests > 0
    assert 0.1 <= report.seconds < 5
    assert report.rate == pytest.approx(report.requests / report.seconds)


WRONG = {
    "another uid": (whole(answer("other")), "the answer is for other"),
    "a refusal": (whole(answer(allowed=False, status={"message": "no"})), "refused: no"),
    "no patch": (whole(answer(patch="", patchType="")), "without a patch"),
    "no json": (whole(b"oops"), "JSONDecodeError"),
    "no review": (whole(b"{}"), "KeyError"),
}


@pytest.mark.parametrize(("reply", "wrong"), WRONG.values(), ids=WRONG)
def test_a_close_look_finds_what_is_wrong(reply: bytes, wrong: str) -> None:
    assert wrong in wire.verify(reply, UID, patches=True)


GLANCES = {
    "good": (whole(answer()), ""),
    "another uid": (whole(answer("other")), "another uid"),
    "an error": (whole(b"no", "503 Service Unavailable"), "HTTP 503"),
    "no patch": (whole(json.dumps({"response": {"uid": UID.decode()}}).encode()), "no patch"),
}


@pytest.mark.parametrize(("reply", "wrong"), GLANCES.values(), ids=GLANCES)
def test_a_glance_finds_what_is_wrong(reply: bytes, wrong: str) -> None:
    assert wire.problem(reply, UID, patches=True) == wrong


@pytest.mark.parametrize("form", [whole, chunked])
def test_an_answer_is_complete_when_its_last_byte_is_there(form: Any) -> None:
    reply = form(answer())
    assert [length for length in range(len(reply)) if wire.is_complete(reply[:length])] == []
    assert wire.is_complete(reply)
    assert wire.body_of(reply) == answer()


def test_orders_and_reports_survive_the_way_between_processes() -> None:
    order = Order(target_of("https://h:1/p", name="n", pid=3), 8, 1.5, seed=2)
    assert Order.of(order.line()) == order
    report = Report(1, 2.0, 3.0, None, 4, 5, {"no patch": 1}, [6])
    assert Report.of(report.line()) == report
