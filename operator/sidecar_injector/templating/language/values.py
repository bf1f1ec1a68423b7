"""Values inside a template: what they are called, which may be printed, and what they are as text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Protocol

from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Namespace

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.markers import LINE_MARK, MARKER

LOWEST, HIGHEST = -(2**63), 2**64 - 1
_SHIFT = 8
"""A step pays for looking at 2**8 characters."""
_LONG = 1 << _SHIFT


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


def describe(value: object) -> str:
    """Say what a value is, in a user's words: `a list`, `text`, `null`."""
    if value is None:
        return "null"
    return next((words for kinds, words in _KINDS if isinstance(value, kinds)), "a function")


def text_of(value: object) -> str:
    """Return a printable value as text: text as it is, anything else as compact JSON.

    Raises:
        Failure: the value is `omit`, which has no text.
    """
    if type(value) is str:
        return value
    if value is OMIT:
        raise Failure(
            "`omit` is printed inside a longer text", "print `omit` as the whole value of a key or a list item"
        )
    return compact_json(value)


def compact_json(value: object) -> str:
    """Return a plain value as JSON without spaces, keys in their own order."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def plain(value: object, meter: Meter) -> object:
    """Return a value as plain JSON, itself if it is that already: null, numbers, text, lists, maps with text keys.

    `omit` drops the entry or item of a map or list that holds it.

    Raises:
        Failure: the value, or one inside it, is nothing that JSON can hold.
        LimitReached: it is too large or nested too deeply.
    """
    if _is_plain(value, meter, 0):
        return value
    return _plain_copy(value, meter, 0)


def length_in_steps(values: Iterable[object]) -> int:
    """Return how many steps it takes to look at every character of the texts among these values."""
    return sum([len(value) >> _SHIFT for value in values if isinstance(value, str)])


def size_of(value: object) -> int:
    """Return about how many characters a plain value takes as JSON."""
    if isinstance(value, str):
        return len(value) + 2
    if isinstance(value, dict):
        return 2 + sum(len(key) + 4 + size_of(member) for key, member in value.items())
    if isinstance(value, list):
        return 2 + sum(1 + size_of(item) for item in value)
    return 8


def _is_plain(value: object, meter: Meter, depth: int) -> bool:
    kind = type(value)
    if kind is str:
        if len(value) >= _LONG:  # type: ignore[arg-type]
            meter.charge(len(value) >> _SHIFT)  # type: ignore[arg-type]
        return True
    if value is None or kind is bool:
        return True
    if kind is dict:
        _enter(value, meter, depth)
        return all(
            type(key) is str and _is_plain(member, meter, depth + 1)
            for key, member in value.items()  # type: ignore[attr-defined]
        )
    if kind is list:
        _enter(value, meter, depth)
        return all(_is_plain(item, meter, depth + 1) for item in value)  # type: ignore[attr-defined]
    if kind is int:
        return LOWEST <= value <= HIGHEST  # type: ignore[operator]
    return kind is float and isfinite(value)  # type: ignore[arg-type]


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
