"""Probes and hooks that go to an app's port go to the agent's instead, which asks the app within the Pod.

The kubelet is no member of the mesh: with mutual TLS in force, the proxy would refuse its requests. So it asks the
agent, whose status port is not captured, and the agent knows from a variable of its own what each probe was.

Source: https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/. Unlike Istio, a handler is left as it is
if its port has a name that the container does not declare (rewritten, it could only fail), or if it names a host: the
kubelet then asks that host, and not the Pod.
"""

from collections.abc import Mapping, Sequence
from operator import is_
from types import MappingProxyType
from typing import NamedTuple

from sidecar_injector.injection.json_text import json_of, json_text
from sidecar_injector.injection.schema import CONTAINER_LISTS, MAP
from sidecar_injector.injection.view import Container, Pod, annotations, items
from sidecar_injector.profiles.istio.reading import at, go_bool, map_at, maps_in, port_number
from sidecar_injector.profiles.istio.sidecar import sidecar_of, with_sidecar, with_variable
from sidecar_injector.profiles.istio.vocabulary import PROBERS_VARIABLE, PROXY, REWRITE_PROBES

_HEALTH = "/app-health/"
_LIFECYCLE = "/app-lifecycle/"
Probers = dict[str, Mapping[str, object]]
"""What the agent has to ask, by the path at which it is asked itself."""


class _Handlers(NamedTuple):
    """A sort of handlers: those of a container's probes, or those of its hooks."""

    prefix: str
    suffixes: Mapping[str, str]
    kinds: tuple[str, ...]


_PROBES = _Handlers(
    _HEALTH,
    MappingProxyType({"readinessProbe": "readyz", "livenessProbe": "livez", "startupProbe": "startupz"}),
    ("httpGet", "tcpSocket", "grpc"),
)
_HOOKS = _Handlers(
    _LIFECYCLE, MappingProxyType({"preStop": "prestopz", "postStart": "poststartz"}), ("httpGet", "tcpSocket")
)
_HANDLED = frozenset((*_PROBES.suffixes, "lifecycle"))


def rewrites_probes(values: Mapping[str, object]) -> bool:
    """Tell whether the config's values have probes rewritten, in Pods that do not say."""
    return at(values, "sidecarInjectorWebhook", "rewriteAppHTTPProbe") is not False


def wants_rewrite(pod: Pod, *, default: bool) -> bool:
    """Tell whether the probes of a Pod are to be rewritten: its annotation says it, or else the default."""
    asked = go_bool(annotations(pod).get(REWRITE_PROBES))
    return default if asked is None else asked


def rewrite_probes(pod: Pod, status_port: int) -> Pod:
    """Return the Pod with its probes and hooks sent to the agent, and the agent told what they were.

    What the agent was told before stays in force. A Pod without the proxy is left alone, as is every Pod if the agent
    has no status port (0).
    """
    sidecar = sidecar_of(pod)  # the proxy's own probes stay
    if not status_port or sidecar is None:
        return pod
    walk = _Rewriting(status_port)
    lists = {field: walk.containers(items(pod, field)) for field in CONTAINER_LISTS}
    if not walk.probers:
        return pod

    def told(before: object) -> str:
        probers = {**walk.probers, **_known_probers(before)}
        return json_text({path: probers[path] for path in sorted(probers)})

    rewritten = {field: containers for field, containers in lists.items() if containers is not None}
    return with_sidecar(pod, with_variable(sidecar, PROBERS_VARIABLE, told), **rewritten)


def _known_probers(text: object) -> Mapping[str, Mapping[str, object]]:
    """Read what the agent was told before: nothing if it is no JSON object, which the agent could not read either."""
    known = json_of(text) if isinstance(text, str) else None
    return known if isinstance(known, dict) else {}


class _Rewriting:
    """One walk over one Pod's containers; `probers` are what the handlers were that it rewrote."""

    def __init__(self, status_port: int) -> None:
        self._status_port = status_port
        self.probers: Probers = {}

    def containers(self, present: list[Container]) -> list[Container] | None:
        """Return the containers with their handlers rewritten, None if there is none to rewrite."""
        rewritten = [item if _HANDLED.isdisjoint(item) else self._container(item) for item in present]
        return None if all(map(is_, rewritten, present)) else rewritten

    def _container(self, container: Container) -> Container:
        if container.get("name") == PROXY:
            return container
        changed = self._handlers(container, container, _PROBES)
        if "lifecycle" in container:
            hooks = map_at(container, "lifecycle")
            if changed_hooks := self._handlers(container, hooks, _HOOKS):
                changed["lifecycle"] = {**hooks, **changed_hooks}
        return {**container, **changed} if changed else container

    def _handlers(
        self, container: Container, holder: Mapping[str, object], sort: _Handlers
    ) -> dict[str, Mapping[str, object]]:
        """Return those probes or hooks of the holder's that are rewritten, and enter what they were."""
        rewritten: dict[str, Mapping[str, object]] = {}
        for field in filter(holder.__contains__, sort.suffixes):
            probe = holder[field]
            if not probe or not isinstance(probe, MAP):
                continue
            kind, asked = _asked(probe, sort.kinds)
            handler = _resolved(asked, container) if asked and not self._is_the_agents(asked) else None
            if handler is not None:
                path = f"{sort.prefix}{container.get('name')}/{sort.suffixes[field]}"
                timeout = probe.get("timeoutSeconds")
                self.probers[path] = {kind: handler, "timeoutSeconds": timeout} if timeout else {kind: handler}
                rewritten[field] = self._sent_to_agent(probe, kind, asked, path)
        return rewritten

    def _is_the_agents(self, handler: Mapping[str, object]) -> bool:
        return (
            str(handler.get("path")).startswith((_HEALTH, _LIFECYCLE))
            and port_number(handler.get("port")) == self._status_port
        )

    def _sent_to_agent(
        self, probe: Mapping[str, object], kind: str, asked: Mapping[str, object], path: str
    ) -> Mapping[str, object]:
        """Return a probe or hook that asks the agent, which serves plain HTTP; headers of an HTTP request stay."""
        request = {**(asked if kind == "httpGet" else {}), "path": path, "port": self._status_port}
        if request.get("scheme"):
            request["scheme"] = "HTTP"
        sent = dict(probe)
        del sent[kind]
        sent["httpGet"] = request
        return sent


def _asked(probe: Mapping[str, object], kinds: Sequence[str]) -> tuple[str, Mapping[str, object]]:
    """Return the handler of a probe or hook, and of which kind it is; an empty one if there is none of these kinds."""
    for kind in kinds:
        handler = probe.get(kind)
        if handler:
            return kind, handler if isinstance(handler, MAP) else _NONE
    return "", _NONE


_NONE: Mapping[str, object] = MappingProxyType({})


def _resolved(handler: Mapping[str, object], container: Container) -> Mapping[str, object] | None:
    """Return a handler with its port's number, None if it names a host, or no port, or one that there is not.

    A declared name goes before a number that is written as text, as for the kubelet.
    """
    if handler.get("host"):
        return None
    port = handler.get("port")
    if isinstance(port, str):
        declared = [item.get("containerPort") for item in maps_in(container.get("ports")) if item.get("name") == port]
        port = declared[0] if declared else port
    number = port_number(port)
    return None if number is None else handler if number is handler["port"] else {**handler, "port": number}
