"""What a label or annotation of Istio's is described by."""

from dataclasses import dataclass
from enum import StrEnum

from sidecar_injector.profiles.istio.formats import Check, Format
from sidecar_injector.profiles.istio.texts import remembering


class Place(StrEnum):
    """Where a key stands."""

    POD_LABEL = "label of Pods"
    POD_ANNOTATION = "annotation of Pods"
    NAMESPACE_LABEL = "label of Namespaces"
    NAMESPACE_ANNOTATION = "annotation of Namespaces"


class Direction(StrEnum):
    """What the injector does with a key."""

    READ = "read"
    WRITTEN = "written"
    BOTH = "read and written"
    AGENT = "read by the agent in the Pod only"
    ELSEWHERE = "without effect on the injection"


class Theme(StrEnum):
    """What an annotation is about, of those that users set."""

    INJECTION = "Whether and what to inject"
    PROXY = "The proxy's container"
    STATUS = "The proxy's readiness"
    CAPTURE = "Traffic capture"
    METRICS = "Probes and metrics"
    TELEMETRY = "Telemetry of the app's own"


@dataclass(frozen=True)
class Key:
    """A label or annotation.

    on         -- where it stands
    direction  -- what the injector does with it
    meaning    -- a sentence
    format     -- what is allowed in it
    default    -- what holds without it, or what it wins over
    theme      -- what it is about, if it is an annotation that users set
    deprecated -- what to do instead; empty if it is not deprecated
    """

    name: str
    on: tuple[Place, ...]
    direction: Direction
    meaning: str
    format: Format
    default: str = ""
    theme: Theme | None = None
    deprecated: str = ""

    @property
    def allowed(self) -> str:
        """What is allowed in it, in words."""
        return self.format.allowed

    def check(self, value: str) -> str | None:
        """Return what is wrong with a value, None if nothing is."""
        return None if self.format.check is None else _judged(self.format.check, value)


@remembering
def _judged(check: Check, value: str) -> str | None:
    return check(value)
