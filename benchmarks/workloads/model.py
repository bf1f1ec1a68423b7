"""The words in which the table describes a workload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Owner(Enum):
    """What creates the Pods of a workload; a bare Pod has nobody."""

    REPLICA_SET = "ReplicaSet"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    JOB = "Job"
    CRON_JOB = "CronJob"
    NOBODY = "Nobody"


@dataclass(frozen=True)
class Container:
    """One container.

    ports    -- by name
    env      -- how many variables with plain values; `secrets` are those of a Secret, and `downward` asks for the
                Pod's name, namespace and address, and for the processors that the container may use
    cpu, memory -- what is requested; the limit is twice as much. Empty: nothing of the kind
    liveness, readiness, startup -- the kind of probe: http, named (http, the port by its name), https, tcp, grpc, exec
    hook     -- the kind of the hook before the stop: http or exec
    mounts   -- volumes by name, and where
    hardened -- runs as somebody without rights, on a root that is not written to
    sidecar  -- in the list of init containers: stays (`restartPolicy: Always`)
    """

    name: str
    image: str
    ports: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    env: int = 0
    secrets: int = 0
    downward: bool = False
    env_from: tuple[str, ...] = ()
    cpu: str = ""
    memory: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    liveness: str = ""
    readiness: str = ""
    startup: str = ""
    hook: str = ""
    mounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    hardened: bool = False
    user: int | None = None
    sidecar: bool = False


@dataclass(frozen=True)
class Workload:
    """One workload, of which there are any number of Pods.

    volumes -- by name, what is in them: config, secret, empty, memory, claim, token or host
    """

    name: str
    namespace: str
    owner: Owner
    containers: tuple[Container, ...]
    init: tuple[Container, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    account: str = "default"
    mounts_token: bool = True
    group: int | None = None
    spread: bool = False
    anti_affinity: bool = False
    node_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    priority_class: str = ""
    pull_secret: str = ""
    grace_seconds: int = 30
