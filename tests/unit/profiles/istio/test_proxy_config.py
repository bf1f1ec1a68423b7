"""The ProxyConfig of a Pod: three layers, read strictly, written as the agent reads it."""

import copy
import json

import pytest

from sidecar_injector.errors import PodRejected
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.proxy_config import DEFAULTS, effective, problems, to_json, unknown_fields

EFFECTIVE = {
    "nothing said": ({}, "", {}),
    "null": ({}, "null", {}),
    "nothing but a comment": ({}, "# later", {}),
    "YAML": ({}, "discoveryAddress: foo:123\nconcurrency: 0", {"discoveryAddress": "foo:123", "concurrency": 0}),
    "JSON": ({}, '{ "holdApplicationUntilProxyStarts": false }', {"holdApplicationUntilProxyStarts": False}),
    "JSON on several lines, indented by tabs": ({}, '{\n\t"concurrency": 2\n}', {"concurrency": 2}),
    "names of protobuf": ({}, "drain_duration: 1m\nproxy_metadata: {A_B: c_d}",
                          {"drainDuration": "60s", "proxyMetadata": {"A_B": "c_d"}}),
    "names of protobuf in messages": (
        {}, "proxy_stats_matcher: {inclusion_prefixes: [a_b]}", {"proxyStatsMatcher": {"inclusionPrefixes": ["a_b"]}}
    ),
    "keys of the user's own keep their spelling": (
        {}, "tracing: {custom_tags: {my_tag: {header: {name: x, default_value: y}}}}",
        {"tracing": {"customTags": {"my_tag": {"header": {"name": "x", "defaultValue": "y"}}}}},
    ),
    "the annotation goes before the mesh": ({"drainDuration": "23s"}, "drainDuration: 7s", {"drainDuration": "7s"}),
    "the mesh goes before the defaults": ({"drainDuration": "23s"}, "concurrency: 1",
                                          {"drainDuration": "23s", "concurrency": 1}),
    "null leaves the mesh's": ({"concurrency": 4}, "concurrency: null", {"concurrency": 4}),
    "metadata are merged by key": (
        {"proxyMetadata": {"A": "1", "B": "1"}}, "proxyMetadata: {B: '2', C: ''}",
        {"proxyMetadata": {"A": "1", "B": "2", "C": ""}},
    ),
    "headers are merged by key": (
        {"proxyHeaders": {"server": {"value": "a"}, "requestId": {"disabled": True}}},
        "proxyHeaders: {server: {disabled: true}}",
        {"proxyHeaders": {"server": {"disabled": True}, "requestId": {"disabled": True}}},
    ),
    "a message replaces the mesh's": (
        {"tracing": {"zipkin": {"address": "zipkin:9411"}}}, "tracing: {sampling: 5}", {"tracing": {"sampling": 5}}
    ),
    "an empty message replaces the mesh's": ({"tracing": {"sampling": 5}}, "tracing: {}", {"tracing": {}}),
    "a list replaces the mesh's": ({"extraStatTags": ["a"]}, "extraStatTags: [b]", {"extraStatTags": ["b"]}),
    "of two names for the cluster, the one said last": (
        {}, "tracingServiceName: CANONICAL_NAME_ONLY",
        {"tracingServiceName": "CANONICAL_NAME_ONLY", "serviceCluster": None},
    ),
    "and back": (
        {"tracingServiceName": "CANONICAL_NAME_ONLY"}, "serviceCluster: shop",
        {"tracingServiceName": None, "serviceCluster": "shop"},
    ),
    "numbers as text": ({}, 'statusPort: "15030"', {"statusPort": 15030}),
    "numbers for enum values": ({}, "interceptionMode: 1", {"interceptionMode": "TPROXY"}),
    "unknown fields are passed on": ({}, "newField: {a_b: 1}", {"newField": {"a_b": 1}}),
}  # fmt: skip


@pytest.mark.parametrize(("mesh", "annotation", "expected"), EFFECTIVE.values(), ids=EFFECTIVE)
def test_an_annotation_goes_over_the_mesh_and_the_defaults(mesh, annotation, expected):
    below = {**DEFAULTS, **mesh}
    untouched = copy.deepcopy(below)
    wanted = {key: value for key, value in {**below, **expected}.items() if value is not None}
    assert effective(below, annotation) == wanted
    assert below == untouched
    assert problems(annotation) == []


def test_a_pod_that_says_nothing_has_the_mesh_s_config_itself():
    mesh = {**DEFAULTS, "concurrency": 2}
    assert effective(mesh, None) is mesh
    assert effective(mesh, "{}") is mesh


JSON = {
    "the defaults": ({}, "{}"),
    "a duration": ({"drainDuration": "23s"}, '{"drainDuration":"23s"}'),
    "an enum": ({"interceptionMode": "TPROXY"}, '{"interceptionMode":"TPROXY"}'),
    "an empty message": ({"tracing": {}}, '{"tracing":{}}'),
    "false in a wrapper": ({"holdApplicationUntilProxyStarts": False}, '{"holdApplicationUntilProxyStarts":false}'),
    "0 in a wrapper": ({"concurrency": 0}, '{"concurrency":0}'),
    "0 as a duration": ({"terminationDrainDuration": "0s"}, '{"terminationDrainDuration":"0s"}'),
    "zeros of scalars": (
        {"meshId": "", "interceptionMode": "REDIRECT", "statNameLength": 0, "proxyMetadata": {}, "extraStatTags": []},
        "{}",
    ),
    "zeros in messages": (
        {"tracing": {"sampling": 0, "maxPathTagLength": 0, "customTags": {}, "zipkin": {"address": ""}}},
        '{"tracing":{"zipkin":{}}}',
    ),
    "zeros in lists and maps": (
        {"proxyMetadata": {"A": ""}, "extraStatTags": [""]}, '{"proxyMetadata":{"A":""},"extraStatTags":[""]}'
    ),
    "the zero of one of two names for the cluster": (
        {"serviceCluster": None, "tracingServiceName": "APP_LABEL_AND_NAMESPACE"},
        '{"tracingServiceName":"APP_LABEL_AND_NAMESPACE"}',
    ),
    "declared order, maps by key": (
        {
            "proxyMetadata": {"ISTIO_META_TLS_CLIENT_KEY": "/key.pem", "FOO": "bar"},
            "concurrency": 0,
            "discoveryAddress": "foo:123",
        },
        '{"discoveryAddress":"foo:123","concurrency":0,"proxyMetadata":{"FOO":"bar","ISTIO_META_TLS_CLIENT_KEY":"/key.pem"}}',
    ),
    "declared order in messages": (
        {"readinessProbe": {"httpGet": {"port": 80, "path": "/"}, "periodSeconds": 3}},
        '{"readinessProbe":{"periodSeconds":3,"httpGet":{"path":"/","port":80}}}',
    ),
    "unknown fields come last, as they are": (
        {"zNew": {"b": 0, "a": ""}, "meshId": "é"}, '{"meshId":"é","zNew":{"b":0,"a":""}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), JSON.values(), ids=JSON)
def test_the_agent_is_told_what_differs_from_the_defaults(said, expected):
    config = {key: value for key, value in {**DEFAULTS, **said}.items() if value is not None}
    assert to_json(config) == expected


CLEANED = {
    "defaults": {},
    "a default said again": {"discoveryAddress": DEFAULTS["discoveryAddress"], "statusPort": 15020},
    "one field": {"concurrency": 5},
    "every kind": {
        "proxyMetadata": {"FOO": "bar"},
        "tracing": {"zipkin": {"address": "zipkin:9411"}, "sampling": 0.5},
        "holdApplicationUntilProxyStarts": True,
        "gatewayTopology": {"numTrustedProxies": 2, "forwardClientCertDetails": "SANITIZE_SET"},
        "proxyHeaders": {"requestId": {"disabled": False}},
        "image": {"imageType": "debug"},
        "envoyMetricsService": {"address": "a:1", "tcpKeepalive": {"time": "0.500s"}},
        "privateKeyProvider": {"cryptomb": {"pollDelay": "0.002s"}},
        "terminationDrainDuration": "0s",
    },
}


@pytest.mark.parametrize("said", CLEANED.values(), ids=CLEANED)
def test_the_agent_comes_to_the_same_config_from_its_own_defaults(said):
    config = {**DEFAULTS, **said}
    written = to_json(config)
    assert effective(DEFAULTS, written) == config
    assert problems(written) == []
    assert json.loads(written) == {key: value for key, value in said.items() if value != DEFAULTS.get(key)}


UNREADABLE = {
    "no map": ("- concurrency", 'is ["concurrency"]; allowed: a map of fields such as concurrency: 2'),
    "text": ("TPROXY", 'is "TPROXY"; allowed: a map of fields'),
    "two documents": ("concurrency: 1\n---\nstatusPort: 1", "holds 2 documents; allowed: one map"),
    "no YAML": ("concurrency: [", "line 2, column 1: a value is missing"),
    "a key twice": ("concurrency: 1\nconcurrency: 2", 'line 2, column 1: the key "concurrency" is there twice'),
    "aliases without end": (
        "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]\n" for n in range(1, 10)),
        "the document has more than 10000 nodes",
    ),
    "nested without end": ("tracing: " + "[" * 99 + "]" * 99, "nested more than 30 levels deep"),
    "both names of a field": (
        "drainDuration: 1s\ndrain_duration: 2s",
        "drain_duration: is given twice, as drainDuration and by its other name; delete one",
    ),
    "two of which one is allowed": (
        "serviceCluster: a\ntracingServiceName: CANONICAL_NAME_ONLY",
        "tracingServiceName: excludes serviceCluster; delete one of the two",
    ),
    "two tracers": (
        "tracing: {zipkin: {address: 'a:1'}, datadog: {address: 'a:1'}}", "tracing.datadog: excludes zipkin; delete one"
    ),
    "a number for text": (
        "proxyMetadata: {A: 1}", "proxyMetadata.A: is 1; allowed: text (put numbers, true and false in quotes)"
    ),
    "null for text": ("proxyMetadata: {A: null}", "proxyMetadata.A: is null; allowed: text"),
    "text for a map": ("proxyMetadata: A=1", 'proxyMetadata: is "A=1"; allowed: a map'),
    "text for a list": ("extraStatTags: a", 'extraStatTags: is "a"; allowed: a list'),
    "a number in a list of texts": ("extraStatTags: [a, 1]", "extraStatTags[1]: is 1; allowed: text"),
    "text for a message": ("tracing: zipkin", 'tracing: is "zipkin"; allowed: a map'),
    "a word for true": (
        "holdApplicationUntilProxyStarts: yes", 'holdApplicationUntilProxyStarts: is "yes"; allowed: true or false'
    ),
    "text for a number": (
        "concurrency: two", 'concurrency: is "two"; allowed: a whole number from -2147483648 to 2147483647'
    ),
    "true for a number": ("concurrency: true", "concurrency: is true; allowed: a whole number"),
    "a broken number": ("concurrency: 1.5", "concurrency: is 1.5; allowed: a whole number"),
    "a number that is too large": ("concurrency: 2147483648", "concurrency: is 2147483648; allowed: a whole number"),
    "a number below zero": (
        "gatewayTopology: {numTrustedProxies: -1}",
        "gatewayTopology.numTrustedProxies: is -1; allowed: a whole number from 0 to 4294967295",
    ),
    "a rate that is no number": ("tracing: {sampling: all}", 'tracing.sampling: is "all"; allowed: a number'),
    "a number for a duration": (
        "drainDuration: 45",
        "drainDuration: is 45; allowed: a duration of 0s or more, such as 45s or 1m30s",
    ),
    "no duration": ("drainDuration: soon", 'drainDuration: is "soon"; allowed: a duration'),
    "a duration below zero": ("terminationDrainDuration: -5s", 'is "-5s"; allowed: a duration of 0s or more'),
    "no value of the enum": (
        "interceptionMode: tproxy", 'interceptionMode: is "tproxy"; allowed: REDIRECT, TPROXY, NONE'
    ),
    "no number of the enum": ("interceptionMode: 3", "interceptionMode: is 3; allowed: REDIRECT, TPROXY, NONE"),
    "a long text": ("interceptionMode: " + "x" * 200, 'is "' + "x" * 79 + "…; allowed"),
    "a long key": ("proxyMetadata: {" + "x" * 200 + ": 1}", "proxyMetadata." + "x" * 66 + "…: is 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_annotation_that_cannot_be_read_refuses_the_pod(text, expected):
    (found,) = problems(text)
    assert expected in found
    with pytest.raises(PodRejected) as caught:
        effective(DEFAULTS, text)
    assert caught.value.reason is Reason.INVALID_ANNOTATION
    assert str(caught.value) == f"metadata.annotations[proxy.istio.io/config]: {found}"


def test_every_mistake_is_told_and_of_very_many_the_first():
    assert len(problems("concurrency: a\nstatusPort: b\nmeshId: 1")) == 3
    assert len(problems("proxyMetadata: {" + ", ".join(f"a{n}: {n}" for n in range(999)) + "}")) == 20


REFUSED = {
    "no port in an address": ("discoveryAddress: istiod", "HOST:PORT, "),
    "no host in an address": ("discoveryAddress: ':15012'", "HOST:PORT, "),
    "an address with a scheme": ("discoveryAddress: http://istiod:15012", "HOST:PORT, "),
    "an address with a bad host": ("discoveryAddress: a_b:15012", "HOST:PORT, "),
    "an address with port 0": ("discoveryAddress: istiod:0", "HOST:PORT, "),
    "an address with a port too high": ("discoveryAddress: istiod:65536", "HOST:PORT, "),
    "an empty address": ("discoveryAddress: ''", "HOST:PORT, "),
    "statsd": ("statsdUdpAddress: 10.0.0.1", "HOST:PORT, "),
    "metrics": ("envoyMetricsService: {address: metrics}", "HOST:PORT, "),
    "access log": ("envoyAccessLogService: {address: logs}", "HOST:PORT, "),
    "zipkin": ("tracing: {zipkin: {address: zipkin}}", "HOST:PORT, "),
    "zipkin without an address": ("tracing: {zipkin: {}}", "HOST:PORT, "),
    "lightstep without a token": ("tracing: {lightstep: {address: 'a:1'}}", "text that is not empty"),
    "no cluster": ("serviceCluster: ''", "text that is not empty"),
    "no path": ("configPath: ''", "text that is not empty"),
    "status port 0": ("statusPort: 0", "a port from 1 to 65535"),
    "status port too high": ("statusPort: 65536", "a port from 1 to 65535"),
    "admin port below 0": ("proxyAdminPort: -1", "a port from 1 to 65535"),
    "inherited policy": ("controlPlaneAuthPolicy: INHERIT", "NONE, MUTUAL_TLS"),
    "no time to drain": ("drainDuration: 0s", "whole seconds, at least 1s"),
    "part of a second to drain": ("drainDuration: 1500ms", "whole seconds, at least 1s"),
    "no delay of polls": ("privateKeyProvider: {cryptomb: {}}", "more than 0s"),
    "a delay of polls of 0": ("privateKeyProvider: {qat: {pollDelay: 0s}}", "more than 0s"),
}


@pytest.mark.parametrize(("text", "allowed"), REFUSED.values(), ids=REFUSED)
def test_what_a_proxy_could_not_work_with_is_a_problem(text, allowed):
    (found,) = problems(text)
    path = found.split(":")[0]
    assert path.split(".")[0] == text.split(":")[0]
    assert f"; allowed: {allowed}" in found


ACCEPTED = [
    "discoveryAddress: 10.0.0.1:15012",
    "discoveryAddress: '[::1]:15012'",
    "discoveryAddress: istiod.istio-system.svc.cluster.local.:15012",
    "discoveryAddress: Istiod-1-22:15012",
    "tracing: {zipkin: {address: '$(HOST_IP):9411'}}",
    "tracing: {datadog: {address: '$(HOST_IP):8126'}}",
    "tracing: {openCensusAgent: {address: 'dns://a/b:1', context: [B3, 1]}}",
    "envoyAccessLogService: {}",
    "statsdUdpAddress: ''",
    "controlPlaneAuthPolicy: NONE",
    "tracing: {stackdriver: {maxNumberOfAttributes: 9223372036854775807}}",
    "proxyHeaders: {forwardedClientCert: APPEND_FORWARD, setCurrentClientCertDetails: {uri: true}}",
    "privateKeyProvider: {cryptomb: {pollDelay: 2ms, fallback: true}}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_a_proxy_can_work_with_is_none(text):
    assert problems(text) == []
    assert unknown_fields(text) == []


UNKNOWN = {
    "none": ("concurrency: 1\nproxy_metadata: {any: thing}", []),
    "at the top": ("concurency: 1", ["concurency"]),
    "in a message": ("tracing: {zipkin: {url: a}}", ["tracing.zipkin.url"]),
    "in a map of messages": (
        "tracing: {customTags: {a: {literal: {valeu: x}}}}", ["tracing.customTags.a.literal.valeu"]
    ),
    "in a list": (
        "readinessProbe: {httpGet: {httpHeaders: [{key: a}]}}", ["readinessProbe.httpGet.httpHeaders[0].key"]
    ),
    "a spelling that is neither JSON's nor protobuf's": ("Drain_Duration: 1s", ["Drain_Duration"]),
    "null": ("concurency: null", []),
    "what cannot be read has none": ("concurency: [", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), UNKNOWN.values(), ids=UNKNOWN)
def test_fields_that_no_proxy_has_are_found(text, expected):
    assert unknown_fields(text) == expected
