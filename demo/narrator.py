"""How the story is printed: chapters, sentences, commands and what they really answered."""

import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

WIDTH = 110
INDENT = "    "


class Narrator:
    """Writes to one stream, in colour only where that is a terminal and NO_COLOR is not set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._chapters = 0

    def title(self, text: str) -> None:
        """Say what this is."""
        self._line(self._paint("1", text))

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        self._line()
        self._line(self._paint("1", f"{self._chapters}. {title}"))

    def say(self, sentence: str) -> None:
        """Tell the reader something."""
        self._line(f"   {sentence}")

    def command(self, *words: str, pipe: str = "") -> None:
        """Show a command as the reader would type it; `pipe` follows it verbatim."""
        self._line(f"   {self._paint('36', '$ ' + _typed(words) + pipe)}")

    def output(self, text: str, keep: int | None = None) -> None:
        """Show what a command printed: all of it, or the last `keep` lines and how many went before."""
        lines = text.rstrip("\n").split("\n") if text.strip() else []
        hidden = 0 if keep is None else max(len(lines) - keep, 0)
        if hidden:
            self._line(f"{INDENT}… {hidden} line{'s' if hidden > 1 else ''}")
        for line in lines[hidden:]:
            self._line(INDENT + _shortened(line))

    def paragraph(self, text: str) -> None:
        """Show text of a command whole, its long lines broken."""
        for line in text.rstrip("\n").split("\n"):
            for part in textwrap.wrap(line, WIDTH, break_long_words=False, drop_whitespace=False) or [""]:
                self._line(INDENT + part.rstrip())

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows under a header; a cell may have several lines."""
        cells = [[cell.split("\n") for cell in row] for row in [header, *rows]]
        widths = [max(len(line) for row in cells for line in row[column]) for column in range(len(header))]
        for row in cells:
            for parts in zip_longest(*row, fillvalue=""):
                line = "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True))
                self._line(INDENT + line.rstrip())

    def proved(self, claim: str) -> None:
        """Say that a claim was checked just now and holds."""
        self._line(f"   {self._paint('32', 'ok')} {claim}")

    def failed(self, message: str) -> None:
        """Say what went wrong."""
        self._line()
        self._line(self._paint("31", "The demo failed: ") + message)

    def _line(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def _typed(words: Sequence[str]) -> str:
    return " ".join(words[:1]) + "".join(f" {shlex.quote(word)}" for word in words[1:])


def _shortened(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[:WIDTH]} …"
