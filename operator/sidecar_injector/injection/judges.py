"""The fields in which a container or a Pod may be given something, and who judges what is found in each of them."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sidecar_injector.config.model import Guardrail
from sidecar_injector.injection.schema import MAP
from sidecar_injector.injection.trace import Keys

Object = Mapping[str, object]
Judge = Callable[[object, Sequence[object]], str]
"""Takes a value and what the author wrote in its place, if anything; says what is found, or nothing."""


def member(value: object, key: str) -> object:
    """Return a member of a map; None of anything else."""
    return value.get(key) if value is not None and isinstance(value, MAP) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def objects(value: object) -> "list[Object]":
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


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
    kind, kinds = member(value, "type"), [member(item, "type") for item in written]
    if kind == "Unconfined" and kind not in kinds:
        return "has type Unconfined"
    confined = next((item for item in kinds if item not in (None, "Unconfined")), None)
    return f"is no longer {confined!r}, as the Pod has it" if confined and kind in (None, "Unconfined") else ""


_SELINUX_TYPES = ("", None, "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _selinux(value: object, written: Sequence[object]) -> str:
    if value in written:
        return ""
    kind, user, role = (member(value, name) for name in ("type", "user", "role"))
    strange = [item for item in (None if kind in _SELINUX_TYPES else kind, user, role) if item]
    return f"has {', '.join(map(str, strange))}" if strange else ""


def _host_process(value: object, written: Sequence[object]) -> str:
    found = member(value, "hostProcess") is True and True not in [member(item, "hostProcess") for item in written]
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
    known = [item for given in written for item in objects(given)]
    found = [item.get("name") for item in objects(value) if item.get("name") not in _SAFE_SYSCTLS and item not in known]
    return f"has {', '.join(map(str, found))}" if found else ""


def _capabilities(value: object, written: Sequence[object]) -> str:
    known = {name for item in written for name in _list(member(item, "add"))}
    found = [str(name) for name in _list(member(value, "add")) if name not in known]
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


INNER: Mapping[str, Keys] = {"capabilities": ("add",)}
"""Where within a field is what its judge finds."""
