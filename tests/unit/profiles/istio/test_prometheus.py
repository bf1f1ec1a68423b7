"""Scraping annotations come to point at the agent, which is told what they were."""

import copy
import json

import pytest

from sidecar_injector.errors import PodRejected
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.prometheus import (
    RESERVED_PORTS,
    Target,
    merge_metrics,
    scrape_targets,
    secure_port,
)

AGENT = 15020
OURS = {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
TARGETS = "prometheus.istio.io/scrape-targets"
MERGE = "prometheus.istio.io/merge-metrics"


def pod(annotations=None, proxy_in="containers", env=({"name": "A", "value": "1"},)):
    spec = {"containers": [{"name": "app"}]}
    if proxy_in:
        spec[proxy_in] = [*spec.get(proxy_in, []), {"name": "istio-proxy", "env": list(env)}]
    return {"metadata": {} if annotations is None else {"annotations": annotations}, "spec": spec}


def told(result, proxy_in="containers"):
    env = result["spec"][proxy_in][-1]["env"]
    values = [entry["value"] for entry in env if entry["name"] == "ISTIO_PROMETHEUS_ANNOTATIONS"]
    return values[0] if values else None


def compact(**document):
    return json.dumps(document, separators=(",", ":"))


M1, M2 = {"port": "8080", "path": "/metrics"}, {"port": "9100", "path": "/custom"}
MERGED = {
    "nothing": ({}, None),
    "other annotations": ({"a": "b", "prometheus.io/scheme": "http"}, None),
    "scrape alone": ({"prometheus.io/scrape": "true"}, compact(scrape="true", path="", port="")),
    "all three": (
        {"prometheus.io/scrape": "true", "prometheus.io/port": "80", "prometheus.io/path": "/m"},
        compact(scrape="true", path="/m", port="80"),
    ),
    "dots": ({"prometheus.io.port": "80"}, compact(scrape="", path="", port="80")),
    "hyphens": ({"prometheus-io/port": "80"}, compact(scrape="", path="", port="80")),
    "underscores": ({"prometheus_io_path": "/m"}, compact(scrape="", path="/m", port="")),
    "the proper spelling first": (
        {"prometheus.io.port": "1", "prometheus.io/port": "2", "prometheus-io/port": "3"},
        compact(scrape="", path="", port="2"),
    ),
    "then the alphabet": (
        {"prometheus_io_port": "2", "prometheus-io/port": "3"}, compact(scrape="", path="", port="3")
    ),
    "blanks around": ({"prometheus.io/port": " 80 "}, compact(scrape="", path="", port="80")),
    "empty values": ({"prometheus.io/port": "", "prometheus.io/path": ""}, None),
    "a scrape of no meaning": ({"prometheus.io/scrape": "maybe"}, compact(scrape="maybe", path="", port="")),
    "targets": (
        {"prometheus.io/scrape": "true", TARGETS: "8080:/metrics,9100:/custom"},
        compact(scrape="true", path="/metrics", port="8080", targets=[M1, M2]),
    ),
    "targets alone": ({TARGETS: "9100:/custom"}, compact(scrape="", path="/custom", port="9100", targets=[M2])),
    "a port beside targets": (
        {"prometheus.io/port": "81", TARGETS: "9100:/custom"},
        compact(scrape="", path="/custom", port="81", targets=[M2]),
    ),
    "a path beside targets": (
        {"prometheus.io/path": "/m", TARGETS: "8080"},
        compact(scrape="", path="/m", port="8080", targets=[M1]),
    ),
    "a port of the proxy's, which is not asked, beside targets": (
        {"prometheus.io/port": "15090", TARGETS: "8080"},
        compact(scrape="", path="/metrics", port="15090", targets=[M1]),
    ),
    "targets spelt otherwise": (
        {"prometheus.istio.io.scrape.targets": "8080"},
        compact(scrape="", path="/metrics", port="8080", targets=[M1]),
    ),
    "malformed targets": ({TARGETS: "http:/metrics"}, None),
    "malformed targets beside a port": (
        {TARGETS: "8080,http", "prometheus.io/port": "80"}, compact(scrape="", path="", port="80")
    ),
    "no targets": ({TARGETS: " , "}, None),
}  # fmt: skip


@pytest.mark.parametrize("proxy_in", ["containers", "initContainers"])
@pytest.mark.parametrize(("given", "document"), MERGED.values(), ids=MERGED)
def test_the_annotations_move_into_the_agents_environment(given, document, proxy_in):
    result = merge_metrics(pod(given, proxy_in), {}, AGENT)
    assert told(result, proxy_in) == document
    spelt = ("prometheus.io.port", "prometheus-io/port", "prometheus_io_port", "prometheus_io_path")
    gone = {*OURS, *spelt, TARGETS, "prometheus.istio.io.scrape.targets"}
    kept = {key: value for key, value in given.items() if key not in gone}
    assert result["metadata"]["annotations"] == {**kept, **OURS}


@pytest.mark.parametrize("given", [None, {}, {"prometheus.io/port": "80"}])
def test_without_the_proxy_only_the_annotations_are_set(given):
    before = pod(given, proxy_in=None)
    result = merge_metrics(before, {}, AGENT)
    assert result["metadata"]["annotations"] == OURS
    assert result["spec"] is before["spec"]


def test_the_agents_port_is_the_one_that_is_scraped():
    result = merge_metrics(pod({"prometheus.io/port": "80"}), {}, 123)
    assert result["metadata"]["annotations"]["prometheus.io/port"] == "123"


NOTHING_DONE = {
    "no scraping": {"prometheus.io/scrape": "false", "prometheus.io/port": "80"},
    "no scraping, in Go's words": {"prometheus.io/scrape": "F"},
    "no scraping, with dots": {"prometheus.io.scrape": "false"},
    "no scraping, with hyphens": {"prometheus-io/scrape": "False"},
    "no scraping, with underscores": {"prometheus_io_scrape": "0"},
    "no scraping in one of two spellings": {"prometheus.io/scrape": "true", "prometheus.io.scrape": "false"},
    "no scraping, so that nothing is checked": {"prometheus.io/scrape": "false", "prometheus.io/port": "15090"},
    "the agent's port": {"prometheus.io/port": "15020"},
    "the agent's port with dots": {"prometheus.io.port": "15020"},
    "the agent's port and targets": {"prometheus.io/port": "15020", TARGETS: "8080"},
    "merging off": {MERGE: "false", "prometheus.io/port": "80"},
}


@pytest.mark.parametrize("given", NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_nothing_is_done_where_the_user_or_an_earlier_injection_has_settled_it(given):
    before = pod(given)
    assert merge_metrics(before, {}, AGENT) is before


def test_nothing_is_done_without_a_port_of_the_agents():
    before = pod({"prometheus.io/port": "80"})
    assert merge_metrics(before, {}, 0) is before


@pytest.mark.parametrize(
    ("annotation", "mesh", "merged"),
    [
        (None, {}, True),
        (None, {"enablePrometheusMerge": None}, True),
        (None, {"enablePrometheusMerge": True}, True),
        (None, {"enablePrometheusMerge": False}, False),
        ("true", {"enablePrometheusMerge": False}, True),
        ("false", {"enablePrometheusMerge": True}, False),
        ("0", {}, False),
        ("perhaps", {"enablePrometheusMerge": False}, False),
        ("perhaps", {}, True),
    ],
)
def test_the_annotation_goes_before_the_mesh_and_the_mesh_before_yes(annotation, mesh, merged):
    notes = {} if annotation is None else {MERGE: annotation}
    result = merge_metrics(pod(notes), mesh, AGENT)
    assert result["metadata"]["annotations"] == ({**notes, **OURS} if merged else notes)


REFUSED = {
    **{f"reserved {port}": ({"prometheus.io/port": str(port)}, str(port)) for port in sorted(RESERVED_PORTS - {AGENT})},
    "zero": ({"prometheus.io/port": "0"}, "0"),
    "beyond the last": ({"prometheus.io/port": "65536"}, "65536"),
    "negative": ({"prometheus.io/port": "-1"}, "-1"),
    "a name": ({"prometheus.io/port": "http"}, "http"),
    "spelt with dots": ({"prometheus.io.port": "15090"}, "15090"),
    "reserved, with a zero before": ({"prometheus.io/port": "015090"}, "015090"),
    "a target out of range": ({TARGETS: "8080,65536:/m"}, "65536"),
    "a reserved target": ({TARGETS: "8080:/a,15000:/stats"}, "15000"),
    "a reserved target, with a zero before": ({TARGETS: "015000"}, "15000"),
    "the agent as target": ({TARGETS: "15020"}, "15020"),
    "a long one": ({TARGETS: "1" * 6000}, "1" * 80),
}


@pytest.mark.parametrize(("given", "port"), REFUSED.values(), ids=REFUSED)
def test_a_port_at_which_the_app_has_no_metrics_is_refused(given, port):
    with pytest.raises(PodRejected) as caught:
        merge_metrics(pod(given), {}, AGENT)
    assert caught.value.reason is Reason.INVALID_ANNOTATION
    message = str(caught.value)
    assert message.startswith(f"metadata.annotations[{next(iter(given))}]: is {next(iter(given.values()))[:80]!r}")
    assert f"with port {port!r}" in message
    assert "allowed: ports from 1 to 65535" in message
    assert len(message) < 500


def test_another_port_of_the_agents_is_reserved_too():
    with pytest.raises(PodRejected):
        merge_metrics(pod({TARGETS: "16020"}), {}, 16020)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("8080", (Target("8080", "/metrics"),)),
        ("8080:", (Target("8080", "/metrics"),)),
        (" 8080 : /a ,9100:/b,", (Target("8080", "/a"), Target("9100", "/b"))),
        ("8080:/a:b?c=d", (Target("8080", "/a:b?c=d"),)),
        ("8080:/a,8080:/b", (Target("8080", "/a"), Target("8080", "/b"))),
        ("00:/a", (Target("0", "/a"),)),
        (":/a", None),
        ("http:/a", None),
        ("8080,x", None),
        ("-1", None),
        ("٨٠", None),
    ],
)
def test_a_list_of_targets_is_read_whole_or_not_at_all(text, expected):
    assert scrape_targets(text) == expected


def test_a_variable_that_stands_already_is_replaced_where_it_stands():
    env = [{"name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": "old"}, {"name": "A", "value": "1"}]
    result = merge_metrics(pod({"prometheus.io/port": "80"}, env=env), {}, AGENT)
    assert [entry["name"] for entry in result["spec"]["containers"][1]["env"]] == ["ISTIO_PROMETHEUS_ANNOTATIONS", "A"]
    assert told(result) == compact(scrape="", path="", port="80")


def test_a_second_run_changes_nothing_and_the_input_is_never_changed():
    given = pod({"prometheus.io.port": "80", TARGETS: "8080", "a": "b"})
    before = copy.deepcopy(given)
    first = merge_metrics(given, {}, AGENT)
    assert given == before
    assert merge_metrics(first, {}, AGENT) is first


VARIABLE = "ENVOY_SECURE_MERGED_METRICS_PORT"
SECURE = "prometheus.istio.io/secure-port"


@pytest.mark.parametrize(
    ("env", "annotations", "expected"),
    [
        ([], {}, {}),
        ([{"name": VARIABLE, "value": "15091"}], {}, {SECURE: "15091"}),
        ([{"name": VARIABLE, "value": "15091"}], {"a": "b"}, {"a": "b", SECURE: "15091"}),
        ([{"name": VARIABLE, "value": "15091"}], {SECURE: "1"}, {SECURE: "1"}),
        ([{"name": VARIABLE, "value": "0"}], {}, {}),
        ([{"name": VARIABLE, "value": ""}], {}, {}),
        ([{"name": VARIABLE, "value": "x"}], {}, {}),
        ([{"name": VARIABLE, "valueFrom": {}}], {}, {}),
        ([{"name": VARIABLE, "value": "1"}, {"name": VARIABLE, "value": "15091"}], {}, {SECURE: "15091"}),
    ],
)
@pytest.mark.parametrize("proxy_in", ["containers", "initContainers"])
def test_a_port_of_secured_metrics_is_told_to_prometheus(env, annotations, expected, proxy_in):
    given = pod(annotations, proxy_in, env)
    result = secure_port(given)
    assert result["metadata"]["annotations"] == expected
    assert secure_port(result) is result
    assert (result is given) is (annotations == expected)


def test_without_the_proxy_no_metrics_are_secured():
    given = pod(proxy_in=None)
    assert secure_port(given) is given
