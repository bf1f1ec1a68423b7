"""What an injection may give to a Pod: compared is what comes out with what the Pod's author wrote.

Nothing here is about what the author wrote; that is for the cluster's own admission (Pod Security and the like). Nor
is it about the restrictions of Pod Security's profile Restricted: a container that says nothing is no breach. A config
that gives more than its author declared is, because whoever creates a Pod cannot see it coming.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (Baseline), and for the service account
https://kubernetes.io/docs/concepts/security/rbac-good-practices/.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import filterfalse
from operator import methodcaller
from types import MappingProxyType
from typing import NamedTuple, cast

from sidecar_injector.config.model import Guardrail
from sidecar_injector.errors import GuardrailError
from sidecar_injector.injection.judges import (
    CONTAINER_CONTEXT,
    INNER,
    POD_CONTEXT,
    POD_SPEC,
    Object,
    Row,
    member,
    objects,
)
from sidecar_injector.injection.patch import renewed
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS, MAP
from sidecar_injector.injection.trace import Keys, trace
from sidecar_injector.injection.view import Container, Pod, annotations, containers, items, part
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap

COVERED: Mapping[Guardrail, str] = MappingProxyType(
    {
        Guardrail.PRIVILEGED: (
            "a container without confinement: `privileged: true`, `procMount` other than Default, seccomp or AppArmor "
            "Unconfined, SELinux options and sysctls beyond the Baseline standard, `windowsOptions.hostProcess`, a "
            "mount with propagation Bidirectional; also a seccomp or AppArmor profile, or `runAsNonRoot: true`, of the "
            "Pod that is taken away"
        ),
        Guardrail.HOST_PATH: "volumes of type `hostPath`, and more mounts of one that the Pod has",
        Guardrail.HOST_NAMESPACES: (
            "`hostNetwork`, `hostPID`, `hostIPC: true`, `hostUsers: false` that is taken away, `hostPort` of a port, "
            "`host` of a probe or hook, which the node sends"
        ),
        Guardrail.ADDED_CAPABILITIES: "entries of `capabilities.add`",
        Guardrail.SERVICE_ACCOUNT: (
            "another `serviceAccountName`, `automountServiceAccountToken: true`, and projected tokens that the API "
            "server takes (one with an audience of its own, as Istio's, is not meant)"
        ),
    }
)
"""What each guardrail is about: an injection that gives a Pod any of it must be allowed to."""

_SHOWN = 3
_ALL = frozenset(Guardrail)


class Breach(NamedTuple):
    """Something that an injection gives a Pod: what would allow it, the field's keys, and what was found there."""

    guardrail: Guardrail
    keys: Keys
    found: str

    def __str__(self) -> str:
        return f"{dotted(self.keys)} {self.found}"


def breaches(before: Pod, result: Pod, allowed: frozenset[Guardrail]) -> tuple[Breach, ...]:
    """Return what an injected Pod has that no guardrail in `allowed` lets pass.

    before -- the Pod as its author wrote it. What annotations ask for does not count as written: another config, which
              may be allowed less, may have set them.
    """
    if allowed == _ALL:
        return ()
    found = _breaches(before, result, _refused(allowed))
    return tuple([breach for breach in found if breach.guardrail not in allowed]) if found else ()


def check(config: str, before: Pod, result: Pod, overlays: Sequence[Overlay], allowed: frozenset[Guardrail]) -> None:
    """Raise GuardrailError if an injected Pod has what the config may not give; arguments as for `breaches`."""
    found = breaches(before, result, allowed)
    if not found:
        return
    needed = list(dict.fromkeys(str(breach.guardrail) for breach in found))
    shown = [f"{_origin(breach, overlays)}{breach}" for breach in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] * (len(found) > _SHOWN)
    raise GuardrailError(
        f"{'; '.join([*shown, *more])}; config {config} may not give that to a Pod, because its spec.guardrails.allow "
        f"does not have {' and '.join(needed)}",
        needed,
    )


def remedy(allowed: frozenset[Guardrail], needed: Sequence[str]) -> list[str]:
    """Return `spec.guardrails.allow` with what is needed, in the order in which the guardrails are listed."""
    return [str(guardrail) for guardrail in Guardrail if guardrail in allowed or str(guardrail) in needed]


def dotted(keys: Keys) -> str:
    """Return the keys of a field as messages write them: `spec.containers[proxy].ports[8080].hostPort`."""
    text = ""
    for index, key in enumerate(keys):
        text += f"[{key}]" if index and keys[index - 1] in _LISTS else f".{key}" if text else key
    return text


_LISTS = frozenset((*CONTAINER_LISTS, "volumes", "ports", "volumeMounts", "sources", "annotations"))


def _origin(breach: Breach, overlays: Sequence[Overlay]) -> str:
    traced = trace(breach.keys, overlays)
    return "" if traced is None else f"template {traced[0].template}: "


# --- the walk over a Pod: what is the author's as it stands, as most of it is, is told by its identity alone


class _Refused(NamedTuple):
    """The rows of what a config may not give: in a Pod's spec, in its security context, and in a container's."""

    spec: Mapping[str, Row]
    context: Mapping[str, Row]
    container: Mapping[str, Row]


@cache  # There are 32 sets of guardrails.
def _refused(allowed: frozenset[Guardrail]) -> _Refused:
    tables = (POD_SPEC, POD_CONTEXT, CONTAINER_CONTEXT)
    return _Refused(*[{key: row for key, row in table.items() if row.guardrail not in allowed} for table in tables])


def _breaches(pod: Pod, result: Pod, refused: _Refused) -> list[Breach]:
    before, after = part(pod, "spec"), part(result, "spec")
    changed = set(renewed(before, after))
    if not before.keys() <= after.keys():
        changed |= before.keys() - after.keys()
    found: list[Breach] = []
    if not changed.isdisjoint(POD_SPEC):
        found += _rows(refused.spec, after, (before,), ("spec",))
    if not changed.isdisjoint(_ACCOUNT):
        found += _account(before, after)
    if "securityContext" in changed:
        context, was = part(after, "securityContext"), part(before, "securityContext")
        found += _rows(refused.context, context, (was,), ("spec", "securityContext"))
    volumes = [*filterfalse(_JUDGED_SOURCES.isdisjoint, items(result, "volumes"))]
    if "volumes" in changed:
        found += _volumes(items(pod, "volumes"), volumes)
    if not changed.isdisjoint(CONTAINER_LISTS):
        host_paths = {volume.get("name") for volume in volumes if "hostPath" in volume}
        found += _containers(pod, result, _Terms(refused.container, host_paths))
    return found + _apparmor_annotations(annotations(pod), annotations(result))


def _rows(rows: Mapping[str, Row], value: Object, written: Sequence[Object], keys: Keys) -> Iterator[Breach]:
    """Yield what is found in the fields of an object; those that the author alone has count, too."""
    present = {*value}.union(*written) if written else value
    for field in filter(present.__contains__, rows):
        given, row = value.get(field), rows[field]
        own = [item[field] for item in written if item.get(field) is not None] if written else []
        if (given is not None or own) and (found := row.judge(given, own)):
            yield Breach(row.guardrail, (*keys, field, *INNER.get(field, ())), found)


_JUDGED_SOURCES = frozenset(("hostPath", "projected"))
_ACCOUNT = ("serviceAccountName", "serviceAccount")


def _account(before: Object, after: Object) -> Iterator[Breach]:
    was, account = (
        spec.get("serviceAccountName") or spec.get("serviceAccount") or "default" for spec in (before, after)
    )
    if account != was:
        yield Breach(Guardrail.SERVICE_ACCOUNT, ("spec", "serviceAccountName"), f"is {account!r}, and not {was!r}")


def _containers(pod: Pod, result: Pod, terms: "_Terms") -> list[Breach]:
    """Return what is found in the containers that are not, as they stand, the author's."""
    authors = containers(pod)
    untouched = frozenset(map(id, authors))
    found: list[Breach] = []
    for field in CONTAINER_LISTS:
        for container in items(result, field):
            if id(container) not in untouched:
                name = container.get("name")
                written = [item for item in authors if item.get("name") == name]
                found += _in_container(container, written, terms, ("spec", field, str(name)))
    return found


class _Terms(NamedTuple):
    """What containers are judged by.

    rows       -- of what their contexts may not be given
    host_paths -- the names of volumes that are directories of the node
    """

    rows: Mapping[str, Row]
    host_paths: Collection[object]


def _in_container(container: Container, written: Sequence[Container], terms: _Terms, keys: Keys) -> list[Breach]:
    """Return what is found in the fields that are not, as they stand, the author's.

    written -- the containers of its name that the author wrote; which of several it was cannot be told
    """
    mine = written[0] if len(written) == 1 else _NOTHING
    found: list[Breach] = []
    for field in filter(container.__contains__, _JUDGED):
        value, judge = container[field], _JUDGED[field]
        if value is mine.get(field) or _is_harmless(value, judge):
            continue
        breaches = [*judge(value, written, terms)]
        if breaches:
            found += [breach._replace(keys=(*keys, field, *breach.keys)) for breach in breaches]
        elif not written and field in _JUDGED_ALONE:
            _note_harmless(value, judge)
    return found


def _is_harmless(value: object, judge: object) -> bool:
    """Tell whether a judge, or rows of them, is known to find nothing in a value, whatever the Pod."""
    return type(value) in _SHARED and value.harmless is judge  # type: ignore[attr-defined]


def _note_harmless(value: object, judge: object) -> None:
    """Note down that a judge finds nothing in a value, if that is the same for all Pods."""
    if isinstance(value, SharedMap | SharedList):
        value.harmless = judge


_SHARED = frozenset((SharedMap, SharedList))


_NOTHING: Container = MappingProxyType({})


def _in_context(value: object, written: Sequence[Container], terms: _Terms) -> Iterable[Breach]:
    if not value:
        return ()
    own = [part(item, "securityContext") for item in written if "securityContext" in item] if written else []
    if own:  # what takes away a restraint of the author's is a breach, too
        return _rows(terms.rows, cast(Object, value), own, ())
    if _is_harmless(value, terms.rows):
        return ()
    found = [*_rows(terms.rows, cast(Object, value), (), ())]
    if not found:
        _note_harmless(value, terms.rows)
    return found


def _in_ports(value: object, written: Sequence[Container], _: _Terms) -> Iterable[Breach]:
    return [
        Breach(Guardrail.HOST_NAMESPACES, (str(port.get("containerPort")), "hostPort"), f"is {port['hostPort']}")
        for port in objects(value)
        if port.get("hostPort") and port not in _of_all(written, "ports")
    ]


_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")
_WITH_HOST = ("httpGet", "tcpSocket")


def _in_handler(value: object, written: Sequence[Container], _: _Terms) -> Sequence[Breach]:
    """Return the hosts that the node, whose requests probes and hooks are, is to ask instead of the Pod."""
    found = _hosts(value)
    if not found:
        return ()
    own = [host for handler in _handlers(written) for _, host in _hosts(handler)]
    return [
        Breach(Guardrail.HOST_NAMESPACES, (kind, "host"), f"is {host!r}") for kind, host in found if host not in own
    ]


def _in_lifecycle(value: object, written: Sequence[Container], terms: _Terms) -> Iterable[Breach]:
    return [
        breach._replace(keys=(hook, *breach.keys))
        for hook in _HOOKS
        for breach in _in_handler(member(value, hook), written, terms)
    ]


def _hosts(handler: object) -> Sequence[tuple[str, object]]:
    """Return the hosts in the handler of a probe or hook, by the kinds of requests."""
    if handler is None or not isinstance(handler, MAP):
        return ()
    return [(kind, host) for kind in _WITH_HOST if kind in handler and (host := member(handler[kind], "host"))]


def _handlers(containers: Sequence[Container]) -> Iterator[object]:
    for container in containers:
        yield from (container.get(name) for name in _PROBES)
        yield from (member(container.get("lifecycle"), name) for name in _HOOKS)


def _in_mounts(value: object, written: Sequence[Container], terms: _Terms) -> Iterable[Breach]:
    if not (terms.host_paths or _propagates(value)):
        return ()
    return [breach for mount in objects(value) for breach in _mount(mount, written, terms.host_paths)]


def _propagates(mounts: object) -> bool:
    """Tell whether any of the mounts says how it is propagated."""
    if _is_harmless(mounts, _propagates):
        return False
    found = any(map(_HAS_PROPAGATION, objects(mounts)))
    if not found:
        _note_harmless(mounts, _propagates)
    return found


_HAS_PROPAGATION = methodcaller("__contains__", "mountPropagation")


def _mount(mount: Object, written: Sequence[Container], host_paths: Collection[object]) -> Iterator[Breach]:
    """Yield what is wrong with a mount of a hostPath volume, or one that the node sees, unless it is the author's."""
    path = (str(mount.get("mountPath")),)
    mine = [item for item in _of_all(written, "volumeMounts") if item.get("name") == mount.get("name")]
    if mount.get("name") in host_paths and not mine:
        yield Breach(Guardrail.HOST_PATH, path, f"mounts {mount.get('name')}, a volume of type hostPath")
    if mount.get("mountPropagation") == "Bidirectional" and "Bidirectional" not in [
        item.get("mountPropagation") for item in mine
    ]:
        yield Breach(Guardrail.PRIVILEGED, (*path, "mountPropagation"), "is Bidirectional")


_JUDGED: Mapping[str, Callable[[object, Sequence[Container], _Terms], Iterable[Breach]]] = {
    "securityContext": _in_context,
    "ports": _in_ports,
    **dict.fromkeys(_PROBES, _in_handler),
    "lifecycle": _in_lifecycle,
    "volumeMounts": _in_mounts,
}
"""Who judges each field of a container in which there may be something to find, in the order in which it is told."""
_JUDGED_ALONE = frozenset(("ports", *_PROBES, "lifecycle"))
"""The fields in which what the author wrote excuses what is found, and nothing else counts."""


def _volumes(mine: Sequence[Object], present: Sequence[Object]) -> Iterator[Breach]:
    """Yield what is found in those of the volumes that are not, as they stand, the author's."""
    for volume in present:
        if _is_harmless(volume, _volume):
            continue
        own = [item for item in mine if item.get("name") == volume.get("name")]
        if any(item is volume for item in own):
            continue
        found = [*_volume(volume, own, ("spec", "volumes", str(volume.get("name"))))]
        if not (found or own):
            _note_harmless(volume, _volume)
        yield from found


def _volume(volume: Object, own: Sequence[Object], keys: Keys) -> Iterator[Breach]:
    host_path = volume.get("hostPath")
    if host_path is not None and host_path not in [item.get("hostPath") for item in own]:
        yield Breach(Guardrail.HOST_PATH, (*keys, "hostPath"), f"is {member(host_path, 'path')!r}")
    for index, source in enumerate(objects(member(volume.get("projected"), "sources"))):
        token = source.get("serviceAccountToken")
        if token is not None and _for_the_api(member(token, "audience")) and source not in _sources(own):
            path = (*keys, "projected", "sources", str(index), "serviceAccountToken")
            yield Breach(Guardrail.SERVICE_ACCOUNT, path, _audience(member(token, "audience")))


def _sources(volumes: Sequence[Object]) -> list[Object]:
    return [source for volume in volumes for source in objects(member(volume.get("projected"), "sources"))]


def _for_the_api(audience: object) -> bool:
    """Tell whether the API server takes a token for this audience; a cluster may have set more of its own."""
    host = str(audience or "").removeprefix("https://").split("/")[0].split(":")[0]
    return not audience or host in ("api", "kubernetes") or host.startswith("kubernetes.default")


def _audience(audience: object) -> str:
    return f"has audience {audience!r}, which is the API server's" if audience else "is for the API server"


_APPARMOR, _UNCONFINED = "container.apparmor.security.beta.kubernetes.io/", "unconfined"


def _apparmor_annotations(before: Mapping[str, str], after: Mapping[str, str]) -> list[Breach]:
    if after is before or _UNCONFINED not in after.values():
        return []
    return [
        Breach(Guardrail.PRIVILEGED, ("metadata", "annotations", key), f"is {value!r}")
        for key, value in after.items()
        if key.startswith(_APPARMOR) and value == _UNCONFINED and before.get(key) != value
    ]


def _of_all(written: Sequence[Container], field: str) -> list[Object]:
    return [item for container in written for item in objects(container.get(field))]
