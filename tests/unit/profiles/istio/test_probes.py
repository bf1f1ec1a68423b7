"""Probes and hooks go to the agent, and the agent is told what they were."""

import copy
import json

import pytest

from sidecar_injector.profiles.istio.probes import rewrite_probes, rewrites_probes, wants_rewrite

PORT = 15020
PROXY = {"name": "istio-proxy", "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}}}
PORTS = [{"containerPort": 53}, {"name": "http", "containerPort": 80}, {"name": "8080", "containerPort": 9090}]


def pod(*containers, init=(), annotations=None):
    spec = {"containers": list(containers), **({"initContainers": list(init)} if init else {})}
    return {"metadata": {"annotations": annotations or {}}, "spec": spec}


def proxy_in(result):
    lists = result["spec"].get("initContainers", []) + result["spec"]["containers"]
    return next(container for container in lists if container["name"] == "istio-proxy")


def probers(result):
    variables = [entry for entry in proxy_in(result).get("env", []) if entry["name"] == "ISTIO_KUBE_APP_PROBERS"]
    return json.loads(variables[-1]["value"]) if variables else None


HANDLERS = {
    "a port's number": ({"httpGet": {"port": 3333}}, {"httpGet": {"port": 3333}}),
    "a port's name": ({"httpGet": {"path": "/a", "port": "http"}}, {"httpGet": {"path": "/a", "port": 80}}),
    "a number as text": ({"httpGet": {"port": "3333"}}, {"httpGet": {"port": 3333}}),
    "a name of digits": ({"httpGet": {"port": "8080"}}, {"httpGet": {"port": 9090}}),
    "an empty host": ({"tcpSocket": {"port": 1, "host": ""}}, {"tcpSocket": {"port": 1, "host": ""}}),
    "TCP": ({"tcpSocket": {"port": "http"}}, {"tcpSocket": {"port": 80}}),
    "gRPC": ({"grpc": {"port": 7, "service": "s"}}, {"grpc": {"port": 7, "service": "s"}}),
    "a timeout": ({"grpc": {"port": 7}, "timeoutSeconds": 5}, {"grpc": {"port": 7}, "timeoutSeconds": 5}),
    "no timeout": ({"grpc": {"port": 7}, "timeoutSeconds": 0}, {"grpc": {"port": 7}}),
    "another path on the agent's port": (
        {"httpGet": {"path": "/healthz/ready", "port": PORT}}, {"httpGet": {"path": "/healthz/ready", "port": PORT}}
    ),
    "the agent's path on another port": (
        {"httpGet": {"path": "/app-health/app/livez", "port": 80}},
        {"httpGet": {"path": "/app-health/app/livez", "port": 80}},
    ),
    "TCP to the agent's port": ({"tcpSocket": {"port": PORT}}, {"tcpSocket": {"port": PORT}}),
    "what nobody knows yet": ({"httpGet": {"port": 1, "new": {}}}, {"httpGet": {"port": 1, "new": {}}}),
}  # fmt: skip


@pytest.mark.parametrize(("probe", "told"), HANDLERS.values(), ids=HANDLERS)
def test_the_agent_is_told_what_a_probe_was_with_its_ports_number(probe, told):
    result = rewrite_probes(pod({"name": "app", "ports": PORTS, "livenessProbe": probe}, PROXY), PORT)
    assert probers(result) == {"/app-health/app/livez": told}
    rewritten = result["spec"]["containers"][0]["livenessProbe"]
    assert (rewritten["httpGet"]["path"], rewritten["httpGet"]["port"]) == ("/app-health/app/livez", PORT)
    assert not {"tcpSocket", "grpc"} & rewritten.keys()


LEFT_ALONE = {
    "a command": {"exec": {"command": ["true"]}},
    "a name that the container does not declare": {"httpGet": {"port": "https"}},
    "a name that another container declares": {"tcpSocket": {"port": "theirs"}},
    "text of a number that is no port": {"httpGet": {"port": "65536"}},
    "a number that is no port": {"grpc": {"port": 0}},
    "no port": {"httpGet": {"path": "/"}},
    "an HTTP host": {"httpGet": {"port": 80, "host": "example.com"}},
    "a TCP host": {"tcpSocket": {"port": 80, "host": "example.com"}},
    "the agent's readiness path": {"httpGet": {"path": "/app-health/app/readyz", "port": PORT}},
    "the agent's path with its port as text": {"httpGet": {"path": "/app-health/x/readyz", "port": str(PORT)}},
    "the agent's hook path": {"httpGet": {"path": "/app-lifecycle/app/prestopz", "port": PORT}},
    "a null": {"httpGet": None},
    "another shape": {"httpGet": "of no known shape"},
    "no handler": {"periodSeconds": 3},
}


@pytest.mark.parametrize("probe", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_handler_that_the_agent_cannot_or_need_not_ask_is_left_as_it_is(probe):
    other = {"name": "other", "ports": [{"name": "theirs", "containerPort": 1}]}
    app = {"name": "app", "ports": PORTS, "readinessProbe": probe, "lifecycle": {"preStop": probe}}
    given = pod(app, other, PROXY)
    assert rewrite_probes(given, PORT) is given


def test_every_probe_and_hook_has_a_path_of_its_own():
    probe, hook = {"httpGet": {"port": 1}}, {"tcpSocket": {"port": 2}}
    app = {"name": "app", "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe}
    result = rewrite_probes(pod({**app, "lifecycle": {"preStop": hook, "postStart": hook}}, PROXY), PORT)
    told = probers(result)
    assert list(told) == [
        "/app-health/app/livez",
        "/app-health/app/readyz",
        "/app-health/app/startupz",
        "/app-lifecycle/app/poststartz",
        "/app-lifecycle/app/prestopz",
    ]
    rewritten = result["spec"]["containers"][0]
    sent = {rewritten[field]["httpGet"]["path"] for field in ("livenessProbe", "readinessProbe", "startupProbe")}
    sent |= {hook["httpGet"]["path"] for hook in rewritten["lifecycle"].values()}
    assert sent == set(told)


REWRITTEN = {
    "timings stay": (
        {"httpGet": {"path": "/", "port": 1}, "periodSeconds": 3, "timeoutSeconds": 2, "failureThreshold": 9},
        {"httpGet": {}, "periodSeconds": 3, "timeoutSeconds": 2, "failureThreshold": 9},
    ),
    "HTTPS becomes HTTP": ({"httpGet": {"port": 1, "scheme": "HTTPS"}}, {"httpGet": {"scheme": "HTTP"}}),
    "HTTP stays": ({"httpGet": {"port": 1, "scheme": "HTTP"}}, {"httpGet": {"scheme": "HTTP"}}),
    "headers stay": (
        {"httpGet": {"port": 1, "httpHeaders": [{"name": "Host", "value": "a"}]}},
        {"httpGet": {"httpHeaders": [{"name": "Host", "value": "a"}]}},
    ),
    "TCP becomes HTTP": ({"tcpSocket": {"port": 1}, "periodSeconds": 3}, {"httpGet": {}, "periodSeconds": 3}),
    "a null beside it stays": ({"grpc": {"port": 1}, "exec": None}, {"httpGet": {}, "exec": None}),
}


@pytest.mark.parametrize(("probe", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_rewritten_probe_keeps_all_but_where_it_goes(probe, expected):
    result = rewrite_probes(pod({"name": "app", "livenessProbe": probe}, PROXY), PORT)
    sent = {"path": "/app-health/app/livez", "port": PORT}
    assert result["spec"]["containers"][0]["livenessProbe"] == {**expected, "httpGet": {**expected["httpGet"], **sent}}


def test_a_hook_that_is_no_handler_to_rewrite_stays_beside_one_that_is():
    hooks = {"postStart": {"exec": {"command": ["a"]}}, "preStop": {"httpGet": {"port": 91}}, "stopSignal": "SIGUSR1"}
    result = rewrite_probes(pod({"name": "app", "lifecycle": hooks}, PROXY), PORT)
    sent = {"httpGet": {"path": "/app-lifecycle/app/prestopz", "port": PORT}}
    assert result["spec"]["containers"][0]["lifecycle"] == {**hooks, "preStop": sent}
    assert probers(result) == {"/app-lifecycle/app/prestopz": {"httpGet": {"port": 91}}}


def test_hooks_have_no_grpc():
    given = pod({"name": "app", "lifecycle": {"preStop": {"grpc": {"port": 1}}}}, PROXY)
    assert rewrite_probes(given, PORT) is given


def test_native_sidecars_are_asked_by_the_agent_too_and_it_may_be_one_itself():
    other = {
        "name": "other",
        "restartPolicy": "Always",
        "ports": PORTS,
        "startupProbe": {"tcpSocket": {"port": "http"}},
    }
    app = {"name": "app"}
    result = rewrite_probes(pod(app, init=[{**PROXY, "restartPolicy": "Always"}, other]), PORT)
    assert probers(result) == {"/app-health/other/startupz": {"tcpSocket": {"port": 80}}}
    assert proxy_in(result)["readinessProbe"] == PROXY["readinessProbe"]
    assert result["spec"]["containers"][0] is app


@pytest.mark.parametrize("native", [True, False])
def test_the_list_with_the_proxy_comes_last_as_a_patch_is_in_the_order_of_the_lists(native):
    app, setup = (
        {"name": name, "livenessProbe": {"httpGet": {"path": f"/{name}", "port": 80}}} for name in ("app", "setup")
    )
    given = pod(app, init=[PROXY, setup]) if native else pod(app, PROXY, init=[setup])
    result = rewrite_probes(given, PORT)
    assert list(result["spec"]) == (["containers", "initContainers"] if native else ["initContainers", "containers"])
    assert sorted(probers(result)) == ["/app-health/app/livez", "/app-health/setup/livez"]
    names = [[item["name"] for item in items] for items in result["spec"].values()]
    assert names == ([["app"], ["istio-proxy", "setup"]] if native else [["setup"], ["app", "istio-proxy"]])


@pytest.mark.parametrize("containers", [(), ({"name": "other"},)])
def test_without_the_proxy_nothing_is_done(containers):
    given = pod({"name": "app", "livenessProbe": {"httpGet": {"port": 1}}}, *containers)
    assert rewrite_probes(given, PORT) is given


def test_without_a_status_port_nothing_is_done():
    given = pod({"name": "app", "livenessProbe": {"httpGet": {"port": 1}}}, PROXY)
    assert rewrite_probes(given, 0) is given


OLD, NEW = {"httpGet": {"port": 1}}, {"httpGet": {"port": 3}}
KNOWN = {
    "nothing": (None, {"/app-health/app/livez": NEW}),
    "another's probe": (
        {"/app-health/z/livez": OLD}, {"/app-health/app/livez": NEW, "/app-health/z/livez": OLD}
    ),
    "the same probe, which wins": ({"/app-health/app/livez": OLD}, {"/app-health/app/livez": OLD}),
    "no JSON": ("{", {"/app-health/app/livez": NEW}),
    "JSON of another shape": ([1], {"/app-health/app/livez": NEW}),
    "JSON that nests without end": ("[" * 100_000, {"/app-health/app/livez": NEW}),
}  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), KNOWN.values(), ids=KNOWN)
def test_what_the_agent_knows_already_stays_in_force(known, expected):
    value = known if isinstance(known, str) else json.dumps(known)
    standing = [] if known is None else [{"name": "ISTIO_KUBE_APP_PROBERS", "value": value}]
    proxy = {**PROXY, "env": [{"name": "A"}, *standing, *([{"name": "Z"}] if standing else [])]}
    result = rewrite_probes(pod({"name": "app", "livenessProbe": NEW}, proxy), PORT)
    assert probers(result) == expected
    assert [entry["name"] for entry in proxy_in(result)["env"]][:2] == ["A", "ISTIO_KUBE_APP_PROBERS"]
    assert len(proxy_in(result)["env"]) == len(proxy["env"]) + (not standing)


def test_a_variable_that_comes_from_elsewhere_gives_way_to_what_the_agent_can_read():
    proxy = {**PROXY, "env": [{"name": "ISTIO_KUBE_APP_PROBERS", "valueFrom": {"secretKeyRef": {}}}]}
    result = rewrite_probes(pod({"name": "app", "livenessProbe": NEW}, proxy), PORT)
    assert [entry.keys() for entry in proxy_in(result)["env"]] == [{"name", "value"}]


def test_of_a_variable_that_stands_twice_the_last_one_counts():
    twice = [{"name": "ISTIO_KUBE_APP_PROBERS", "value": json.dumps({key: OLD})} for key in ("/first", "/last")]
    result = rewrite_probes(pod({"name": "app", "livenessProbe": NEW}, {**PROXY, "env": twice}), PORT)
    assert proxy_in(result)["env"][0] == twice[0]
    assert probers(result) == {"/app-health/app/livez": NEW, "/last": OLD}


def test_a_container_that_came_after_an_injection_is_rewritten_and_the_others_stay():
    first = rewrite_probes(pod({"name": "app", "livenessProbe": {"httpGet": {"port": 1}}}, PROXY), PORT)
    added = {"name": "new", "livenessProbe": {"httpGet": {"path": "/testLive", "port": 8008}}}
    again = {**first, "spec": {"containers": [*first["spec"]["containers"], added]}}
    second = rewrite_probes(again, PORT)
    assert probers(second) == {
        "/app-health/app/livez": {"httpGet": {"port": 1}},
        "/app-health/new/livez": {"httpGet": {"path": "/testLive", "port": 8008}},
    }
    assert second["spec"]["containers"][0] is first["spec"]["containers"][0]


def test_a_second_run_changes_nothing_and_the_input_is_never_changed():
    probe = {"httpGet": {"port": "http", "scheme": "HTTPS"}, "timeoutSeconds": 2}
    app = {"name": "app", "ports": PORTS, "startupProbe": probe, "lifecycle": {"preStop": {"tcpSocket": {"port": 1}}}}
    given = pod(app, {**PROXY, "env": [{"name": "A", "value": "1"}]}, init=[{"name": "init"}])
    before = copy.deepcopy(given)
    first = rewrite_probes(given, PORT)
    assert given == before
    assert rewrite_probes(first, PORT) is first
    assert first["spec"]["initContainers"] is given["spec"]["initContainers"]


def values(rewrite):
    return {"sidecarInjectorWebhook": {"rewriteAppHTTPProbe": rewrite}}


@pytest.mark.parametrize(
    ("annotation", "given", "expected"),
    [
        (None, {}, True),
        (None, {"sidecarInjectorWebhook": None}, True),
        (None, values(None), True),
        (None, values(True), True),
        (None, values(False), False),
        ("true", values(False), True),
        ("T", values(False), True),
        ("1", values(False), True),
        ("false", values(True), False),
        ("FALSE", {}, False),
        ("0", {}, False),
        ("", values(False), False),
        ("yes", values(False), False),
        ("no", values(True), True),
        (" false", values(True), True),
    ],
)
def test_an_annotation_that_says_true_or_false_goes_before_the_values(annotation, given, expected):
    notes = {} if annotation is None else {"sidecar.istio.io/rewriteAppHTTPProbers": annotation}
    assert wants_rewrite(pod(annotations=notes), default=rewrites_probes(given)) is expected
