"""Our webhook configurations: what they must be, as pure functions, and the few calls that make them so.

Each entry says everything that the API server would otherwise fill in, so that "is it as wanted?" is a comparison.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.config import CompiledConfig, Snapshot
from sidecar_injector.config.model import Mode
from sidecar_injector.config.selectors import Operator, Requirement
from sidecar_injector.errors import ClusterError, Problem
from sidecar_injector.injection import entries
from sidecar_injector.profiles import profile_for

LABELS = {"app.kubernetes.io/name": names.APP, "app.kubernetes.io/managed-by": names.APP}
VALIDATION_TIMEOUT_SECONDS = 10

_FIELDS = {
    "matchConditions": "spec.match.conditions",
    "namespaceSelector": "spec.match.namespaceSelector",
    "objectSelector": "spec.match.podSelector",
}

Entry = dict[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """Where API servers reach us: a Service, or (outside a cluster) a base URL; and the CAs, as PEM, to trust there.

    owner -- uid of our Namespace, with which the configurations go: without the Service, an entry with failurePolicy
             Fail would do nothing but harm. Empty: they stay.
    """

    namespace: str
    service: str
    port: int
    url: str
    ca_bundle: bytes
    owner: str = ""

    def client_config(self, path: str) -> dict[str, Any]:
        """Return `clientConfig` of a webhook entry."""
        bundle = {"caBundle": base64.b64encode(self.ca_bundle).decode()}
        if self.url:
            return {"url": self.url.rstrip("/") + path, **bundle}
        service = {"namespace": self.namespace, "name": self.service, "path": path, "port": self.port}
        return {"service": service, **bundle}

    @property
    def owners(self) -> list[dict[str, str]]:
        """Return `ownerReferences` of what leads here."""
        if self.url or not self.owner:
            return []
        return [{"apiVersion": "v1", "kind": "Namespace", "name": self.namespace, "uid": self.owner}]


def mutating_configuration(
    snapshot: Snapshot, endpoint: Endpoint, held_back: Mapping[str, Sequence[Entry]] = MappingProxyType({})
) -> Object:
    """Return the MutatingWebhookConfiguration: the entries of each config that is accepted and not switched off.

    held_back -- entries that some configs keep for the time being, by the configs' names, instead of new ones
    """
    accepted = [entry.accepted for entry in snapshot.entries.values() if entry.accepted is not None]
    webhooks: list[Entry] = []
    for config in sorted(accepted, key=lambda config: (config.spec.order, config.name)):
        if config.name in held_back:
            webhooks += (_redirected(entry, config, endpoint) for entry in held_back[config.name])
        elif config.spec.mode is not Mode.DISABLED:
            webhooks += _injecting_entries(config, endpoint)
    return _configuration("MutatingWebhookConfiguration", names.MUTATING_WEBHOOK, webhooks, endpoint)


def validating_configuration(endpoint: Endpoint) -> Object:
    """Return the ValidatingWebhookConfiguration that refuses broken SidecarInjectorConfigs while they are applied.

    It is a convenience (the live path judges again), so an operator that is away must not block `kubectl apply`.
    """
    webhook = {
        "name": names.VALIDATING_ENTRY,
        "clientConfig": endpoint.client_config(names.VALIDATE_PATH),
        "rules": [_rule(names.GROUP, names.VERSION, names.PLURAL, "Cluster", ["CREATE", "UPDATE"])],
        "failurePolicy": "Ignore",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "sideEffects": "None",
        "timeoutSeconds": VALIDATION_TIMEOUT_SECONDS,
        "admissionReviewVersions": ["v1"],
    }
    return _configuration("ValidatingWebhookConfiguration", names.VALIDATING_WEBHOOK, [webhook], endpoint)


def config_of(entry: Entry) -> str:
    """Return the name of the config that an entry of ours is for; empty if it is none of ours.

    The kind of the entry may stand in front, with a dot; the names of configs have none.
    """
    name: str = entry.get("name", "")
    suffix = f".{names.WEBHOOK_DOMAIN}"
    return name.removesuffix(suffix).rpartition(".")[2] if name.endswith(suffix) else ""


def as_wanted(live: Object | None, wanted: Object) -> bool:
    """Tell whether what the API server has is what is wanted; foreign labels and annotations do not matter."""
    if live is None:
        return False
    metadata = live["metadata"]
    labels, owners = metadata.get("labels") or {}, metadata.get("ownerReferences") or []
    owned = all(owner in owners for owner in wanted["metadata"].get("ownerReferences", []))
    return owned and live.get("webhooks", []) == wanted["webhooks"] and labels.items() >= LABELS.items()


def entries_by_config(configuration: Object | None) -> dict[str, list[Entry]]:
    """Return the entries of a configuration that are ours, by the configs that they are for."""
    found: dict[str, list[Entry]] = {}
    for entry in (configuration or {}).get("webhooks") or []:
        if name := config_of(entry):
            found.setdefault(name, []).append(entry)
    return found


def trusted_by(configuration: Object) -> bytes:
    """Return the CAs, as PEM, that API servers trust when they call us by a configuration; empty if it has no entries
    or they differ."""
    bundles = {(entry.get("clientConfig") or {}).get("caBundle", "") for entry in configuration.get("webhooks") or []}
    try:
        return base64.b64decode(bundles.pop()) if len(bundles) == 1 else b""
    except ValueError:
        return b""


async def reconcile(api: Api, path: str, live: Object | None, wanted: Object) -> bool:
    """Make the configuration at a path as wanted and tell whether that took a write.

    Server-side apply keeps to our own fields. Where it leaves a difference (foreign entries, another order: both
    change what the API server does), the whole list is replaced.
    """
    if as_wanted(live, wanted):
        return False
    applied = await api.apply(path, wanted)
    if not as_wanted(applied, wanted):
        metadata = {key: value for key, value in applied["metadata"].items() if key != "managedFields"}
        await api.replace(path, {**applied, "metadata": metadata, "webhooks": wanted["webhooks"]})
    return True


async def check(api: Api, config: CompiledConfig, endpoint: Endpoint) -> tuple[Problem, ...]:
    """Ask the API server, by a dry run, what is wrong with the config's CEL expressions: only it can compile them.

    They are the same in all of the config's entries, so the first will do. An API server that cannot be asked has no
    objections; the write of the entries themselves is to come.
    """
    if not config.spec.match.conditions:
        return ()
    first = _injecting_entries(config, endpoint)[:1]
    wanted = _configuration("MutatingWebhookConfiguration", names.MUTATING_WEBHOOK, first, endpoint)
    try:
        await api.apply(paths.MUTATING_WEBHOOK, wanted, dry_run=True)
    except ClusterError as error:
        return tuple(Problem(_field_of_config(path), message) for path, message in error.fields)
    return ()


def refused_entries(error: ClusterError, wanted: Object) -> dict[str, str]:
    """Return the configs whose entries made the API server refuse a configuration, and what it says about each.

    Of several messages about a config it is the first: they repeat each other.
    """
    registered = dict(enumerate(wanted["webhooks"]))
    refused: dict[str, str] = {}
    for path, message in error.fields:
        found = re.match(r"webhooks\[(\d+)\]", path)
        if found and (entry := registered.get(int(found[1]))):
            refused.setdefault(config_of(entry), message)
    return refused


def _injecting_entries(config: CompiledConfig, endpoint: Endpoint) -> list[Entry]:
    return [_injecting_entry(config, entry, endpoint) for entry in profile_for(config).entries(config)]


def _injecting_entry(config: CompiledConfig, selection: entries.Entry, endpoint: Endpoint) -> Entry:
    """Return an entry of a config in the API's form; the system's namespaces and our own are excluded here."""
    spec = config.spec
    excluded = Requirement(names.NAMESPACE_NAME, Operator.NOT_IN, (endpoint.namespace, *names.SYSTEM_NAMESPACES))
    entry: Entry = {
        "name": selection.name(config.name),
        "clientConfig": endpoint.client_config(_path(config.name)),
        "rules": [_rule("", "v1", "pods", "Namespaced", ["CREATE"])],
        "failurePolicy": str(spec.failure_policy),
        "matchPolicy": "Equivalent",
        "namespaceSelector": selection.namespaces.narrowed(excluded).to_dict(),
        "objectSelector": selection.pods.to_dict(),
        "sideEffects": "None",
        "timeoutSeconds": spec.timeout_seconds,
        "admissionReviewVersions": ["v1"],
        "reinvocationPolicy": str(spec.reinvocation_policy),
    }
    if spec.match.conditions:
        entry["matchConditions"] = [
            {"name": condition.name, "expression": condition.expression} for condition in spec.match.conditions
        ]
    return entry


def _field_of_config(path: str) -> str:
    """Return the field of a config that ended up in this field of a webhook entry."""
    field = path.removeprefix("webhooks[0].")
    for theirs, ours in _FIELDS.items():
        if field.startswith(theirs):
            return ours + field.removeprefix(theirs)
    return "spec"


def _path(config: str) -> str:
    return f"{names.INJECT_PATH}/{config}"


def _rule(group: str, version: str, resource: str, scope: str, operations: Sequence[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
        "scope": scope,
        "operations": list(operations),
    }


def _redirected(entry: Entry, config: CompiledConfig, endpoint: Endpoint) -> Entry:
    """Return an entry that was written earlier, with today's CAs."""
    return {**entry, "clientConfig": endpoint.client_config(_path(config.name))}


def _configuration(kind: str, name: str, webhooks: list[Entry], endpoint: Endpoint) -> Object:
    metadata: dict[str, Any] = {"name": name, "labels": dict(LABELS)}
    if endpoint.owners:
        metadata["ownerReferences"] = endpoint.owners
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": webhooks,
    }
