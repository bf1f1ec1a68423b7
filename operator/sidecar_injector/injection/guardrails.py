"""What an injection may give to a Pod: compared is what comes out with what the Pod's author wrote.

Nothing here is about what the author wrote; that is for the cluster's own admission (Pod Security and the like). Nor
is it about the restrictions of Pod Security's profile Restricted: a container that says nothing is no breach. A config
that gives more than its author declared is, because whoever creates a Pod cannot see it coming.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (Baseline), and for the service account
https://kubernetes.io/docs/concepts/security/rbac-good-practices/.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sidecar_injector.config.model import Guardrail
from sidecar_injector.errors import GuardrailError
from sidecar_injector.injection.patch import renewed
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.trace import Keys, trace
from sidecar_injector.injection.view import Container, Pod, annotations, items, part

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


class Breach(NamedTuple):
    """Something that an injection gives a Pod: what would allow it, the field's keys, and what was found there."""

    guardrail: Guardrail
    keys: Keys
    found: str

    def __str__(self) -> str:
        return f"{dotted(self.keys)} {self.found}"


Object = Mapping[str, object]
Judge = Callable[[object, Sequence[object]], str]
"""Takes a value and what the author wrote in its place, if anything; says what is found, or nothing."""


def breaches(before: Pod, result: Pod, allowed: frozenset[Guardrail]) -> tuple[Breach, ...]:
    """Return what an injected Pod has that no guardrail in `allowed` lets pass.

    before -- the Pod as its author wrote it. What annotations ask for does not count as written: another config, which
              may be allowed less, may have set them.
    """
    if len(allowed) == len(Guardrail):
        return ()
    return tuple(breach for breach in _breaches(before, result) if breach.guardrail not in allowed)


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


# --- judges of single values


def _switched_on(value: object, written: Sequence[object]) -> str:
    return "is true" if value is True and True not in written else ""


def _switched_off(value: object, written: Sequence[object]) -> str:
    """Judge a restraint: the author's `true` may not become anything else."""
    return "is no longer true, as the Pod has it" if value is not True and True in written else ""


def _not_isolated(value: object, written: Sequence[object]) -> str:
    return "is no longer false, as the Pod has it" if value is not False and False in written else ""


def _token(value: object, written: Sequence[object]) -> str:
    return _switched_on(value, written) or _not_isolated(value, written)


def _proc_mount(value: object, written: Sequence[object]) -> str:
    return f"is {value!r}" if value not in (None, "Default") and value not in written else ""


def _profile(value: object, written: Sequence[object]) -> str:
    """Judge a profile of seccomp or AppArmor: none at all, or none any more."""
    kind, kinds = _member(value, "type"), [_member(item, "type") for item in written]
    if kind == "Unconfined" and kind not in kinds:
        return "has type Unconfined"
    confined = next((item for item in kinds if item not in (None, "Unconfined")), None)
    return f"is no longer {confined!r}, as the Pod has it" if confined and kind in (None, "Unconfined") else ""


_SELINUX_TYPES = ("", None, "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _selinux(value: object, written: Sequence[object]) -> str:
    if value in written:
        return ""
    kind, user, role = (_member(value, name) for name in ("type", "user", "role"))
    strange = [item for item in (None if kind in _SELINUX_TYPES else kind, user, role) if item]
    return f"has {', '.join(map(str, strange))}" if strange else ""


def _host_process(value: object, written: Sequence[object]) -> str:
    found = _member(value, "hostProcess") is True and True not in [_member(item, "hostProcess") for item in written]
    return "has hostProcess: true" if found else ""


_SAFE_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    )
)


def _sysctls(value: object, written: Sequence[object]) -> str:
    known = [item for given in written for item in _objects(given)]
    found = [
        item.get("name") for item in _objects(value) if item.get("name") not in _SAFE_SYSCTLS and item not in known
    ]
    return f"has {', '.join(map(str, found))}" if found else ""


def _capabilities(value: object, written: Sequence[object]) -> str:
    known = {name for item in written for name in _list(_member(item, "add"))}
    found = [str(name) for name in _list(_member(value, "add")) if name not in known]
    return f"has {', '.join(found)}" if found else ""


class Row(NamedTuple):
    """A field, what allows it, and what is to be found in it."""

    guardrail: Guardrail
    judge: Judge


_CONFINEMENT: Mapping[str, Row] = {
    "appArmorProfile": Row(Guardrail.PRIVILEGED, _profile),
    "seLinuxOptions": Row(Guardrail.PRIVILEGED, _selinux),
    "seccompProfile": Row(Guardrail.PRIVILEGED, _profile),
    "windowsOptions": Row(Guardrail.PRIVILEGED, _host_process),
}
CONTAINER_CONTEXT: Mapping[str, Row] = MappingProxyType(
    {
        **_CONFINEMENT,
        "capabilities": Row(Guardrail.ADDED_CAPABILITIES, _capabilities),
        "privileged": Row(Guardrail.PRIVILEGED, _switched_on),
        "procMount": Row(Guardrail.PRIVILEGED, _proc_mount),
    }
)
POD_CONTEXT: Mapping[str, Row] = MappingProxyType(
    {
        **_CONFINEMENT,
        "runAsNonRoot": Row(Guardrail.PRIVILEGED, _switched_off),
        "sysctls": Row(Guardrail.PRIVILEGED, _sysctls),
    }
)
POD_SPEC: Mapping[str, Row] = MappingProxyType(
    {
        "automountServiceAccountToken": Row(Guardrail.SERVICE_ACCOUNT, _token),
        "hostIPC": Row(Guardrail.HOST_NAMESPACES, _switched_on),
        "hostNetwork": Row(Guardrail.HOST_NAMESPACES, _switched_on),
        "hostPID": Row(Guardrail.HOST_NAMESPACES, _switched_on),
        "hostUsers": Row(Guardrail.HOST_NAMESPACES, _not_isolated),
    }
)


_INNER: Mapping[str, Keys] = {"capabilities": ("add",)}
"""Where within a field is what its judge finds."""


# --- the walk over a Pod


def _breaches(pod: Pod, result: Pod) -> Iterator[Breach]:
    before, after = part(pod, "spec"), part(result, "spec")
    yield from _rows(POD_SPEC, after, (before,), ("spec",))
    yield from _account(before, after)
    context, was = part(after, "securityContext"), part(before, "securityContext")
    if context is not was:
        yield from _rows(POD_CONTEXT, context, (was,), ("spec", "securityContext"))
    yield from _volumes(items(pod, "volumes"), result)
    yield from _containers(pod, result)
    yield from _apparmor_annotations(annotations(pod), annotations(result))


def _rows(rows: Mapping[str, Row], value: Object, written: Sequence[Object], keys: Keys) -> Iterator[Breach]:
    """Yield what is found in the fields of an object; those that the author alone has count, too."""
    for field in filter({*value}.union(*written).__contains__, rows):
        given, row = value.get(field), rows[field]
        own = [item[field] for item in written if item.get(field) is not None] if written else []
        if (given is not None or own) and (found := row.judge(given, own)):
            yield Breach(row.guardrail, (*keys, field, *_INNER.get(field, ())), found)


def _account(before: Object, after: Object) -> Iterator[Breach]:
    was, account = (
        spec.get("serviceAccountName") or spec.get("serviceAccount") or "default" for spec in (before, after)
    )
    if account != was:
        yield Breach(Guardrail.SERVICE_ACCOUNT, ("spec", "serviceAccountName"), f"is {account!r}, and not {was!r}")


def _containers(pod: Pod, result: Pod) -> Iterator[Breach]:
    own: dict[object, list[Container]] = {}
    for field in CONTAINER_LISTS:
        for item in items(pod, field):
            own.setdefault(item.get("name"), []).append(item)
    host_paths = {volume.get("name") for volume in items(result, "volumes") if "hostPath" in volume}
    for field in CONTAINER_LISTS:
        for container in items(result, field):
            mine = own.get(container.get("name"), ())
            if given := _given(container, mine):
                yield from _container(given, mine, ("spec", field, str(container.get("name"))), host_paths)


def _given(container: Container, mine: Sequence[Container]) -> Container:
    """Return the fields of a container that are not, as they stand, its author's."""
    if not mine:
        return container
    if len(mine) > 1:  # which of them it was cannot be told
        return {} if any(item is container for item in mine) else container
    return {key: container[key] for key in renewed(mine[0], container)}


def _container(
    container: Container, written: Sequence[Container], keys: Keys, host_paths: Collection[object]
) -> Iterator[Breach]:
    context = part(container, "securityContext")
    if context:
        own = [part(item, "securityContext") for item in written if "securityContext" in item]
        yield from _rows(CONTAINER_CONTEXT, context, own, (*keys, "securityContext"))
    for port in _objects(container.get("ports")):
        if port.get("hostPort") and port not in _of_all(written, "ports"):
            found = f"is {port['hostPort']}"
            yield Breach(Guardrail.HOST_NAMESPACES, (*keys, "ports", str(port.get("containerPort")), "hostPort"), found)
    yield from _hosts(container, written, keys)
    for mount in _objects(container.get("volumeMounts")):
        if "mountPropagation" in mount or (host_paths and mount.get("name") in host_paths):
            yield from _mount(mount, _of_all(written, "volumeMounts"), keys, host_paths)


def _mount(mount: Object, own: Sequence[Object], keys: Keys, host_paths: Collection[object]) -> Iterator[Breach]:
    """Yield what is wrong with a mount of a hostPath volume, or one that the node sees, unless it is the author's."""
    path = (*keys, "volumeMounts", str(mount.get("mountPath")))
    mine = [item for item in own if item.get("name") == mount.get("name")]
    if mount.get("name") in host_paths and not mine:
        yield Breach(Guardrail.HOST_PATH, path, f"mounts {mount.get('name')}, a volume of type hostPath")
    if mount.get("mountPropagation") == "Bidirectional" and "Bidirectional" not in [
        item.get("mountPropagation") for item in mine
    ]:
        yield Breach(Guardrail.PRIVILEGED, (*path, "mountPropagation"), "is Bidirectional")


_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")
_WITH_HOST = ("httpGet", "tcpSocket")


def _hosts(container: Container, written: Sequence[Container], keys: Keys) -> Iterator[Breach]:
    """Yield the hosts that the node, whose requests probes and hooks are, is to ask instead of the Pod."""
    found = _hosts_in(container)
    own = [host for item in written for _, host in _hosts_in(item)] if found else []
    for path, host in found:
        if host not in own:
            yield Breach(Guardrail.HOST_NAMESPACES, (*keys, *path, "host"), f"is {host!r}")


def _hosts_in(container: Container) -> list[tuple[Keys, object]]:
    """Return the hosts in the handlers of a container's probes and hooks, and the keys of these handlers."""
    handlers: list[tuple[Keys, object]] = [((name,), container[name]) for name in _PROBES if name in container]
    if "lifecycle" in container:
        handlers += [(("lifecycle", name), _member(container["lifecycle"], name)) for name in _HOOKS]
    return [
        ((*path, kind), host)
        for path, handler in handlers
        if isinstance(handler, (dict, Mapping))
        for kind in _WITH_HOST
        if kind in handler and (host := _member(handler[kind], "host"))
    ]


def _volumes(mine: Sequence[Object], result: Pod) -> Iterator[Breach]:
    for volume in items(result, "volumes"):
        if not ("hostPath" in volume or "projected" in volume) or any(volume is item for item in mine):
            continue
        keys = ("spec", "volumes", str(volume.get("name")))
        own = [item for item in mine if item.get("name") == volume.get("name")]
        host_path = volume.get("hostPath")
        if host_path is not None and host_path not in [item.get("hostPath") for item in own]:
            yield Breach(Guardrail.HOST_PATH, (*keys, "hostPath"), f"is {_member(host_path, 'path')!r}")
        known = [source for item in own for source in _objects(_member(item.get("projected"), "sources"))]
        for index, source in enumerate(_objects(_member(volume.get("projected"), "sources"))):
            token = source.get("serviceAccountToken")
            if token is not None and source not in known and _for_the_api(_member(token, "audience")):
                path = (*keys, "projected", "sources", str(index), "serviceAccountToken")
                yield Breach(Guardrail.SERVICE_ACCOUNT, path, _audience(_member(token, "audience")))


def _for_the_api(audience: object) -> bool:
    """Tell whether the API server takes a token for this audience; a cluster may have set more of its own."""
    host = str(audience or "").removeprefix("https://").split("/")[0].split(":")[0]
    return not audience or host in ("api", "kubernetes") or host.startswith("kubernetes.default")


def _audience(audience: object) -> str:
    return f"has audience {audience!r}, which is the API server's" if audience else "is for the API server"


_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _apparmor_annotations(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Breach]:
    if after is before:
        return
    for key, value in after.items():
        if key.startswith(_APPARMOR) and value == "unconfined" and before.get(key) != value:
            yield Breach(Guardrail.PRIVILEGED, ("metadata", "annotations", key), f"is {value!r}")


def _member(value: object, key: str) -> object:
    return value.get(key) if value is not None and isinstance(value, (dict, Mapping)) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> "list[Object]":
    return value if isinstance(value, list) else []


def _of_all(written: Sequence[Container], field: str) -> list[Object]:
    return [item for container in written for item in _objects(container.get(field))]
