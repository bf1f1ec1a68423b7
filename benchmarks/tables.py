"""Tables, as text for a terminal and as Markdown for a page."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A title, a header, rows of as many cells, and what is to be said below."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""

    def text(self) -> str:
        """Return it for a terminal: the first column to the left, figures to the right."""
        rows = [self.header, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.header))]
        lines = [self.title, *("  " + _aligned(row, widths) for row in rows)]
        return "\n".join([*lines, f"  {self.note}"] if self.note else lines)

    def markdown(self) -> str:
        """Return it for a page."""
        rule = ("---", *("---:" for _ in self.header[1:]))
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines, *(["", self.note] if self.note else [])])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([first, *rest]).rstrip()


def number(value: float, digits: int = 0) -> str:
    """Return a number for people: thousands set apart."""
    return f"{value:,.{digits}f}"


def percent(share: float) -> str:
    """Return a share."""
    return f"{share * 100:.0f} %"
