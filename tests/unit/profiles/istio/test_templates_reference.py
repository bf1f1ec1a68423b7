"""The page of what templates see is current and complete: what a Pod's context holds is described, and nothing else."""

import functools
import json
import re
from pathlib import Path

import pytest

from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.render import template_context
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.istio import described, described_values, translated
from sidecar_injector.profiles.istio.mesh import MESH_DEFAULTS
from sidecar_injector.profiles.istio.proxy_config_fields import Kind
from sidecar_injector.profiles.istio.reading import at
from sidecar_injector.profiles.istio.settings import VALUES
from sidecar_injector.profiles.istio.templates_reference import _KINDS, page
from sidecar_injector.templating.template import compile_template
from tests.unit.injection.support import pod
from tests.unit.profiles.istio.support import stock, subject

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "istio-templates.md"

BARE = pod()
TALKATIVE = pod(
    {"name": "app", "image": "app:1", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]},
    labels={"app": "shop"},
    annotations={
        "k": "v",
        "traffic.sidecar.istio.io/includeOutboundPorts": "443",
        "traffic.sidecar.istio.io/excludeOutboundPorts": "25",
        "traffic.sidecar.istio.io/excludeInterfaces": "eth1",
        "istio.io/reroute-virtual-interfaces": "tap0",
        "sidecar.istio.io/userVolume": '{"data": {"emptyDir": {}}}',
        "sidecar.istio.io/userVolumeMount": '{"data": {"mountPath": "/data"}}',
        "proxy.istio.io/config": "{concurrency: 0, drainDuration: 1m30s}",
    },
)


config = functools.cache(stock)


def context(sample):
    """Everything that templates see of a Pod."""
    found = subject(sample, config(), facts=ClusterFacts("v1.36.0"))
    return template_context(found, profile_for(found.config).plan(found))


def names(rows):
    return [row.name for row in rows]


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == page(), (
        "run: python -m sidecar_injector.profiles.istio.templates_reference > docs/reference/istio-templates.md"
    )


def test_every_variable_that_the_profile_adds_is_described_and_nothing_else() -> None:
    found = subject(TALKATIVE, config())
    assert set(names(described.VARIABLES)) == set(profile_for(found.config).plan(found).context())


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        (("proxy",), described.PROXY),
        (("proxy", "capture"), described.CAPTURE),
        (("proxy", "readiness"), described.READINESS),
        (("workload",), described.WORKLOAD),
    ],
    ids=lambda value: ".".join(value) if isinstance(value[0], str) else "",
)
def test_every_key_is_described_in_its_order_and_nothing_else(path, rows) -> None:
    assert names(rows) == list(at(context(TALKATIVE), *path))


KINDS = {described.TEXT: str, described.NUMBER: int, described.FLAG: bool, described.LIST: list, described.MAP: dict}


def kind_of(value):
    return dict if isinstance(value, dict) else type(value)


@pytest.mark.parametrize("sample", [BARE, TALKATIVE], ids=["bare", "talkative"])
def test_every_value_is_of_the_kind_that_is_described(sample) -> None:
    seen = context(sample)
    wrong = [
        (".".join((*path, row.name)), row.kind, value)
        for path, rows in (
            ((), described.VARIABLES),
            (("proxy",), described.PROXY),
            (("proxy", "capture"), described.CAPTURE),
            (("workload",), described.WORKLOAD),
        )
        for row in rows
        if (value := at(seen, *path, row.name)) is not None and kind_of(value) is not KINDS[row.kind]
    ]
    assert wrong == []


def test_only_what_is_described_as_perhaps_undefined_is_so() -> None:
    missing = {row.name for row in described.CAPTURE if row.name not in at(context(BARE), "proxy", "capture")}
    assert missing == {row.name for row in described.CAPTURE if "Undefined" in row.meaning}


def leaves(tree, path=()):
    """The paths of a tree's values; an empty map is a value."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield ".".join(path)


def test_every_value_with_a_default_is_described_and_few_others() -> None:
    assert set(described_values.VALUES_MEANING) - set(leaves(VALUES)) == set(described_values.WITHOUT_DEFAULT)
    assert set(leaves(VALUES)) <= set(described_values.VALUES_MEANING)


def test_the_fields_of_the_mesh_that_are_described_have_defaults() -> None:
    assert set(described_values.MESH_MEANING) <= set(MESH_DEFAULTS)


def test_every_kind_of_field_has_a_name() -> None:
    assert set(_KINDS) | {Kind.ENUM} == set(Kind)


def test_every_description_is_a_sentence() -> None:
    rows = (*described.VARIABLES, *described.PROXY, *described.CAPTURE, *described.READINESS, *described.WORKLOAD)
    meanings = [row.meaning for row in rows]
    meanings += [*described_values.VALUES_MEANING.values(), *described_values.MESH_MEANING.values()]
    assert [text for text in meanings if not text.endswith(".") or "\n" in text] == []


# --- from Istio's language to ours

PORTS = [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]
GIVEN = {
    "a": 1, "b": 2, "v": "", "s": "Needle-", "l": [1, 2], "m": {"k": 1, "x": None}, "n": {"k": 2}, "path": "/etc/a/b",
}  # fmt: skip
GIVES = {
    ".TypeMeta.APIVersion": "v1",
    ".TypeMeta.Kind": "Pod",
    ".DeploymentMeta.Name": "pod",
    ".DeploymentMeta.Namespace": "shop",
    ".Revision": "default",
    ".NativeSidecars": True,
    ".ProxyImage": "registry.istio.io/release/proxyv2:1.29.0",
    ".ProxyInitImage": "registry.istio.io/release/proxyv2:1.29.0",
    ".ProxyUID": 1337,
    ".ProxyGID": 1337,
    ".InboundTrafficPolicyMode": "passthrough",
    ".CompliancePolicy": "",
    'annotation .ObjectMeta "k" "d"': "v",
    'isset .ObjectMeta.Annotations "k"': True,
    'valueOrDefault v "d"': "d",
    "excludeInboundPort ports port": "15020",
    "includeInboundPorts containers": "80",
    "applicationPorts containers": "80",
    "kubevirtInterfaces text": "tap0",
    "excludeInterfaces text": "eth1",
    "toJSON m": '{"k":1,"x":null}',
    "fromJSON s": {"k": 1},
    "structToJSON x": '{"k":1,"x":null}',
    "protoToJSON .ProxyConfig": '{"drainDuration":"90s","concurrency":0}\n',
    "toYaml m | indent 4": {"k": 1, "x": None},
    "omitNil m": {"k": 1},
    "formatDuration .ProxyConfig.DrainDuration": "1m30s",
    "directory path": "/etc/a/",
    'contains "needle" s': False,
    "toLower s": "needle-",
    'omit m "k"': {"x": None},
    'strdict "k" v': {"k": ""},
    "mergeMaps m n": {"k": 2, "x": None},
    "toJsonMap m n": '{"k":2,"x":null}',
    'appendMultusNetwork text "default/istio-cni"': "default/istio-cni",
    "otelResourceAttributes …": "",
    "default d v": "fallback",
    "quote v": "",
    "trunc 63 s": "Needle-",
    'trimAll "-_." s': "Needle",
    'join "," l': "1,2",
    "list a b": [1, 2],
    "append l a": [1, 2, 1],
    'printf "%s:%d" s a': "Needle-:1",
    'index m "k"': 1,
    "len l": 2,
    "eq a b, ne a b, ge a b": False,
    "and a b, or a b, not a": 2,
}
"""What the expression of ours gives, for each of theirs, with TALKATIVE and GIVEN."""
WHOLE = (".ObjectMeta", ".Spec", ".ProxyConfig", ".MeshConfig", ".Values")


@pytest.mark.parametrize(
    "row", [*translated.DATA, *translated.FUNCTIONS, *translated.LANGUAGE], ids=lambda row: row.theirs
)
def test_an_expression_of_ours_gives_what_istios_does(row) -> None:
    if not row.ours:
        assert row.note
        return
    seen = {**context(TALKATIVE), **GIVEN, "d": "fallback"}
    if row.theirs == "fromJSON s":
        seen["s"] = '{"k": 1}'
    tree = compile_template("config/t", f"printed: {{{{ {row.ours} }}}}").render(seen).tree
    wanted = at(seen, *row.ours.split(".")) if row.theirs in WHOLE else GIVES[row.theirs]
    assert json.dumps(tree["printed"]) == json.dumps(wanted)


STATEMENTS = """
{% macro f(x) %}{{ x }}{% endmacro %}
{# remark #}
{% set x = a %}
{% if x %}
one: {{ f(x) }}
{% else %}
two: 2
{% endif %}
list:
{% for c in pod.spec.containers %}
- {{ c.name }}
{% endfor %}
map:
{% for k, v in n | dictsort %}
  {{ k }}: {{ v }}
{% endfor %}
"""


def test_the_statements_of_ours_are_those_of_the_language() -> None:
    tree = compile_template("config/t", STATEMENTS).render({**context(TALKATIVE), **GIVEN}).tree
    assert tree == {"one": 1, "list": ["app"], "map": {"k": 2}}
    listed = {word for _, ours in translated.STATEMENTS for word in re.findall(r"{%\s*(\w+)", ours)}
    assert listed == set(re.findall(r"{%\s*(\w+)", STATEMENTS))
