"""The live MutatingWebhookConfiguration, compared with what the operator would have there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from sidecar_injector.cluster.webhooks import Endpoint, config_of, mutating_configuration
from sidecar_injector.config import Snapshot
from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement
from sidecar_injector.injection.view import part
from sidecar_injector.names import NAMESPACE_NAME, SYSTEM_NAMESPACES
from sidecar_injector.profiles.explaining.model import Known, Registered, Webhook

Object = Mapping[str, object]

_NOT_COMPARED = "clientConfig"
"""Where the operator is, and the certificates to trust there: not known here."""


def webhook_of(live: Object, configs: Iterable[Known], operator: str) -> Webhook:
    """Return the live configuration (empty if there is none), and how its entries differ from what they should be."""
    snapshot = Snapshot()
    for known in configs:
        if known.serving is not None:
            snapshot = snapshot.with_accepted(known.serving)
    wanted = mutating_configuration(snapshot, Endpoint(operator, "", 0, "", b""))
    by_name = {str(entry["name"]): entry for entry in wanted["webhooks"]}
    found: dict[str, tuple[Registered, ...]] = {}
    for entry in _entries(live):
        name = str(entry.get("name"))
        registered = Registered(
            name,
            _selector(part(entry, "namespaceSelector")),
            _selector(part(entry, "objectSelector")),
            tuple(_differences(entry, by_name[name])) if name in by_name else (),
        )
        config = config_of(dict(entry))
        found[config] = (*found.get(config, ()), registered)
    return Webhook(bool(live), found)


def operator_namespace(live: Object) -> str:
    """Return where the operator runs, which all of its entries exclude; empty if they do not tell."""
    for entry in _entries(live):
        for requirement in _selector(part(entry, "namespaceSelector")).match_expressions:
            if requirement.key == NAMESPACE_NAME and requirement.operator is Operator.NOT_IN:
                return next((name for name in requirement.values if name not in SYSTEM_NAMESPACES), "")
    return ""


def _differences(live: Object, wanted: Object) -> Iterable[str]:
    """Yield the fields of an entry that somebody has changed."""
    for name in sorted((live.keys() | wanted.keys()) - {_NOT_COMPARED}):
        if live.get(name) != wanted.get(name):
            yield name
    if not part(live, _NOT_COMPARED).get("caBundle"):
        yield f"{_NOT_COMPARED}.caBundle"


def _entries(live: Object) -> Sequence[Object]:
    return cast("Sequence[Object]", live.get("webhooks") or ())


def _selector(value: Object) -> LabelSelector:
    """Read a LabelSelector that the API server has accepted."""
    expressions = cast("Sequence[Mapping[str, str]]", value.get("matchExpressions") or ())
    return LabelSelector(
        tuple((key, str(label)) for key, label in part(value, "matchLabels").items()),
        tuple(
            Requirement(each["key"], Operator(each["operator"]), tuple(each.get("values") or ()))
            for each in expressions
        ),
    )
