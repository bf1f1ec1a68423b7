"""Which revision is asked for a Pod, by the labels of its Namespace and its own: every combination of them.

One table for the entries as functions and for a real API server that has them registered.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

Labels = Mapping[str, str]

NAMESPACES: dict[str, Labels] = {
    "plain": {},
    "enabled": {"istio-injection": "enabled"},
    "disabled": {"istio-injection": "disabled"},
    "mistyped": {"istio-injection": "yes"},
    "default": {"istio.io/rev": "default"},
    "canary": {"istio.io/rev": "canary"},
    "stranger": {"istio.io/rev": "other"},
    "enabled-canary": {"istio-injection": "enabled", "istio.io/rev": "canary"},
    "disabled-canary": {"istio-injection": "disabled", "istio.io/rev": "canary"},
}
PODS: dict[str, Labels] = {
    "silent": {"app": "web"},
    "in": {"sidecar.istio.io/inject": "true"},
    "out": {"sidecar.istio.io/inject": "false"},
    "odd": {"sidecar.istio.io/inject": "yes"},
    "default": {"istio.io/rev": "default"},
    "canary": {"istio.io/rev": "canary"},
    "other": {"istio.io/rev": "other"},
    "in-canary": {"sidecar.istio.io/inject": "true", "istio.io/rev": "canary"},
    "out-canary": {"sidecar.istio.io/inject": "false", "istio.io/rev": "canary"},
    "in-other": {"sidecar.istio.io/inject": "true", "istio.io/rev": "other"},
}

TABLE = """
                   silent   in       out  odd      default  canary   other    in-canary  out-canary  in-other
plain              -        default  -    -        default  canary   -        canary     -           -
enabled            default  default  -    default  default  default  default  default    -           default
disabled           -        -        -    -        -        -        -        -          -           -
mistyped           -        -        -    -        -        -        -        -          -           -
default            default  default  -    default  default  default  default  default    -           default
canary             canary   canary   -    canary   canary   canary   canary   canary     -           canary
stranger           -        -        -    -        -        -        -        -          -           -
enabled-canary     default  default  -    default  default  default  default  default    -           default
disabled-canary    -        -        -    -        -        -        -        -          -           -
"""
BY_DEFAULT = ("plain", "silent")
"""The one place in the table that is different where namespaces are enabled by default."""


class Row(NamedTuple):
    """One combination; `revision` is None where nobody is asked."""

    namespace: str
    pod: str
    revision: str | None


def rows(*, enabled_by_default: bool = False) -> Iterator[Row]:
    """Yield all combinations for the revisions default and canary."""
    (heads, *lines) = (line.split() for line in TABLE.strip().splitlines())
    assert heads == [*PODS]
    for namespace, *revisions in lines:
        for pod, revision in zip(heads, revisions, strict=True):
            asked = None if revision == "-" else revision
            yield Row(namespace, pod, "default" if enabled_by_default and (namespace, pod) == BY_DEFAULT else asked)
