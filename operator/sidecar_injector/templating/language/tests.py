"""Tests: what can stand behind `is`."""

from collections.abc import Mapping

from jinja2.runtime import Undefined

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.values import describe, length_in_steps
from sidecar_injector.templating.language.vocabulary import TESTS, text, whole


@TESTS.add(undefined=True, fragments=True)
def defined(value: object) -> bool:
    """Whether the value is there; null counts as there."""
    return not isinstance(value, Undefined)


@TESTS.add(undefined=True, fragments=True)
def undefined(value: object) -> bool:
    """Whether the value is not there."""
    return isinstance(value, Undefined)


@TESTS.add()
def none(value: object) -> bool:
    """Whether the value is null."""
    return value is None


@TESTS.add()
def boolean(value: object) -> bool:
    """Whether the value is true or false."""
    return isinstance(value, bool)


@TESTS.add()
def true(value: object) -> bool:
    """Whether the value is true, and not just text or a number."""
    return value is True


@TESTS.add()
def false(value: object) -> bool:
    """Whether the value is false, and not just empty."""
    return value is False


@TESTS.add()
def integer(value: object) -> bool:
    """Whether the value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


@TESTS.add("float")
def float_(value: object) -> bool:
    """Whether the value is a number with a fraction."""
    return isinstance(value, float)


@TESTS.add()
def number(value: object) -> bool:
    """Whether the value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@TESTS.add()
def string(value: object) -> bool:
    """Whether the value is text."""
    return isinstance(value, str)


@TESTS.add()
def mapping(value: object) -> bool:
    """Whether the value is a map."""
    return isinstance(value, Mapping)


@TESTS.add()
def sequence(value: object) -> bool:
    """Whether the value is a list or text."""
    return isinstance(value, str | list | tuple | range)


@TESTS.add()
def iterable(value: object) -> bool:
    """Whether the value is a list or a map."""
    return isinstance(value, list | tuple | range | Mapping)


@TESTS.add()
def odd(value: object) -> bool:
    """Whether a whole number is odd."""
    return whole(value) % 2 == 1


@TESTS.add()
def even(value: object) -> bool:
    """Whether a whole number is even."""
    return whole(value) % 2 == 0


@TESTS.add()
def divisibleby(value: object, divisor: int) -> bool:
    """Whether a whole number can be divided by another."""
    if whole(divisor) == 0:
        raise Failure("nothing can be divided by 0", "test the divisor first")
    return whole(value) % divisor == 0


@TESTS.add("eq", "equalto", "==")
def equal(context: RenderContext, value: object, other: object) -> bool:
    """Whether two values are equal."""
    return context.plain(value) == context.plain(other)


@TESTS.add("ne", "!=")
def unequal(context: RenderContext, value: object, other: object) -> bool:
    """Whether two values are different."""
    return not equal(context, value, other)


@TESTS.add("lt", "lessthan", "<")
def less(value: object, other: object) -> bool:
    """Whether a number or text comes before another."""
    return _compare(value, other) < 0


@TESTS.add("le", "<=")
def less_or_equal(value: object, other: object) -> bool:
    """Whether a number or text comes before another or is equal."""
    return _compare(value, other) <= 0


@TESTS.add("gt", "greaterthan", ">")
def greater(value: object, other: object) -> bool:
    """Whether a number or text comes after another."""
    return _compare(value, other) > 0


@TESTS.add("ge", ">=")
def greater_or_equal(value: object, other: object) -> bool:
    """Whether a number or text comes after another or is equal."""
    return _compare(value, other) >= 0


def _compare(value: object, other: object) -> int:
    if isinstance(value, str) and isinstance(other, str):
        return (value > other) - (value < other)
    if isinstance(value, int | float) and isinstance(other, int | float):
        return (value > other) - (value < other)
    raise Failure(f"{describe(value)} and {describe(other)} have no order", "compare texts or numbers")


@TESTS.add("in")
def in_(context: RenderContext, value: object, container: object) -> bool:
    """Whether a text or number is in a list, is a key of a map, or is part of a text."""
    if isinstance(container, str):
        context.search(container, text(value))
        return text(value) in container
    if not isinstance(container, list | tuple | range | Mapping):
        raise Failure(f"nothing can be in {describe(container)}", "give it a list, a map or text")
    if isinstance(value, list | Mapping):
        raise Failure(f"{describe(value)} cannot be looked up", "look up text or a number")
    context.charge(len(container) + (0 if isinstance(container, Mapping) else length_in_steps(container)))
    return bool(value in container)


@TESTS.add()
def contains(context: RenderContext, value: object, member: object) -> bool:
    """Whether a list, map or text holds this: `in` the other way round, for `selectattr`."""
    return bool(in_(context, member, value))


@TESTS.add()
def startswith(value: object, prefix: str) -> bool:
    """Whether a text starts with this."""
    return text(value).startswith(text(prefix))


@TESTS.add()
def endswith(value: object, suffix: str) -> bool:
    """Whether a text ends with this."""
    return text(value).endswith(text(suffix))


@TESTS.add()
def empty(value: object) -> bool:
    """Whether the value is null, or an empty text, list or map."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)
