"""Methods: what can be called behind a dot, by the kind of the value. Everything else behind a dot is a field."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2.runtime import LoopContext

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.filters_text import few, joined, replaced
from sidecar_injector.templating.language.values import length_in_steps
from sidecar_injector.templating.language.vocabulary import Register, items, text, whole

TEXT_METHODS = Register("method")
MAP_METHODS = Register("method")
LIST_METHODS = Register("method")
LOOP_METHODS = Register("method")

METHODS: Mapping[str, Register] = {
    "text": TEXT_METHODS,
    "a map": MAP_METHODS,
    "a list": LIST_METHODS,
    "`loop`": LOOP_METHODS,
}
"""Registers of methods by the words for the kind of value."""


def _simple(name: str, doc: str) -> None:
    """Register a method of `str` without arguments that costs its length."""
    method: Callable[[str], Any] = getattr(str, name)

    def function(context: RenderContext, value: str) -> Any:
        context.pay(len(value))
        return method(value)

    function.__doc__ = doc
    TEXT_METHODS.add(name)(function)


_simple("lower", "Text in lower case.")
_simple("upper", "Text in upper case.")
_simple("title", "Text with each word capitalized.")
_simple("capitalize", "Text with its first letter in upper case and the others in lower case.")
_simple("isdigit", "Whether the text has digits only.")
_simple("isalpha", "Whether the text has letters only.")
_simple("isalnum", "Whether the text has letters and digits only.")


def _chars(chars: object) -> str | None:
    return None if chars is None else few(text(chars))


@TEXT_METHODS.add("strip")
def strip(context: RenderContext, value: str, chars: str | None = None) -> str:
    """Text without white space, or the given characters, at both ends."""
    context.pay(len(value))
    return value.strip(_chars(chars))


@TEXT_METHODS.add("lstrip")
def lstrip(context: RenderContext, value: str, chars: str | None = None) -> str:
    """Text without white space, or the given characters, at its start."""
    context.pay(len(value))
    return value.lstrip(_chars(chars))


@TEXT_METHODS.add("rstrip")
def rstrip(context: RenderContext, value: str, chars: str | None = None) -> str:
    """Text without white space, or the given characters, at its end."""
    context.pay(len(value))
    return value.rstrip(_chars(chars))


@TEXT_METHODS.add("split")
def split(context: RenderContext, value: str, separator: str | None = None, count: int = -1) -> list[str]:
    """List of the parts between separators (default: white space), cut from the left at most `count` times."""
    return _parts(context, value, value.split, separator, count)


@TEXT_METHODS.add("rsplit")
def rsplit(context: RenderContext, value: str, separator: str | None = None, count: int = -1) -> list[str]:
    """List of the parts between separators, cut from the right."""
    return _parts(context, value, value.rsplit, separator, count)


def _parts(
    context: RenderContext, value: str, cut: Callable[..., list[str]], separator: str | None, count: int
) -> list[str]:
    context.pay(len(value))
    if separator == "":
        raise Failure("the separator is empty", "leave it out to split at white space")
    context.search(value, "" if separator is None else text(separator))
    parts = cut(None if separator is None else text(separator), whole(count))
    context.charge(len(parts))
    return parts


@TEXT_METHODS.add("splitlines")
def splitlines(context: RenderContext, value: str) -> list[str]:
    """List of the lines of a text."""
    context.pay(len(value))
    lines = value.splitlines()
    context.charge(len(lines))
    return lines


@TEXT_METHODS.add("startswith")
def startswith(value: str, prefix: str) -> bool:
    """Whether the text starts with this."""
    return value.startswith(text(prefix))


@TEXT_METHODS.add("endswith")
def endswith(value: str, suffix: str) -> bool:
    """Whether the text ends with this."""
    return value.endswith(text(suffix))


@TEXT_METHODS.add("removeprefix")
def removeprefix(context: RenderContext, value: str, prefix: str) -> str:
    """Text without this at its start."""
    context.pay(len(value))
    return value.removeprefix(text(prefix))


@TEXT_METHODS.add("removesuffix")
def removesuffix(context: RenderContext, value: str, suffix: str) -> str:
    """Text without this at its end."""
    context.pay(len(value))
    return value.removesuffix(text(suffix))


@TEXT_METHODS.add("replace")
def replace(context: RenderContext, value: str, old: str, new: str, count: int = -1) -> str:
    """Text with `old` replaced by `new`, at most `count` times."""
    return replaced(context, value, text(old), text(new), whole(count))


@TEXT_METHODS.add("find")
def find(context: RenderContext, value: str, part: str) -> int:
    """Position of a part, from 0; -1 if it is not there."""
    context.search(value, text(part))
    return value.find(text(part))


@TEXT_METHODS.add("count")
def count(context: RenderContext, value: str, part: str) -> int:
    """How often a part occurs."""
    context.search(value, text(part))
    return value.count(text(part))


@TEXT_METHODS.add("join")
def join(context: RenderContext, value: str, parts: object) -> str:
    """Items of a list as one text, with this text between them."""
    return joined(context, items(context, parts), value)


@MAP_METHODS.add("get")
def get(value: Mapping[str, Any], key: str, default: object = None) -> Any:
    """Value of a key, or `default`."""
    return value.get(text(key), default)


@MAP_METHODS.add("items")
def items_(context: RenderContext, value: Mapping[str, Any]) -> list[list[Any]]:
    """List of the `[key, value]` pairs: `{% for key, value in labels.items() %}`."""
    context.charge(3 * len(value))
    return [[key, member] for key, member in value.items()]


@MAP_METHODS.add("keys")
def keys(context: RenderContext, value: Mapping[str, Any]) -> list[str]:
    """List of the keys."""
    context.charge(len(value))
    return list(value)


@MAP_METHODS.add("values")
def values(context: RenderContext, value: Mapping[str, Any]) -> list[Any]:
    """List of the values."""
    context.charge(len(value))
    return list(value.values())


@LIST_METHODS.add("index")
def index(context: RenderContext, value: list[Any], item: object) -> int:
    """Position of a text or number, from 0; -1 if it is not there."""
    context.charge(len(value) + length_in_steps(value))
    return next((position for position, member in enumerate(value) if _same(member, item)), -1)


@LIST_METHODS.add("count")
def count_(context: RenderContext, value: list[Any], item: object) -> int:
    """How often a text or number is in the list."""
    context.charge(len(value) + length_in_steps(value))
    return sum(_same(member, item) for member in value)


def _same(member: object, item: object) -> bool:
    return isinstance(member, str | int | float) and member == item


@LOOP_METHODS.add("cycle", fragments=True)
def cycle(value: LoopContext, *choices: object) -> object:
    """One of the given values after the other, each time the loop runs."""
    if not choices:
        raise Failure("there is nothing to choose from", "give it values: `loop.cycle('odd', 'even')`")
    return choices[value.index0 % len(choices)]


@LOOP_METHODS.add("changed")
def changed(context: RenderContext, value: LoopContext, *observed: object) -> bool:
    """Whether these values are others than the last time; true the first time."""
    return value.changed(*[context.plain(item) for item in observed])
