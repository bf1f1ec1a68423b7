"""For which Pods a config of profile Istio is called: the labels of Namespace and Pod ask for its revision.

Without `spec.match.namespaceSelector`, as Istio does it (the Namespace goes first, and its `istio-injection` before its
`istio.io/rev`):

| Namespace                   | Pod                              | revision                                         |
|-----------------------------|----------------------------------|--------------------------------------------------|
| istio-injection=enabled     | any                              | default, whatever istio.io/rev says on either    |
| istio-injection, else       | any                              | none                                             |
| istio.io/rev=X              | any                              | X, whatever istio.io/rev says on the Pod         |
| neither                     | istio.io/rev=X                   | X                                                |
| neither                     | sidecar.istio.io/inject=true     | default                                          |
| neither                     | neither                          | default, if values.sidecarInjectorWebhook        |
|                             |                                  | .enableNamespacesByDefault is true, else none    |
| any                         | sidecar.istio.io/inject=false    | none                                             |

Source: the webhook configuration that Istio's chart installs, and
https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
"""

from collections.abc import Iterator, Mapping

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.fields import describe
from sidecar_injector.config.model import FailurePolicy
from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement
from sidecar_injector.errors import Problem
from sidecar_injector.injection.entries import Entry
from sidecar_injector.profiles.istio.vocabulary import DEFAULT_REVISION, INJECT, INJECTION, REVISION

_ENABLED = Requirement(INJECTION, Operator.IN, ("enabled",))
_SAYS_NOTHING_OF_INJECTION = Requirement(INJECTION, Operator.DOES_NOT_EXIST)
_NAMES_NO_REVISION = Requirement(REVISION, Operator.DOES_NOT_EXIST)
_SILENT = LabelSelector(match_expressions=(_SAYS_NOTHING_OF_INJECTION, _NAMES_NO_REVISION))
"""Namespaces that leave it to their Pods."""

_OPTS_IN = Requirement(INJECT, Operator.IN, ("true",))
_NOT_OPTED_OUT = Requirement(INJECT, Operator.NOT_IN, ("false",))
_SAYS_NOTHING = Requirement(INJECT, Operator.DOES_NOT_EXIST)

_BY_DEFAULT = ("sidecarInjectorWebhook", "enableNamespacesByDefault")
_BY_DEFAULT_PATH = ".".join(("spec.values", *_BY_DEFAULT))


def entries(config: CompiledConfig) -> tuple[Entry, ...]:
    """Return the config's entries, in the order in which they are registered.

    A namespaceSelector that the config states takes the place of the whole table.
    """
    match = config.spec.match
    if match.namespace_selector is not None:
        return (Entry("", match.namespace_selector, match.pod_selector.narrowed(_NOT_OPTED_OUT)),)
    return tuple(
        Entry(kind, namespaces, match.pod_selector.narrowed(*pods)) for kind, namespaces, pods in _table(config)
    )


def problems(config: CompiledConfig) -> list[Problem]:
    """Return what is wrong with the config's values for the entries.

    Istio lets a failing webhook that is called for all Pods stop the whole cluster; here such a one has to be ignored.
    """
    by_default = _enabled_by_default(config)
    if by_default is not None and not isinstance(by_default, bool):
        return [Problem(_BY_DEFAULT_PATH, f"is {describe(by_default)}; true or false is expected")]
    if config.spec.failure_policy is FailurePolicy.FAIL and any(entry.kind == "auto" for entry in entries(config)):
        message = (
            "is true and so selects the Pods of every namespace without labels, which failurePolicy Fail does not "
            "allow: an outage would stop the whole cluster from creating Pods; label namespaces istio-injection=enabled"
            " instead, or set failurePolicy: Ignore"
        )
        return [Problem(_BY_DEFAULT_PATH, message)]
    return []


def _table(config: CompiledConfig) -> Iterator[tuple[str, LabelSelector, tuple[Requirement, ...]]]:
    """Yield kind, Namespaces and what is required of Pods, of each entry of the config's revision."""
    revision = config.spec.revision
    asked_for = Requirement(REVISION, Operator.IN, (revision,))
    by_revision = LabelSelector(match_expressions=(asked_for, _SAYS_NOTHING_OF_INJECTION))
    yield "rev.namespace", by_revision, (_NOT_OPTED_OUT,)
    yield "rev.object", _SILENT, (_NOT_OPTED_OUT, asked_for)
    if revision != DEFAULT_REVISION:
        return
    yield "namespace", LabelSelector(match_expressions=(_ENABLED,)), (_NOT_OPTED_OUT,)
    yield "object", _SILENT, (_OPTS_IN, _NAMES_NO_REVISION)
    if _enabled_by_default(config) is True:
        yield "auto", _SILENT, (_SAYS_NOTHING, _NAMES_NO_REVISION)


def _enabled_by_default(config: CompiledConfig) -> object:
    section, name = _BY_DEFAULT
    webhook = config.spec.values.get(section)
    return webhook.get(name) if isinstance(webhook, Mapping) else None
