"""Reading a resource field by field: every problem is collected with the path of its field, and reading goes on.

Values are taken as they are, never converted. A null member counts as absent, because the API server removes it
before it applies defaults; a null in a list is refused, as there.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sidecar_injector.config.syntax import Syntax
from sidecar_injector.errors import Problem

MAX_DEPTH = 100
"""Nesting of a free-form object. The API server would take 10 000 levels, which no template could walk."""

_Choice = TypeVar("_Choice", bound=StrEnum)


def describe(value: object) -> str:
    """Name the type of a JSON value for a message: `a list`, `the number 5`, `true`."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, however it is capitalised or hyphenated."""
    plain = {_plain(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


@dataclass(frozen=True)
class Field:
    """A value that is there: its path, and the list that its problems go to."""

    path: str
    value: object
    problems: list[Problem]

    def refuse(self, message: str) -> None:
        """Note a problem of this field."""
        self.problems.append(Problem(self.path or "the resource", message))

    def text(self, syntax: Syntax) -> str:
        """Return the text; an empty one if the value is something else."""
        if not isinstance(self.value, str):
            hint = "; put it in quotes" if isinstance(self.value, bool | int | float) else ""
            self.refuse(f"is {describe(self.value)}; text is expected{hint}")
            return ""
        if fault := syntax.fault(self.value):
            self.refuse(fault)
        return self.value

    def choice(self, default: _Choice) -> _Choice:
        """Return the member of the default's enumeration that the text names; the default if there is none."""
        options = type(default)
        for option in options:
            if option == self.value:
                return option
        found = repr(self.value) if isinstance(self.value, str) else describe(self.value)
        allowed = ", ".join(options)
        meant = suggest(self.value, options) if isinstance(self.value, str) else None
        self.refuse(f"is {found}; allowed: {allowed}" + (f"; did you mean {meant}?" if meant else ""))
        return default

    def integer(self, lowest: int, highest: int) -> int:
        """Return the whole number; the lowest allowed one if the value is something else.

        JSON has one type of number: 5.0 is a whole number, for the API server too.
        """
        number = self.value
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            self.refuse(f"is {describe(self.value)}; a whole number is expected")
            return lowest
        if not lowest <= number <= highest:
            self.refuse(f"is {number}; allowed: {lowest} to {highest}")
        return number

    def items(self, at_most: int, at_least: int = 0) -> "list[Field]":
        """Return the list's items, each with its own path; none if the value is something else."""
        if not isinstance(self.value, list | tuple):
            self.refuse(f"is {describe(self.value)}; a list is expected")
            return []
        if not at_least <= len(self.value) <= at_most:
            allowed = f"at least {at_least}" if len(self.value) < at_least else f"at most {at_most}"
            self.refuse(f"has {len(self.value)} items; {allowed} must be given")
        return [Field(f"{self.path}[{i}]", item, self.problems) for i, item in enumerate(self.value)]

    def entries(self, at_most: int) -> "list[tuple[str, Field]]":
        """Return the members of an object whose keys are free, without null ones."""
        if not isinstance(self.value, Mapping):
            self.refuse(f"is {describe(self.value)}; an object is expected")
            return []
        present = {key: value for key, value in self.value.items() if value is not None}
        if len(present) > at_most:
            self.refuse(f"has {len(present)} members; at most {at_most} are allowed")
        return [(key, self._member(key, value)) for key, value in present.items() if self._is_key(key)]

    def members(self, known: Sequence[str], elsewhere: Mapping[str, str] | None = None) -> "Members":
        """Return the members of an object that has these fields and no others.

        elsewhere -- for fields that people put here by mistake, the path where each belongs
        """
        if not isinstance(self.value, Mapping):
            self.refuse(f"is {describe(self.value)}; an object is expected")
            return Members(self)
        for key in self.value:
            if self._is_key(key) and key not in known:
                self._refuse_unknown(key, known, elsewhere or {})
        return Members(self)

    def free(self) -> dict[str, object]:
        """Return a copy of a free-form object; an empty one if the value is something else.

        Keys are sorted, as the API server returns them: a template that loops over a file's values sees the same order.
        """
        if not isinstance(self.value, Mapping):
            self.refuse(f"is {describe(self.value)}; an object is expected")
            return {}
        copy = self._copy(MAX_DEPTH)
        return copy if isinstance(copy, dict) else {}

    def _copy(self, depth: int) -> object:
        match self.value:
            case _ if depth < 0:
                self.problems.append(Problem(self.path[:200], f"is nested deeper than {MAX_DEPTH} levels"))
            case Mapping():
                keys = sorted(key for key in self.value if self._is_key(key))
                return {key: self._member(key, self.value[key])._copy(depth - 1) for key in keys}
            case list() | tuple():
                return [
                    Field(f"{self.path}[{i}]", item, self.problems)._copy(depth - 1)
                    for i, item in enumerate(self.value)
                ]
            case float() if not math.isfinite(self.value):
                self.refuse(f"is {describe(self.value)}, which JSON does not have")
            case None | bool() | int() | float() | str():
                return self.value
            case _:
                self.refuse(f"is {describe(self.value)}, which JSON does not have")
        return None

    def _member(self, key: str, value: object) -> "Field":
        return Field(_join(self.path, key), value, self.problems)

    def _is_key(self, key: object) -> bool:
        if isinstance(key, str):
            return True
        self.refuse(f"has {describe(key)} as a key; keys are text: put it in quotes")
        return False

    def _refuse_unknown(self, key: str, known: Sequence[str], elsewhere: Mapping[str, str]) -> None:
        if key in elsewhere:
            remedy = f"it belongs in {elsewhere[key]}"
        elif meant := suggest(key, known):
            remedy = f"did you mean {meant}?"
        else:
            remedy = f"allowed: {', '.join(known)}"
        self._member(key, None).refuse(f"unknown field; {remedy}")


def _join(path: str, key: str) -> str:
    if not key.replace("-", "").replace("_", "").isalnum():
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


class Members:
    """The members of an object, by name; absent ones yield their defaults. What is no object has none."""

    def __init__(self, owner: Field) -> None:
        self._owner = owner
        self._values = owner.value if isinstance(owner.value, Mapping) else {}

    def _field(self, name: str, value: object) -> Field:
        return Field(_join(self._owner.path, name), value, self._owner.problems)

    def get(self, name: str) -> Field | None:
        """Return the member, or None if it is absent or null."""
        value = self._values.get(name)
        return None if value is None else self._field(name, value)

    def need(self, name: str) -> Field | None:
        """Return the member; it is a problem if there is none."""
        field = self.get(name)
        if field is None and isinstance(self._owner.value, Mapping):
            self._field(name, None).refuse("is missing")
        return field

    def nested(self, name: str) -> Field:
        """Return the member, or an empty object in its place, so that the defaults of its own fields apply."""
        return self.get(name) or self._field(name, {})

    def text(self, name: str, syntax: Syntax) -> str:
        """Return a text that must be there."""
        field = self.need(name)
        return field.text(syntax) if field else ""

    def choice(self, name: str, default: _Choice) -> _Choice:
        """Return a member of the default's enumeration."""
        field = self.get(name)
        return field.choice(default) if field else default

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number within bounds."""
        field = self.get(name)
        return field.integer(lowest, highest) if field else default

    def items(self, name: str, at_most: int, at_least: int = 0) -> list[Field]:
        """Return the items of a list; none if there is no list."""
        field = self.get(name)
        return field.items(at_most, at_least) if field else []

    def free(self, name: str) -> dict[str, object]:
        """Return a copy of a free-form object; an empty one if there is none."""
        field = self.get(name)
        return field.free() if field else {}


def refuse_repeated(fields: Sequence[Field], names: Sequence[str]) -> None:
    """Note a problem of every field whose name (the one at the same place in `names`) an earlier field has."""
    first: dict[str, str] = {}
    for field, name in zip(fields, names, strict=True):
        if name and name in first:
            field.refuse(f"{name!r} is given again; {first[name]} has it already, and names are unique in this list")
        first.setdefault(name, field.path)
