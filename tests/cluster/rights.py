"""What a manifest grants and what an audit log shows to have been used, in one form, so that they can be compared."""

import collections
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.kubernetes.own_cluster import AuditedRequest

NAMED_VERBS = frozenset({"get", "update", "patch", "delete"})
"""Verbs on one object, which a rule can narrow to names."""
FORBIDDEN, CREATED = 403, 201


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource; where a role does not narrow, `namespace` or `name` are empty.

    resource -- with its subresource, as rules have it: `sidecarinjectorconfigs/status`
    """

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        name = f" {self.name}" if self.name else ""
        return f"{self.verb} {'.'.join(filter(None, (self.resource, self.group)))}{name} {place}"

    def covers(self, other: "Right") -> bool:
        """Tell whether whoever has this right may do what the other one is about."""
        same = (self.group, self.resource, self.verb) == (other.group, other.resource, other.verb)
        return same and self.namespace in ("", other.namespace) and self.name in ("", other.name)


def granted(documents: Iterable[dict[str, Any]]) -> set[Right]:
    """Return what the roles among the documents grant."""
    roles = [document for document in documents if document["kind"] in ("Role", "ClusterRole")]
    return {right for role in roles for rule in role["rules"] for right in _of_rule(rule, _namespace(role))}


def _namespace(role: dict[str, Any]) -> str:
    return str(role["metadata"]["namespace"]) if role["kind"] == "Role" else ""


def _of_rule(rule: dict[str, Any], namespace: str) -> Iterator[Right]:
    every = product(rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [""]))
    for group, resource, verb, name in every:
        yield Right(group, resource, verb, namespace, name)


def used(requests: Iterable[AuditedRequest]) -> set[Right]:
    """Return the rights without which these requests would have been refused, each with namespace and name."""
    return {right for request in requests if not request.resource.startswith("/") for right in _needed(request)}


def _needed(request: AuditedRequest) -> Iterator[Right]:
    resource = "/".join(filter(None, (request.resource, request.subresource)))
    # A POST names its object in the body, which authorization does not see.
    name = "" if request.verb == "create" else request.name
    yield Right(request.group, resource, request.verb, request.namespace, name)
    if request.verb == "patch" and request.code == CREATED:
        # Server-side apply of an object that was not there asks for this right, too, with the name.
        yield Right(request.group, resource, "create", request.namespace, name)


@dataclass(frozen=True)
class Comparison:
    """What is wrong with what was granted, given what was used."""

    granted: frozenset[Right]
    used: frozenset[Right]

    def problems(self) -> list[str]:
        """Return one line each, sorted; none: every right is used, every use is granted, and nothing could be less."""
        return sorted([*self._missing(), *self._unused(), *self._redundant(), *self._too_wide()])

    def _missing(self) -> Iterator[str]:
        for use in self.used:
            if not any(right.covers(use) for right in self.granted):
                yield f"missing: {use}"

    def _unused(self) -> Iterator[str]:
        for right in self.granted:
            if not any(right.covers(use) for use in self.used):
                yield f"never used: {right}"

    def _redundant(self) -> Iterator[str]:
        for right, other in product(self.granted, self.granted):
            if right != other and other.covers(right):
                yield f"redundant: {right}, beside: {other}"

    def _too_wide(self) -> Iterator[str]:
        """Rights on any object, or in any namespace, of which only one was ever needed."""
        for right in self.granted:
            uses = [use for use in self.used if right.covers(use)]
            for field, applies in (("name", right.verb in NAMED_VERBS), ("namespace", True)):
                found = {getattr(use, field) for use in uses}
                if applies and not getattr(right, field) and len(found) == 1 and found != {""}:
                    yield f"too wide: {right}, used for the {field} {found.pop()} only"


def refused(requests: collections.Counter[AuditedRequest]) -> list[str]:
    """Return the requests that were refused for want of rights."""
    return [
        f"{count} times refused: {', '.join(map(str, _needed(request)))}"
        for request, count in requests.items()
        if not request.allowed or request.code == FORBIDDEN
    ]
