"""Values that are refused, and what is only warned of."""

import copy
import json
from collections.abc import Mapping

import pytest

from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.respond import WARNINGS_IN_ALL
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio import vocabulary as v
from sidecar_injector.profiles.istio.keys import BY_NAME
from sidecar_injector.profiles.istio.validate import check, faults, warnings

HUGE = 200_000

BOOLS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
NO_BOOLS = ("", "yes", "no", "on", "tRUE", " true", "true ", "2", "null")
MODES, NO_MODES = ("REDIRECT", "TPROXY", "NONE"), ("", "redirect", "None", "REDIRECT ", "REDIRECT,NONE", "*")
QUANTITIES = (
    "100m",
    "1",
    "0",
    "0.5",
    ".5",
    "5.",
    "+1",
    "2000m",
    "64Mi",
    "1G",
    "1.5Gi",
    "1e3",
    "1E6",
    "1E",
    "12e-3",
    "7n",
)
NO_QUANTITIES = (
    "",
    " ",
    "abc",
    "100 m",
    " 100m",
    "100m ",
    "100M i",
    "1Mb",
    "1ki",
    "1,5",
    "1.2.3",
    "-100m",
    "--1",
    "0x10",
    "١",
    "100m\n",
    "100m\n      privileged: true",
    "100m\t",
    "100m\r",
    "\x00100m",
    "100m\x7f",
    "100m\x85",
    '100m"',
    "{{ 1 }}",
)
PORTS = ("", " ", "\n", "0", "80", "65535", "80,443", "80, 443", " 80 ,\t443 ", "80,443\n", "80,80", "007")
NO_PORTS = (
    "65536",
    "-1",
    "+80",
    "80.0",
    "http",
    "80,",
    ",80",
    ",",
    "80,,443",
    "80;443",
    "80 443",
    "8 0",
    "1-5",
    "*,80",
    "80,*",
    "**",
    " *",
    "0x50",
    "1_0",
    "八",
    "٨٠",
    "80\x00",
    '80"',
    "80,443,http",
)
RANGES = (
    "",
    "10.0.0.0/8",
    "10.96.0.2/24",
    "10.0.0.0/8,192.168.0.0/16",
    "0.0.0.0/0",
    "1.2.3.4/32",
    "fd00::/8",
    "::/0",
    "2001:db8::1/128",
    "10.0.0.0/8,fd00::1/64",
    "::ffff:10.0.0.0/104",
)
NO_RANGES = (
    "bad",
    " ",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "10.0.0.256/8",
    "010.0.0.0/8",
    "/8",
    "fd00::",
    "fd00::/129",
    "fd00:::/8",
    "fe80::1%eth0/64",
    "10.0.0.0/8,",
    ",",
    "10.0.0.0/8, 10.1.0.0/16",
    "10.0.0.0/8;10.1.0.0/16",
    "10.0.0.0/8,bad",
    "*,10.0.0.0/8",
    "**",
    "10.0.0.0/٨",
    "10.0.0.0/8/8",
    "10.0.0.0/8\n",
    '10.0.0.0/8"',
)
INTERFACES = (
    "",
    "net1",
    "eth0",
    "e",
    "E",
    "net1ps5,net2qr9",
    "k6t-eth0",
    "eth0.100",
    "br_lan",
    "vEth-1.2_3",
    "a23456789012345",
    "net1,net1",
)
NO_INTERFACES = (
    " ",
    "1net",
    "-net",
    ".net",
    "_net",
    "a234567890123456",
    "net1,",
    ",net1",
    "net1,,net2",
    "net1, net2",
    "net 1",
    "net1;net2",
    "net/1",
    "net:1",
    "nét1",
    "net1\n",
    "net1\x00",
    "$(id)",
    'net1"',
    "*",
)
UINT16S = ("0", "1", "15020", "65535", "00015020")
NO_UINT16S = (
    "",
    " ",
    "65536",
    "-1",
    "+1",
    "1.0",
    "15020 ",
    " 15020",
    "http",
    "0x10",
    "1_000",
    "15,020",
    "١",
    "*",
    "1\n",
)
INT32S = ("0", "1", "30", "2147483647", "007")
NO_INT32S = (
    "",
    " ",
    "2147483648",
    "4294967296",
    "-1",
    "+1",
    "1.5",
    "1s",
    " 1",
    "1 ",
    "0x1",
    "1e3",
    "1_0",
    "١",
    "99999999999999999999",
)
CONFIGS = (
    "",
    "{}",
    "concurrency: 0",
    '{ "holdApplicationUntilProxyStarts": false }',
    "discoveryAddress: foo:123\nproxyMetadata:\n  FOO: bar",
    "drain_duration: 10s",
)
NO_CONFIGS = (
    "concurrency: [",
    "a: 1\na: 2",
    "- concurrency: 2",
    "text",
    "concurrency: many",
    "statusPort: 70000",
    "drainDuration: 10",
)
OVERRIDES = (
    "{}",
    '{"containers": null}',
    '{"containers":[],"initContainers":[]}',
    '{"initContainers":[{"name":"istio-proxy","image":"foo/bar","resources":{}}]}',
    '{"containers":[{"name":"app"}],"later":1}',
)
NO_OVERRIDES = (
    "",
    "null",
    "[]",
    "1",
    "{",
    "containers: []",
    '{"containers":{}}',
    '{"containers":[1]}',
    '{"containers":[{}]}',
    '{"containers":[{"name":1}]}',
    '{"initContainers":[{"name":""}]}',
    '{"containers":"x"}',
    '{"containers":[{"name":"app"},{"image":"x"}]}',
)

GOOD_AND_BAD: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    v.PROXY_CPU: (QUANTITIES, NO_QUANTITIES),
    v.PROXY_MEMORY: (QUANTITIES, NO_QUANTITIES),
    v.PROXY_CPU_LIMIT: (QUANTITIES, NO_QUANTITIES),
    v.PROXY_MEMORY_LIMIT: (QUANTITIES, NO_QUANTITIES),
    v.PROXY_CONFIG: (CONFIGS, NO_CONFIGS),
    v.STATUS_PORT: (UINT16S, NO_UINT16S),
    v.READINESS_INITIAL_DELAY: (INT32S, NO_INT32S),
    v.READINESS_PERIOD: (INT32S, NO_INT32S),
    v.READINESS_FAILURES: (INT32S, NO_INT32S),
    v.INTERCEPTION_MODE: (MODES, NO_MODES),
    v.INCLUDE_OUTBOUND_RANGES: (("*", *RANGES), NO_RANGES),
    v.EXCLUDE_OUTBOUND_RANGES: (RANGES, ("*", *NO_RANGES)),
    v.INCLUDE_INBOUND_PORTS: (("*", *PORTS), NO_PORTS),
    v.EXCLUDE_INBOUND_PORTS: (PORTS, ("*", *NO_PORTS)),
    v.INCLUDE_OUTBOUND_PORTS: (("*", *PORTS), NO_PORTS),
    v.EXCLUDE_OUTBOUND_PORTS: (PORTS, ("*", *NO_PORTS)),
    v.EXCLUDE_INTERFACES: (INTERFACES, NO_INTERFACES),
    v.KUBEVIRT_INTERFACES: (INTERFACES, NO_INTERFACES),
    v.REROUTE_INTERFACES: (INTERFACES, NO_INTERFACES),
    v.MERGE_METRICS: (BOOLS, NO_BOOLS),
    v.OVERRIDES: (OVERRIDES, NO_OVERRIDES),
}
GOOD = [(key, value) for key, (good, _) in GOOD_AND_BAD.items() for value in good]
BAD = [(key, value) for key, (_, bad) in GOOD_AND_BAD.items() for value in bad]


def make_pod(
    annotations: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None, **spec: object
) -> dict[str, object]:
    metadata = {"name": "web", "annotations": dict(annotations or {}), "labels": dict(labels or {})}
    return {"metadata": metadata, "spec": {"containers": [{"name": "web"}], **spec}}


def told(annotations: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None, **spec: object) -> str:
    """The warnings about a Pod, a line each."""
    return "\n".join(warnings(make_pod(annotations, labels, **spec)))


# --- what is refused


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_a_value_that_is_allowed_is_accepted(key: str, value: str) -> None:
    assert faults(make_pod({key: value})) == []


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_value_that_is_not_allowed_is_named_with_its_key_and_what_is(key: str, value: str) -> None:
    (fault,) = faults(make_pod({key: value}))
    assert fault.startswith(f"metadata.annotations[{key}]: is {value!r} (")
    assert fault.endswith(f"); allowed: {BY_NAME[key].allowed}")
    assert fault.isprintable()


@pytest.mark.parametrize(("key", "value"), [*GOOD, *BAD])
def test_a_value_that_was_judged_before_is_judged_as_it_was(key: str, value: str) -> None:
    check = BY_NAME[key].format.check
    assert check is not None
    assert [BY_NAME[key].check(value) for _ in range(2)] == [check(value)] * 2


def test_a_user_volume_that_was_judged_before_is_judged_again_by_what_else_is_in_the_pod() -> None:
    asked = {v.USER_VOLUME: '{"v":{"emptyDir":"x"}}'}
    alone, beside = make_pod(asked), make_pod(asked, volumes=[{"name": "v", "emptyDir": {}}])
    for _ in range(2):
        (misfit,) = faults(alone)
        assert "emptyDir is 'x'" in misfit
        taken, same = faults(beside)
        assert "one of the Pod's" in taken
        assert same == misfit


def test_a_text_is_not_judged_as_a_mount_because_it_was_judged_as_a_volume() -> None:
    text = '{"v":{"emptyDir":{}}}'
    assert faults(make_pod({v.USER_VOLUME: text})) == []
    assert "mountPath is missing" in str(faults(make_pod({v.USER_VOLUME_MOUNT: text})))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("80,70000,http", "is '80,70000,http' ('70000' is no port); allowed"),
        ("80,,443", "is '80,,443' ('' is no port); allowed"),
        ("http", "is 'http' (no port); allowed"),
    ],
)
def test_of_a_list_the_first_wrong_item_is_named(value: str, problem: str) -> None:
    assert problem in faults(make_pod({v.EXCLUDE_INBOUND_PORTS: value}))[0]


def test_what_is_wrong_in_a_proxy_config_is_said() -> None:
    (fault,) = faults(make_pod({v.PROXY_CONFIG: "concurrency: many"}))
    assert "is 'concurrency: many' (concurrency" in fault


def test_a_pod_is_told_of_all_its_wrong_annotations_at_once() -> None:
    wrong = {key: bad[0] for key, (_, bad) in GOOD_AND_BAD.items()}
    with pytest.raises(PodRejected) as caught:
        check(make_pod({"example.com/mine": "x", **wrong, v.LOG_LEVEL: "x"}))
    assert caught.value.reason is Reason.INVALID_ANNOTATION
    assert len(wrong) == 21
    assert str(caught.value) == "; ".join(faults(make_pod(wrong)))
    assert [key for key in wrong if f"metadata.annotations[{key}]: is " not in str(caught.value)] == []


@pytest.mark.parametrize("pod", [{}, {"metadata": None}, {"metadata": {"annotations": None}}, make_pod()], ids=str)
def test_a_pod_that_says_nothing_is_fine(pod: Mapping[str, object]) -> None:
    check(pod)
    assert faults(pod) == []
    assert warnings(pod) == []


def test_labels_are_not_annotations() -> None:
    assert faults(make_pod(labels={v.PROXY_CPU: "much"})) == []


def test_nothing_is_changed() -> None:
    pod = make_pod({key: bad[0] for key, (_, bad) in GOOD_AND_BAD.items()}, {v.INJECT: "x"}, dnsPolicy="None")
    before = copy.deepcopy(pod)
    faults(pod)
    warnings(pod)
    assert pod == before


HOSTILE = {
    "letters": "a" * HUGE,
    "digits and a letter": "9" * HUGE + "x",
    "zeros": "0" * HUGE,
    "zeros and a letter": "0" * HUGE + "x",
    "a long prefix length": "10.0.0.0/" + "0" * HUGE,
    "commas": "," * HUGE,
    "ports": "1," * (HUGE // 2),
    "null characters": "\x00" * HUGE,
    "line breaks": "\n" * HUGE + "x",
    "brackets": "[" * HUGE,
    "braces": '{"a":' * (HUGE // 5),
    "slashes": "/" * HUGE,
    "colons": "::" * (HUGE // 2) + "/64",
    "emoji": "\U0001f6a2" * (HUGE // 4),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(20)
def test_a_huge_value_is_judged_quickly_and_cut_in_the_message(value: str) -> None:
    pod = make_pod(dict.fromkeys(BY_NAME, value), dict.fromkeys(BY_NAME, value))
    found = faults(pod)
    assert len(found) >= len(GOOD_AND_BAD) - 5
    for line in [*found, *warnings(pod)]:
        assert len(line) < 1500
        assert line.isprintable()


@pytest.mark.timeout(20)
def test_a_huge_number_of_digits_is_no_port_and_no_trouble() -> None:
    (fault,) = faults(make_pod({v.STATUS_PORT: "9" * HUGE}))
    assert f"is '{'9' * 80}…' (no such number); allowed" in fault


# --- what is warned of


def test_a_pod_that_is_as_it_should_be_is_told_nothing() -> None:
    usual = {
        v.PROXY_CPU: "100m",
        v.PROXY_IMAGE: "example.com/proxy:1",
        v.NATIVE_SIDECAR: "true",
        v.TEMPLATES: "sidecar",
    }
    assert told(usual, {v.INJECT: "true", v.REVISION: "main"}, dnsPolicy="ClusterFirst") == ""


@pytest.mark.parametrize("value", ["yes", "True", "on", "", "1", "false "])
@pytest.mark.parametrize("where", ["label", "annotation"])
def test_an_inject_value_that_is_neither_true_nor_false_counts_as_not_given(where: str, value: str) -> None:
    first = warnings(make_pod(**{f"{where}s": {v.INJECT: value}}))[0]
    assert first == f"{where} {v.INJECT}: {value!r} is neither true nor false: it counts as not given"


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_inject_annotation_is_deprecated_in_favour_of_the_label(value: str) -> None:
    assert told({v.INJECT: value}).startswith(f"annotation {v.INJECT} is deprecated: a label also decides")
    assert told({v.INJECT: value}, {v.INJECT: value}) == ""


def test_an_inject_annotation_is_hidden_by_a_label_that_says_otherwise() -> None:
    assert told({v.INJECT: "false"}, {v.INJECT: "true"}) == (
        f"annotation {v.INJECT}: 'false' has no effect: the label of that name wins"
    )


MEANT = [
    ("sidecar.istio.io/proxyCpu", v.PROXY_CPU),
    ("sidecar.istio.io/proxyImag", v.PROXY_IMAGE),
    ("sidecar.istio.io/includeInboundPorts", v.INCLUDE_INBOUND_PORTS),
    ("traffic.sidecar.istio.io/excludeOutboundPort", v.EXCLUDE_OUTBOUND_PORTS),
    ("istio.io/config", v.PROXY_CONFIG),
    ("proxy.istio.io/template", v.TEMPLATES),
    ("sidecar.istio.io/injct", v.INJECT),
    ("sidecar.istio.io/statsInclusionPrefix", None),
    ("sidecar.istio.io/colour", None),
    (f"sidecar.istio.io/{'x' * HUGE}", None),
]


@pytest.mark.parametrize(("written", "meant"), MEANT, ids=[written[:60] for written, _ in MEANT])
@pytest.mark.parametrize("where", ["label", "annotation"])
def test_an_unknown_key_of_istios_is_told_with_what_was_meant(where: str, written: str, meant: str | None) -> None:
    (line,) = warnings(make_pod(**{f"{where}s": {written: "x"}}))
    assert line.startswith(f"unknown {where} '{written[:60]}")
    assert line.partition("; ")[2] == (f"did you mean {meant}?" if meant else "")
    assert len(line) < 300


@pytest.mark.parametrize(
    "key",
    [
        "example.com/proxyCPU",
        "ambient.istio.io/redirection",
        "operator.istio.io/component",
        "app",
        "istio",
        "istio.iox/rev",
    ],
)
def test_keys_of_others_are_left_alone(key: str) -> None:
    assert told({key: "x"}, {key: "x"}) == ""


@pytest.mark.parametrize(
    ("where", "key", "works"),
    [
        ("label", v.INJECTION, "label of Namespaces"),
        ("annotation", v.INJECTION, "label of Namespaces"),
        ("label", v.PROXY_CPU, "annotation of Pods"),
        ("annotation", v.TLS_MODE, "label of Pods"),
        ("annotation", v.DATAPLANE_MODE, "label of Pods and label of Namespaces"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_with_the_right_one(where: str, key: str, works: str) -> None:
    assert told(**{f"{where}s": {key: "x"}}) == f"{where} {key} has no effect on a Pod; it works as {works}"


def test_not_more_unknown_keys_are_looked_at_than_are_told() -> None:
    keys = {f"sidecar.istio.io/proxyCPU{number}": "" for number in range(1000)}
    assert len(warnings(make_pod(keys))) == WARNINGS_IN_ALL


NO_JSON = ("", "{", "x: 1", "1", '"x"', "null")
WITHOUT_EFFECT: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    v.NATIVE_SIDECAR: (BOOLS, NO_BOOLS),
    v.REWRITE_PROBES: (BOOLS, NO_BOOLS),
    v.CAP_NET_BIND_SERVICE: (("true", "false"), ("True", "1", "", "yes")),
    v.PROXY_IMAGE: (("hub/proxy", "example.com/hub/proxy:1"), ("", "proxy", "proxy:1")),
    v.USER_VOLUME: (
        ("{}", '{"a":{"emptyDir":{}}}', '[{"name":"a"}]'),
        (*NO_JSON, '{"a":1}', "[1]", '[{"emptyDir":{}}]'),
    ),
    v.USER_VOLUME_MOUNT: (("{}", '{"a":{"mountPath":"/a"}}', "[]"), (*NO_JSON, '{"a":"/a"}', '[{"mountPath":"/a"}]')),
    v.DATADOG_ENV: (
        ("{}", '{"DD_ENV":"prod","DD_N":1,"DD_X":true}'),
        (*NO_JSON, "[]", '{"DD_ENV":{}}', '{"DD_ENV":null}'),
    ),
    v.NETWORKS: (("", "a", "a, b/c", '[{"name":"a"}]', "[]"), ("[", '{"name":"a"}', " [a]", "[]]")),
    v.SCRAPE_TARGETS: (("", "8080", "8080:/metrics,9100:/custom"), ("http:/metrics", "8080,:/x", "8080:/a,b")),
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, (good, _) in WITHOUT_EFFECT.items() for value in good]
)
def test_a_value_that_has_its_effect_is_no_reason_to_warn(key: str, value: str) -> None:
    assert told({key: value}) == ""


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, (_, bad) in WITHOUT_EFFECT.items() for value in bad])
def test_a_value_without_effect_is_warned_of_and_not_refused(key: str, value: str) -> None:
    assert faults(make_pod({key: value})) == []
    line = told({key: value})
    assert line.startswith(f"metadata.annotations[{key}]: is {value!r} (")
    assert line.endswith(f"): {BY_NAME[key].format.otherwise}; allowed: {BY_NAME[key].allowed}")


def test_volumes_that_are_half_right_name_the_wrong_one() -> None:
    assert "('b' is no JSON object)" in told({v.USER_VOLUME: json.dumps({"a": {}, "b": []})})


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        (v.KUBEVIRT_INTERFACES, v.REROUTE_INTERFACES),
        (v.STATS_PREFIXES, "proxyStatsMatcher"),
        (v.STATS_COMPRESSION, "statsCompression"),
        (v.DISCOVERY_ADDRESS, "discoveryAddress"),
        (v.READINESS_PORTS, "no effect any more"),
        (v.ENABLE_CORE_DUMP, "no effect any more"),
    ],
)
def test_a_deprecated_annotation_is_told_with_what_to_do_instead(key: str, instead: str) -> None:
    line = told({key: "x1"})
    assert line.startswith(f"annotation {key} is deprecated: ")
    assert instead in line


@pytest.mark.parametrize(
    "key", [v.STATS_BUCKETS, v.STATS_FLUSH, v.STATS_TAGS, v.STATUS, v.REVISION, v.DEFAULT_CONTAINER]
)
def test_annotations_of_the_agent_and_our_own_are_known(key: str) -> None:
    assert told({key: "x"}) == ""


def test_unknown_fields_of_a_proxy_config_are_warned_of_and_not_refused() -> None:
    text = "concurency: 2"
    assert faults(make_pod({v.PROXY_CONFIG: text})) == []
    assert told({v.PROXY_CONFIG: text}) == (
        f"metadata.annotations[{v.PROXY_CONFIG}]: no ProxyConfig is known to have 'concurency'; is it misspelt?"
    )


def test_of_many_unknown_fields_a_few_are_named() -> None:
    line = told({v.PROXY_CONFIG: "\n".join(f"field{number}: 1" for number in range(1000))})
    assert "'field4' and 995 more; " in line


@pytest.mark.parametrize("policy", ["None", "Default", "ClusterFirstWithHostNet"])
def test_a_dns_policy_by_which_no_service_is_found_is_warned_of(policy: str) -> None:
    assert told(dnsPolicy=policy).startswith(f"spec.dnsPolicy is {policy!r}: ")


def test_an_ambient_pod_is_told_that_a_sidecar_takes_it_out() -> None:
    assert told(labels={v.DATAPLANE_MODE: "ambient"}) == (
        f"label {v.DATAPLANE_MODE}: ambient has no effect on a Pod with a sidecar"
    )
    assert told(labels={v.DATAPLANE_MODE: "none"}) == ""


@pytest.mark.parametrize("out", ["host network", "opted out"])
def test_a_pod_that_plainly_gets_no_sidecar_is_not_told_what_would_not_go_with_one(out: str) -> None:
    labels = {v.DATAPLANE_MODE: "ambient", **({v.INJECT: "false"} if out == "opted out" else {})}
    assert told(labels=labels, dnsPolicy="Default", hostNetwork=out == "host network") == ""


def test_what_matters_most_is_told_first() -> None:
    lines = warnings(
        make_pod(
            {v.PROXY_IMAGE: "x", "sidecar.istio.io/proxyCpu": "1", v.ENABLE_CORE_DUMP: "", v.PROXY_CONFIG: "a: 1"},
            {v.INJECT: "x"},
            dnsPolicy="None",
        )
    )
    parts = [v.INJECT, v.PROXY_IMAGE, "proxyCpu", "no ProxyConfig", v.ENABLE_CORE_DUMP, "dnsPolicy"]
    assert len(lines) == len(parts)
    assert all(part in line for part, line in zip(parts, lines, strict=True))
