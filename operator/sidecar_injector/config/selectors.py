"""LabelSelector of the Kubernetes API: matched here as the API server matches it.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """Operators of a requirement."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True)
class Requirement:
    """One entry of `matchExpressions`."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether these labels meet the requirement; a missing key meets NotIn and DoesNotExist."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels

    def __str__(self) -> str:
        match self.operator:
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator.lower()} ({','.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"


@dataclass(frozen=True)
class LabelSelector:
    """All of the labels and all of the requirements; an empty selector matches everything."""

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[Requirement, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether the selector matches everything because it says nothing."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an object with these labels is selected."""
        for key, value in self.match_labels:
            if labels.get(key) != value:
                return False
        for requirement in self.match_expressions:  # noqa: SIM110 - a generator costs more than most selectors do
            if not requirement.matches(labels):
                return False
        return True

    def narrowed(self, *requirements: Requirement) -> "LabelSelector":
        """Return the selector of those of its objects that meet these requirements, too."""
        return LabelSelector(self.match_labels, (*self.match_expressions, *requirements))

    def __str__(self) -> str:
        """Return the selector as `kubectl get -l` takes it."""
        return ",".join([*(f"{key}={value}" for key, value in self.match_labels), *map(str, self.match_expressions)])

    def to_dict(self) -> dict[str, object]:
        """Return the selector in the API's own form, without empty members."""
        selector: dict[str, object] = {}
        if self.match_labels:
            selector["matchLabels"] = dict(self.match_labels)
        if self.match_expressions:
            selector["matchExpressions"] = [
                {"key": r.key, "operator": str(r.operator), **({"values": list(r.values)} if r.values else {})}
                for r in self.match_expressions
            ]
        return selector
