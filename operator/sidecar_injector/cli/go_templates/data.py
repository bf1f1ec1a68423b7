"""What Istio gives a template, by the names that Go has for it, and where our templates find the same.

Source: the data of an Istio template (types SidecarTemplateData, metav1.ObjectMeta, corev1.PodSpec, and the messages
ProxyConfig and MeshConfig of https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/).
"""

from collections.abc import Mapping
from dataclasses import replace

from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.values import (
    FILLED,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    Base,
    Expr,
    Kind,
    Level,
    Struct,
    kind_of,
    looked_up,
)
from sidecar_injector.config.fields import suggest
from sidecar_injector.injection import schema
from sidecar_injector.profiles.istio import proxy_config_fields as proto

_ISTIO_GIVES_NONE = "Istio gives templates nothing of that name"


def root(values: Mapping[str, object]) -> Expr:
    """Return `.` at the top of a template, for this values document."""
    fields: dict[str, Expr] = {
        "TypeMeta": _object(
            _of("TypeMeta", {"Kind": _path("workload.kind"), "APIVersion": _path("workload.apiVersion")})
        ),
        "DeploymentMeta": _object(
            _of("DeploymentMeta", {"Name": _path("workload.name"), "Namespace": _path("workload.namespace")})
        ),
        "ObjectMeta": _object(OBJECT_META),
        "Spec": _object(_POD_SPEC),
        "ProxyConfig": _object(_message("ProxyConfig", proto.FIELDS), "proxyConfig"),
        "MeshConfig": _object(_message("MeshConfig", _MESH), "meshConfig"),
        "Values": Expr("values", Level.ATOM, replace(kind_of(values), filled=True)),
        "Revision": _path("revision"),
        "NativeSidecars": _path("nativeSidecars", FLAG),
        "ProxyImage": _path("proxy.image"),
        "ProxyInitImage": _path("proxy.initImage"),
        "ProxyUID": _path("proxy.uid", NUMBER),
        "ProxyGID": _path("proxy.gid", NUMBER),
        "InboundTrafficPolicyMode": _path("proxy.inboundTrafficPolicy"),
        "CompliancePolicy": _path("proxy.compliancePolicy", TEXT),
    }
    return _object(_of("the template's data", fields))


def _path(source: str, kind: Kind = FILLED) -> Expr:
    return Expr(source, Level.ATOM, kind, hint=source.rpartition(".")[2])


def _object(struct: Struct, source: str = "") -> Expr:
    return Expr(source, Level.ATOM, Kind(Base.STRUCT, struct=struct))


def _of(name: str, fields: Mapping[str, Expr]) -> Struct:
    def find(_owner: Expr, field: str) -> Expr:
        if field not in fields:
            meant = suggest(field, fields)
            raise Refused(f"`.{field}` is no field of {name}: {_ISTIO_GIVES_NONE}", _did_you_mean(meant))
        return fields[field]

    return Struct(name, find)


def _did_you_mean(meant: str | None) -> str:
    return f"did you mean `.{meant}`?" if meant else "delete it"


# --- Pods

_POINTERS = frozenset(
    (
        "activeDeadlineSeconds", "allowPrivilegeEscalation", "appArmorProfile", "automountServiceAccountToken",
        "defaultMode", "enableServiceLinks", "expirationSeconds", "fsGroup", "fsGroupChangePolicy", "hostUsers",
        "hostnameOverride", "mode", "mountPropagation", "optional", "preemptionPolicy", "priority", "privileged",
        "procMount", "readOnlyRootFilesystem", "recursiveReadOnly", "runAsGroup", "runAsNonRoot", "runAsUser",
        "runtimeClassName", "setHostnameAsFQDN", "shareProcessNamespace", "stopSignal", "storageClassName",
        "supplementalGroupsPolicy", "terminationGracePeriodSeconds", "tolerationSeconds", "volumeMode",
    )
)  # fmt: skip
"""Fields of a Pod that are pointers to scalars in Go: not set, and set to false or 0, are two things."""
_EMBEDDED = frozenset(("VolumeSource", "ProbeHandler", "Handler", "LifecycleHandler", "LocalObjectReference"))
"""Types whose fields Go lets stand with their owner's, as JSON does."""
_NO_POINTERS = frozenset(("resources", "metadata", "divisor"))
"""Objects of a Pod that are no pointers in Go."""


_NAMED = frozenset(
    (
        "dnsPolicy", "effect", "fsGroupChangePolicy", "imagePullPolicy", "medium", "mountPropagation", "operator",
        "preemptionPolicy", "procMount", "protocol", "restartPolicy", "scheme", "terminationMessagePolicy", "type",
        "whenUnsatisfiable",
    )
)  # fmt: skip
"""Fields of a Pod whose text has a type of its own in Go."""


def _pod_struct(found: schema.Type) -> Struct:
    def find(owner: Expr, field: str) -> Expr:
        if field in _EMBEDDED:
            return owner
        names = {name.lower(): name for name in found.fields}
        name = names.get(field.lower())
        if name is None:
            raise Refused(
                f"`.{field}` is no field of {found.name}", _did_you_mean(_go_name(suggest(field, found.fields)))
            )
        required = name in found.required
        return looked_up(owner, name, _pod_kind(name, found.fields[name], required=required), missing=not required)

    return Struct(found.name, find)


def _go_name(name: str | None) -> str | None:
    return name and name[:1].upper() + name[1:]


def _pod_kind(name: str, field: schema.Field, *, required: bool) -> Kind:
    single = _single_kind(name, field, required=required)
    if field.shape is schema.Shape.ONE:
        return single
    item = replace(single, pointer=False, filled=False)
    return Kind(Base.LIST if field.shape is schema.Shape.LIST else Base.MAP, item=item)


def _single_kind(name: str, field: schema.Field, *, required: bool) -> Kind:
    if field.type is not None:
        return Kind(Base.STRUCT, struct=_pod_struct(field.type), pointer=name not in _NO_POINTERS)
    base = {"string": Base.TEXT, "boolean": Base.FLAG, "integer": Base.NUMBER, "number": Base.NUMBER}.get(field.scalar)
    if base is None:
        return Kind(Base.OPAQUE)
    text = base is Base.TEXT
    return Kind(base, pointer=name in _POINTERS, filled=required and text, named=text and name in _NAMED)


def _find_in_spec(_owner: Expr, field: str) -> Expr:
    found = _pod_struct(schema.TYPES_BY_NAME["PodSpec"]).find(_path("pod.spec"), field)
    always = found.source in ("pod.spec.containers", "pod.spec.initContainers", "pod.spec.volumes")
    return replace(found, missing=False) if always else found


_POD_SPEC = Struct("PodSpec", _find_in_spec)
OBJECT_META = _of(
    "ObjectMeta",
    {
        "Name": replace(_path("pod.metadata.name", TEXT), missing=True),
        "GenerateName": replace(_path("pod.metadata.generateName", TEXT), missing=True),
        "Namespace": _path("namespace.name"),
        "Labels": _path("pod.metadata.labels", TEXTS),
        "Annotations": _path("pod.metadata.annotations", TEXTS),
    },
)

# --- messages

_SCALARS = {
    proto.Kind.TEXT: Base.TEXT,
    proto.Kind.FLAG: Base.FLAG,
    proto.Kind.NUMBER: Base.NUMBER,
    proto.Kind.INT32: Base.NUMBER,
    proto.Kind.UINT32: Base.NUMBER,
    proto.Kind.DURATION: Base.DURATION,
    proto.Kind.ENUM: Base.TEXT,
}


def _message(name: str, fields: Mapping[str, proto.Field]) -> Struct:
    def find(owner: Expr, field: str) -> Expr:
        by_go_name = {found.lower(): found for found in fields}
        json_name = by_go_name.get(field.lower()) or by_go_name.get(field.removeprefix("Get").lower())
        if json_name is None:
            meant = _go_name(suggest(field, fields))
            raise Refused(f"`.{field}` is no field of {name} that is known here", _did_you_mean(meant))
        return looked_up(owner, json_name, _message_kind(fields[json_name]), missing=True)

    return Struct(name, find)


def _message_kind(field: proto.Field) -> Kind:
    if field.shape is proto.Shape.ONE:
        return _one_of_message(field)
    item = replace(_one_of_message(field), pointer=False, filled=False)
    return Kind(Base.LIST if field.shape is proto.Shape.LIST else Base.MAP, item=item)


def _one_of_message(field: proto.Field) -> Kind:
    if field.kind is proto.Kind.MESSAGE:
        return Kind(Base.STRUCT, struct=_message(field.name, field.fields), pointer=True)
    if field.kind is proto.Kind.ENUM:
        first = next((value for value, number in field.values.items() if number == 0), "")
        return Kind(Base.TEXT, zero=first)
    kind = Kind(_SCALARS.get(field.kind, Base.OPAQUE))
    return replace(kind, pointer=True, struct=_WRAPPER) if field.wrapped else kind


def _value_of_wrapper(owner: Expr, field: str) -> Expr:
    if field not in ("Value", "GetValue"):
        raise Refused(f"`.{field}` is no field of a wrapped value", "write `.GetValue`")
    return replace(owner, kind=replace(owner.kind, pointer=False, struct=None))


_WRAPPER = Struct("a wrapped value", _value_of_wrapper)


def _fields(
    kind: proto.Kind, *names: str, shape: proto.Shape = proto.Shape.ONE, wraps: bool = False
) -> list[proto.Field]:
    return [proto.Field(name, kind, shape, wrapped=wraps) for name in names]


_MESH: Mapping[str, proto.Field] = {
    field.name: field
    for field in (
        *_fields(proto.Kind.TEXT, "trustDomain", "rootNamespace", "ingressClass", "ingressService", "ingressSelector"),
        *_fields(proto.Kind.TEXT, "accessLogFile", "accessLogFormat"),
        *_fields(proto.Kind.FLAG, "enableTracing", "enableEnvoyAccessLogService", "disableEnvoyListenerLog"),
        *_fields(proto.Kind.FLAG, "enableAutoMtls", "enablePrometheusMerge", wraps=True),
        *_fields(proto.Kind.FLAG, "verifyCertificateAtClient", wraps=True),
        *_fields(proto.Kind.INT32, "proxyListenPort", "proxyInboundListenPort", "proxyHttpPort"),
        *_fields(proto.Kind.DURATION, "connectTimeout", "protocolDetectionTimeout", "dnsRefreshRate"),
        *_fields(proto.Kind.TEXT, "trustDomainAliases", shape=proto.Shape.LIST),
        proto.Field("defaultConfig", proto.Kind.MESSAGE, fields=proto.FIELDS),
    )
}
"""The fields of MeshConfig that a template of a Pod may have a use for."""
