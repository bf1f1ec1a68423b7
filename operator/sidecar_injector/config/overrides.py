"""The typed knobs of a config: how the text of an annotation is read, and what is wrong with one that cannot be."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sidecar_injector.config.durations import nanoseconds
from sidecar_injector.config.model import OverrideSpec, OverrideType
from sidecar_injector.config.pattern_syntax import PatternError
from sidecar_injector.config.patterns import Pattern
from sidecar_injector.config.quantities import amount
from sidecar_injector.errors import Problem

USUAL_LENGTH = 256
"""Characters of a String whose `maxLength` says nothing."""
_LONGEST_NUMBER = 64
"""Characters of a value of any other type."""
_LONGEST_SHOWN = 80

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_BOOLEANS = {"true": True, "false": False}
_INT64 = 2**63


def _integer(text: str) -> int | None:
    found = int(text) if _INTEGER.fullmatch(text) else None
    return found if found is not None and -_INT64 <= found < _INT64 else None


def _number(text: str) -> int | float | None:
    if not _NUMBER.fullmatch(text):
        return None
    return _integer(text) if _INTEGER.fullmatch(text) else float(text)


@dataclass(frozen=True)
class _Kind:
    """A type: what its values are called, what a template sees (None: no such value), what bounds are compared by."""

    what: str
    read: Callable[[str], object]
    size: Callable[[str], Decimal | int | None]


def _as_it_is(size: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: None if size(text) is None else text


def _decimal(text: str) -> Decimal | None:
    return None if _number(text) is None else Decimal(text)


_KINDS: Mapping[OverrideType, _Kind] = {
    OverrideType.STRING: _Kind("text", lambda text: text, lambda _: None),
    OverrideType.INTEGER: _Kind("a whole number", _integer, _integer),
    OverrideType.NUMBER: _Kind("a number such as 3 or 0.25", _number, _decimal),
    OverrideType.BOOLEAN: _Kind("true or false", _BOOLEANS.get, lambda _: None),
    OverrideType.QUANTITY: _Kind("a quantity such as 100m, 0.5 or 64Mi", _as_it_is(amount), amount),
    OverrideType.DURATION: _Kind("a duration such as 500ms, 10s or 1h30m", _as_it_is(nanoseconds), nanoseconds),
}


@dataclass(frozen=True)
class Override:
    """An override that can be turned.

    allowed -- what a value has to be, in words
    default -- what templates see where nobody turns it; None: nothing
    """

    spec: OverrideSpec
    pattern: Pattern | None
    allowed: str
    default: object = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    def read(self, text: str) -> object:
        """Return what templates see of an annotation's text; None if it is not allowed."""
        spec = self.spec
        if len(text) > self.longest:
            return None
        value = _KINDS[spec.type].read(text)
        if value is None or (spec.enum and text not in spec.enum):
            return None
        if self.pattern is not None and not self.pattern.matches(text):
            return None
        return value if self._within_bounds(text) else None

    @property
    def longest(self) -> int:
        """Characters that a value may have."""
        return (self.spec.max_length or USUAL_LENGTH) if self.spec.type is OverrideType.STRING else _LONGEST_NUMBER

    def _within_bounds(self, text: str) -> bool:
        spec, size = self.spec, _KINDS[self.spec.type].size
        low, high = (size(bound) if bound is not None else None for bound in (spec.minimum, spec.maximum))
        if low is None and high is None:
            return True
        found = size(text)
        return found is not None and (low is None or found >= low) and (high is None or found <= high)

    def extremes(self) -> Sequence[str]:
        """Return texts at the bounds of what is allowed, on which a config is tried: each is allowed."""
        spec = self.spec
        match spec.type:
            case OverrideType.BOOLEAN:
                return ("true", "false")
            case OverrideType.STRING if spec.enum:
                return spec.enum
            case OverrideType.STRING if self.pattern is not None:
                return [text for text in (self.pattern.shortest(),) if text is not None]
            case OverrideType.STRING:
                return ["x" * length for length in (spec.max_length,) if length is not None]
        return [bound for bound in (spec.minimum, spec.maximum) if bound is not None]


def compile_overrides(specs: Sequence[OverrideSpec], problems: list[Problem]) -> dict[str, Override]:
    """Return the overrides by name, without those that are wrong: what is wrong with them is added to `problems`."""
    compiled: dict[str, Override] = {}
    for index, spec in enumerate(specs):
        found, override = _compiled(spec)
        problems += [Problem(f"spec.overrides[{index}].{field}", message) for field, message in found]
        if override is not None:
            compiled[spec.name] = override
    return compiled


_Found = list[tuple[str, str]]
"""Fields of an override, and what is wrong with each."""


def _compiled(spec: OverrideSpec) -> tuple[_Found, Override | None]:
    found: _Found = list(_bound_problems(spec))
    if spec.enum and spec.pattern is not None:
        found.append(("enum", "stands beside pattern; give one of them"))
    pattern = None
    try:
        pattern = Pattern(spec.pattern) if spec.pattern is not None else None
    except PatternError as error:
        found.append(("pattern", str(error)))
    if found:
        return found, None
    override = Override(spec, pattern, _allowed(spec))
    found = list(_contradictions(override))
    if found or spec.default is None:
        return found, override
    default = override.read(spec.default)
    if default is None:
        return [("default", f"is {_shown(spec.default)}; allowed: {override.allowed}")], None
    return found, replace(override, default=default)


def _bound_problems(spec: OverrideSpec) -> Iterator[tuple[str, str]]:
    kind = _KINDS[spec.type]
    sizes: list[Decimal | int] = []
    for field, bound in (("minimum", spec.minimum), ("maximum", spec.maximum)):
        if bound is None:
            continue
        size = kind.size(bound) if len(bound) <= _LONGEST_NUMBER else None
        if size is None:
            yield field, f"is {_shown(bound)}; allowed: {kind.what}"
        else:
            sizes.append(size)
    if len(sizes) == 2 and sizes[0] > sizes[1]:
        yield "maximum", f"is {spec.maximum}, less than minimum, which is {spec.minimum}"


def _contradictions(override: Override) -> Iterator[tuple[str, str]]:
    """Yield what allows no value at all, or values that another field does not."""
    for index, value in enumerate(override.spec.enum):
        if len(value) > override.longest:
            yield f"enum[{index}]", f"has {len(value)} characters; maxLength allows {override.longest}"
    shortest = override.pattern.shortest() if override.pattern is not None else ""
    if shortest is None or len(shortest) > override.longest:
        pattern = override.spec.pattern
        yield "pattern", f"is {pattern!r}, which no text of at most {override.longest} characters matches"


def _shown(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def _allowed(spec: OverrideSpec) -> str:
    kind = _KINDS[spec.type]
    if spec.type is OverrideType.STRING:
        if spec.enum:
            return ", ".join(value or "(empty)" for value in spec.enum)
        matching = f" that matches {spec.pattern}" if spec.pattern is not None else ""
        return f"text of at most {spec.max_length or USUAL_LENGTH} characters{matching}"
    bounds = [
        f"{word} {bound}" for word, bound in (("from", spec.minimum), ("up to", spec.maximum)) if bound is not None
    ]
    return " ".join([kind.what, *bounds])
