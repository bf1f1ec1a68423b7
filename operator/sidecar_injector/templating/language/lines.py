"""Lines that hold only statements or comments leave no trace; every other line stays as it is.

This takes the place of Jinja's `trim_blocks` and `lstrip_blocks`, which take the newline behind, and the indentation
before, every statement: `image: {% if x %}a{% else %}b{% endif %}` would run into the next line. `{%- -%}` and
`{%+ +%}` mean what they mean in Jinja.
"""

from collections.abc import Iterable, Iterator

RawToken = tuple[int, str, str]
"""Line, kind and text of a token, as the lexer gives it before it drops white space inside statements."""

_STATEMENTS = ("block_end", "comment_end", "raw_begin", "raw_end")


def drop_statement_lines(tokens: Iterable[RawToken]) -> Iterator[RawToken]:
    """Pass tokens on, without the white space and the newline of lines that hold only statements."""
    return _joined(token for line in _lines(tokens) for token in (_bare(line) if _only_statements(line) else line))


def _lines(tokens: Iterable[RawToken]) -> Iterator[list[RawToken]]:
    """Collect the tokens of each line; whole lines of text stay together, and a statement is never cut."""
    line: list[RawToken] = []
    for token in tokens:
        number, kind, text = token
        newline = text.find("\n") + 1 if kind == "data" else 0
        if not newline:
            line.append(token)
            continue
        line.append((number, kind, text[:newline]))
        yield line
        line = []
        last = text.rfind("\n") + 1
        if last > newline:
            yield [(number + 1, kind, text[newline:last])]
        if last < len(text):
            line.append((number + text.count("\n"), kind, text[last:]))
    yield line


def _only_statements(line: list[RawToken]) -> bool:
    return any(kind in _STATEMENTS for _, kind, _ in line) and not any(
        kind == "variable_begin" or (kind == "data" and text.strip()) for _, kind, text in line
    )


def _bare(line: list[RawToken]) -> Iterator[RawToken]:
    """Leave out the line's white space, but for what `{%+` and `+%}` protect."""
    last = len(line) - 1
    for position, (number, kind, text) in enumerate(line):
        before = line[position + 1][2] if position < last else ""
        behind = line[position - 1][2] if position else ""
        if kind != "data" or before.endswith("+") or behind.startswith("+"):
            yield number, kind, text


def _joined(tokens: Iterator[RawToken]) -> Iterator[RawToken]:
    """Join the pieces of text between two other tokens again."""
    start = 0
    pieces: list[str] = []
    for number, kind, text in tokens:
        if kind == "data":
            start = start if pieces else number
            pieces.append(text)
            continue
        if pieces:
            yield start, "data", "".join(pieces)
            pieces = []
        yield number, kind, text
    if pieces:
        yield start, "data", "".join(pieces)
