"""`spec.guardrails` and `spec.overrides` of a SidecarInjectorConfig.

Of an override it is read here what it is made of. Whether its bounds, pattern and default go together is found out
when it is compiled, as for templates.
"""

from sidecar_injector.config.fields import Field, Members, refuse_repeated
from sidecar_injector.config.model import Guardrail, OverrideSpec, OverrideType, Source
from sidecar_injector.config.pattern_syntax import LONGEST_PATTERN
from sidecar_injector.config.syntax import DNS_LABEL, Syntax
from sidecar_injector.names import OVERRIDE_PREFIX, RESERVED_OVERRIDES

GUARDRAIL_FIELDS = ("allow",)
OVERRIDE_FIELDS = (
    "name",
    "type",
    "enum",
    "pattern",
    "maxLength",
    "minimum",
    "maximum",
    "default",
    "from",
    "description",
)

MAX_OVERRIDES = 32
MAX_ENUM = 64
LONGEST_VALUE = 1024
_OF_TEXT = ("enum", "pattern", "maxLength")
_BOUNDS = ("minimum", "maximum")
_WITH_BOUNDS = (OverrideType.INTEGER, OverrideType.NUMBER, OverrideType.QUANTITY, OverrideType.DURATION)

PATTERN = Syntax("a pattern", longest=LONGEST_PATTERN, shortest=1)
VALUE = Syntax("a value", longest=LONGEST_VALUE)
DESCRIPTION = Syntax("a description", longest=1024)


def parse_guardrails(field: Field) -> frozenset[Guardrail]:
    """Read what a config is allowed to give to Pods; `field` is an empty object if it says nothing."""
    fields = field.members(GUARDRAIL_FIELDS).items("allow", len(Guardrail))
    found = [item.choice(Guardrail.PRIVILEGED) for item in fields]
    _refuse_repeated_choices(fields)
    return frozenset(found)


def parse_overrides(spec: Members) -> tuple[OverrideSpec, ...]:
    """Read the overrides of a config."""
    fields = spec.items("overrides", MAX_OVERRIDES)
    overrides = tuple(_override(field) for field in fields)
    refuse_repeated(fields, [override.name for override in overrides])
    return overrides


def _override(field: Field) -> OverrideSpec:
    override = field.members(OVERRIDE_FIELDS)
    stated = override.need("type")
    kind = stated.choice(OverrideType.STRING) if stated else OverrideType.STRING
    if stated and stated.value == kind:
        _refuse_of_other_types(override, kind)
    pattern, description, longest = (override.get(name) for name in ("pattern", "description", "maxLength"))
    if description:
        description.text(DESCRIPTION)
    return OverrideSpec(
        name=_name(override),
        type=kind,
        enum=_enum(override),
        pattern=pattern.text(PATTERN) if pattern else None,
        max_length=longest.integer(1, LONGEST_VALUE) if longest else None,
        minimum=_scalar(override, "minimum"),
        maximum=_scalar(override, "maximum"),
        default=_scalar(override, "default"),
        sources=_sources(override),
    )


def _name(override: Members) -> str:
    name = override.text("name", DNS_LABEL)
    if name in RESERVED_OVERRIDES:
        override.nested("name").refuse(
            f"is {name!r}, and the annotation {OVERRIDE_PREFIX}{name} is the injector's own; not allowed: "
            f"{', '.join(RESERVED_OVERRIDES)}"
        )
    return name


def _refuse_of_other_types(override: Members, kind: OverrideType) -> None:
    """Refuse the fields that mean nothing for this type: their author takes them to be in force."""
    wrong = [name for name in _OF_TEXT if kind is not OverrideType.STRING]
    wrong += [name for name in _BOUNDS if kind not in _WITH_BOUNDS]
    for name in wrong:
        if field := override.get(name):
            whose = "String" if name in _OF_TEXT else ", ".join(_WITH_BOUNDS)
            field.refuse(f"is for type {whose} only; the type is {kind}")


def _enum(override: Members) -> tuple[str, ...]:
    fields = override.items("enum", MAX_ENUM, at_least=1)
    values = [field.text(VALUE) for field in fields]
    _refuse_repeated_choices(fields)
    return tuple(values)


def _sources(override: Members) -> frozenset[Source]:
    given = override.get("from")
    if given is None:
        return frozenset(Source)
    fields = given.items(len(Source), at_least=1)
    found = [item.choice(Source.POD) for item in fields]
    _refuse_repeated_choices(fields)
    return frozenset(found)


def _scalar(override: Members, name: str) -> str | None:
    """Return a bound or a default, a whole number or text, as text; what it may say depends on the type."""
    field = override.get(name)
    if field is None:
        return None
    number = field.value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return field.text(VALUE)


def _refuse_repeated_choices(fields: list[Field]) -> None:
    refuse_repeated(fields, [field.value if isinstance(field.value, str) else "" for field in fields])
