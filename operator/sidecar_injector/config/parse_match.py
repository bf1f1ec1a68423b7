"""`spec.match` of a SidecarInjectorConfig, and label selectors."""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar_injector.config.fields import Field, Members, refuse_repeated
from sidecar_injector.config.model import Match, MatchCondition, Policy, ProfileName
from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement
from sidecar_injector.config.syntax import LABEL_VALUE, QUALIFIED_NAME, Syntax
from sidecar_injector.names import NAMESPACE_INJECTION

MATCH_FIELDS = ("namespaceSelector", "podSelector", "conditions", "policy", "neverInject", "alwaysInject")
SELECTOR_FIELDS = ("matchLabels", "matchExpressions")
REQUIREMENT_FIELDS = ("key", "operator", "values")
CONDITION_FIELDS = ("name", "expression")

MAX_CONDITIONS = 64
MAX_SELECTORS = 16
MAX_REQUIREMENTS = 16
MAX_VALUES = 256
EXPRESSION = Syntax("a CEL expression", longest=8192, shortest=1)

DEFAULT_NAMESPACES: Mapping[ProfileName, LabelSelector | None] = MappingProxyType(
    {
        ProfileName.ISTIO: None,
        ProfileName.GENERIC: LabelSelector(match_labels=((NAMESPACE_INJECTION, "enabled"),)),
    }
)
_WITH_VALUES = (Operator.IN, Operator.NOT_IN)


def parse_match(field: Field, profile: ProfileName) -> Match:
    """Read `spec.match`; `field` is an empty object if there is none. The profile has its own default namespaces."""
    match = field.members(MATCH_FIELDS)
    namespaces, pods = match.get("namespaceSelector"), match.get("podSelector")
    return Match(
        namespace_selector=parse_selector(namespaces) if namespaces else DEFAULT_NAMESPACES[profile],
        pod_selector=parse_selector(pods) if pods else LabelSelector(),
        conditions=_conditions(match),
        policy=match.choice("policy", Policy.ENABLED),
        never_inject=_selectors(match, "neverInject"),
        always_inject=_selectors(match, "alwaysInject"),
    )


def parse_selector(field: Field) -> LabelSelector:
    """Read a LabelSelector as the API server would when a webhook is registered with it."""
    selector = field.members(SELECTOR_FIELDS)
    return LabelSelector(_labels(selector.get("matchLabels")), _requirements(selector))


def _labels(field: Field | None) -> tuple[tuple[str, str], ...]:
    labels = field.entries(MAX_REQUIREMENTS) if field else []
    for key, value in labels:
        if fault := QUALIFIED_NAME.fault(key):
            value.refuse(f"the key {fault}")
    return tuple((key, value.text(LABEL_VALUE)) for key, value in labels)


def _requirements(selector: Members) -> tuple[Requirement, ...]:
    return tuple(_requirement(field) for field in selector.items("matchExpressions", MAX_REQUIREMENTS))


def _requirement(field: Field) -> Requirement:
    members = field.members(REQUIREMENT_FIELDS)
    key = members.text("key", QUALIFIED_NAME)
    stated = members.need("operator")
    operator = stated.choice(Operator.IN) if stated else Operator.IN
    values = tuple(value.text(LABEL_VALUE) for value in members.items("values", MAX_VALUES))
    if stated and stated.value == operator and (operator in _WITH_VALUES) != bool(values):
        need = "needs at least one value" if operator in _WITH_VALUES else "takes no values"
        members.nested("values").refuse(f"operator {operator} {need}")
    return Requirement(key, operator, values)


def _conditions(match: Members) -> tuple[MatchCondition, ...]:
    fields = match.items("conditions", MAX_CONDITIONS)
    conditions = tuple(_condition(field) for field in fields)
    refuse_repeated(fields, [condition.name for condition in conditions])
    return conditions


def _condition(field: Field) -> MatchCondition:
    members = field.members(CONDITION_FIELDS)
    return MatchCondition(members.text("name", QUALIFIED_NAME), members.text("expression", EXPRESSION))


def _selectors(match: Members, name: str) -> tuple[LabelSelector, ...]:
    return tuple(_limiting_selector(field) for field in match.items(name, MAX_SELECTORS))


def _limiting_selector(field: Field) -> LabelSelector:
    found_before = len(field.problems)
    selector = parse_selector(field)
    if selector.empty and len(field.problems) == found_before:
        field.refuse("is empty and would match every Pod; give matchLabels or matchExpressions, or take the entry out")
    return selector
