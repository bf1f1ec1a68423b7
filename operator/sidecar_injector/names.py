"""The vocabulary: every name that users, other programs or the API server see, in one place.

A name that stands here is a contract. Code refers to the constants and never spells a name again.
"""

from enum import StrEnum

GROUP = "sidecarinjector.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "SidecarInjectorConfig"
PLURAL = "sidecarinjectorconfigs"
SHORT_NAME = "sic"
"""What kubectl takes for it, too."""

APP = "sidecar-injector"
FIELD_MANAGER = APP

# On Pods.
INJECT = f"{GROUP}/inject"
"""Label (an annotation is understood too): `true` asks for injection, `false` opts out."""
TEMPLATES = f"{GROUP}/templates"
"""Annotation: comma-separated names of templates or aliases to use instead of the config's defaults."""
STATUS = f"{GROUP}/status"
"""Annotation, ours: what was injected, by which config and revision, as JSON."""
OVERRIDE_PREFIX = f"{GROUP}/"
"""Begins the annotations of Namespaces and Pods that turn the overrides of a config; its name for them follows."""
RESERVED_OVERRIDES = (
    "config",
    "inject",
    "injected",
    "mode",
    "overrides",
    "profile",
    "replica",
    "revision",
    "rollout",
    "status",
    "templates",
)
"""Names that no override may have: those of our own labels and annotations, now or one day."""
AUTO_IMAGE = "auto"
"""Image of a container that a Pod declares only to customise the injected container of that name."""

# On Namespaces.
NAMESPACE_INJECTION = "istio-injection"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Never injected, whatever their labels say: the cluster has to start without us."""

MIRROR_POD = "kubernetes.io/config.mirror"

# Objects of ours in the cluster.
MUTATING_WEBHOOK = APP
VALIDATING_WEBHOOK = APP
CA_SECRET = f"{APP}-ca"
CA_ROTATE = f"{GROUP}/rotate"
"""Annotation of the CA Secret: any new value asks for a new CA, with an overlap."""
CA_ROTATED = f"{GROUP}/rotated"
"""Annotation of the CA Secret, ours: the last value of the former that was answered."""
CA_REVOKE = f"{GROUP}/revoke"
"""Annotation of the CA Secret: any new value asks for a new CA, and for an end of the trust in all earlier ones."""
CA_REVOKED = f"{GROUP}/revoked"
"""Annotation of the CA Secret, ours: the last value of the former that was answered."""
CA_SINCE = f"{GROUP}/ca-since"
"""Annotation of the CA Secret, ours: the CA that replicas have taken note of, and when the overlap began."""
CONFIG_LABEL = f"{GROUP}/config"
"""Label of the objects that we keep for a config: its name."""
LEADER_LEASE = APP
"""Lease whose holder writes to the cluster."""
REPLICA_LEASE_PREFIX = f"{APP}-replica-"
"""Begins the name of the Lease that each replica keeps for itself."""
POD_REPLACED = "PodReplaced"
"""Reason of the Event about a Pod of the operator's own that is replaced."""
REPLICA_LABEL = f"{GROUP}/replica"
"""Label of those Leases."""
WEBHOOK_DOMAIN = f"inject.{GROUP}"
"""Suffix of the names of webhook entries: `<config>.inject.sidecarinjector.dev`."""
VALIDATING_ENTRY = f"validate.{GROUP}"

# Paths of the webhook server.
INJECT_PATH = "/inject"
VALIDATE_PATH = "/validate"
VALIDATE_HANDLER = "validate"


class Reason(StrEnum):
    """Why a Pod was or was not injected: the same code in metrics, logs, audit annotations and warnings."""

    INJECTED = "Injected"
    ALREADY_INJECTED = "AlreadyInjected"
    NOTHING_TO_INJECT = "NothingToInject"
    AUDITED = "Audited"
    DISABLED = "Disabled"
    NOT_A_POD_CREATION = "NotAPodCreation"
    NOT_A_CONFIG_CHANGE = "NotAConfigChange"
    MIRROR_POD = "MirrorPod"
    SYSTEM_NAMESPACE = "SystemNamespace"
    NAMESPACE_NOT_SELECTED = "NamespaceNotSelected"
    POD_OPTED_OUT = "PodOptedOut"
    POD_NOT_SELECTED = "PodNotSelected"
    HOST_NETWORK = "HostNetwork"
    WINDOWS = "Windows"
    NEVER_INJECT = "NeverInject"
    POLICY_DISABLED = "PolicyDisabled"
    CONFLICT_SKIPPED = "ConflictSkipped"
    CONFLICT_REJECTED = "ConflictRejected"
    INVALID_ANNOTATION = "InvalidAnnotation"
    UNKNOWN_TEMPLATE = "UnknownTemplate"
    TEMPLATE_REFUSED = "TemplateRefused"
    CONFIG_DELETED = "ConfigDeleted"
    CONFIG_ACCEPTED = "ConfigAccepted"
    CONFIG_NOT_ACCEPTED = "ConfigNotAccepted"
    RENDER_ERROR = "RenderError"
    MERGE_ERROR = "MergeError"
    GUARDRAIL_BREACHED = "GuardrailBreached"
    INTERNAL_ERROR = "InternalError"


class Condition(StrEnum):
    """Types of the conditions in a SidecarInjectorConfig's status."""

    ACCEPTED = "Accepted"
    PROGRAMMED = "Programmed"
    READY = "Ready"


class AuditKey(StrEnum):
    """Keys of our audit annotations; the API server prefixes them with the webhook entry's name."""

    CONFIG = "config"
    REVISION = "revision"
    REASON = "reason"


class Metric(StrEnum):
    """Names of the Prometheus metrics."""

    ADMISSIONS = "sidecar_injector_admissions_total"
    ADMISSION_SECONDS = "sidecar_injector_admission_duration_seconds"
    REJECTED_REQUESTS = "sidecar_injector_rejected_requests_total"
    IN_FLIGHT = "sidecar_injector_requests_in_flight"
    REMEMBERED = "sidecar_injector_remembered_decisions_total"
    REMEMBERED_BYTES = "sidecar_injector_remembered_bytes"
    CONFIG_INFO = "sidecar_injector_config_info"
    CONFIG_ACCEPTED = "sidecar_injector_config_accepted"
    CONFIG_GENERATION = "sidecar_injector_config_generation"
    SNAPSHOT_AGE = "sidecar_injector_snapshot_age_seconds"
    CONFIG_ERRORS = "sidecar_injector_config_errors_total"
    CERTIFICATE_EXPIRY = "sidecar_injector_certificate_expiry_timestamp_seconds"
    LEADER = "sidecar_injector_leader"
    REPLICAS = "sidecar_injector_replicas"
    WEBHOOK_REPAIRS = "sidecar_injector_webhook_writes_total"
