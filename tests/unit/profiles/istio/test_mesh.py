"""The mesh's settings: Istio's own where a config says nothing."""

import copy

import pytest

from sidecar_injector.profiles.istio.mesh import MESH_DEFAULTS, effective_mesh, problems
from sidecar_injector.profiles.istio.proxy_config import DEFAULTS

OTEL = {"name": "otel", "opentelemetry": {"service": "otel", "serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}
BUILT_IN = MESH_DEFAULTS["extensionProviders"]

CASES = {
    "nothing": ({}, {}),
    "a field": ({"trustDomain": "example.org"}, {"trustDomain": "example.org"}),
    "a field that has no default": ({"accessLogFile": "/dev/stdout"}, {"accessLogFile": "/dev/stdout"}),
    "false": ({"enablePrometheusMerge": False}, {"enablePrometheusMerge": False}),
    "null": ({"trustDomain": None, "defaultConfig": None, "extensionProviders": None}, {}),
    "a message is replaced": ({"outboundTrafficPolicy": {}}, {"outboundTrafficPolicy": {}}),
    "a list is replaced": ({"defaultServiceExportTo": ["."]}, {"defaultServiceExportTo": ["."]}),
    "a name of protobuf": ({"enable_prometheus_merge": False}, {"enablePrometheusMerge": False}),
    "defaultConfig is merged": (
        {"defaultConfig": {"drain_duration": "23s", "tracing": {}}},
        {"defaultConfig": {**DEFAULTS, "drainDuration": "23s", "tracing": {}}},
    ),
    "what is wrong in defaultConfig is left out": (
        {"defaultConfig": {"concurrency": "two", "interceptionMode": "TPROXY"}},
        {"defaultConfig": {**DEFAULTS, "interceptionMode": "TPROXY"}},
    ),
    "a defaultConfig that is none": ({"defaultConfig": "TPROXY"}, {}),
    "a provider is added": ({"extensionProviders": [OTEL]}, {"extensionProviders": [*BUILT_IN, OTEL]}),
    "a provider by names of protobuf": (
        {"extension_providers": [
            {"name": "a", "opentelemetry": {"service_attribute_enrichment": "OTEL_SEMANTIC_CONVENTIONS"}}]},
        {"extensionProviders": [
            *BUILT_IN, {"name": "a", "opentelemetry": {"serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}]},
    ),
    "a provider is replaced": (
        {"extensionProviders": [{"name": "prometheus", "zipkin": {"port": 1}}]},
        {"extensionProviders": [{"name": "prometheus", "zipkin": {"port": 1}}, *BUILT_IN[1:]]},
    ),
    "trust domains are given once each": (
        {"trustDomainAliases": ["b", "a", "b"]}, {"trustDomainAliases": ["b", "a"]}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_a_config_s_settings_go_over_those_of_istio(given, expected):
    untouched, defaults = copy.deepcopy(given), copy.deepcopy(MESH_DEFAULTS)
    assert effective_mesh(given) == {**MESH_DEFAULTS, **expected}
    assert given == untouched
    assert defaults == MESH_DEFAULTS


def test_settings_in_which_the_defaults_are_applied_stay_as_they_are():
    mesh = effective_mesh({"defaultConfig": {"interceptionMode": "TPROXY"}, "extensionProviders": [OTEL]})
    assert effective_mesh(mesh) == mesh


PROBLEMS = {
    "nothing": ({}, []),
    "the defaults": (MESH_DEFAULTS, []),
    "a defaultConfig that is none": (
        {"default_config": []}, ["defaultConfig: is []; allowed: a map of the fields of a ProxyConfig"]
    ),
    "what cannot be read": (
        {"defaultConfig": {"concurrency": True}},
        ["defaultConfig.concurrency: is true; allowed: a whole number from -2147483648 to 2147483647"],
    ),
    "what cannot be used": (
        {"defaultConfig": {"statusPort": 0}}, ["defaultConfig.statusPort: is 0; allowed: a port from 1 to 65535"]
    ),
    "no lists": (
        {"extensionProviders": {"name": "a"}, "trustDomainAliases": "a"},
        [
            'extensionProviders: is {"name": "a"}; allowed: a list of maps with a name',
            'trustDomainAliases: is "a"; allowed: a list of trust domains',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_name_the_field(given, expected):
    assert problems(given) == expected
