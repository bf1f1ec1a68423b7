"""From lines of rendered text back to lines of the template; used after an error only.

A traced template prints the mark of its line before every piece of text and every value. Without the marks, its output
is the shape again; the marks tell which template line printed what.
"""

from bisect import bisect_right

from sidecar_injector.templating.markers import LINE_MARK


class LineMap:
    """Which template line printed a place of the rendered text."""

    def __init__(self, traced: str) -> None:
        self._starts: list[int] = []
        self._template_lines: list[int] = []
        pieces = LINE_MARK.split(traced)
        offset = len(pieces[0])
        for number, text in zip(pieces[1::2], pieces[2::2], strict=True):
            self._starts.append(offset)
            self._template_lines.append(int(number))
            offset += len(text)
        self.shape = "".join(pieces[::2])
        self._line_starts = [0]
        for line in self.shape.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)

    def text(self, line: int) -> str:
        """Return a line of the shape (from 1), without its newline; empty if there is no such line."""
        if not 0 < line < len(self._line_starts):
            return ""
        return self.shape[self._line_starts[line - 1] : self._line_starts[line] - 1]

    def template_line(self, line: int, column: int = 0) -> int:
        """Return the template line that printed this place (both from 1; column 0: the first thing in the line)."""
        if not self._starts:
            return 1
        start, end = (self._line_starts[min(n, len(self._line_starts) - 1)] for n in (max(line, 1) - 1, max(line, 1)))
        found = bisect_right(self._starts, start + max(column - 1, 0)) - 1
        if found < 0 or self._starts[found] < start:
            # Nothing was printed in this line before that column: take the first thing that was printed after it.
            found = found + 1 if found + 1 < len(self._starts) and self._starts[found + 1] < end else found
        return self._template_lines[max(found, 0)]
