"""What comes of one Pod."""

from collections.abc import Mapping
from typing import NamedTuple

from sidecar_injector.injection.decide import Decision


class Outcome(NamedTuple):
    """The decision, the operations that carry it out (none: leave the Pod alone), the resulting Pod, and warnings.

    In Audit mode `pod` is the Pod as it would be, and `patch` is empty.
    """

    decision: Decision
    pod: Mapping[str, object]
    patch: tuple[dict[str, object], ...] = ()
    warnings: tuple[str, ...] = ()
