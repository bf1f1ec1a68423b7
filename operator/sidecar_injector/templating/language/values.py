"""Values inside a template: what they are called, which may be printed, and what they are as text."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol

import orjson
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Namespace

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.markers import LINE_MARK, MARKER
from sidecar_injector.templating.shapes.shared import SharedMap

LOWEST, HIGHEST = -(2**63), 2**64 - 1
_SHIFT = 8
"""A step pays for looking at 2**8 characters."""
_LONG = 1 << _SHIFT
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_FRACTION = re.compile(rb"[0-9][.eE]")
"""Finds what every number has in it that is no integer."""


class Meter(Protocol):
    """What pays for work: `charge` raises LimitReached when the steps are used up."""

    depth_limit: int

    def charge(self, steps: int) -> None:
        """Take this number of steps from the budget."""


class Printing(Protocol):
    """What a fragment's text is made with: the printed values, and what pays for a text of some length."""

    slots: list[object]

    def pay(self, characters: int) -> None:
        """Check and pay for a text of this length before it is made."""


class Omit:
    """The value `omit`: drops the key or the list item that it is printed for."""

    def __repr__(self) -> str:
        return "omit"


OMIT = Omit()


class YamlText(str):
    """Text that `to_yaml` made: text it stays, so to print it as the whole value of a key is most likely a mistake."""

    __slots__ = ()


class Fragment:
    """Template text made by a macro, a `{% set %}` block, a call block or a recursive loop.

    Printing it prints template text: it may hold structure. Anything else that is done with it is done with its text,
    which is an ordinary value. It is no `str`, so that no operation can take its markers for text.
    """

    __slots__ = ("_printing", "_text", "text")

    def __init__(self, text: str, printing: Printing) -> None:
        self.text = text
        self._printing = printing
        self._text: str | None = None

    def as_text(self) -> str:
        """Return the text with every printed value in place; raises LimitReached if it is too long."""
        if self._text is None:
            slots = self._printing.slots
            self._printing.pay(len(self.text))
            pieces = MARKER.split(LINE_MARK.sub("", self.text))
            shown = {index: text_of(slots[int(index)]) for index in pieces[1::2]}
            self._printing.pay(sum(map(len, pieces[::2])) + sum(len(shown[index]) for index in pieces[1::2]))
            pieces[1::2] = [shown[index] for index in pieces[1::2]]
            self._text = "".join(pieces)
        return self._text

    def __bool__(self) -> bool:
        return bool(self.text)


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    ((str, Fragment), "text"),
    (Mapping, "a map"),
    (Sequence, "a list"),
    (Omit, "`omit`"),
    (Namespace, "a namespace"),
    (Macro, "a macro"),
    (LoopContext, "`loop`"),
    (Undefined, "an undefined value"),
)


_COMMON_KINDS: Mapping[type, str] = {
    **dict.fromkeys((int, float), "a number"),
    str: "text",
    dict: "a map",
    list: "a list",
    bool: "true or false",
    type(None): "null",
}


def describe(value: object) -> str:
    """Say what a value is, in a user's words: `a list`, `text`, `null`."""
    common = _COMMON_KINDS.get(type(value))
    return common or next((words for kinds, words in _KINDS if isinstance(value, kinds)), "a function")


def text_of(value: object) -> str:
    """Return a printable value as text: text as it is, anything else as compact JSON.

    Raises:
        Failure: the value is `omit`, which has no text.
    """
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if value is OMIT:
        raise Failure(
            "`omit` is printed inside a longer text", "print `omit` as the whole value of a key or a list item"
        )
    return compact_json(value)


def compact_json(value: object) -> str:
    """Return a plain value as JSON without spaces, keys in their own order.

    orjson takes a tenth of the time that Python's own writer takes, and writes the same but for large and small numbers
    with a fraction. What holds lone surrogates, or is nested deeply, it does not write.
    """
    try:
        written = orjson.dumps(value)
    except TypeError:
        return _COMPACT.encode(value)
    return _COMPACT.encode(value) if _FRACTION.search(written) else written.decode()


def plain(value: object, meter: Meter) -> object:
    """Return a value as plain JSON, itself if it is that already: null, numbers, text, lists, maps with text keys.

    `omit` drops the entry or item of a map or list that holds it.

    Raises:
        Failure: the value, or one inside it, is nothing that JSON can hold.
        LimitReached: it is too large or nested too deeply.
    """
    return value if _plain_size(value, meter, 0) is not None else _plain_copy(value, meter, 0)


def plain_and_size(value: object, meter: Meter) -> tuple[object, int]:
    """Return a value as `plain` does, and its `size_of`, with one look at it if it is plain already."""
    if type(value) is SharedMap and value.size:
        return value, value.size
    size = _plain_size(value, meter, 0)
    if size is not None:
        if type(value) is SharedMap:
            value.size = size
        return value, size
    copy = _plain_copy(value, meter, 0)
    return copy, size_of(copy)


def length_in_steps(values: Iterable[object]) -> int:
    """Return how many steps it takes to look at every character of the texts among these values."""
    return sum([len(value) >> _SHIFT for value in values if isinstance(value, str)])


def size_of(value: object) -> int:
    """Return about how many characters a plain value takes as JSON."""
    if isinstance(value, str):
        return len(value) + _QUOTES
    if isinstance(value, dict):
        return _BRACKETS + sum([len(key) + _COLON + size_of(member) for key, member in value.items()])
    if isinstance(value, list):
        return _BRACKETS + sum([_COMMA + size_of(item) for item in value])
    return _NUMBER


_QUOTES, _BRACKETS, _COLON, _COMMA, _NUMBER = 2, 2, 4, 1, 8


def _plain_size(value: object, meter: Meter, depth: int) -> int | None:
    """Return the size of a value that is plain, None for one that is not."""
    kind = type(value)
    if kind is str:
        if len(value) >= _LONG:  # type: ignore[arg-type]
            meter.charge(len(value) >> _SHIFT)  # type: ignore[arg-type]
        return len(value) + _QUOTES  # type: ignore[arg-type]
    if value is None or kind is bool:
        return _NUMBER
    if kind is dict or kind is list or kind is SharedMap:
        _enter(value, meter, depth)
        return _size_of_members(value, meter, depth + 1)
    if kind is int:
        return _NUMBER if LOWEST <= value <= HIGHEST else None  # type: ignore[operator]
    return _NUMBER if kind is float and isfinite(value) else None  # type: ignore[arg-type]


def _size_of_members(value: Any, meter: Meter, depth: int) -> int | None:
    total = _BRACKETS
    if type(value) is list:
        for item in value:
            size = _plain_size(item, meter, depth)
            if size is None:
                return None
            total += _COMMA + size
        return total
    for key, member in value.items():
        size = _plain_size(member, meter, depth) if type(key) is str else None
        if size is None:
            return None
        total += len(key) + _COLON + size
    return total


def _plain_copy(value: object, meter: Meter, depth: int) -> object:
    if value is None or value is OMIT or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Fragment):
        return value.as_text()
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, Mapping):
        _enter(value, meter, depth)
        members = ((_key(key), _plain_copy(member, meter, depth + 1)) for key, member in value.items())
        return {key: member for key, member in members if member is not OMIT}
    if isinstance(value, Sequence):
        _enter(value, meter, depth)
        items = (_plain_copy(item, meter, depth + 1) for item in value)
        return [item for item in items if item is not OMIT]
    raise Failure(f"{describe(value)} cannot be used as a value", _REMEDIES.get(type(value), "use a value"))


_REMEDIES: dict[type, str] = {
    Macro: "call the macro: put `( )` behind its name",
    LoopContext: "use a field of it, such as `loop.index`",
    Namespace: "use a field of it",
}


def _enter(value: object, meter: Meter, depth: int) -> None:
    if depth >= meter.depth_limit:
        raise LimitReached(f"the value is nested more than {meter.depth_limit} levels deep", "nest it less deeply")
    meter.charge(len(value) + 2)  # type: ignore[arg-type]


def _key(key: object) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, Fragment):
        return key.as_text()
    raise Failure(f"{describe(key)} is used as the key of a map", "keys are text: put the key in quotes")


def _number(value: int | float) -> int | float:
    if isinstance(value, float):
        if not isfinite(value):
            raise Failure("the number is infinite or undefined, which JSON cannot hold", "print another value")
        return float(value)
    if not LOWEST <= value <= HIGHEST:
        raise LimitReached("the number does not fit 64 bits", "print it as text")
    return int(value)
