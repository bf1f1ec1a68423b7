"""Words of a Go template: text, and what stands between `{{` and `}}`.

Source: https://pkg.go.dev/text/template#hdr-Text_and_spaces and #hdr-Actions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from sidecar_injector.cli.go_templates.findings import Refused


class Kind(Enum):
    """What a token is; `LEFT` and `RIGHT` are the marks around an action."""

    TEXT = auto()
    LEFT = auto()
    RIGHT = auto()
    COMMENT = auto()
    FIELD = auto()
    DOT = auto()
    VARIABLE = auto()
    WORD = auto()
    STRING = auto()
    NUMBER = auto()
    PIPE = auto()
    DECLARE = auto()
    ASSIGN = auto()
    COMMA = auto()
    OPEN = auto()
    CLOSE = auto()


@dataclass(frozen=True)
class Token:
    """One token.

    Attributes:
        kind: what it is.
        value: text as it stands; names without `.` or `$`; a literal's value.
        line: 1-based.
        spaced: whether white space stands before it.
        trims: of LEFT, RIGHT and COMMENT: whether the text on the left, and on the right, loses its white space.
    """

    kind: Kind
    value: object
    line: int
    spaced: bool = False
    trims: tuple[bool, bool] = (False, False)


_COMMENT = re.compile(r"\{\{(?P<left>-\s)?\s*?/\*(?P<text>.*?)\*/(?P<right>\s-)?\}\}", re.S)
_LEFT = re.compile(r"\{\{(?P<trim>-(?=\s))?")
_RIGHT = re.compile(r"(?P<trim>(?<=\s)-)?\}\}")
_SPACE = re.compile(r"\s+")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_RAW = re.compile(r"`([^`]*)`")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
_FIELD = re.compile(r"\.([A-Za-z_]\w*)")
_VARIABLE = re.compile(r"\$(\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SIGNS = {":=": Kind.DECLARE, "=": Kind.ASSIGN, "|": Kind.PIPE, ",": Kind.COMMA, "(": Kind.OPEN, ")": Kind.CLOSE}
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a Go template. Raises Refused for what is none."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def run(self) -> Iterator[Token]:
        while self._at < len(self._source):
            start = self._source.find("{{", self._at)
            end = len(self._source) if start < 0 else start
            if end > self._at:
                yield self._token(Kind.TEXT, self._source[self._at : end])
            self._at = end
            if start >= 0:
                yield from self._action()

    def _line(self) -> int:
        return self._source.count("\n", 0, self._at) + 1

    def _token(self, kind: Kind, value: object, *, spaced: bool = False) -> Token:
        return Token(kind, value, self._line(), spaced)

    def _action(self) -> Iterator[Token]:
        if comment := _COMMENT.match(self._source, self._at):
            trims = (bool(comment["left"]), bool(comment["right"]))
            yield Token(Kind.COMMENT, comment["text"], self._line(), trims=trims)
            self._at = comment.end()
            return
        left = _LEFT.match(self._source, self._at)
        assert left is not None
        opened = self._line()
        yield Token(Kind.LEFT, left[0], opened, trims=(bool(left["trim"]), False))
        self._at = left.end()
        spaced = False
        while not (right := _RIGHT.match(self._source, self._at)):
            if self._at >= len(self._source):
                raise Refused("`{{` is not closed", "close it with `}}`", opened)
            if space := _SPACE.match(self._source, self._at):
                self._at, spaced = space.end(), True
                continue
            yield self._word(spaced)
            spaced = False
        yield Token(Kind.RIGHT, right[0], self._line(), trims=(False, bool(right["trim"])))
        self._at = right.end()

    def _word(self, spaced: bool) -> Token:
        for pattern, kind in _WORDS:
            if found := pattern.match(self._source, self._at):
                value: object = found[found.lastindex or 0]
                if kind is Kind.NUMBER:
                    value = _number(found[0], self._line())
                elif pattern is _STRING:
                    value = _unescaped(found[1], self._line())
                token = self._token(kind, value, spaced=spaced)
                self._at = found.end()
                return token
        for sign, kind in _SIGNS.items():
            if self._source.startswith(sign, self._at):
                token = self._token(kind, sign, spaced=spaced)
                self._at += len(sign)
                return token
        if self._source[self._at] == ".":
            token = self._token(Kind.DOT, ".", spaced=spaced)
            self._at += 1
            return token
        wrong = self._source[self._at]
        remedy = _SIGN_REMEDIES.get(wrong, "correct the action")
        raise Refused(f"`{wrong}` cannot stand in an action", remedy, self._line())


_WORDS = (
    (_STRING, Kind.STRING),
    (_RAW, Kind.STRING),
    (_NUMBER, Kind.NUMBER),
    (_FIELD, Kind.FIELD),
    (_VARIABLE, Kind.VARIABLE),
    (_WORD, Kind.WORD),
)
_SIGN_REMEDIES = {"'": "write the character as text, in double quotes", '"': "close the quotes in the same line"}


def _number(text: str, line: int) -> int | float:
    plain = text.replace("_", "")
    try:
        legacy_octal = re.fullmatch(r"([+-]?)0([0-7]+)", plain)
        return int(f"{legacy_octal[1]}{legacy_octal[2]}", 8) if legacy_octal else int(plain, 0)
    except ValueError:
        pass
    try:
        return float(plain)
    except ValueError:
        raise Refused(f"`{text}` is no number", "correct the number", line) from None


def _unescaped(text: str, line: int) -> str:
    def replaced(found: re.Match[str]) -> str:
        simple, byte, short, long, octal, wrong = found.groups()
        if simple:
            return _ESCAPES[simple]
        code = int(octal, 8) if octal else int(byte or short or long or "110000", 16)
        if wrong or code > 0x10FFFF or ((byte or octal) and code > 0x7F):
            raise Refused(f"the escape `{found[0]}` in quotes is not understood", "write the character itself", line)
        return chr(code)

    return _ESCAPE.sub(replaced, text)
