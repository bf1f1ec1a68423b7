"""From pieces to the source of our template: first as people write it, and as Go would lay it out if that differs.

People put a statement in a line of its own, which leaves no trace. Whether that says the same as Go's template is found
out: our own lexer reads the source back, and both must give the same YAML in every way through the template.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto

from sidecar_injector.cli.go_templates.pieces import WHITE, Draft, Mark, Part, Printed, Remark, Said, Words, trimmed
from sidecar_injector.cli.go_templates.places import Edit, Stretch
from sidecar_injector.cli.go_templates.printing import Print, Prints
from sidecar_injector.templating.language.lines import drop_statement_lines
from sidecar_injector.templating.language.sandbox import TemplateEnvironment
from sidecar_injector.templating.limits import DEFAULT_LIMITS, Delimiters

_JINJA_SIGNS = re.compile("{[%#{]")
Texts = dict[int, tuple[int, int]]


def exact_texts(draft: Draft) -> Texts:
    """Return what is left of each text as Go trims it."""
    return {i: trimmed(draft.pieces, i) for i, piece in enumerate(draft.pieces) if isinstance(piece, Words)}


def target(draft: Draft, edits: Sequence[Edit], prints: Prints) -> list[Stretch]:
    """Return the template as stretches, with the values as they are printed and the literals as they are rewritten."""
    found: list[Stretch] = []
    for index, piece in enumerate(draft.pieces):
        if isinstance(piece, Words):
            found.append(Stretch(_edited(piece.text, trimmed(draft.pieces, index), index, edits), index, 0, piece.line))
            continue
        for part in piece.parts:
            if isinstance(part, Printed):
                found += _print_stretches(part.number, prints[part.number])
            elif isinstance(part, Said) and part.turn is not None:
                found.append(Stretch("", turn=part))
    return found


def _print_stretches(number: int, how: Print) -> list[Stretch]:
    if not how.source:
        return []
    return [Stretch(how.before), Stretch("", printed=number), Stretch(how.behind)]


def _edited(text: str, left: tuple[int, int], index: int, edits: Sequence[Edit]) -> str:
    start, end = left
    parts: list[str] = []
    for edit in sorted((edit for edit in edits if edit.piece == index), key=lambda edit: edit.start):
        parts += [text[start : edit.start], edit.text]
        start = edit.end
    return "".join([*parts, text[start:end]])


# --- writing


class Lines(Enum):
    """Which of the statements that stand alone in the Go source get a line of their own."""

    ALL = auto()
    TRIMMED = auto()
    """Those that Go takes the line end of, as `{{- … }}` does: the others leave an empty line, which may matter."""
    NONE = auto()


class Writer:
    """Writes the source."""

    def __init__(self, draft: Draft, edits: Sequence[Edit], prints: Prints, lines: Lines) -> None:
        self._draft = draft
        self._edits = edits
        self._prints = prints
        self._lines = lines is not Lines.NONE
        self._alone = {i: self._lines and _stands_alone(draft, i, lines) for i in range(len(draft.pieces))}
        self._exact = lines is not Lines.ALL

    def source(self) -> str:
        """Return the source."""
        written = ""
        drop_newline = False
        for index, piece in enumerate(self._draft.pieces):
            if isinstance(piece, Words):
                text = self._text(index)
                written += _raw(_without_first_line_end(text) if drop_newline else text)
                drop_newline = drop_newline and not text.strip(" \t")
            elif self._alone[index]:
                written = _to_line_start(written)
                written += "".join(f"{_statement(part)}\n" for part in piece.parts)
                drop_newline = True
            else:
                written = self._inline(written, piece)
        return written

    def _text(self, index: int) -> str:
        piece = self._draft.pieces[index]
        assert isinstance(piece, Words)
        counts = {i: not alone for i, alone in self._alone.items()} if self._lines else None
        return _edited(piece.text, trimmed(self._draft.pieces, index, counts), index, self._edits)

    def _inline(self, written: str, mark: Mark) -> str:
        for part in mark.parts:
            if isinstance(part, Printed):
                written = self._printed(written, part.number)
            else:
                written += _exact(_statement(part)) if self._exact else _statement(part)
        return written

    def _printed(self, written: str, number: int) -> str:
        how = self._prints[number]
        if not how.source:
            return written
        before = how.before
        if self._lines and how.joins and written.rstrip(WHITE).endswith(":"):
            written, before = written.rstrip(WHITE), " "
        return f"{written}{_raw(before)}{{{{ {how.source} }}}}{how.behind}"


def _statement(part: Part) -> str:
    if isinstance(part, Remark):
        return f"{{# {part.text.strip().replace('#}', '# }')} #}}"
    assert isinstance(part, Said)
    return f"{{% {part.source} %}}"


def _exact(statement: str) -> str:
    """Return a statement that keeps the white space around it, even if its line holds nothing else."""
    return f"{statement[:2]}+{statement[2:-2]}+{statement[-2:]}"


def _raw(text: str) -> str:
    """Return text with the signs that mean something to Jinja marked as text."""
    return _JINJA_SIGNS.sub(r"{% raw %}\g<0>{% endraw %}", text)


def _to_line_start(written: str) -> str:
    line = written[written.rfind("\n") + 1 :]
    return written[: len(written) - len(line)] if not line.strip() else written


def _without_first_line_end(text: str) -> str:
    first, end, rest = text.partition("\n")
    return rest if end and not first.strip() else text


def _stands_alone(draft: Draft, index: int, lines: Lines) -> bool:
    """Tell whether the line of a mark's Go source has nothing but statements."""
    piece = draft.pieces[index]
    if not isinstance(piece, Mark) or piece.prints or (lines is Lines.TRIMMED and not piece.tag.before):
        return False
    return _clear(draft, index, -1) and _clear(draft, index, 1)


def _clear(draft: Draft, index: int, step: int) -> bool:
    """Tell whether there are only statements and white space up to the line's end, in this direction."""
    at = index + step
    while 0 <= at < len(draft.pieces):
        piece = draft.pieces[at]
        if isinstance(piece, Mark):
            if piece.prints:
                return False
        else:
            line = piece.text.rpartition("\n") if step < 0 else piece.text.partition("\n")
            near = line[2] if step < 0 else line[0]
            if near.strip():
                return False
            if line[1]:
                return True
        at += step
    return True


# --- reading back


def read_back(source: str, draft: Draft, prints: Prints) -> list[Stretch]:
    """Return our own reading of a source that was written of this draft."""
    marks: list[Part] = [
        part
        for piece in draft.pieces
        if isinstance(piece, Mark)
        for part in piece.parts
        if not isinstance(part, Printed) or prints[part.number].source
    ]
    environment = TemplateEnvironment(Delimiters.CURLY, DEFAULT_LIMITS)
    raw = drop_statement_lines(environment.lexer.tokeniter(source, None, None))
    found: list[Stretch] = []
    parts = iter(marks)
    for _, kind, text in raw:
        if kind == "data":
            found.append(Stretch(text))
        elif kind in ("block_begin", "variable_begin", "comment_begin"):
            part = next(parts)
            if isinstance(part, Printed):
                found.append(Stretch("", printed=part.number))
            elif isinstance(part, Said) and part.turn is not None:
                found.append(Stretch("", turn=part))
    return found
