"""Registers of what a template can call: filters, tests, functions, methods; each with its line of documentation.

An entry's documentation is its function's docstring and signature; `reference` writes the page from them.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.runtime import Undefined

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.undefined import MissingValue
from sidecar_injector.templating.language.values import Fragment, Omit, describe

Implementation = Callable[..., Any]
"""Takes what the template gives; before it the RenderContext, if its first parameter is called `context`."""

ORDINARY_PRICE = 2
_SPEAKING = ("fail", "required")
"""Entries whose message is the template author's own."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One thing that a template can call, under one of its names."""

    kind: str
    name: str
    function: Implementation
    takes_context: bool
    takes_undefined: bool = False
    takes_fragments: bool = False
    price: int = 0

    @property
    def signature(self) -> inspect.Signature:
        """Return the parameters that a template gives, for filters and tests with the value first."""
        whole = inspect.signature(self.function)
        return whole.replace(parameters=list(whole.parameters.values())[self.takes_context :])

    @property
    def doc(self) -> str:
        """Return the line of documentation."""
        return inspect.getdoc(self.function) or ""

    def __str__(self) -> str:
        return f"{self.kind} `{self.name}`"

    def invoke(self, context: RenderContext, args: Sequence[object], keywords: Mapping[str, object]) -> Any:
        """Call it; fragments become text, and undefined arguments are errors, unless the entry says otherwise."""
        context.charge(self.price)
        values = args
        if not _AS_IT_IS.issuperset(map(type, args)):
            values = [
                value if type(value) is str and len(value) <= _SHORT else self._argument(context, value)
                for value in args
            ]
        named = {name: self._argument(context, value) for name, value in keywords.items()} if keywords else {}
        try:
            return self.function(context, *values, **named) if self.takes_context else self.function(*values, **named)
        except (LimitReached, MissingValue):
            raise
        except Failure as failure:
            if failure.problem.startswith(("filter ", "test ", "function ", "method ")) or self.name in _SPEAKING:
                raise
            raise Failure(f"{self}: {failure.problem}", failure.remedy) from failure
        except TypeError as error:
            problem = self.mismatch(len(values), tuple(named)) or "it cannot use these values"
            raise Failure(f"{self}: {problem}", f"write `{self.usage}`") from error

    def _argument(self, context: RenderContext, value: object) -> object:
        if type(value) is str:
            if len(value) > _SHORT:
                context.charge(len(value) >> 8)
            return value
        if type(value) in _AS_IT_IS:
            return value
        if type(value) is Fragment and not self.takes_fragments:
            return value.as_text()
        if isinstance(value, Undefined) and not self.takes_undefined:
            str(value)
        return value

    def mismatch(self, positional: int, names: Sequence[str]) -> str:
        """Say what is wrong with this number of values and these keywords; empty if they fit."""
        try:
            self.signature.bind(*[None] * positional, **dict.fromkeys(names))
        except TypeError as error:
            return str(error).replace("'", "`")
        return ""

    @property
    def usage(self) -> str:
        """Return how it is written in a template."""
        parameters = list(self.signature.parameters.values())
        if self.kind == "function":
            return f"{self.name}({_parameters(parameters)})"
        subject, arguments = parameters[0].name, _parameters(parameters[1:])
        if self.kind == "method":
            return f"{subject}.{self.name}({arguments})"
        call = f"{self.name}({arguments})" if arguments else self.name
        return f"{subject} | {call}" if self.kind == "filter" else f"{subject} is {call}"


_PREFIXES: Mapping[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def _parameters(parameters: Sequence[inspect.Parameter]) -> str:
    return ", ".join(_parameter(parameter) for parameter in parameters)


def _parameter(parameter: inspect.Parameter) -> str:
    prefix = _PREFIXES.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return f"{prefix}{parameter.name}"
    default = parameter.default
    shown = repr(default) if isinstance(default, str) else str(default).lower()
    return f"{parameter.name}={shown}"


class Register:
    """The entries of one kind, by name."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, Entry] = {}

    def add(
        self, *names: str, undefined: bool = False, fragments: bool = False, price: int = ORDINARY_PRICE
    ) -> Callable[[Implementation], Implementation]:
        """Register a function under these names, or under its own without leading or trailing underscores.

        `price` is what a call with short values takes, in steps; long values are paid for by the function.
        """

        def register(function: Implementation) -> Implementation:
            takes_context = next(iter(inspect.signature(function).parameters), "") == "context"
            for name in names or (function.__name__.strip("_"),):
                self._entries[name] = Entry(self._kind, name, function, takes_context, undefined, fragments, price)
            return function

        return register

    def get(self, name: str) -> Entry | None:
        """Return the entry of this name, if there is one."""
        return self._entries.get(name)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    @property
    def names(self) -> Sequence[str]:
        """Return all names."""
        return tuple(self._entries)


_SHORT = 1000
_AS_IT_IS = frozenset((dict, list, int, float, bool, type(None)))
"""Types of arguments that are given to an entry without a look at them."""
_LISTS_AND_MAPS = (list, tuple, range, Mapping)

FILTERS = Register("filter")
TESTS = Register("test")
FUNCTIONS = Register("function")


def text(value: object) -> str:
    """Take a scalar as text; raises Failure for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Failure(f"it takes text, found {describe(value)}", "give it text")


def number(value: object) -> int | float:
    """Take a number; raises Failure for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Failure(f"it takes a number, found {describe(value)}", "turn text into a number with `int` or `float`")


def whole(value: object) -> int:
    """Take a whole number; raises Failure for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Failure(f"it takes a whole number, found {describe(value)}", "turn text into a number with `int`")


def items(context: RenderContext, value: object) -> list[Any]:
    """Take a list, or the keys of a map; raises Failure for anything else."""
    if isinstance(value, _LISTS_AND_MAPS):
        context.charge(len(value))
        return value if isinstance(value, list) else list(value)
    raise Failure(f"it takes a list, found {describe(value)}", "split text into a list with `split`")


def mapping(context: RenderContext, value: object) -> Mapping[str, Any]:
    """Take a map; raises Failure for anything else."""
    if isinstance(value, Mapping):
        context.charge(len(value))
        return value
    raise Failure(f"it takes a map, found {describe(value)}", "give it a map")


def is_empty(value: object) -> bool:
    """Tell whether a value is null, empty text, an empty list or map, or `omit`; 0 and false are not empty."""
    return value is None or isinstance(value, Omit) or (isinstance(value, str | list | tuple | Mapping) and not value)
