"""The MeshConfig in force: what a config gives, over Istio's built-in defaults.

Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig.
"""

from collections.abc import Callable, Mapping
from typing import cast

from sidecar_injector.profiles.istio import proxy_config
from sidecar_injector.profiles.istio.proxy_config_checks import config_problems
from sidecar_injector.profiles.istio.proxy_config_reading import json_name, read_config, shown
from sidecar_injector.profiles.istio.reading import map_at, maps_at, port_number

MESH_DEFAULTS: Mapping[str, object] = {
    "proxyListenPort": 15001,
    "proxyInboundListenPort": 15006,
    "connectTimeout": "10s",
    "protocolDetectionTimeout": "0s",
    "dnsRefreshRate": "60s",
    "ingressClass": "istio",
    "ingressService": "istio-ingressgateway",
    "ingressControllerMode": "STRICT",
    "enableTracing": True,
    "enableAutoMtls": True,
    "enablePrometheusMerge": True,
    "trustDomain": "cluster.local",
    "rootNamespace": "istio-system",
    "outboundTrafficPolicy": {"mode": "ALLOW_ANY"},
    "inboundTrafficPolicy": {},
    "localityLbSetting": {"enabled": True},
    "defaultServiceExportTo": ["*"],
    "defaultVirtualServiceExportTo": ["*"],
    "defaultDestinationRuleExportTo": ["*"],
    "defaultProviders": {"metrics": ["prometheus"]},
    "extensionProviders": [
        {"name": "prometheus", "prometheus": {}},
        {"name": "stackdriver", "stackdriver": {}},
        {"name": "envoy", "envoyFileAccessLog": {"path": "/dev/stdout"}},
    ],
    "defaultConfig": proxy_config.DEFAULTS,
}
"""What holds where a config says nothing."""

_PROVIDERS = "extensionProviders"
_ALIASES = "trustDomainAliases"
_DEFAULT_CONFIG = "defaultConfig"


def effective_mesh(given: Mapping[str, object]) -> Mapping[str, object]:
    """Return a MeshConfig with the defaults applied.

    A field that is given replaces its default, but `defaultConfig` is merged field by field, `extensionProviders` by
    name, and `trustDomainAliases` are joined. Fields may have their protobuf names (`enable_prometheus_merge`), null is
    as good as nothing, and what `problems` finds in `defaultConfig` is left out.
    """
    named = _json_named(given, 1)
    return {
        **MESH_DEFAULTS,
        **named,
        _DEFAULT_CONFIG: proxy_config.merge(proxy_config.DEFAULTS, read_config(map_at(named, _DEFAULT_CONFIG)).config),
        _PROVIDERS: _providers(maps_at(named, _PROVIDERS)),
        **_aliases(named),
    }


def problems(given: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a MeshConfig as far as injection reads it; each line names a field by its path."""
    found = []
    named = _json_named(given, 1)
    for field, kind, allowed in (
        (_DEFAULT_CONFIG, Mapping, "a map of the fields of a ProxyConfig"),
        (_PROVIDERS, list, "a list of maps with a name"),
        (_ALIASES, list, "a list of trust domains"),
    ):
        if field in named and not isinstance(named[field], kind):
            found.append(f"{field}: is {shown(named[field])}; allowed: {allowed}")
    found += [
        f"{field}: is {shown(named[field])}; allowed: {allowed}"
        for field, (allowed, fits) in _CHECKED.items()
        if field in named and not fits(named[field])
    ]
    reading = read_config(map_at(named, _DEFAULT_CONFIG))
    wrong = reading.problems or config_problems(proxy_config.merge(proxy_config.DEFAULTS, reading.config))
    return [*found, *(f"{_DEFAULT_CONFIG}.{problem}" for problem in wrong)]


def _is_port(value: object) -> bool:
    return not isinstance(value, bool) and port_number(value) is not None


def _is_inbound_policy(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("mode") in (None, "PASSTHROUGH", "LOCALHOST")


_CHECKED: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "enablePrometheusMerge": ("true, false", lambda value: isinstance(value, bool)),
    "inboundTrafficPolicy": ("a map whose mode is PASSTHROUGH or LOCALHOST", _is_inbound_policy),
    "proxyInboundListenPort": ("a port from 1 to 65535", _is_port),
    "proxyListenPort": ("a port from 1 to 65535", _is_port),
    "trustDomain": ("text", lambda value: isinstance(value, str)),
}
"""Fields that injection reads."""


def _json_named(given: Mapping[str, object], levels: int) -> dict[str, object]:
    """Return a message with JSON's names for its fields, and for those of messages in it, so many levels deep."""
    return {
        json_name(name): _json_named(value, levels - 1) if levels > 1 and isinstance(value, Mapping) else value
        for name, value in given.items()
        if value is not None
    }


def _providers(given: list[Mapping[str, object]]) -> list[object]:
    """Return the built-in providers and the given ones; one of the same name takes the place of a built-in one."""
    defaults = cast("list[Mapping[str, object]]", MESH_DEFAULTS[_PROVIDERS])
    return list(
        {str(item.get("name")): item for item in (*defaults, *(_json_named(item, 2) for item in given))}.values()
    )


def _aliases(named: Mapping[str, object]) -> dict[str, object]:
    """Return the given trust domains, each once."""
    aliases = named.get(_ALIASES)
    return {_ALIASES: list(dict.fromkeys(map(str, aliases)))} if isinstance(aliases, list) else {}
