"""What a SidecarInjectorConfig says, as frozen values (design section 3). No behaviour and no defaults live here:
`parse` fills every field, as the API server's defaulting would have done."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sidecar_injector.config.selectors import LabelSelector
from sidecar_injector.templating import Delimiters


class ProfileName(StrEnum):
    """The vocabulary and the finishing rules."""

    ISTIO = "Istio"
    GENERIC = "Generic"


class Mode(StrEnum):
    """Whether Pods are changed (Enforce), only counted and warned about (Audit), or left alone (Disabled)."""

    ENFORCE = "Enforce"
    AUDIT = "Audit"
    DISABLED = "Disabled"


class Policy(StrEnum):
    """Whether a Pod that says nothing is injected."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class SidecarMode(StrEnum):
    """What `spec.sidecars` become: init containers that stay (Native), containers (Classic), by the nodes (Auto)."""

    AUTO = "Auto"
    NATIVE = "Native"
    CLASSIC = "Classic"


class ConflictPolicy(StrEnum):
    """What happens to a Pod that already has a container of an injected container's name."""

    MERGE = "Merge"
    SKIP = "Skip"
    REJECT = "Reject"


class FailurePolicy(StrEnum):
    """What becomes of a Pod when the webhook cannot answer, or fails on it."""

    FAIL = "Fail"
    IGNORE = "Ignore"


class ReinvocationPolicy(StrEnum):
    """Whether the API server calls again after a later webhook has changed the Pod."""

    NEVER = "Never"
    IF_NEEDED = "IfNeeded"


class At(StrEnum):
    """Where in its list an injected container goes."""

    FIRST = "First"
    LAST = "Last"


@dataclass(frozen=True)
class Position:
    """Where a template's new containers go: at an end, or next to containers of these names (the first one present)."""

    at: At | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class TemplateSpec:
    """One entry of `spec.templates`."""

    name: str
    template: str
    delimiters: Delimiters
    position: Position


@dataclass(frozen=True)
class MatchCondition:
    """One entry of `spec.match.conditions`: a CEL expression that the API server evaluates."""

    name: str
    expression: str


@dataclass(frozen=True)
class Match:
    """Which Pods a config is for.

    namespace_selector -- None, in profile Istio only: the labels of Namespace and Pod together ask for the revision
    """

    namespace_selector: LabelSelector | None
    pod_selector: LabelSelector
    conditions: tuple[MatchCondition, ...]
    policy: Policy
    never_inject: tuple[LabelSelector, ...]
    always_inject: tuple[LabelSelector, ...]


class Guardrail(StrEnum):
    """What a config may have to be allowed to give to Pods; `injection.guardrails` says what each is about."""

    PRIVILEGED = "Privileged"
    HOST_PATH = "HostPath"
    HOST_NAMESPACES = "HostNamespaces"
    ADDED_CAPABILITIES = "AddedCapabilities"
    SERVICE_ACCOUNT = "ServiceAccount"


class OverrideType(StrEnum):
    """What the text of an annotation is read as."""

    STRING = "String"
    INTEGER = "Integer"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    QUANTITY = "Quantity"
    DURATION = "Duration"


class Source(StrEnum):
    """Who may turn an override, by an annotation."""

    NAMESPACE = "Namespace"
    POD = "Pod"


@dataclass(frozen=True)
class OverrideSpec:
    """One entry of `spec.overrides`; bounds and default are as an annotation would say them, None without."""

    name: str
    type: OverrideType
    enum: tuple[str, ...]
    pattern: str | None
    max_length: int | None
    minimum: str | None
    maximum: str | None
    default: str | None
    sources: frozenset[Source]


@dataclass(frozen=True)
class Spec:
    """`spec`, complete."""

    profile: ProfileName
    revision: str
    mode: Mode
    match: Match
    templates: tuple[TemplateSpec, ...]
    default_templates: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]]
    values: Mapping[str, object]
    mesh_config: Mapping[str, object]
    sidecar_mode: SidecarMode
    conflict_policy: ConflictPolicy
    failure_policy: FailurePolicy
    timeout_seconds: int
    reinvocation_policy: ReinvocationPolicy
    order: int
    revision_history_limit: int
    allowed: frozenset[Guardrail]
    overrides: tuple[OverrideSpec, ...]


@dataclass(frozen=True)
class SidecarInjectorConfig:
    """A parsed SidecarInjectorConfig. `generation` is 0 and `uid` empty for one that never was in a cluster."""

    name: str
    generation: int
    uid: str
    spec: Spec
