"""What a proxy or its agent could not work with, although it is of the right kind.

Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sidecar_injector.config.durations import SECOND, nanoseconds
from sidecar_injector.profiles.istio.proxy_config_reading import shown
from sidecar_injector.profiles.istio.reading import at, port_number

_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[^][]*)\]|(?P<host>[^][:]*)):(?P<port>[0-9]{1,5})")
_LABEL = r"[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,255}}\Z){_LABEL}(?:\.{_LABEL})*\.?")
VARIABLE = re.compile(r"[\x20-<>-\x7e]+")
"""What Kubernetes allows as the name of a variable: printable ASCII without the equals sign."""
_MOST_VARIABLES = 500
_OWN_NODE = "$(HOST_IP)"
"""What the agent replaces by the address of its node, in the address of a tracer."""


def config_problems(config: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a config in which the defaults are applied and every value is of the right kind."""
    found = []
    for check in _CHECKS:
        value = at(config, *check.path)
        parent = at(config, *check.path[:-1])
        if value is None and not (check.needed and isinstance(parent, Mapping)):
            continue
        if not check.fits("" if value is None else value):
            found.append(
                f"{'.'.join(check.path)}: is {shown('' if value is None else value)}; allowed: {check.allowed}"
            )
    return [*found, *_metadata_problems(config.get("proxyMetadata"))]


def _metadata_problems(metadata: object) -> Iterator[str]:
    """Yield what keeps proxyMetadata from being variables of the proxy."""
    if not isinstance(metadata, Mapping):
        return
    if len(metadata) > _MOST_VARIABLES:
        yield f"proxyMetadata: has {len(metadata)} entries; allowed: {_MOST_VARIABLES}"
    wrong = next((name for name in metadata if not VARIABLE.fullmatch(name)), None)
    if wrong is not None:
        yield f"proxyMetadata: has the key {shown(wrong)}; allowed: names of variables, which have no '=' in them"


@dataclass(frozen=True)
class _Check:
    """A field's path, what is allowed there, whether a value fits, and whether there has to be one in its message."""

    path: tuple[str, ...]
    allowed: str
    fits: Callable[[object], bool]
    needed: bool = False


def _is_given(value: object) -> bool:
    return value != ""


def _is_address(value: object) -> bool:
    found = _ADDRESS.fullmatch(str(value))
    if found is None or port_number(found["port"]) is None:
        return False
    host = found["bracketed"] or found["host"] or ""
    return bool(_DNS_NAME.fullmatch(host)) or _is_ip(host)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_address_or_empty(value: object) -> bool:
    return value == "" or _is_address(value)


def _is_tracer_address(value: object) -> bool:
    return _is_address(str(value).replace(_OWN_NODE, "127.0.0.1", 1))


def _is_port(value: object) -> bool:
    return port_number(value) is not None


def _is_whole_seconds(value: object) -> bool:
    length = nanoseconds(str(value)) or 0
    return length >= SECOND and length % SECOND == 0


def _is_some_time(value: object) -> bool:
    return (nanoseconds(str(value)) or 0) > 0


def _is_not_inherited(value: object) -> bool:
    return value != "INHERIT"


_HOST_AND_PORT = "HOST:PORT, the host a DNS name or an IP address, the port from 1 to 65535"
_CHECKS = (
    *(_Check((name,), "text that is not empty", _is_given) for name in ("configPath", "binaryPath", "serviceCluster")),
    _Check(("drainDuration",), "whole seconds, at least 1s", _is_whole_seconds),
    _Check(("discoveryAddress",), _HOST_AND_PORT, _is_address),
    _Check(("statsdUdpAddress",), _HOST_AND_PORT, _is_address_or_empty),
    *(_Check((name,), "a port from 1 to 65535", _is_port) for name in ("proxyAdminPort", "statusPort")),
    _Check(("controlPlaneAuthPolicy",), "NONE, MUTUAL_TLS", _is_not_inherited),
    *(
        _Check(("tracing", tracer, "address"), _HOST_AND_PORT, _is_tracer_address, needed=True)
        for tracer in ("zipkin", "lightstep", "datadog")
    ),
    _Check(("tracing", "lightstep", "accessToken"), "text that is not empty", _is_given, needed=True),
    *(
        _Check((service, "address"), _HOST_AND_PORT, _is_address_or_empty)
        for service in ("envoyAccessLogService", "envoyMetricsService")
    ),
    *(
        _Check(("privateKeyProvider", provider, "pollDelay"), "more than 0s", _is_some_time, needed=True)
        for provider in ("cryptomb", "qat")
    ),
)
