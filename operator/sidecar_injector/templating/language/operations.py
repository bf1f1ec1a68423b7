"""What expressions do, in place of Python's own operators: checked, paid for, and with messages in the user's words.

`rewrite` puts these operations into the syntax tree as filters under names that no template can write; arithmetic is
called by the sandbox.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Undefined

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.undefined import Missing
from sidecar_injector.templating.language.values import HIGHEST, LOWEST, OMIT, Fragment, describe, length_in_steps

_SCALARS = (str, int, float, bool, type(None))
_SETTLED = frozenset((str, int, float, bool, type(None), dict, list))
"""Types that most values have, of which none is text to be made or undefined."""
_LISTS_AND_MAPS = (list, tuple, range, Mapping)
_PRICE_OF_FRAGMENT = 5
_SHORT = 100
"""Characters of what is looked for with `in` without a surcharge."""


@pass_context
def charge(context: RenderContext, steps: int) -> bool:
    """Pay for one run of a loop's or macro's body; gives true, so that it can stand in a condition."""
    context.steps -= steps
    if context.steps < 0:
        context.charge(0)
    return True


@pass_context
def loop_over(_context: RenderContext, value: object) -> Any:
    """Check what a loop runs over: a list, or a map for its keys."""
    if isinstance(value, _LISTS_AND_MAPS):
        return value
    if isinstance(value, Undefined):
        str(value)
    remedies = {
        "text": "split it into a list first: `.split(',')`, or `| list` for its characters",
        "null": "if it may be null, write `| default([], true)`",
    }
    kind = describe(value)
    raise Failure(f"the loop runs over {kind}, which is no list", remedies.get(kind, "loop over a list or a map"))


@pass_context
def operand(context: RenderContext, value: object) -> object:
    """Prepare one side of a comparison."""
    kind = type(value)
    if kind is str:
        context.charge(len(value) >> 8)  # type: ignore[arg-type]
        return value
    return value if kind in _SCALARS or value is OMIT else context.plain(value)


@pass_context
def settled(_context: RenderContext, value: object) -> object:
    """Prepare what is compared with a literal."""
    return value if type(value) in _SETTLED else settle(value)


def settle(value: object) -> object:
    """Take a fragment as text, and refuse what is undefined."""
    if type(value) in _SETTLED:
        return value
    if isinstance(value, Fragment):
        return value.as_text()
    if isinstance(value, Undefined):
        str(value)
    return value


@pass_context
def member(context: RenderContext, value: object) -> object:
    """Prepare the left side of `in`."""
    value = settle(value)
    if isinstance(value, _SCALARS):
        if isinstance(value, str) and len(value) > _SHORT:
            context.charge(len(value))
        return value
    raise Failure(f"`in` looks for {describe(value)}", "only text, numbers, true, false and null can be looked up")


@pass_context
def container(context: RenderContext, value: object) -> object:
    """Prepare the right side of `in`."""
    if type(value) is dict:
        return value
    value = settle(value)
    if isinstance(value, str):
        context.charge(min(len(value), 30_000) * _SHORT // 3 >> 8)
        context.charge(len(value) >> 7)
    elif isinstance(value, list | tuple | range):
        context.charge(len(value) + length_in_steps(value))
    elif isinstance(value, Mapping):
        pass
    else:
        raise Failure(f"`in` looks inside {describe(value)}", "look inside a list, a map or text")
    return value


@pass_context
def concatenate(context: RenderContext, parts: list[object]) -> str:
    """Join the operands of `~` as text."""
    texts = [part if type(part) is str else context.text(part) for part in parts]
    context.pay(sum(map(len, texts)))
    return "".join(texts)


@pass_context
def key(_context: RenderContext, value: object) -> str:
    """Check the key of a map that is written in an expression."""
    value = settle(value)
    if isinstance(value, str):
        return value
    raise Failure(f"{describe(value)} is used as the key of a map", "keys are text: write `x | string`")


@pass_context
def section(context: RenderContext, value: object, start: Any, stop: Any, step: Any) -> object:
    """Take a slice, `value[start:stop:step]`."""
    value = settle(value)
    if not isinstance(value, str | list | tuple | range):
        raise Failure(f"a part of {describe(value)} is taken with `[:]`", "only text and lists have parts")
    if not all(bound is None or type(bound) is int for bound in (start, stop, step)) or step == 0:
        raise Failure("the bounds in `[:]` are no whole numbers", "write numbers, such as `[:63]`")
    context.charge(len(value) >> 6)
    return value[slice(start, stop, step)]


@pass_context
def capture(context: RenderContext, text: str) -> Fragment:
    """Make the text of a `{% set %}` or `{% filter %}` block a fragment."""
    return fragment(context, text)


def fragment(context: RenderContext, text: str) -> Fragment:
    """Make a fragment of template text, which was copied for it."""
    context.charge(_PRICE_OF_FRAGMENT + (len(text) >> 7))
    return Fragment(text, context)


@pass_context
def spread(context: RenderContext, value: object) -> Any:
    """Check what is spread over arguments with `*` or `**`."""
    if isinstance(value, list | tuple | range | Mapping):
        context.charge(len(value))
        return value
    if isinstance(value, Undefined):
        str(value)
    raise Failure(f"{describe(value)} is spread over arguments", "`*` takes a list, `**` a map")


@pass_context
def nothing(_context: RenderContext, _value: object) -> Missing:
    """Give the value of an inline `if` that is false and has no `else`."""
    return Missing("the condition is false")


CHARGE, LOOP_OVER, OPERAND, SETTLED, MEMBER, CONTAINER = (
    " charge",
    " loop",
    " operand",
    " settled",
    " member",
    " container",
)
CONCATENATE, KEY, SECTION, CAPTURE, SPREAD = " ~", " key", " section", " capture", " spread"
NOTHING = " nothing"

OPERATIONS: Mapping[str, Callable[..., object]] = {
    CHARGE: charge,
    LOOP_OVER: loop_over,
    OPERAND: operand,
    SETTLED: settled,
    MEMBER: member,
    CONTAINER: container,
    CONCATENATE: concatenate,
    KEY: key,
    SECTION: section,
    CAPTURE: capture,
    SPREAD: spread,
    NOTHING: nothing,
}

_ARITHMETIC: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "-": ("subtracted from", operator.sub),
    "*": ("multiplied with", operator.mul),
    "/": ("divided by", operator.truediv),
    "//": ("divided by", operator.floordiv),
    "%": ("divided by", operator.mod),
    "**": ("raised to", operator.pow),
}
_LARGEST_EXPONENT = 64


def calculate(context: RenderContext, symbol: str, left: object, right: object) -> object:
    """Do arithmetic; `+` also joins texts and lists.

    Raises:
        Failure: the operands do not fit the operator, or a division by zero.
        LimitReached: the result is too large.
    """
    left, right = settle(left), settle(right)
    if _is_number(left) and _is_number(right):
        return _number(symbol, left, right)
    if symbol == "+":
        return _add(context, left, right)
    if symbol == "*" and isinstance(left, str | list) and type(right) is int:
        context.pay(len(left) * max(right, 0))
        context.charge(len(left) * max(right, 0) if isinstance(left, list) else 0)
        return left * right
    if symbol == "%" and isinstance(left, str):
        raise Failure("text is formatted with `%`", "use the filter: `'%s-%s' | format(a, b)`, or join with `~`")
    what = {"-": f"{describe(right)} is subtracted from {describe(left)}"}.get(
        symbol, f"{describe(left)} is {_ARITHMETIC[symbol][0]} {describe(right)}"
    )
    raise Failure(what, f"`{symbol}` takes numbers; turn text into a number with `int`")


def negate(symbol: str, value: object) -> object:
    """Apply a sign to a number."""
    value = settle(value)
    if not _is_number(value):
        raise Failure(f"the sign `{symbol}` stands before {describe(value)}", "it takes a number")
    return -value if symbol == "-" else value  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(symbol: str, left: Any, right: Any) -> int | float:
    if symbol == "**" and abs(right) > _LARGEST_EXPONENT:
        raise LimitReached(f"the exponent is larger than {_LARGEST_EXPONENT}", "use a smaller one")
    try:
        result = left + right if symbol == "+" else _ARITHMETIC[symbol][1](left, right)
    except ZeroDivisionError:
        raise Failure("a number is divided by zero", "test the divisor first") from None
    except OverflowError:
        raise LimitReached("the number is too large", "use smaller numbers") from None
    if isinstance(result, complex):
        raise Failure("a root of a negative number is taken", "use positive numbers")
    if isinstance(result, int) and not LOWEST <= result <= HIGHEST:
        raise LimitReached("the number does not fit 64 bits", "use smaller numbers")
    return result  # type: ignore[no-any-return]


def _add(context: RenderContext, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        context.pay(len(left) + len(right))
        return left + right
    if isinstance(left, list | tuple | range) and isinstance(right, list | tuple | range):
        context.charge(len(left) + len(right))
        return [*left, *right]
    remedy = "join text and other values with `~`" if isinstance(left, str) or isinstance(right, str) else ""
    raise Failure(
        f"{describe(left)} and {describe(right)} are added", remedy or "`+` takes two numbers, two texts or two lists"
    )
