"""A Go template as a tree. Expressions are values; statements keep the marks around them, which trim white space."""

from __future__ import annotations

from dataclasses import dataclass, field

# --- expressions


@dataclass(frozen=True)
class Dot:
    """`.`"""


@dataclass(frozen=True)
class Literal:
    """Text, a number, true, false or nil (None)."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Variable:
    """`$name`; the name of `$` is empty."""

    name: str


@dataclass(frozen=True)
class Field:
    """`owner.name`."""

    owner: Expression
    name: str


@dataclass(frozen=True)
class Call:
    """`function argument …`; a pipeline's value before it is the last argument."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Apply:
    """`value argument …`: what is called is no function but a field or a value."""

    head: Expression
    arguments: tuple[Expression, ...]


Expression = Dot | Literal | Variable | Field | Call | Apply


@dataclass(frozen=True)
class Pipeline:
    """An expression, and the variables that it is given to: `$x := …`, `$i, $x := …`, `$x = …`."""

    value: Expression
    variables: tuple[str, ...] = ()
    assigns: bool = False


# --- statements


@dataclass(frozen=True)
class Tag:
    """The marks of one action: its line, and whether the text before and behind it loses its white space."""

    line: int
    before: bool
    behind: bool


@dataclass(frozen=True)
class Text:
    """Text between actions, as it stands in the source."""

    text: str
    line: int


@dataclass(frozen=True)
class Comment:
    """`{{/* … */}}`."""

    tag: Tag
    text: str


@dataclass(frozen=True)
class Action:
    """A pipeline: what it gives is printed, unless it is given to a variable."""

    tag: Tag
    pipeline: Pipeline


@dataclass(frozen=True)
class Arm:
    """`if`, `else if`, `with` or `range` with its pipeline and body; an `else` has no pipeline."""

    tag: Tag
    pipeline: Pipeline | None
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Block:
    """`if … else … end`, `with … end` or `range … end`."""

    keyword: str
    arms: tuple[Arm, ...]
    end: Tag


@dataclass(frozen=True)
class Other:
    """A statement that has no translation: `define`, `template`, `break` …"""

    tag: Tag
    keyword: str
    body: tuple[Statement, ...] = field(default=())


Statement = Text | Comment | Action | Block | Other
