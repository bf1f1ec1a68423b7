"""Metrics: Prometheus scrapes the agent, which adds the proxy's metrics to the app's.

What the Pod's annotations say of the app's metrics moves into a variable of the agent's, and they come to point at the
agent. Source: https://istio.io/latest/docs/ops/integrations/prometheus/#option-1-metrics-merging; for several targets
https://github.com/istio/istio/issues/59567.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from operator import methodcaller
from types import MappingProxyType

from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.json_text import json_text
from sidecar_injector.injection.view import Pod, annotations, with_annotation, with_annotations
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.reading import go_bool, port_number
from sidecar_injector.profiles.istio.sidecar import sidecar_of, variable, with_sidecar, with_variable
from sidecar_injector.profiles.istio.vocabulary import (
    MERGE_METRICS,
    SCRAPE,
    SCRAPE_PATH,
    SCRAPE_PORT,
    SCRAPE_TARGETS,
    SCRAPE_VARIABLE,
    SECURE_PORT,
    SECURE_PORT_VARIABLE,
)

RESERVED_PORTS = frozenset({15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090})
"""Ports of the proxy and its agent, at which no metrics of the app's can be."""

_MERGED_PATH = "/stats/prometheus"
_DEFAULT_PATH = "/metrics"
_EXCERPT = 80
_FOREIGN = re.compile(r"[^a-zA-Z0-9_]")


def _spelling(key: str) -> str:
    """Return what Prometheus makes of an annotation's key: keys that become the same are the same to it."""
    return _FOREIGN.sub("_", key)


_KEYS = MappingProxyType({_spelling(key): key for key in (SCRAPE, SCRAPE_PORT, SCRAPE_PATH, SCRAPE_TARGETS)})
_PROPER = MappingProxyType({key: key for key in _KEYS.values()})

Given = Mapping[str, Mapping[str, str]]
"""The annotations on scraping, under each key's proper name: as they are spelt, and their values."""


@dataclass(frozen=True)
class Target:
    """One endpoint of the app's metrics; `port` is a number, though perhaps not a port's."""

    port: str
    path: str


def scrape_targets(text: str) -> tuple[Target, ...] | None:
    """Read a list such as `8080:/metrics,9100`; None if an entry has no number for its port."""
    targets = []
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        port, _, path = (side.strip() for side in entry.partition(":"))
        if not (port.isascii() and port.isdecimal()):
            return None
        targets.append(Target(port.lstrip("0") or "0", path or _DEFAULT_PATH))
    return tuple(targets)


def merge_metrics(pod: Pod, mesh: Mapping[str, object], agent_port: int) -> Pod:
    """Return the Pod with its scraping annotations pointing at the agent, and the agent told what they were.

    Nothing is done if merging is off (the annotation goes before the mesh), if an annotation says not to scrape, if
    one names the agent's port, as after an earlier injection, or if the agent has no port (0). Without the proxy, only
    the annotations are set. Raises PodRejected for a port at which the app cannot have metrics.
    """
    if not agent_port or not _merges(pod, mesh):
        return pod
    given = _given(pod)
    if given:
        if _is_off(given) or _names_port(given, agent_port):
            return pod
        pod = _with_agent_told(pod, given, agent_port)
    return _pointed_at_agent(pod, given, agent_port)


def secure_port(pod: Pod) -> Pod:
    """Return the Pod with an annotation of the port at which its metrics are secured, if its proxy opens one.

    An annotation that is there already stays.
    """
    sidecar = None if SECURE_PORT in annotations(pod) else sidecar_of(pod)
    if sidecar is None:
        return pod
    port = port_number(variable(sidecar, SECURE_PORT_VARIABLE))
    return pod if port is None else with_annotation(pod, SECURE_PORT, str(port))


def _given(pod: Pod) -> Given:
    given: dict[str, dict[str, str]] = {}
    notes = annotations(pod)
    for spelt in filter(_MAY_BE_ONE, notes):
        if key := _PROPER.get(spelt) or _KEYS.get(_spelling(spelt)):
            given.setdefault(key, {})[spelt] = str(notes[spelt])
    return given


_MAY_BE_ONE = methodcaller("startswith", "prometheus")


def _spelt(given: Given, key: str) -> str:
    """Return the spelling that counts if there are several: the proper one, else the first in the alphabet."""
    return key if key in given.get(key, {}) else min(given.get(key, {}), default=key)


def _value(given: Given, key: str) -> str:
    return given[key][_spelt(given, key)].strip() if key in given else ""


def _is_off(given: Given) -> bool:
    return any(go_bool(value) is False for value in given.get(SCRAPE, {}).values())


def _names_port(given: Given, number: int) -> bool:
    return any(port_number(port.strip()) == number for port in given.get(SCRAPE_PORT, {}).values())


def _merges(pod: Pod, mesh: Mapping[str, object]) -> bool:
    asked = go_bool(annotations(pod).get(MERGE_METRICS))
    return mesh.get("enablePrometheusMerge") is not False if asked is None else asked


def _with_agent_told(pod: Pod, given: Given, agent_port: int) -> Pod:
    """Return the Pod with the agent's variable, if it has an agent and there is something to tell it."""
    targets = (SCRAPE_TARGETS in given and scrape_targets(_value(given, SCRAPE_TARGETS))) or ()
    _check(given, targets, agent_port)
    document = _document(given, targets)
    sidecar = sidecar_of(pod)
    if sidecar is None or not any(document.values()):
        return pod
    return with_sidecar(pod, with_variable(sidecar, SCRAPE_VARIABLE, lambda _: json_text(document)))


def _document(given: Given, targets: tuple[Target, ...]) -> dict[str, object]:
    """Return what the agent is told: every value is empty if the Pod says nothing."""
    path, port = _value(given, SCRAPE_PATH), _value(given, SCRAPE_PORT)
    if not targets:
        return {"scrape": _value(given, SCRAPE), "path": path, "port": port}
    return {
        "scrape": _value(given, SCRAPE),
        "path": path or targets[0].path,
        "port": port or targets[0].port,
        "targets": [{"port": target.port, "path": target.path} for target in targets],
    }


def _check(given: Given, targets: tuple[Target, ...], agent_port: int) -> None:
    """Refuse ports at which the app cannot have metrics, of those that the agent would ask."""
    key = SCRAPE_TARGETS if targets else SCRAPE_PORT
    single = _value(given, SCRAPE_PORT)
    asked = [target.port for target in targets] if targets else [single] if single else []
    wrong = [port for port in asked if (number := port_number(port)) in (None, agent_port) or number in RESERVED_PORTS]
    if wrong:
        ports = ", ".join(str(port) for port in sorted(RESERVED_PORTS | {agent_port}))
        where, found = _spelt(given, key), _value(given, key)[:_EXCERPT]
        raise PodRejected(
            Reason.INVALID_ANNOTATION,
            f"metadata.annotations[{where}]: is {found!r}, with port {wrong[0][:_EXCERPT]!r}; "
            f"allowed: ports from 1 to 65535, without those of the proxy and its agent ({ports})",
        )


def _pointed_at_agent(pod: Pod, given: Given, agent_port: int) -> Pod:
    notes = dict(annotations(pod))
    for spelt in chain.from_iterable(given.values()):
        del notes[spelt]
    notes |= {SCRAPE: "true", SCRAPE_PORT: str(agent_port), SCRAPE_PATH: _MERGED_PATH}
    return with_annotations(pod, notes)
