"""What is known of an object before it is explained, and what is found out about it, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.selectors import LabelSelector
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.view import Pod
from sidecar_injector.injection.workload import Workload

Labels = Mapping[str, str]

# --- what is known


@dataclass(frozen=True)
class Target:
    """The object that somebody asks about.

    kind       -- of a Pod, of a workload, or Namespace: then it is about a Pod there that says nothing
    path       -- of its Pod template; empty for a Pod
    file       -- where it was read; empty: in the cluster
    exists     -- whether it is in the cluster
    supposed   -- whether it is asked what would be, with other configs than the cluster's
    labels     -- the workload's own, not those of its Pod template; of a Pod, its workload's; annotations likewise
    owner      -- the workload that a Pod in the cluster belongs to; a Pod of its own is its own
    controlled -- whether a controller makes another Pod when this one is deleted
    """

    kind: str
    namespace: str
    name: str
    path: tuple[str, ...] = ()
    file: str = ""
    exists: bool = False
    supposed: bool = False
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    owner: Workload | None = None
    controlled: bool = False

    @property
    def is_pod(self) -> bool:
        """Whether it is a Pod itself."""
        return self.kind == "Pod"


@dataclass(frozen=True)
class Registered:
    """An entry of a config as the API server has it; `differences` are the fields that are not as the operator's."""

    name: str
    namespaces: LabelSelector
    pods: LabelSelector
    differences: tuple[str, ...] = ()

    def selects(self, namespace_labels: Labels, pod_labels: Labels) -> bool:
        """Tell whether the API server calls for a Pod with these labels in a Namespace with those."""
        return self.namespaces.matches(namespace_labels) and self.pods.matches(pod_labels)


@dataclass(frozen=True)
class Webhook:
    """The live MutatingWebhookConfiguration: whether there is one, and its entries by the name of their config."""

    exists: bool
    entries: Mapping[str, tuple[Registered, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """A config.

    serving   -- the version that serves; None: none was ever accepted, or it cannot be read
    revision  -- of the version that serves, as its status says; empty: not known
    problems  -- of its latest version; empty: that is the one that serves
    selection -- the latest version with its templates emptied, to tell at least whom it selects; None: cannot be told
    status    -- why its Pods are not sent to the injector, as its status says; empty: they are
    file      -- where it was read; empty: in the cluster
    created   -- when, and when its spec was last changed (RFC 3339); empty: not known
    """

    name: str
    serving: CompiledConfig | None
    revision: str = ""
    problems: tuple[str, ...] = ()
    selection: CompiledConfig | None = None
    status: str = ""
    file: str = ""
    created: str = ""
    edited: str = ""


@dataclass(frozen=True)
class Situation:
    """Everything on which the answer depends.

    pod              -- as it would be sent for creation
    configs          -- in calling order
    namespace        -- None if it does not exist
    namespace_labels -- None if they are not known; then every Namespace counts as selected
    labelled         -- when labels of the Namespace were last set, by their keys, as far as that is known
    webhook          -- None if it was not looked at
    operator         -- the Namespace in which the operator runs
    installed        -- whether the cluster knows SidecarInjectorConfigs at all
    """

    target: Target
    pod: Pod
    configs: tuple[Known, ...]
    facts: ClusterFacts
    namespace: NamespaceFacts | None
    namespace_labels: Labels | None
    labelled: Labels = field(default_factory=dict)
    webhook: Webhook | None = None
    operator: str = ""
    installed: bool = True


@dataclass(frozen=True)
class RunningPod:
    """A Pod in the cluster: when it was created, and what injected it: the revisions, by the names of their configs.

    foreign -- whether Istio's own injector did
    """

    name: str
    created: str
    by: Mapping[str, str]
    foreign: bool = False


@dataclass(frozen=True)
class Failure:
    """What the API server said, and when, as it refused to create a Pod because of our webhook."""

    message: str
    time: str


# --- what is found out


class Verdict(StrEnum):
    """What becomes of a Pod."""

    INJECTED = "Injected"
    NOT_INJECTED = "NotInjected"
    REFUSED = "Refused"
    FAILED = "Failed"


class Finding(StrEnum):
    """Reason codes beside those of the webhook, for what it cannot know."""

    NO_CONFIG = "NoConfig"
    NO_NAMESPACE = "NoNamespace"
    NOT_REGISTERED = "NotRegistered"
    MISPLACED = "Misplaced"
    MISSPELT = "Misspelt"
    UNKNOWN_VALUE = "UnknownValue"
    MISSED = "Missed"
    OUTDATED = "Outdated"
    NO_LONGER = "NoLongerInjected"
    FOREIGN = "InjectedByIstio"
    WEBHOOK_FAILED = "WebhookFailed"


@dataclass(frozen=True)
class Step:
    """A rule of selection: what it looked at, what it found there, and its decision (empty: on to the next rule)."""

    rule: str
    value: str
    decision: str = ""


@dataclass(frozen=True)
class SeenEntry:
    """An entry of the webhook.

    selects -- whether the API server calls by it for this Pod; None: the Namespace's labels are not known
    live    -- what is wrong with it in the cluster; empty: nothing, or it was not looked at
    """

    name: str
    namespaces: str
    pods: str
    selects: bool | None
    live: str = ""


@dataclass(frozen=True)
class SeenContainer:
    """A container of a Pod; `role` is container, init container, or native sidecar."""

    name: str
    role: str
    image: str


@dataclass(frozen=True)
class Considered:
    """One config on this Pod.

    revision   -- the digest of the version that serves
    answers_to -- what istio.io/rev asks for; empty in other profiles
    message    -- completes "the Pod is injected: …", "the Pod is not injected: …" and so on
    called     -- whether the API server calls the injector for this config
    provisos   -- what the verdict hangs on that is not known here
    rules      -- the finishing rules that changed something
    """

    config: str
    profile: str
    revision: str
    answers_to: str
    verdict: Verdict
    reason: str
    message: str
    remedy: str = ""
    called: bool = False
    provisos: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    entries: tuple[SeenEntry, ...] = ()
    templates: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    before: tuple[SeenContainer, ...] = ()
    after: tuple[SeenContainer, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Running:
    """What of a workload runs (or a Pod itself), compared with what would be injected now."""

    total: int
    current: int
    outdated: tuple[RunningPod, ...] = ()
    missing: tuple[RunningPod, ...] = ()
    leftover: tuple[RunningPod, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """The answer: in a line, and with everything that led to it.

    remedies -- the first is in the headline, the others are alternatives to it
    """

    target: Target
    headline: str
    verdict: Verdict
    reason: str
    cause: str
    remedies: tuple[str, ...]
    namespace_labels: Labels | None
    configs: tuple[Considered, ...]
    running: Running | None = None
    notes: tuple[str, ...] = ()
