"""A template between the languages: text and marks in the order of the source, the marks' meaning in our language."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from sidecar_injector.cli.go_templates.tree import Tag
from sidecar_injector.cli.go_templates.values import Expr

WHITE = " \t\r\n"
"""What Go's `{{-` and `-}}` take away."""


class Turn(Enum):
    """What a statement does to the flow."""

    OPEN = auto()
    ARM = auto()
    CLOSE = auto()


@dataclass(frozen=True)
class Words:
    """Text of the template, as it stands in the Go source."""

    text: str
    line: int


@dataclass(frozen=True)
class Said:
    """A statement of our language; `turn` says what it does to the flow, `arm` which arm of `block` begins."""

    source: str
    turn: Turn | None = None
    block: int = 0
    arm: int = 0


@dataclass(frozen=True)
class Printed:
    """A value that is printed: the number of its output."""

    number: int


@dataclass(frozen=True)
class Remark:
    """A comment."""

    text: str


Part = Said | Printed | Remark


@dataclass(frozen=True)
class Mark:
    """One action of the Go source, and what it becomes."""

    tag: Tag
    parts: tuple[Part, ...]

    @property
    def prints(self) -> bool:
        """Whether it prints a value."""
        return any(isinstance(part, Printed) for part in self.parts)


Piece = Words | Mark


@dataclass(frozen=True)
class Output:
    """A value to be printed, and the line where it stands in the Go source; a silent one ends the rendering."""

    expr: Expr
    line: int
    silent: bool = False


@dataclass(frozen=True)
class Flow:
    """An `if`, `with` or `range`: what it depends on, how many ways there are, and the ways in which it stands.

    Blocks that depend on the same take the same way.
    """

    subject: str
    arms: int
    within: tuple[tuple[int, int], ...]


@dataclass
class Draft:
    """A Go template, translated but for how its values are printed."""

    pieces: list[Piece] = field(default_factory=list)
    outputs: dict[int, Output] = field(default_factory=dict)
    flows: dict[int, Flow] = field(default_factory=dict)


def trimmed(pieces: list[Piece], index: int, counts: dict[int, bool] | None = None) -> tuple[int, int]:
    """Return the part of a text that the marks beside it leave; `counts` says which of them trim (default: all)."""
    piece = pieces[index]
    assert isinstance(piece, Words)
    start, end = 0, len(piece.text)
    before = pieces[index - 1] if index else None
    behind = pieces[index + 1] if index + 1 < len(pieces) else None
    if isinstance(before, Mark) and before.tag.behind and (counts is None or counts[index - 1]):
        start = len(piece.text) - len(piece.text.lstrip(WHITE))
    if isinstance(behind, Mark) and behind.tag.before and (counts is None or counts[index + 1]):
        end = max(start, len(piece.text.rstrip(WHITE)))
    return start, end
