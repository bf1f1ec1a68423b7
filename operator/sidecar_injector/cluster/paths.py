"""Where in the API the objects live that the operator reads and writes: one table."""

from sidecar_injector import names

VERSION = "/version"
GROUPS = "/apis"
GROUP = f"/apis/{names.API_VERSION}"
CONFIGS = f"/apis/{names.API_VERSION}/{names.PLURAL}"
NAMESPACES = "/api/v1/namespaces"
NODES = "/api/v1/nodes"
MUTATING_WEBHOOK = f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{names.MUTATING_WEBHOOK}"
VALIDATING_WEBHOOK = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{names.VALIDATING_WEBHOOK}"


def status(config: str) -> str:
    """The status of a SidecarInjectorConfig."""
    return f"{CONFIGS}/{config}/status"


def secrets(namespace: str) -> str:
    """The Secrets of a Namespace."""
    return f"/api/v1/namespaces/{namespace}/secrets"


def revisions(namespace: str) -> str:
    """The ControllerRevisions of a Namespace."""
    return f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"


def leases(namespace: str) -> str:
    """The Leases of a Namespace."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def pods(namespace: str) -> str:
    """The Pods of a Namespace."""
    return f"/api/v1/namespaces/{namespace}/pods"


def events(namespace: str) -> str:
    """The Events of a Namespace."""
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"


def pod_templates(namespace: str) -> str:
    """The PodTemplates of a Namespace."""
    return f"/api/v1/namespaces/{namespace}/podtemplates"


def config_maps(namespace: str) -> str:
    """The ConfigMaps of a Namespace."""
    return f"/api/v1/namespaces/{namespace}/configmaps"
