"""The fields of a ProxyConfig, in the order of their declaration, with what may stand in each.

Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig. A field that is not listed here
is passed on as it is, so a proxy newer than this table gets what its user wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Kind(Enum):
    """What a single value of a field is."""

    TEXT = auto()
    FLAG = auto()
    NUMBER = auto()
    INT32 = auto()
    UINT32 = auto()
    INT64 = auto()
    DURATION = auto()
    ENUM = auto()
    MESSAGE = auto()


class Shape(Enum):
    """How many values a field holds."""

    ONE = auto()
    LIST = auto()
    MAP = auto()


@dataclass(frozen=True)
class Field:
    """A field: its name in JSON, what may stand in it, and whether an explicit zero differs from no value.

    Attributes:
        name: as in JSON.
        kind: of each of its values.
        shape: one value, a list of them, or a map from text to them.
        values: of an enum, names to numbers.
        fields: of a message.
        wrapped: the type wraps a scalar, so that zero and absent are two things.
        oneof: the group of fields of which only one may be set.
    """

    name: str
    kind: Kind = Kind.TEXT
    shape: Shape = Shape.ONE
    values: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    wrapped: bool = False
    oneof: str = ""

    @property
    def keeps_zero(self) -> bool:
        """Tell whether a zero that was set is written to JSON."""
        single = self.shape is Shape.ONE
        return single and (self.wrapped or bool(self.oneof) or self.kind in (Kind.DURATION, Kind.MESSAGE))


Message = Mapping[str, Field]


def _message(*fields: Field) -> Message:
    return {item.name: item for item in fields}


def _texts(*names: str) -> list[Field]:
    return [Field(name) for name in names]


def _flag(name: str, *, wrapped: bool = True) -> Field:
    return Field(name, Kind.FLAG, wrapped=wrapped)


def _duration(name: str) -> Field:
    return Field(name, Kind.DURATION)


def _enum(name: str, *values: str, oneof: str = "", shape: Shape = Shape.ONE) -> Field:
    return Field(name, Kind.ENUM, shape, values={value: number for number, value in enumerate(values)}, oneof=oneof)


def _of(name: str, *fields: Field, oneof: str = "", shape: Shape = Shape.ONE) -> Field:
    return Field(name, Kind.MESSAGE, shape, fields=_message(*fields), oneof=oneof)


def _list(name: str) -> Field:
    return Field(name, shape=Shape.LIST)


def _text_map(name: str) -> Field:
    return Field(name, shape=Shape.MAP)


_TLS = _of(
    "tlsSettings",
    _enum("mode", "DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"),
    *_texts("clientCertificate", "privateKey", "caCertificates", "credentialName"),
    _list("subjectAltNames"),
    Field("sni"),
    _flag("insecureSkipVerify"),
    Field("caCrl"),
)
_SERVICE = (
    Field("address"),
    _TLS,
    _of("tcpKeepalive", Field("probes", Kind.UINT32), _duration("time"), _duration("interval")),
)
_TRACING = _of(
    "tracing",
    _of("zipkin", Field("address"), oneof="tracer"),
    _of("lightstep", *_texts("address", "accessToken"), oneof="tracer"),
    _of("datadog", Field("address"), oneof="tracer"),
    _of(
        "stackdriver",
        _flag("debug", wrapped=False),
        Field("maxNumberOfAttributes", Kind.INT64, wrapped=True),
        Field("maxNumberOfAnnotations", Kind.INT64, wrapped=True),
        Field("maxNumberOfMessageEvents", Kind.INT64, wrapped=True),
        oneof="tracer",
    ),
    _of(
        "openCensusAgent",
        Field("address"),
        _enum("context", "UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3", shape=Shape.LIST),
        oneof="tracer",
    ),
    _of(
        "customTags",
        _of("literal", Field("value"), oneof="type"),
        _of("environment", *_texts("name", "defaultValue"), oneof="type"),
        _of("header", *_texts("name", "defaultValue"), oneof="type"),
        shape=Shape.MAP,
    ),
    Field("maxPathTagLength", Kind.UINT32),
    Field("sampling", Kind.NUMBER),
    _TLS,
    _flag("enableIstioTags"),
)
_CLIENT_CERTIFICATE = (
    "UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY",
)  # fmt: skip
_TOPOLOGY = _of(
    "gatewayTopology",
    Field("numTrustedProxies", Kind.UINT32),
    _enum("forwardClientCertDetails", *_CLIENT_CERTIFICATE),
    _of("proxyProtocol"),
)
_READINESS = _of(
    "readinessProbe",
    *(
        Field(name, Kind.INT32)
        for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    ),
    _of(
        "httpGet",
        Field("path"),
        Field("port", Kind.UINT32),
        *_texts("host", "scheme"),
        _of("httpHeaders", *_texts("name", "value"), shape=Shape.LIST),
        oneof="healthCheckMethod",
    ),
    _of("tcpSocket", Field("host"), Field("port", Kind.UINT32), oneof="healthCheckMethod"),
    _of("exec", _list("command"), oneof="healthCheckMethod"),
    _of("grpc", Field("port", Kind.UINT32), Field("service"), oneof="healthCheckMethod"),
)
_KEY_PROVIDERS = _of(
    "privateKeyProvider",
    _of("cryptomb", _duration("pollDelay"), _flag("fallback"), oneof="provider"),
    _of("qat", _duration("pollDelay"), _flag("fallback"), oneof="provider"),
)
_HEADERS = _of(
    "proxyHeaders",
    _enum("forwardedClientCert", *_CLIENT_CERTIFICATE),
    _of("setCurrentClientCertDetails", *(_flag(name) for name in ("subject", "cert", "chain", "dns", "uri"))),
    _of("requestId", _flag("disabled")),
    _of("server", _flag("disabled"), Field("value")),
    _of("attemptCount", _flag("disabled")),
    _of("envoyDebugHeaders", _flag("disabled")),
    _of("metadataExchangeHeaders", _enum("mode", "UNDEFINED", "IN_MESH")),
    _flag("preserveHttp1HeaderCase"),
    _of("xForwardedHost", _flag("enabled")),
    _of("xForwardedPort", _flag("enabled")),
)
FIELDS: Message = _message(
    *_texts("configPath", "binaryPath"),
    Field("serviceCluster", oneof="clusterName"),
    _enum(
        "tracingServiceName",
        *("APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"),
        oneof="clusterName",
    ),
    _duration("drainDuration"),
    *_texts("discoveryAddress", "zipkinAddress", "statsdUdpAddress"),
    Field("proxyAdminPort", Kind.INT32),
    Field("controlPlaneAuthPolicy", Kind.ENUM, values={"NONE": 0, "MUTUAL_TLS": 1, "INHERIT": 1000}),
    Field("customConfigFile"),
    Field("statNameLength", Kind.INT32),
    Field("concurrency", Kind.INT32, wrapped=True),
    Field("proxyBootstrapTemplatePath"),
    _enum("interceptionMode", "REDIRECT", "TPROXY", "NONE"),
    _TRACING,
    _of("envoyAccessLogService", *_SERVICE),
    _of("envoyMetricsService", *_SERVICE),
    _text_map("proxyMetadata"),
    _text_map("runtimeValues"),
    Field("statusPort", Kind.INT32),
    _list("extraStatTags"),
    _TOPOLOGY,
    _duration("terminationDrainDuration"),
    Field("meshId"),
    _READINESS,
    _of("proxyStatsMatcher", *map(_list, ("inclusionPrefixes", "inclusionSuffixes", "inclusionRegexps"))),
    _flag("holdApplicationUntilProxyStarts"),
    _list("caCertificatesPem"),
    _of("image", Field("imageType")),
    _KEY_PROVIDERS,
    _HEADERS,
    _duration("fileFlushInterval"),
    Field("fileFlushMinSizeKb", Kind.UINT32, wrapped=True),
    _flag("statsCompression"),
)
