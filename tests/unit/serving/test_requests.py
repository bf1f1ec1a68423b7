"""From an HTTP request to a review."""

import json
import time

import pytest

from sidecar_injector.errors import ReviewError
from sidecar_injector.serving import requests
from sidecar_injector.serving.requests import Route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/inject/mesh", Route("mesh")),
        ("/inject/mesh/", Route("mesh")),
        ("/inject/mesh/cluster/east", Route("mesh", (("cluster", "east"),))),
        ("/validate", Route()),
    ],
)
def test_known_paths_lead_to_their_handlers(path: str, route: Route) -> None:
    assert requests.route(path) == route


@pytest.mark.parametrize(
    ("rest", "parameters"),
    [
        ("", {}),
        ("/", {}),
        ("/cluster/east", {"cluster": "east"}),
        ("/cluster/east/", {"cluster": "east"}),
        ("/cluster/east/net/n1", {"cluster": "east", "net": "n1"}),
        ("/net/n1/cluster/east/Dns_Capture/true", {"net": "n1", "cluster": "east", "Dns_Capture": "true"}),
        ("/cluster", {}),
        ("/cluster/east/net", {"cluster": "east"}),
        ("/cluster/east/net/", {"cluster": "east"}),
        ("/cluster//net/n1", {"cluster": "", "net": "n1"}),
        ("/root/--slash--etc--slash--certs", {"root": "/etc/certs"}),
        ("/--slash--key/value", {"--slash--key": "value"}),
        ("/cluster/two words=ü:ENV:", {"cluster": "two words=ü:ENV:"}),
        ("/cluster/first/cluster/last", {"cluster": "last"}),
        ("/:ENV:cluster=east", {"cluster": "east"}),
        ("/:ENV:cluster=east:ENV:root=/etc/certs=x:ENV:net=", {"cluster": "east", "root": "/etc/certs=x", "net": ""}),
        ("/:ENV:cluster=east:ENV:net", {"cluster": "east"}),
        ("/:ENV:root=--slash--etc/", {"root": "/etc"}),
    ],
)
def test_keys_and_values_may_follow_the_config(rest: str, parameters: dict[str, str]) -> None:
    route = requests.route(f"/inject/mesh{rest}")
    assert (route.config, dict(route.parameters)) == ("mesh", parameters)


def test_parameters_keep_their_order() -> None:
    route = requests.route("/inject/mesh/z/1/a/2/z/3")
    assert route.parameters == (("z", "1"), ("a", "2"), ("z", "3"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/inject",
        "/inject/",
        "/inject//",
        "/inject/mesh//value",
        "/inject/mesh/key/value//value",
        "/inject/mesh/:ENV:=value",
        "/Inject/mesh",
        "/injects/mesh",
        "/validate/",
        "/validate/mesh",
        "/mutate",
    ],
)
def test_other_paths_are_refused_with_what_is_known(path: str) -> None:
    with pytest.raises(ReviewError, match="known are /validate and /inject/<config>") as caught:
        requests.route(path)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "Application/JSON",
        "application/json; profile=x",
    ],
)
def test_json_with_any_parameters_is_taken(content_type: str) -> None:
    requests.check_content_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/yaml", "application/jsonx", "text/json", "application/json; charset=utf-16"],
)
def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(ReviewError, match="must be application/json") as caught:
        requests.check_content_type(content_type)
    assert caught.value.status == 415


def test_the_announced_length_is_limited() -> None:
    requests.check_length(None, 10)
    requests.check_length(10, 10)
    with pytest.raises(ReviewError, match="at most 10 are taken") as caught:
        requests.check_length(11, 10)
    assert caught.value.status == 413


@pytest.mark.parametrize("value", [{}, [], {"a": [1, 2.5, None, True, "ü\u0000\uffff"]}, "text", 1e300])
def test_json_is_read(value: object) -> None:
    assert requests.decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "body is not JSON: Expecting value"),
        (b"{", "body is not JSON: Expecting property name"),
        (b'{"a": 1} x', "body is not JSON: Extra data"),
        (b"apiVersion: v1", "body is not JSON"),
        (b"\xff\xfe{\x00}\x00", "body is not UTF-8: invalid start byte at byte 0"),
        ('{"a": "ü"}'.encode("latin-1"), "body is not UTF-8"),
        ("{}".encode("utf-16"), "body is not UTF-8"),
        ("\ufeff{}".encode(), "body is not JSON: Unexpected UTF-8 BOM"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"uid": 1, "uid": 2}', "key 'uid' occurs twice in one object"),
        (b'{"a": [{"b": {}, "b": {}}]}', "key 'b' occurs twice in one object"),
        (b'{"a": NaN}', "NaN is no number that JSON has"),
        (b'{"a": -Infinity}', "-Infinity is no number that JSON has"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "body is not JSON"),
        (b'{"a": "\n"}', "Invalid control character"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(ReviewError, match=problem) as caught:
        requests.decode(body)
    assert caught.value.status == 400


def test_a_body_of_many_keys_is_refused_as_fast_as_it_is_read() -> None:
    keys = ",".join(f'"{number}":0' for number in range(200_000))
    started = time.process_time()
    with pytest.raises(ReviewError, match="key 'last' occurs twice"):
        requests.decode(f'{{{keys},"last":1,"last":2}}'.encode())
    assert time.process_time() - started < 5, "quadratic, it took minutes"


def test_every_refusal_has_a_code_of_its_own() -> None:
    assert len(set(requests.REJECTIONS.values())) == len(requests.REJECTIONS)
